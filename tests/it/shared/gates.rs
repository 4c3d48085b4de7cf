//! Gates of one installation, without the proxy around them: real judges with
//! stores of their own, a real name server for them, and bots to show them.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tuskgate::cluster::Cluster;
use tuskgate::event::Outcome as Came;
use tuskgate::judge::Judge;
use tuskgate::stand_in::dns::{StandInDns, Zone};
use tuskgate::store::SharedSettings;
use tuskgate::wave::Kind;

use super::flushed;
use crate::support::bots::{judge, make_app, sign_up};
use crate::support::until;

/// A ban, a condemnation or a release on one gate is in force on all within this.
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// What a busy test machine may add to what is tried only once.
const SLACK: Duration = Duration::from_secs(14);

pub(super) const BOTS: usize = 60;

pub(super) fn zone() -> Zone {
    let mut zone = Zone::new();
    for number in 0..BOTS {
        for server in ["bots", "others"] {
            let domain = format!("{server}{number}.example");
            zone.mx(&domain, 10, &format!("mx.{server}.example"));
        }
    }
    zone.ip("mx.bots.example", Ipv4Addr::new(45, 9, 9, 9));
    zone.ip("mx.others.example", Ipv4Addr::new(45, 10, 9, 9));
    zone
}

/// One of several gates, without the proxy around it.
pub(super) struct Gate {
    judge: Option<Arc<Judge>>,
    folder: tempfile::TempDir,
}

impl Gate {
    pub(super) fn alone(dns: &StandInDns) -> Self {
        Self::open(dns, tempfile::tempdir().expect("a folder"), None)
    }

    pub(super) async fn join(dns: &StandInDns, shared: SharedSettings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let key = "07".repeat(32);
        std::fs::write(folder.path().join("key"), key).expect("a key");
        let gate = Self::open(dns, folder, Some(shared));
        gate.is_in().await;
        gate
    }

    pub(super) fn open(
        dns: &StandInDns,
        folder: tempfile::TempDir,
        shared: Option<SharedSettings>,
    ) -> Self {
        let judge = judge(dns, folder.path(), shared);
        Self {
            judge: Some(Arc::new(judge)),
            folder,
        }
    }

    pub(super) async fn is_in(&self) {
        until("the shared store is in use", || {
            self.judge().store().is_shared()
        })
        .await;
    }

    pub(super) fn judge(&self) -> &Judge {
        self.judge.as_ref().expect("it is open")
    }

    /// Begins again with what is on its disk.
    pub(super) async fn start_again(&mut self, dns: &StandInDns, shared: SharedSettings) {
        flushed(self.judge().store()).await;
        self.judge = None;
        let folder = self.folder.path();
        let again = judge(dns, folder, Some(shared));
        self.judge = Some(Arc::new(again));
        self.is_in().await;
    }

    pub(super) async fn enters(&self, server: &str, number: usize, came: Came) -> bool {
        let mail = format!("b{number}@{server}{number}.example");
        sign_up(self.judge(), number, &mail, came).await
    }

    /// How many sign-ups its register knows of behind a server.
    pub(super) fn knows_of(&self, server: &str) -> u64 {
        let now = Timestamp::now().as_second();
        let reports = self.judge().registers().server(server, now);
        reports
            .into_iter()
            .flatten()
            .map(|r| r.sign_ups)
            .max()
            .unwrap_or(0)
    }

    /// What came to be in the last hour, as its breaker counts it.
    pub(super) fn came_to_be(&self, kind: Kind) -> u32 {
        let now = Timestamp::now().as_second();
        let rates = self.judge().standing(now).rates;
        let rate = rates.iter().find(|rate| rate.kind == kind);
        rate.map_or(0, |rate| rate.now[1])
    }

    pub(super) fn in_force(&self) -> Vec<Cluster> {
        let now = Timestamp::now().as_second();
        let mut all = self.judge().registers().clusters();
        all.retain(|cluster| cluster.in_force(now));
        all
    }

    pub(super) async fn makes_app(&self, number: usize) -> bool {
        make_app(self.judge(), number).await
    }
}

pub(super) async fn gates(dns: &StandInDns, shared: &SharedSettings, count: usize) -> Vec<Gate> {
    let mut gates = Vec::new();
    for _ in 0..count {
        gates.push(Gate::join(dns, shared.clone()).await);
    }
    gates
}

/// How long it took.
pub(super) async fn within_a_second(what: &str, mut true_yet: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    until(what, &mut true_yet).await;
    let took = begun.elapsed();
    assert!(took < SECOND + SLACK, "{what}: {took:?}");
    took
}

pub(super) async fn join_all<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures
        .into_iter()
        .map(|one| (Box::pin(one), None))
        .collect();
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (future, done) in &mut futures {
            if done.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *done = Some(value),
                    std::task::Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, done)| done).collect()
}
