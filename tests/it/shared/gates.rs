//! Gates of one installation, without the proxy around them: real judges with
//! stores of their own, a real name server for them, and bots to show them.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tuskgate::app::{AppName, ClientId, NewApp};
use tuskgate::attempt::{Attempt, ClientIp};
use tuskgate::cluster::Cluster;
use tuskgate::endpoint::Endpoint;
use tuskgate::event::Outcome as Came;
use tuskgate::judge::Judge;
use tuskgate::judge::app_sight::Nobody;
use tuskgate::judge::policy::Policy;
use tuskgate::lists::Lists;
use tuskgate::mail::address;
use tuskgate::mail::dns::{DnsSettings, Resolver};
use tuskgate::mastodon::reply::{CreatedApp, Lesson};
use tuskgate::secret::Secret;
use tuskgate::stand_in::dns::{StandInDns, Zone};
use tuskgate::store::{SharedSettings, Store, StoreSettings};
use tuskgate::verdict::{Mode, Rule};
use tuskgate::wave::Kind;

use super::flushed;
use crate::support::until;

/// A ban, a condemnation or a release on one gate is in force on all within this.
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// What a busy test machine may add.
pub(super) const SLACK: Duration = Duration::from_secs(2);

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
        let judge = judge(dns, folder.path(), shared).expect("a judge");
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
        let again = judge(dns, folder, Some(shared)).expect("a judge");
        self.judge = Some(Arc::new(again));
        self.is_in().await;
    }

    pub(super) async fn enters(&self, server: &str, number: usize, came: Came) -> bool {
        let attempt = sign_up(server, number);
        let judgement = self.judge().judge(&attempt, &Nobody).await;
        if let Some((rule, reason)) = judgement.decision.refusal() {
            assert_eq!(rule, Rule::MailCluster, "{}", reason.fact);
            return false;
        }
        let lesson = nothing_learned(came);
        self.judge().settle(&attempt, judgement, &lesson).await;
        true
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

    /// Accounts of the last hour, as its breaker counts them.
    pub(super) fn accounts(&self) -> u32 {
        let now = Timestamp::now().as_second();
        let rates = self.judge().standing(now).rates;
        let accounts = rates.iter().find(|rate| rate.kind == Kind::SignUp);
        accounts.map_or(0, |rate| rate.now[1])
    }

    pub(super) fn in_force(&self) -> Vec<Cluster> {
        let now = Timestamp::now().as_second();
        let mut all = self.judge().registers().clusters();
        all.retain(|cluster| cluster.in_force(now));
        all
    }

    pub(super) async fn makes_app(&self, number: usize) -> bool {
        let mut attempt = attempt(Endpoint::AppCreate, number);
        let name = AppName::new("AaA");
        let uris = vec!["urn:ietf:wg:oauth:2.0:oob".to_owned()];
        attempt.new_app = Some(NewApp {
            name: name.clone(),
            redirect_uris: uris.clone(),
            website: None,
        });
        let judgement = self.judge().judge(&attempt, &Nobody).await;
        if judgement.decision.refusal().is_some() {
            return false;
        }
        let app = CreatedApp {
            id: None,
            client_id: ClientId::new(&format!("aaa{number}")),
            client_secret: Some(Secret::new("secret")),
            name,
            redirect_uris: uris,
            website: None,
        };
        let lesson = Lesson {
            app: Some(app),
            ..nothing_learned(Came::Create)
        };
        self.judge().settle(&attempt, judgement, &lesson).await;
        true
    }
}

pub(super) fn judge(
    dns: &StandInDns,
    folder: &Path,
    shared: Option<SharedSettings>,
) -> Result<Judge, Box<dyn std::error::Error>> {
    let store = Store::open(&StoreSettings {
        limiter_slots: 4096,
        ..StoreSettings::new(folder)
    })?;
    if let Some(shared) = shared {
        store.share(shared, &Handle::current());
    }
    let settings = DnsSettings {
        servers: vec![dns.address()],
        ..DnsSettings::default()
    };
    let resolver = Resolver::new(&settings, Handle::current())?;
    let policy = Policy {
        modes: Rule::ALL.map(|rule| (rule, Mode::Enforce)).into(),
        ..Policy::default()
    };
    let control = Handle::current();
    Ok(Judge::new(store, resolver, Lists::empty(), policy, control))
}

pub(super) fn attempt(endpoint: Endpoint, number: usize) -> Attempt {
    let [high, low] = u16::try_from(number).expect("small").to_be_bytes();
    Attempt {
        at: Timestamp::now(),
        endpoint,
        client: ClientIp::Known(Ipv4Addr::new(198, 18 + high, low, 9).into()),
        email: None,
        username: Some(format!("user{number}")),
        credential: None,
        bearer: None,
        grant: None,
        new_app: None,
        invite: None,
    }
}

pub(super) fn sign_up(server: &str, number: usize) -> Attempt {
    let mut attempt = attempt(Endpoint::SignUp, number);
    let mail = format!("b{number}@{server}{number}.example");
    attempt.email = address::read(&mail).expect("an address");
    attempt
}

pub(super) fn nothing_learned(outcome: Came) -> Lesson {
    Lesson {
        outcome,
        app: None,
        token: None,
    }
}

pub(super) async fn gates(dns: &StandInDns, shared: &SharedSettings, count: usize) -> Vec<Gate> {
    let mut gates = Vec::new();
    for _ in 0..count {
        gates.push(Gate::join(dns, shared.clone()).await);
    }
    gates
}

pub(super) async fn within_a_second(what: &str, mut true_yet: impl FnMut() -> bool) {
    let begun = Instant::now();
    until(what, &mut true_yet).await;
    assert!(
        begun.elapsed() < SECOND + SLACK,
        "{what}: {:?}",
        begun.elapsed()
    );
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
