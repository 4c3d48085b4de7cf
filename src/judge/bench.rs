//! One judgement: each rule asked in order, until an enforced one refuses.

use std::sync::Arc;
use std::time::Duration;

use super::app_sight::Asking;
use super::cluster::{apps, live};
use super::mail_sight::MailSight;
use super::policy::Policy;
use super::rules::address::Mailbox;
use super::rules::rate::{self, Asked};
use super::rules::{
    address, app_ban, app_cluster, client_ban, mail_cluster, mail_domain, mail_server, wave,
};
use super::sight::{Hit, Sight};
use super::wave::Invites;
use super::wave::live::Held;
use super::{Judge, Judgement, Reserved, doors};
use crate::attempt::Attempt;
use crate::endpoint::Endpoint;
use crate::verdict::{Cause, Judged, Mode, Rule, Verdict};
use crate::wave::Step;

/// How long a judgement waits for the register. Without an answer a credential is unproven.
const REGISTER_DEADLINE: Duration = Duration::from_millis(250);

/// One judgement under way.
pub(super) struct Bench<'a> {
    judge: &'a Judge,
    policy: Arc<Policy>,
    sight: Sight,
    attempt: &'a Attempt,
    asking: &'a dyn Asking,
    /// Whether an invite excuses it; then its charge is in `out`.
    invited: Option<bool>,
    /// How far the breaker is up, where it is enforced.
    step: Step,
    /// The address is at a listed provider, which counts if it is let in.
    listed: bool,
    out: Judgement,
}

impl<'a> Bench<'a> {
    pub(super) fn new(judge: &'a Judge, attempt: &'a Attempt, asking: &'a dyn Asking) -> Self {
        Self {
            judge,
            policy: judge.policy(),
            sight: judge.sight(attempt.at),
            attempt,
            asking,
            invited: None,
            step: Step::Normal,
            listed: false,
            out: Judgement::default(),
        }
    }

