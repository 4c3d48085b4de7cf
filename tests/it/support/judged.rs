//! The gate with its judge, in this process: the library's `serve` with the
//! `GateLayer`, the stand-in upstream behind it, the stand-in name server
//! beside it, a store in a folder of its own.
//!
//! The stand-ins and the judge's later work run on a thread of their own, so
//! that tests are plain blocking code. Clients play public addresses through
//! `X-Forwarded-For` from loopback, which is trusted as nginx would be.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tuskgate::admin::answer::from_store;
use tuskgate::admin::ask::{Answer as AdminAnswer, Ask, NewBan, Target};
use tuskgate::ban::{Ban, Effect, Scopes};
use tuskgate::endpoint::Endpoint;
use tuskgate::event::Event;
use tuskgate::judge::Judge;
use tuskgate::judge::limit::{Budget, Limit};
use tuskgate::judge::policy::Policy;
use tuskgate::lists::{Files, Lists};
use tuskgate::mail::dns::{DnsSettings, Resolver};
use tuskgate::proxy::gate::{Access, Bounds, GateLayer};
use tuskgate::stand_in::dns::{StandInDns, Zone};
use tuskgate::stand_in::upstream::{Recorded, StandIn};
use tuskgate::store::events::Filter;
use tuskgate::store::{Store, StoreSettings};
use tuskgate::verdict::{Mode, Rule};

use super::caller::{Answer, Caller, Encoding};
use super::gate::{Gate, behind_nginx};

/// A client that nobody has banned.
pub(crate) const ANA: &str = "203.0.113.7";
/// Another, in another network.
pub(crate) const BEN: &str = "198.51.100.80";
/// Where the mail of good people goes.
pub(crate) const GOOD_SERVER: [u8; 4] = [192, 0, 2, 25];
/// The machine behind every bot's domain in 2018.
pub(crate) const BAD_SERVER: &str = "45.9.9.9";

/// The zone that most tests use: good, bad and odd mail domains.
pub(crate) fn zone() -> Zone {
    let bad: std::net::IpAddr = BAD_SERVER.parse().expect("an address");
    let mut zone = Zone::new();
    zone.mx("good.example", 10, "mx.good.example")
        .ip("mx.good.example", GOOD_SERVER)
        .mx("bot.example", 10, "mail.bot.example")
        .ip("mail.bot.example", bad);
    zone
}

/// The stand-ins, on a thread of their own.
pub(crate) struct Stage {
    pub(crate) mastodon: StandIn,
    pub(crate) dns: StandInDns,
    pub(crate) runtime: Handle,
    _stop: oneshot::Sender<()>,
}

impl Stage {
    pub(crate) fn new(zone: Zone) -> Self {
        let (ready, up) = mpsc::channel();
        let (stop, told) = oneshot::channel::<()>();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let mastodon = StandIn::start().await.expect("a free port");
                let dns = StandInDns::start(zone).await.expect("a free port");
                ready
                    .send((mastodon, dns, Handle::current()))
                    .expect("the test waits");
                let _ = told.await;
            });
        });
        let (mastodon, dns, runtime) = up.recv().expect("the stand-ins come up");
        Self {
            mastodon,
            dns,
            runtime,
            _stop: stop,
        }
    }

    /// What the stand-in upstream was asked at `path`, query left out.
    pub(crate) fn asked(&self, path: &str) -> Vec<Arc<Recorded>> {
        let mut all = self.mastodon.requests();
        all.retain(|request| request.target.split('?').next() == Some(path));
        all
    }
}

/// What a house is built with.
pub(crate) struct Plan {
    pub(crate) zone: Zone,
    pub(crate) files: Files,
    pub(crate) policy: Policy,
    pub(crate) dns: DnsSettings,
    pub(crate) bounds: Bounds,
    pub(crate) delays: Option<Vec<Duration>>,
    /// Instead of the stand-in.
    pub(crate) upstream: Option<SocketAddr>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            zone: zone(),
            files: Files::default(),
            policy: Policy {
                limits: Limit::ALL
                    .map(|limit| (limit, limit.default_budget()))
                    .into_iter()
                    .collect(),
                ..Policy::default()
            },
            dns: DnsSettings::default(),
            bounds: Bounds::default(),
            delays: None,
            upstream: None,
        }
    }
}

