//! The judge: rules in order, each *look* then *judge*, folded into a decision.
//!
//! [`Judge::judge`] asks every rule that has a say at the attempt's door and is
//! not off, in the order of [`Rule::ALL`]. Once an enforced rule refuses, the
//! later ones are not asked: what is refused costs no look-up and no budget.
//! It knows nothing of HTTP; what only the upstream can tell comes through
//! [`app_sight::Asking`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::runtime::Handle;

use crate::attempt::Attempt;
use crate::ban::Scope;
use crate::endpoint::Endpoint;
use crate::event::EventId;
use crate::event::facts::MailFacts;
use crate::lists::{Lists, Overlay};
use crate::mail::dns::Resolver;
use crate::mail::site::Prober;
use crate::secret::Purpose;
use crate::store::{Held, Store};
use crate::verdict::{Decision, Judged, Mode, Rule, Verdict};

mod app_budget;
pub mod app_sight;
mod bench;
pub mod cluster;
pub mod contained;
pub mod doors;
pub mod hear;
mod hearing;
pub mod limit;
mod mail_sight;
pub mod policy;
mod probe;
pub mod recheck;
pub mod replay;
pub mod rules;
pub mod settle;
pub mod sight;
mod suspects;
pub mod wave;

use app_sight::{AppSight, Asking};
use bench::Bench;
use cluster::live::{Counted, Registers};
use contained::Contained;
use policy::Policy;
use recheck::Recheck;
use rules::address::Mailbox;
use rules::client_ban;
use rules::rate::Dimension;
use sight::Sight;
use wave::live::Breaker;

/// All that a judgement needs, shared by every worker.
#[derive(Debug)]
pub struct Judge {
    store: Store,
    resolver: Resolver,
    lists: ArcSwap<Lists>,
    policy: ArcSwap<Policy>,
    recheck: Recheck,
    registers: Arc<Registers>,
    contained: Arc<Contained>,
    hearing: hear::Hearing,
    prober: Option<Prober>,
    breaker: Arc<Breaker>,
    control: Handle,
}

/// A judged attempt: the decision, and what was learned on the way to it.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The verdicts.
    pub decision: Decision,
    /// The mailbox, hashed.
    pub mailbox: Option<Mailbox>,
    /// The app behind it.
    pub app: AppSight,
    /// Whether its credential or bearer has been seen to be good.
    pub proven: bool,
    /// Mail servers as looked up: names, then addresses.
    pub mail_server: Vec<String>,
    /// The same as facts, for a replay; bounded.
    pub mail_facts: Vec<MailFacts>,
    /// Whether the address is the account's current one; `None` if nobody asked.
    pub unchanged: Option<bool>,
    /// What the cluster registers counted, to be withdrawn if nothing comes of it.
    pub counted: Counted,
    /// The charges, to be settled by the reply.
    pub reserved: Option<Reserved>,
}

/// Charges made, in the order of their dimensions.
#[derive(Debug)]
pub struct Reserved {
    dimensions: Vec<Dimension>,
    held: Held,
}

impl Judge {
    /// A judge over `store` and `resolver`, whose own later work runs on `control`.
    #[must_use]
    pub fn new(
        store: Store,
        resolver: Resolver,
        lists: Lists,
        policy: Policy,
        control: Handle,
    ) -> Self {
        let mut kept = store.take_kept_clusters();
        let mut hearing = hear::Hearing::restore(&mut kept);
        let registers = Arc::new(Registers::restore(&store, kept));
        hearing.remind(&registers);
        registers.resize(policy.register_size.0);
        let breaker = Arc::new(Breaker::open(&store));
        let contained = Arc::new(Contained::default());
        hearing::start(&store, &registers, &contained, &breaker, &control);
        contained::again::start(&contained, &registers, &control);
        Self {
            store,
            resolver,
            lists: ArcSwap::from_pointee(lists),
            policy: ArcSwap::from_pointee(policy),
            recheck: Recheck::new(recheck::DELAYS.to_vec()),
            registers,
            contained,
            hearing,
            prober: None,
            breaker,
            control,
        }
    }