    /// Asks every rule in order.
    pub(super) async fn judge(&mut self) -> Judgement {
        self.sit().await;
        if self.settled() {
            let counted = std::mem::take(&mut self.out.counted);
            self.judge.registers.withdraw(&counted);
        } else if self.listed {
            self.judge.registers.meet_listed(self.attempt.at);
        }
        std::mem::take(&mut self.out)
    }

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
            self.say(Rule::AppBan, app_ban::judge(found, &self.out.app));
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
        let held = self.held();
        if !self.settled() && self.asks_about_mail(held.as_ref()) {
            // `rate` needs it too: whose budget an address draws on is decided by its server.
            mail = self.look_at_mail().await;
        }
        if !self.settled() && self.asks(Rule::MailServer) {
            let facts = mail.facts(&self.sight);
            self.say_of_mail(Rule::MailServer, mail_server::judge(&facts))
                .await;
        }
        if !self.settled() && self.asks(Rule::MailCluster) {
            self.count_servers(&mail).await;
        }
        if !self.settled() && self.asks(Rule::AppCluster) {
            self.count_app();
        }
        if let Some(held) = held
            && !self.settled()
        {
            self.hold_back(held, &mail).await;
        }
        if !self.settled() && self.asks(Rule::Rate) {
            self.reserve(&mail).await;
        }
    }

    fn asks_about_mail(&self, held: Option<&Held>) -> bool {
        let step = held.map_or(Step::Normal, |held| held.step);
        self.asks(Rule::MailServer) || self.asks(Rule::Rate) || step >= Step::Known
    }

    /// How far the breaker is up, if it has a say here.
    fn held(&self) -> Option<Held> {
        let now = self.attempt.at.as_second();
        (!self.settled() && self.asks(Rule::Wave)).then(|| self.judge.breaker(now, &self.policy))
    }

    async fn look_at_mail(&mut self) -> MailSight {
        if !doors::applies(Rule::MailServer, self.attempt.endpoint) {
            return MailSight::default();
        }
        if !self.may_look_up() {
            return MailSight::default();
        }
        // Boxed, or every attempt would carry the room that DNS takes.
        let mail = Box::pin(MailSight::look(self.judge.resolver(), self.attempt)).await;
        self.out.mail_server = mail.describe();
        self.out.mail_facts = mail.record();
        mail
    }

    /// A look-up that nobody has made yet is charged to the client's network:
    /// else one address with a stalling name server could take every place.
    fn may_look_up(&mut self) -> bool {
        let resolver = self.judge.resolver();
        let known = |domain| resolver.cached(domain).is_some();
        if self.attempt.mail_domains().all(known) || !self.asks(Rule::Rate) {
            return true;
        }
        let limiter = self.judge.store.limiter();
        let charges = rate::mail_look_up(
            self.attempt.client,
            &self.policy.limits,
            self.judge.store.key(),
        );
        match limiter.reserve(&charges, self.now()) {
            Ok(reservation) => {
                limiter.keep(reservation);
                true
            }
            Err(spent) => {
                self.say(Rule::Rate, rate::refuse(&spent));
                !self.settled()
            }
        }
    }

    fn now(&self) -> u64 {
        self.attempt.at.as_microsecond().unsigned_abs()
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

    /// Asked once, however many rules would refuse.
    async fn unchanged(&mut self) -> bool {
        if self.attempt.endpoint != Endpoint::EmailChange {
            return false;
        }
        if self.out.unchanged.is_none() {
            let told = self.asking.unchanged(self.attempt).await;
            self.out.unchanged = Some(told == Some(true));
        }
        self.out.unchanged == Some(true)
    }

    async fn find_app(&mut self) {
        if self.attempt.credential.is_none() && self.attempt.bearer.is_none() {
            return;
        }
        self.out.app = self.asking.app(self.attempt).await;
        self.out.proven = match self.attempt.credential {
            Some(_) => self.credential_is_proven().await,
            // A bearer that resolved is one that the upstream or a reply vouched for.
            None => self.out.app.client_id().is_some(),
        };
    }

    /// By id, so that it holds for an app whose name nobody could tell, too.
    async fn credential_is_proven(&self) -> bool {
        let store = &self.judge.store;
        let sent = rate::credential_hash(self.attempt, store.key());
        let Some((id, sent)) = self.out.app.client_id().zip(sent) else {
            return false;
        };
        if let Some(known) = self.out.app.app().and_then(|app| app.credential) {
            return known == sent;
        }
        let proven = tokio::time::timeout(REGISTER_DEADLINE, store.is_proven(id, sent)).await;
        proven.unwrap_or(false)
    }

    /// Row 2's form always carries the current address, which is no sign-up.
    async fn count_servers(&mut self, mail: &MailSight) {
        let sign_ups = mail.sign_ups(self.attempt, &self.out.app);
        if sign_ups.is_empty() {
            self.listed = mail.listed();
            return;
        }
        if self.unchanged().await {
            self.say(Rule::MailCluster, Verdict::Abstain(Cause::Unchanged));
            return;
        }
        let facts = mail_cluster::Facts {
            sightings: self.judge.registers.enter(sign_ups).await,
            allow: mail.allow(&self.sight),
        };
        self.out.counted.servers = live::tickets(&facts.sightings).collect();
        self.say(Rule::MailCluster, mail_cluster::judge(&facts));
    }

    fn count_app(&mut self) {
        let attempt = self.attempt;
        let sighting = self
            .judge
            .registers
            .apps(|register| app_cluster::look(attempt, &self.out.app, register));
        if let apps::Sighting::Counted(ticket) = &sighting {
            self.out.counted.apps.push(ticket.clone());
        }
        let allow = self.app_allow();
        let facts = app_cluster::Facts {
            sighting,
            making: attempt.endpoint == Endpoint::AppCreate,
            allow,
            now: attempt.at.as_second(),
        };
        self.say(Rule::AppCluster, app_cluster::judge(facts));
    }

    async fn hold_back(&mut self, held: Held, mail: &MailSight) {
        if self.policy.mode(Rule::Wave) == Mode::Enforce {
            self.step = held.step;
        }
        if held.step < Step::Known {
            self.say(Rule::Wave, Verdict::Pass);
            return;
        }
        let allowed = self.app_allow().is_some();
        let facts = wave::Facts {
            step: held.step,
            apps: held.apps,
            door: self.attempt.endpoint,
            provider: mail.provider(self.attempt, &self.out.app, &self.sight, |known| {
                self.judge.registers.both(|servers, _| known(servers))
            }),
            through: wave::through(self.attempt, &self.out.app, allowed),
            why: held.why,
            wait: held.wait,
        };
        let verdict = wave::judge(&facts);
        if matches!(verdict, Verdict::Refuse(_)) && self.invited().await {
            self.say(Rule::Wave, Verdict::Abstain(Cause::Invited));
        } else {
            self.say_of_mail(Rule::Wave, verdict).await;
        }
    }

    fn app_allow(&self) -> Option<Hit> {
        let id = self.out.app.client_id()?;
        let allow = self.sight.bans.allows().client_id(id, self.sight.now);
        allow.map(Hit::of_ban)
    }

    /// Whether the attempt comes with an invite that the upstream confirms and whose
    /// own budget is not spent. Asked once, and only if something would refuse.
    async fn invited(&mut self) -> bool {
        if self.invited.is_none() {
            self.invited = Some(self.is_invited().await);
        }
        self.invited == Some(true)
    }

    async fn is_invited(&mut self) -> bool {
        if self.policy.breaker.invites != Invites::Pass || self.attempt.invite.is_none() {
            return false;
        }
        if self.asking.invited(self.attempt).await != Some(true) {
            return false;
        }
        let key = self.judge.store.key();
        let dimensions = rate::by_invite(self.attempt, &self.policy.limits, key);
        let charges: Vec<_> = dimensions.iter().map(|d| d.charge).collect();
        match self.judge.store.reserve(&charges, self.now()).await {
            Ok(held) => {
                self.out.reserved = Some(Reserved { dimensions, held });
                true
            }
            Err(_) => false,
        }
    }

    async fn reserve(&mut self, mail: &MailSight) {
        if self.invited == Some(true) {
            self.say(Rule::Rate, Verdict::Abstain(Cause::Invited));
            return;
        }
        let own_servers = mail.own_servers();
        let asked = Asked {
            attempt: self.attempt,
            mailbox: self.out.mailbox,
            app: &self.out.app,
            proven: self.out.proven,
            own_servers: own_servers.as_deref(),
        };
        let limits = match self.step {
            Step::Normal => &self.policy.limits,
            // Boxed, or every attempt would carry the room that it takes.
            _ => &*Box::new(self.policy.limits.tightened()),
        };
        let dimensions = rate::dimensions(&asked, limits, self.judge.store.key());
        let charges: Vec<_> = dimensions.iter().map(|d| d.charge).collect();
        let mode = self.policy.mode(Rule::Rate);
        match self.judge.store.reserve(&charges, self.now()).await {
            Err(_) if self.invited().await => {
                self.say(Rule::Rate, Verdict::Abstain(Cause::Invited));
            }
            Err(spent) => {
                let verdict = rate::refuse(&spent);
                self.say_of_mail(Rule::Rate, verdict).await;
            }
            Ok(held) => {
                let verdict = rate::pass(self.attempt.client);
                self.out.decision.verdicts.push(Judged {
                    rule: Rule::Rate,
                    mode,
                    verdict,
                });
                for spent in held.observed() {
                    let verdict = rate::refuse(spent);
                    let mode = Mode::Observe;
                    self.out.decision.verdicts.push(Judged {
                        rule: Rule::Rate,
                        mode,
                        verdict,
                    });
                }
                self.out.reserved = Some(Reserved { dimensions, held });
            }
        }
    }
}