impl Plan {
    /// With these limits instead of the defaults, each written as in the configuration.
    pub(crate) fn with_limits(mut self, limits: &[(Limit, &str)]) -> Self {
        let budget = |text: &str| Budget {
            quota: text.parse().expect("a quota"),
            mode: Mode::Enforce,
        };
        let own = limits.iter().map(|(limit, text)| (*limit, budget(text)));
        self.policy.limits = own.collect();
        self
    }

    pub(crate) fn with_mode(mut self, rule: Rule, mode: Mode) -> Self {
        self.policy.modes.insert(rule, mode);
        self
    }

    pub(crate) fn without_guard(mut self, endpoint: Endpoint) -> Self {
        self.policy.unguarded.insert(endpoint);
        self
    }

    pub(crate) fn observing(mut self) -> Self {
        self.policy.observe = true;
        self
    }

    pub(crate) fn build(self) -> House {
        House::new(self)
    }
}

/// A gate, all that it stands between, and its judge.
pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) judge: Arc<Judge>,
    pub(crate) stage: Stage,
    _folder: TempDir,
}

impl House {
    pub(crate) fn new(plan: Plan) -> Self {
        let stage = Stage::new(plan.zone);
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&StoreSettings::new(folder.path())).expect("a store");
        let dns = DnsSettings {
            servers: vec![stage.dns.address()],
            ..plan.dns
        };
        let resolver = Resolver::new(&dns, stage.runtime.clone()).expect("a resolver");
        let (lists, _) = Lists::load(&plan.files).expect("lists that can be read");
        let mut judge = Judge::new(store, resolver, lists, plan.policy, stage.runtime.clone());
        if let Some(delays) = plan.delays {
            judge = judge.looking_again_after(delays);
        }
        let judge = Arc::new(judge);
        let upstream = plan.upstream.unwrap_or(stage.mastodon.address());
        let layer = GateLayer::new(Arc::clone(&judge), plan.bounds, Access::Silent);
        let gate = Gate::with_layer(behind_nginx(upstream), layer);
        Self {
            gate,
            judge,
            stage,
            _folder: folder,
        }
    }

    /// A client at `address`.
    pub(crate) fn person(&self, address: &str) -> Person {
        Person::new(self.gate.address, address)
    }

    /// Runs what must run on the store's side.
    pub(crate) fn block<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let (say, said) = mpsc::channel();
        self.stage.runtime.spawn(async move {
            let _ = say.send(work.await);
        });
        said.recv().expect("the work ends")
    }

    /// Decides as `tuskgate ban` and `tuskgate allow` do.
    pub(crate) fn decide(&self, target: Target, effect: Effect, scopes: Scopes) -> Ban {
        let store = self.judge.store().clone();
        let new = NewBan {
            target,
            effect,
            scopes,
            reason: "a test".into(),
            source: "test".into(),
            expires: None,
        };
        let answer = self.block(async move { from_store(Ask::Ban(new), &store).await });
        match answer {
            Some(AdminAnswer::Ban(ban)) => ban,
            other => panic!("not banned: {other:?}"),
        }
    }

    pub(crate) fn ban(&self, target: Target) -> Ban {
        self.decide(target, Effect::Ban, Scopes::DEFAULT)
    }

    pub(crate) fn allow(&self, target: Target) -> Ban {
        self.decide(target, Effect::Allow, Scopes::DEFAULT)
    }

    pub(crate) fn ban_network(&self, network: &str, scopes: Scopes) -> Ban {
        let one = |_| network.parse::<std::net::IpAddr>().map(Into::into);
        let network = network.parse().or_else(one).expect("a network");
        self.decide(Target::Network(network), Effect::Ban, scopes)
    }

    /// Every event, newest first.
    pub(crate) fn events(&self) -> Vec<Event> {
        let store = self.judge.store().clone();
        let filter = Filter {
            limit: 10_000,
            ..Filter::default()
        };
        self.block(async move { store.events(filter).await })
            .expect("events")
    }

    /// The newest event.
    pub(crate) fn last_event(&self) -> Event {
        self.events().into_iter().next().expect("an event")
    }

    /// How often the upstream was asked at `path`.
    pub(crate) fn reached(&self, path: &str) -> usize {
        self.stage.asked(path).len()
    }
}

