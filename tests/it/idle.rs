//! Many connections, too many connections, and connections that go wrong.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::net::TcpStream;
use tuskgate::proxy::{Body, ProxySettings, Upstream};
use tuskgate::stand_in::upstream::StandIn;
use tuskgate::telemetry::metrics;

use crate::support::gate::{Gate, settings};
use crate::support::wire::Wire;
use crate::support::{Outcome, until};

/// Descriptors that this process may open, by its own limits file.
fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux");
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"))
        .expect("a limit");
    let soft = line.split_whitespace().nth(3).expect("a soft limit");
    soft.parse().unwrap_or(usize::MAX)
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .expect("a line");
    let kib = line.split_whitespace().nth(1).expect("a number");
    kib.parse().expect("a number")
}

const ASK: &str = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

/// Each connection takes two descriptors here, where client and gate share a
/// process; `tests/all` raises the limit so that it is ten thousand. Memory is
/// that of both sides, in a process of their own.
#[test]
fn ten_thousand_idle_clients_are_kept_for_little() -> Outcome {
    const ALONE: &str = "TUSKGATE_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        return runtime.block_on(ten_thousand_idle_clients());
    }
    let name = "idle::ten_thousand_idle_clients_are_kept_for_little";
    let alone = std::process::Command::new(std::env::current_exe()?)
        .args(["--exact", name, "--nocapture"])
        .env(ALONE, "1")
        .output()?;
    let said = String::from_utf8_lossy(&alone.stderr);
    eprintln!("{said}");
    assert!(alone.status.success(), "{said}");
    assert!(said.contains("idle clients:"), "it ran: {said}");
    Ok(())
}

async fn ten_thousand_idle_clients() -> Outcome {
    let count = 10_000.min((descriptors() - 1000) / 2);
    assert!(
        count >= 4000,
        "raise the limit on open files: ulimit -n 65536"
    );
    let upstream = StandIn::start().await?;
    let gate = Gate::start(settings(upstream.address()));
    let before = resident_kib();
    let each = || resident_kib().saturating_sub(before) as f64 / count as f64;
    let mut clients = Vec::with_capacity(count);
    for _ in 0..count {
        clients.push(Wire::to(gate.address).await);
    }
    let parked = || metrics().proxy.connections_parked.get();
    let all = i64::try_from(count)?;
    until("every silent connection is parked", || parked() == all).await;
    let silent = each();
    // Each speaks twice, so that the second round meets parked connections.
    for _ in 0..2 {
        for some in clients.chunks_mut(50) {
            for client in &mut *some {
                client.send(ASK).await;
            }
            for client in some {
                assert_eq!(client.reply().await.expect("a reply").status, 200);
            }
        }
        until("every quiet connection is parked", || parked() == all).await;
    }
    let served = each();
    eprintln!("{count} idle clients: {silent:.1} KiB each when silent, {served:.1} after serving");
    assert!(silent < 8.0, "{silent} KiB each, never having spoken");
    assert!(served < 24.0, "{served} KiB each");
    Ok(())
}

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
