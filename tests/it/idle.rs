//! Too many connections, and connections that go wrong.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::net::TcpStream;
use tuskgate::proxy::{Body, ProxySettings, ServeError, Upstream};
use tuskgate::stand_in::upstream::StandIn;
use tuskgate::telemetry::metrics;

use crate::support::gate::{Gate, settings};
use crate::support::wire::Wire;
use crate::support::{Outcome, until};

const ASK: &str = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn beyond_max_connections_clients_wait() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(ProxySettings {
        max_connections: 2,
        ..settings(upstream.address())
    });
    let mut first = Wire::to(gate.address).await;
    let mut second = Wire::to(gate.address).await;
    for client in [&mut first, &mut second] {
        client.send(ASK).await;
        assert_eq!(client.reply().await.expect("a reply").status, 200);
    }
    let pauses = metrics().proxy.accept_pauses.full.get();
    let mut third = Wire::to(gate.address).await;
    third.send(ASK).await;
    until("accepting paused", || {
        metrics().proxy.accept_pauses.full.get() > pauses
    })
    .await;
    assert_eq!(upstream.asked(), 2, "the third is not served yet");
    drop(first);
    assert_eq!(third.reply().await.expect("a reply").status, 200);
    Ok(())
}

/// Panics at `/panic`.
#[derive(Clone)]
struct Fragile(Upstream);

struct FragileLayer;

impl tower_layer::Layer<Upstream> for FragileLayer {
    type Service = Fragile;

    fn layer(&self, inner: Upstream) -> Fragile {
        Fragile(inner)
    }
}

impl tower_service::Service<Request<Body>> for Fragile {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert!(request.uri().path() != "/panic", "as asked");
        self.0.call(request)
    }
}

#[tokio::test]
async fn a_panic_costs_one_connection() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::with_layer(settings(upstream.address()), FragileLayer);
    let panics = metrics().proxy.panics.get();
    let mut bystander = Wire::to(gate.address).await;
    bystander.send(ASK).await;
    assert_eq!(bystander.reply().await.expect("a reply").status, 200);
    let mut unlucky = Wire::to(gate.address).await;
    unlucky.send("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(unlucky.rest().await.is_empty());
    until("the panic is counted", || {
        metrics().proxy.panics.get() > panics
    })
    .await;
    bystander.send(ASK).await;
    assert_eq!(bystander.reply().await.expect("a reply").status, 200);
    Ok(())
}

/// Makes the stack of the first worker that asks, and no other.
struct OnlyOnce(std::sync::atomic::AtomicBool);

impl tower_layer::Layer<Upstream> for OnlyOnce {
    type Service = Upstream;

    fn layer(&self, inner: Upstream) -> Upstream {
        let again = self.0.swap(true, std::sync::atomic::Ordering::Relaxed);
        assert!(!again, "as it is meant to");
        inner
    }
}

/// One worker fewer would be one core fewer, and clients that nobody greets.
#[tokio::test]
async fn a_worker_that_dies_ends_the_serving() -> Outcome {
    let upstream = StandIn::start().await?;
    let two = ProxySettings {
        workers: 2.try_into()?,
        ..settings(upstream.address())
    };
    let mut gate = Gate::with_layer(two, OnlyOnce(false.into()));
    let ended = gate.ended().await.expect_err("it was not asked to end");
    assert!(matches!(ended, ServeError::Ended(None)), "{ended:?}");
    assert_eq!(ended.to_string(), "a worker ended unasked");
    Ok(())
}

#[tokio::test]
async fn every_worker_takes_its_share() -> Outcome {
    let upstream = StandIn::start().await?;
    let gate = Gate::start(ProxySettings {
        workers: 4.try_into()?,
        ..settings(upstream.address())
    });
    for _ in 0..64 {
        let mut client = Wire::over(TcpStream::connect(gate.address).await?);
        client.send(ASK).await;
        assert_eq!(client.reply().await.expect("a reply").status, 200);
    }
    let connections: std::collections::HashSet<_> =
        upstream.requests().iter().map(|r| r.connection).collect();
    assert!(connections.len() > 1, "each worker has a pool of its own");
    Ok(())
}