/// A client that nginx names in `X-Forwarded-For`.
pub(crate) struct Person {
    caller: Caller,
    address: String,
}

impl Person {
    pub(crate) fn new(gate: SocketAddr, address: &str) -> Self {
        Self {
            caller: Caller::new(gate, None),
            address: address.to_owned(),
        }
    }

    pub(crate) fn call(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let address = self.address.clone();
        let mut all = vec![("X-Forwarded-For", address.as_str())];
        all.extend_from_slice(headers);
        self.caller.call(method, target, &all, body)
    }

    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.call("GET", target, &[], b"").expect("an answer")
    }

    pub(crate) fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(target, &[], fields)
    }

    /// A form with more headers.
    pub(crate) fn post_with(
        &mut self,
        target: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Answer {
        self.post_as(Encoding::Urlencoded, target, headers, fields)
    }

    pub(crate) fn post_as(
        &mut self,
        encoding: Encoding,
        target: &str,
        headers: &[(&str, &str)],
        fields: &[(&str, &str)],
    ) -> Answer {
        let (kind, body) = encoding.write(fields);
        let mut all = vec![("Content-Type", kind)];
        all.extend_from_slice(headers);
        self.call("POST", target, &all, &body).expect("an answer")
    }

    /// Registers an app.
    pub(crate) fn app(&mut self, name: &str) -> Credential {
        self.app_at(name, OOB)
    }

    pub(crate) fn app_at(&mut self, name: &str, redirect_uri: &str) -> Credential {
        let fields = [("client_name", name), ("redirect_uris", redirect_uri)];
        let made = self.post("/api/v1/apps", &fields);
        assert_eq!(made.status, 200, "{}", made.text());
        Credential::of(&made)
    }

    /// A token for the app itself.
    pub(crate) fn token(&mut self, app: &Credential) -> String {
        let reply = self.ask_token(app, "client_credentials", "read");
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    pub(crate) fn ask_token(&mut self, app: &Credential, grant: &str, scope: &str) -> Answer {
        let fields = [
            ("grant_type", grant),
            ("client_id", &app.id),
            ("client_secret", &app.secret),
            ("scope", scope),
            ("code", scope),
        ];
        let last = fields.len() - usize::from(grant != "authorization_code");
        self.post("/oauth/token", fields.get(..last).expect("fields"))
    }

    /// Signs up through an app.
    pub(crate) fn sign_up(&mut self, bearer: &str, name: &str, email: &str) -> Answer {
        let authorization = format!("Bearer {bearer}");
        let fields = [
            ("username", name),
            ("email", email),
            ("password", "correct horse battery"),
            ("agreement", "true"),
            ("locale", "en"),
        ];
        let headers = [("Authorization", authorization.as_str())];
        self.post_with("/api/v1/accounts", &headers, &fields)
    }

    /// Signs up with the form.
    pub(crate) fn web_sign_up(&mut self, name: &str, email: &str) -> Answer {
        let fields = [
            ("user[account_attributes][username]", name),
            ("user[email]", email),
            ("user[password]", "correct horse battery"),
            ("user[agreement]", "1"),
        ];
        self.post("/auth", &fields)
    }
}

/// The redirect URI of apps without one.
pub(crate) const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

/// An app's id and secret.
#[derive(Clone, Debug)]
pub(crate) struct Credential {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Credential {
    pub(crate) fn of(made: &Answer) -> Self {
        let json = made.json();
        let text = |key: &str| json[key].as_str().expect(key).to_owned();
        Self {
            id: text("client_id"),
            secret: text("client_secret"),
        }
    }
}

/// Waits until `true_yet`, looking again and again.
pub(crate) fn wait_until(what: &str, mut true_yet: impl FnMut() -> bool) {
    let began = Instant::now();
    while !true_yet() {
        assert!(began.elapsed() < super::PATIENCE, "never came true: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A list file in a folder that lasts as long as the returned handle.
pub(crate) fn list(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("list.txt");
    std::fs::write(&file, text).expect("a writable folder");
    (folder, file)
}

/// Now, as events are dated.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
