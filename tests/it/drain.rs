//! What a shutdown waits for, what it closes at once, and what it cuts.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tuskgate::proxy::{ProxySettings, Summary};
use tuskgate::stand_in::upstream::StandIn;

use crate::support::gate::{Gate, settings};
use crate::support::script::Script;
use crate::support::wire::Wire;
use crate::support::{Outcome, PATIENCE};

#[tokio::test]
async fn a_request_in_flight_is_finished_and_idle_clients_are_let_go() -> Outcome {
    let upstream = Script::new().await;
    let mut gate = Gate::start(settings(upstream.address));
    let mut idle = Wire::to(gate.address).await;
    let mut busy = Wire::to(gate.address).await;
    busy.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf")
        .await;
    let mut mastodon = upstream.accept().await;
    mastodon.head().await.expect("a request");
    gate.shut_down();
    assert!(
        idle.rest().await.is_empty(),
        "idle clients are closed at once"
    );
    busy.send("half").await;
    assert_eq!(mastodon.exactly(8).await.as_deref(), Some(&b"halfhalf"[..]));
    mastodon
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let reply = busy.reply().await.expect("the reply");
    assert_eq!(reply.text(), "ok");
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(gate.ended().await?.cut, 0);
    assert!(
        TcpStream::connect(gate.address).await.is_err(),
        "nobody listens"
    );
    Ok(())
}

#[tokio::test]
async fn the_grace_period_ends_the_rest() -> Outcome {
    let upstream = StandIn::start().await?;
    let mut settings = settings(upstream.address());
    settings.timeouts.drain = Duration::from_millis(300);
    let mut gate = Gate::start(settings);
    let mut tunnel = Wire::to(gate.address).await;
    tunnel
        .send("GET /stand-in/upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
        .await;
    assert!(tunnel.head().await.expect("an answer").contains(" 101 "));
    let mut events = Wire::to(gate.address).await;
    events
        .send("GET /stand-in/events HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    assert!(events.head().await.is_some());
    let since = Instant::now();
    gate.shut_down();
    let summary = gate.ended().await?;
    assert!(since.elapsed() >= Duration::from_millis(300));
    assert!(since.elapsed() < PATIENCE);
    assert!(summary.cut >= 2, "{summary:?}");
    tunnel.rest().await;
    events.rest().await;
    Ok(())
}

#[tokio::test]
async fn a_tunnel_that_ends_in_time_is_waited_for() -> Outcome {
    let upstream = StandIn::start().await?;
    let mut gate = Gate::start(settings(upstream.address()));
    let mut tunnel = Wire::to(gate.address).await;
    tunnel
        .send("GET /stand-in/upgrade HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
        .await;
    assert!(tunnel.head().await.expect("an answer").contains(" 101 "));
    gate.shut_down();
    tunnel.send("the last word").await;
    assert_eq!(
        tunnel.exactly(13).await.as_deref(),
        Some(&b"the last word"[..])
    );
    drop(tunnel);
    assert_eq!(gate.ended().await?.cut, 0);
    Ok(())
}

#[tokio::test]
async fn nobody_there_is_no_drain() -> Outcome {
    let upstream = StandIn::start().await?;
    let mut gate = Gate::start(ProxySettings {
        workers: 3.try_into()?,
        ..settings(upstream.address())
    });
    gate.shut_down();
    assert_eq!(gate.ended().await?, Summary::default());
    Ok(())
}