    /// The same judge, with other delays before a fresh domain is looked at again.
    #[must_use]
    pub fn looking_again_after(mut self, delays: Vec<Duration>) -> Self {
        self.recheck = Recheck::new(delays);
        self
    }

    /// The same judge, which has `prober` look at the web sites of fresh domains behind
    /// suspicious servers.
    #[must_use]
    pub fn probing(mut self, prober: Prober) -> Self {
        self.prober = Some(prober);
        self
    }

    /// Puts new lists and a new policy in force; attempts under way keep the old
    /// lists, which are returned.
    pub fn replace(&self, lists: Lists, policy: Policy) -> Arc<Lists> {
        self.registers.resize(policy.register_size.0);
        let before = self.lists.swap(Arc::new(lists));
        self.policy.store(Arc::new(policy));
        before
    }

    /// A reference for a new event. Without randomness (which a running system
    /// does not lose) it is still unguessable to whoever has not the gate's key.
    #[must_use]
    pub fn fresh_id(&self) -> EventId {
        EventId::random().unwrap_or_else(|_| {
            let now = Timestamp::now().as_nanosecond().to_be_bytes();
            let hash = self.store.key().hash(Purpose::Limit, &[b"event", &now]);
            let [a, b, c, d, e, f, g, h, ..] = hash.0;
            EventId::from_number(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
        })
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The registers of clusters.
    #[must_use]
    pub fn registers(&self) -> &Registers {
        &self.registers
    }

    /// The resolver.
    #[must_use]
    pub const fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// Lists and bans at this moment.
    #[must_use]
    pub fn sight(&self, now: Timestamp) -> Sight {
        Sight {
            lists: self.lists.load_full(),
            bans: self.store.bans(),
            now,
        }
    }

    /// Whether `endpoint` is guarded under the policy in force.
    #[must_use]
    pub fn guards(&self, endpoint: Endpoint) -> bool {
        self.policy.load().guards(endpoint)
    }

    /// Whether `rule` is asked at `endpoint` under the policy in force.
    #[must_use]
    pub fn asks(&self, rule: Rule, endpoint: Endpoint) -> bool {
        doors::applies(rule, endpoint) && self.policy.load().mode(rule) != Mode::Off
    }

    /// The verdict on any request of `ip`, guarded or not, and its moment: networks
    /// banned with scope `all`.
    ///
    /// On the hot path: allocates only when something is found.
    #[must_use]
    pub fn banned_everywhere(&self, ip: IpAddr) -> Option<(Judged, Timestamp)> {
        if !self.may_be_banned_everywhere(ip) {
            return None;
        }
        let mode = self.policy.load().mode(Rule::ClientBan);
        if mode == Mode::Off {
            return None;
        }
        let now = Timestamp::now();
        let found = self.sight(now).network(ip, Scope::All);
        let verdict = client_ban::judge(crate::attempt::ClientIp::Known(ip), found);
        let judged = Judged {
            rule: Rule::ClientBan,
            mode,
            verdict,
        };
        matches!(judged.verdict, Verdict::Refuse(_)).then_some((judged, now))
    }

    /// What every request pays: no clock, no count of references.
    fn may_be_banned_everywhere(&self, ip: IpAddr) -> bool {
        let live = |bans: &Overlay| {
            let bans = bans.bans();
            bans.has_networks()
                && bans
                    .network_in(ip, Timestamp::now(), |scopes| scopes.all)
                    .is_some()
        };
        self.store.with_bans(live) || self.lists.load().bans_everywhere(ip)
    }

    /// Judges `attempt`.
    ///
    /// Waits for DNS and for `asking` at most as long as their own deadlines.
    pub async fn judge(&self, attempt: &Attempt, asking: &dyn Asking) -> Judgement {
        Bench::new(self, attempt, asking).judge().await
    }
}
