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
use crate::lists::{Lists, Overlay};
use crate::mail::dns::Resolver;
use crate::secret::Purpose;
use crate::store::Store;
use crate::store::limiter::Reservation;
use crate::verdict::{Cause, Decision, Judged, Mode, Rule, Verdict};

pub mod app_sight;
pub mod doors;
pub mod limit;
mod mail_sight;
pub mod policy;
pub mod recheck;
pub mod rules;
pub mod settle;
pub mod sight;

use app_sight::{AppSight, Asking};
use mail_sight::MailSight;
use policy::Policy;
use recheck::Recheck;
use rules::address::Mailbox;
use rules::rate::{self, Asked, Dimension};
use rules::{address, app_ban, client_ban, mail_domain, mail_server};
use sight::Sight;

/// All that a judgement needs, shared by every worker.
#[derive(Debug)]
pub struct Judge {
    store: Store,
    resolver: Resolver,
    lists: ArcSwap<Lists>,
    policy: ArcSwap<Policy>,
    recheck: Recheck,
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
    /// The charges, to be settled by the reply.
    pub reserved: Option<Reserved>,
}

/// Charges made, in the order of their dimensions.
#[derive(Debug)]
pub struct Reserved {
    dimensions: Vec<Dimension>,
    reservation: Reservation,
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
        Self {
            store,
            resolver,
            lists: ArcSwap::from_pointee(lists),
            policy: ArcSwap::from_pointee(policy),
            recheck: Recheck::new(recheck::DELAYS.to_vec()),
            control,
        }
    }

    /// The same judge, with other delays before a fresh domain is looked at again.
    #[must_use]
    pub fn looking_again_after(mut self, delays: Vec<Duration>) -> Self {
        self.recheck = Recheck::new(delays);
        self
    }

    /// Puts new lists and a new policy in force; attempts under way keep the old.
    pub fn replace(&self, lists: Lists, policy: Policy) {
        self.lists.store(Arc::new(lists));
        self.policy.store(Arc::new(policy));
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
        let mut bench = Bench {
            judge: self,
            policy: self.policy(),
            sight: self.sight(attempt.at),
            attempt,
            asking,
            out: Judgement::default(),
        };
        bench.sit().await;
        bench.out
    }
}

/// One judgement under way.
struct Bench<'a> {
    judge: &'a Judge,
    policy: Arc<Policy>,
    sight: Sight,
    attempt: &'a Attempt,
    asking: &'a dyn Asking,
    out: Judgement,
}

impl Bench<'_> {
    async fn sit(&mut self) {
        self.out.mailbox = Mailbox::of(self.attempt, self.judge.store.key());
        if self.asks(Rule::ClientBan) {
            let found = client_ban::look(self.attempt, &self.sight);
            self.say(
                Rule::ClientBan,
                client_ban::judge(self.attempt.client, found),
            );
        }
        if self.settled() {
            return;
        }
        self.find_app().await;
        if self.asks(Rule::AppBan) {
            let found = app_ban::look(self.attempt, &self.out.app, &self.sight);
            self.say(Rule::AppBan, app_ban::judge(found));
        }
        if !self.settled() && self.asks(Rule::Address) {
            let facts = address::look(self.attempt, self.out.mailbox, &self.sight);
            self.say_of_mail(Rule::Address, address::judge(facts)).await;
        }
        if !self.settled() && self.asks(Rule::MailDomain) {
            let found = mail_domain::look(self.attempt, &self.sight);
            self.say_of_mail(Rule::MailDomain, mail_domain::judge(found))
                .await;
        }
        let mut mail = MailSight::default();
        if !self.settled() && self.asks(Rule::MailServer) {
            // Boxed, or every attempt would carry the room that DNS takes.
            mail = Box::pin(MailSight::look(self.judge.resolver(), self.attempt)).await;
            self.out.mail_server = mail.describe();
            let facts = mail.facts(&self.sight);
            self.say_of_mail(Rule::MailServer, mail_server::judge(&facts))
                .await;
        }
        if !self.settled() && self.asks(Rule::Rate) {
            self.reserve(&mail).await;
        }
    }

    fn asks(&self, rule: Rule) -> bool {
        doors::applies(rule, self.attempt.endpoint) && self.policy.mode(rule) != Mode::Off
    }

    fn settled(&self) -> bool {
        self.out.decision.refusal().is_some()
    }

    fn say(&mut self, rule: Rule, verdict: Verdict) {
        let mode = self.policy.mode(rule);
        self.out.decision.verdicts.push(Judged {
            rule,
            mode,
            verdict,
        });
    }

    /// Row 2's form always carries the current address: an unchanged one passes.
    async fn say_of_mail(&mut self, rule: Rule, verdict: Verdict) {
        let refused = matches!(verdict, Verdict::Refuse(_));
        let verdict = if refused && self.unchanged().await {
            Verdict::Abstain(Cause::Unchanged)
        } else {
            verdict
        };
        self.say(rule, verdict);
    }

    async fn unchanged(&self) -> bool {
        self.attempt.endpoint == Endpoint::EmailChange
            && self.asking.unchanged(self.attempt).await == Some(true)
    }

    async fn find_app(&mut self) {
        if self.attempt.credential.is_none() && self.attempt.bearer.is_none() {
            return;
        }
        self.out.app = self.asking.app(self.attempt).await;
        let known = self.out.app.app().and_then(|app| app.credential);
        let sent = rate::credential_hash(self.attempt, self.judge.store.key());
        self.out.proven = match self.attempt.credential {
            Some(_) => sent.is_some() && sent == known,
            // A bearer that resolved is one that the upstream or a reply vouched for.
            None => self.out.app.client_id().is_some(),
        };
    }

    async fn reserve(&mut self, mail: &MailSight) {
        let own_servers = mail.own_servers();
        let asked = Asked {
            attempt: self.attempt,
            mailbox: self.out.mailbox,
            app: &self.out.app,
            proven: self.out.proven,
            own_servers: &own_servers,
            shared_mail: mail.shared_or_unknown(),
        };
        let dimensions = rate::dimensions(&asked, &self.policy.limits, self.judge.store.key());
        let charges: Vec<_> = dimensions.iter().map(|d| d.charge).collect();
        let now = self.attempt.at.as_microsecond().unsigned_abs();
        let mode = self.policy.mode(Rule::Rate);
        match self.judge.store.limiter().reserve(&charges, now) {
            Err(spent) => {
                let verdict = rate::refuse(&spent);
                self.say_of_mail(Rule::Rate, verdict).await;
            }
            Ok(reservation) => {
                let verdict = rate::pass(self.attempt.client);
                self.out.decision.verdicts.push(Judged {
                    rule: Rule::Rate,
                    mode,
                    verdict,
                });
                for spent in reservation.observed() {
                    let verdict = rate::refuse(spent);
                    let mode = Mode::Observe;
                    self.out.decision.verdicts.push(Judged {
                        rule: Rule::Rate,
                        mode,
                        verdict,
                    });
                }
                self.out.reserved = Some(Reserved {
                    dimensions,
                    reservation,
                });
            }
        }
    }
}
