//! The rules without a gate around them: attempts one after another, at their
//! own times, on registers and budgets of their own. Nothing is asked of
//! clock, disk, DNS or upstream, so a recorded week can be judged anew under
//! another policy, and the efficacy bench can live through a month in seconds.
//!
//! It runs the very functions of the live judge, in the order of [`Rule::ALL`].

mod again;
mod breaker;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use jiff::Timestamp;

use crate::app::{App, AppName, ClientId};
use crate::attempt::Attempt;
use crate::ban::Ban;
use crate::event::Outcome;
use crate::judge::app_sight::AppSight;
use crate::judge::cluster::apps::{self, Apps};
use crate::judge::cluster::live::{self, Counted};
use crate::judge::cluster::servers::Servers;
use crate::judge::cluster::tuning::Tuning;
use crate::judge::doors;
use crate::judge::mail_sight::MailSight;
use crate::judge::policy::Policy;
use crate::judge::rules::address::Mailbox;
use crate::judge::rules::rate::{self, Asked, Dimension, Keep};
use crate::judge::rules::{
    address, app_ban, app_cluster, client_ban, mail_cluster, mail_domain, mail_server,
};
use crate::judge::sight::{Hit, Sight};
use crate::judge::wave::Wave;
use crate::lists::Overlay;
use crate::mail::dns::Finding;
use crate::mailbox::Domain;
use crate::secret::HashKey;
use crate::store::limiter::{Limiter, Reservation};
use crate::verdict::{Cause, Decision, Judged, Mode, Reason, Rule, Verdict};
use crate::wave::{Move, Step};

/// A judge that lives in the times of what it is shown.
#[derive(Debug)]
pub struct Replay {
    policy: Policy,
    sight: Sight,
    key: HashKey,
    limiter: Limiter,
    servers: Servers,
    apps: Apps,
    wave: Wave,
    moves: Vec<Move>,
    known: HashMap<ClientId, App>,
    /// Apps that were made, but would not have been: when, and their names.
    gone: HashSet<(i64, Option<AppName>)>,
    /// Bans that begin later than the present, latest first.
    coming: Vec<Arc<Ban>>,
}

/// What was decided, to be settled with what came of it.
#[derive(Debug, Default)]
#[must_use = "settle it"]
pub struct Ruling {
    /// The enforced refusal.
    pub refused: Option<(Rule, String)>,
    /// The command that would undo the refusal; none if nobody can.
    pub undo: Option<String>,
    /// Rules that would have refused, had they been enforced.
    pub observed: Vec<(Rule, String)>,
    /// Rules that could not be asked, because what they need was not recorded.
    pub unknown: Vec<Rule>,
    /// It would not have been attempted: its app would never have come to be.
    pub moot: bool,
    attempt: Option<Box<Attempt>>,
    decision: Decision,
    counted: Counted,
    charged: Option<(Vec<Dimension>, Reservation)>,
}

impl Ruling {
    fn say(&mut self, rule: Rule, mode: Mode, reason: Reason) {
        match mode {
            Mode::Enforce => {
                self.refused = Some((rule, reason.fact.to_string()));
                self.undo = reason.undo.map(|undo| undo.to_string());
            }
            Mode::Observe => self.observed.push((rule, reason.fact.to_string())),
            Mode::Off => {}
        }
    }
}

/// What the rules are shown of an attempt beside the attempt itself.
struct Told {
    mailbox: Option<Mailbox>,
    mail: MailSight,
    app: AppSight,
    proven: bool,
    /// Whether the address is the account's current one, where that matters.
    unchanged: Option<bool>,
}

/// The registers as they were at some moment, to begin from more than once.
#[derive(Clone, Debug)]
pub struct Past {
    servers: Servers,
    apps: Apps,
    wave: Wave,
}

impl Past {
    /// Registers that have seen nothing.
    #[must_use]
    pub fn none(tuning: Tuning, apps: apps::Tuning) -> Self {
        Self {
            servers: Servers::new(tuning),
            apps: Apps::new(apps),
            wave: Wave::default(),
        }
    }
}

impl Replay {
    /// A judge under `policy` with `sight`'s lists and bans, that begins with `past`.
    #[must_use]
    pub fn new(policy: Policy, sight: Sight, mut past: Past, limiter_slots: usize) -> Self {
        past.servers.resize(policy.register_size.0);
        past.apps.resize(policy.register_size.0);
        Self {
            policy,
            sight,
            key: HashKey::new(&[7; 32]),
            limiter: Limiter::new(limiter_slots),
            servers: past.servers,
            apps: past.apps,
            wave: past.wave,
            moves: Vec::new(),
            known: HashMap::new(),
            gone: HashSet::new(),
            coming: Vec::new(),
        }
    }

    /// The same, but a ban counts only from when it was made.
    #[must_use]
    pub fn without_hindsight(mut self) -> Self {
        self.coming = self.sight.bans.iter().cloned().collect();
        self.coming
            .sort_by_key(|ban| std::cmp::Reverse(ban.created));
        self.sight.bans = Arc::default();
        self
    }

    /// The registers as they are now.
    #[must_use]
    pub fn past(&self) -> Past {
        Past {
            servers: self.servers.clone(),
            apps: self.apps.clone(),
            wave: self.wave.clone(),
        }
    }

    /// The register of mail servers.
    #[must_use]
    pub const fn servers(&self) -> &Servers {
        &self.servers
    }

    /// The register of apps.
    #[must_use]
    pub const fn apps(&self) -> &Apps {
        &self.apps
    }

    /// How the breaker stands, and every move that it has made.
    #[must_use]
    pub fn breaker(&self) -> (Step, &[Move]) {
        (self.wave.step(), &self.moves)
    }

    /// Learns of an app that came to be.
    pub fn learn(&mut self, app: App) {
        let folded = crate::lists::apps::fold(&app.name);
        self.apps.made(
            &folded,
            &app.client_id,
            app.creator,
            app.created.as_second(),
        );
        self.known.insert(app.client_id.clone(), app);
    }

    /// An account with an address of this domain has confirmed.
    pub fn confirm(&mut self, domain: &Domain, at: Timestamp) {
        self.servers.confirm(domain, at.as_second());
    }

    /// Judges an attempt whose domain's mail is at `mail`.
    pub fn judge(&mut self, attempt: &Attempt, mail: Option<Finding>) -> Ruling {
        let told = Told {
            mailbox: Mailbox::of(attempt, &self.key),
            mail: MailSight::told(attempt, mail),
            app: self.app(attempt),
            // Whoever is replayed had the right secret.
            proven: true,
            unchanged: Some(false),
        };
        let mut ruling = Ruling::default();
        self.sit(attempt, &told, &mut ruling);
        ruling
    }

    /// The time is `at`; bans made by then are in force.
    fn enter(&mut self, at: Timestamp) {
        self.sight.now = at;
        let due = |ban: &Arc<Ban>| ban.created <= at;
        if self.coming.last().is_some_and(due) {
            let mut bans: Vec<_> = self.sight.bans.iter().cloned().collect();
            while self.coming.last().is_some_and(due) {
                bans.extend(self.coming.pop());
            }
            self.sight.bans = Arc::new(Overlay::new(bans));
        }
    }

    /// Every rule in the order of [`Rule::ALL`].
    fn sit(&mut self, attempt: &Attempt, told: &Told, ruling: &mut Ruling) {
        self.enter(attempt.at);
        self.look_at_wave(attempt.at.as_second());
        ruling.attempt = Some(Box::new(attempt.clone()));
        let Told { app, mail, .. } = told;
        self.say(attempt, ruling, Rule::ClientBan, |own, _| {
            let found = client_ban::look(attempt, &own.sight);
            client_ban::judge(attempt.client, found)
        });
        self.say(attempt, ruling, Rule::AppBan, |own, _| {
            app_ban::judge(app_ban::look(attempt, app, &own.sight), app)
        });
        self.say_of_mail(attempt, told, ruling, Rule::Address, |own, _| {
            address::judge(address::look(attempt, told.mailbox, &own.sight))
        });
        self.say_of_mail(attempt, told, ruling, Rule::MailDomain, |own, _| {
            mail_domain::judge(mail_domain::look(attempt, &own.sight))
        });
        self.say_of_mail(attempt, told, ruling, Rule::MailServer, |own, _| {
            mail_server::judge(&mail.facts(&own.sight))
        });
        if told.unchanged == Some(false) {
            self.say(attempt, ruling, Rule::MailCluster, |own, counted| {
                own.mail_cluster(attempt, app, mail, counted)
            });
        }
        self.say(attempt, ruling, Rule::AppCluster, |own, counted| {
            own.app_cluster(attempt, app, counted)
        });
        self.say(attempt, ruling, Rule::Wave, |own, _| {
            own.hold_back(attempt, app, mail)
        });
        let mut charged = None;
        self.say_of_mail(attempt, told, ruling, Rule::Rate, |own, _| {
            let (verdict, charges) = own.rate(attempt, told);
            charged = charges;
            verdict
        });
        if let Some((_, reservation)) = &charged {
            let spent = reservation.observed().iter();
            let spent =
                spent.map(|spent| (Rule::Rate, format!("the limit {} is spent", spent.limit)));
            ruling.observed.extend(spent);
        }
        ruling.charged = charged;
        if ruling.refused.is_some() {
            self.withdraw(&std::mem::take(&mut ruling.counted));
        } else if self.asks(Rule::MailCluster, attempt) && mail.listed() {
            self.servers.meet_listed(attempt.at.as_second());
        }
    }

    /// Keeps or takes back what a ruling counted and charged.
    pub fn settle(&mut self, ruling: Ruling, outcome: Outcome) {
        match outcome {
            Outcome::Fail => self.withdraw(&ruling.counted),
            Outcome::Create if ruling.refused.is_none() => self.count_in_wave(&ruling),
            Outcome::Create | Outcome::Unclear => {}
        }
        if let Some((dimensions, reservation)) = ruling.charged {
            self.limiter.give_back(reservation, |at| {
                let dimension = dimensions.get(at);
                dimension.is_some_and(|d| rate::settle(d.limit, outcome) == Keep::GiveBack)
            });
        }
        // Nothing is written down here.
        drop(self.servers.changes());
        drop(self.apps.changes());
    }

    fn say(
        &mut self,
        attempt: &Attempt,
        ruling: &mut Ruling,
        rule: Rule,
        ask: impl FnOnce(&mut Self, &mut Counted) -> Verdict,
    ) {
        let mode = self.policy.mode(rule);
        if !self.asks(rule, attempt) || ruling.refused.is_some() {
            return;
        }
        let verdict = ask(self, &mut ruling.counted);
        if let Verdict::Refuse(reason) = &verdict {
            ruling.say(rule, mode, reason.clone());
        }
        ruling.decision.verdicts.push(Judged {
            rule,
            mode,
            verdict,
        });
    }

    /// Row 2's form always carries the current address: an unchanged one passes.
    fn say_of_mail(
        &mut self,
        attempt: &Attempt,
        told: &Told,
        ruling: &mut Ruling,
        rule: Rule,
        ask: impl FnOnce(&mut Self, &mut Counted) -> Verdict,
    ) {
        let mut unknown = false;
        self.say(attempt, ruling, rule, |own, counted| {
            match (ask(own, counted), told.unchanged) {
                (Verdict::Refuse(_), Some(true)) => Verdict::Abstain(Cause::Unchanged),
                (Verdict::Refuse(_), None) => {
                    unknown = true;
                    Verdict::Pass
                }
                (verdict, _) => verdict,
            }
        });
        if unknown {
            ruling.unknown.push(rule);
        }
    }

    fn asks(&self, rule: Rule, attempt: &Attempt) -> bool {
        self.policy.mode(rule) != Mode::Off && doors::applies(rule, attempt.endpoint)
    }

    fn app(&self, attempt: &Attempt) -> AppSight {
        let Some(credential) = &attempt.credential else {
            return AppSight::None;
        };
        let known = self.known.get(&credential.client_id).cloned();
        known.map_or_else(
            || AppSight::Id(credential.client_id.clone()),
            |app| AppSight::Known(app.into()),
        )
    }

    fn mail_cluster(
        &mut self,
        attempt: &Attempt,
        app: &AppSight,
        mail: &MailSight,
        counted: &mut Counted,
    ) -> Verdict {
        let sign_ups = mail.sign_ups(attempt, app).into_iter();
        let facts = mail_cluster::Facts {
            sightings: sign_ups.map(|one| self.servers.enter(one)).collect(),
            allow: mail.allow(&self.sight),
        };
        counted.servers = live::tickets(&facts.sightings).collect();
        mail_cluster::judge(&facts)
    }

    fn app_cluster(&mut self, attempt: &Attempt, app: &AppSight, counted: &mut Counted) -> Verdict {
        let sighting = app_cluster::look(attempt, app, &mut self.apps);
        if let apps::Sighting::Counted(ticket) = &sighting {
            counted.apps.push(ticket.clone());
        }
        let allow = app.client_id().and_then(|id| {
            let allow = self.sight.bans.allows().client_id(id, self.sight.now);
            allow.map(Hit::of_ban)
        });
        app_cluster::judge(app_cluster::Facts {
            sighting,
            making: attempt.new_app.is_some(),
            allow,
            now: attempt.at.as_second(),
        })
    }

    fn rate(
        &self,
        attempt: &Attempt,
        told: &Told,
    ) -> (Verdict, Option<(Vec<Dimension>, Reservation)>) {
        let own_servers = told.mail.own_servers();
        let asked = Asked {
            attempt,
            mailbox: told.mailbox,
            app: &told.app,
            proven: told.proven,
            own_servers: own_servers.as_deref(),
        };
        let tight =
            self.policy.mode(Rule::Wave) == Mode::Enforce && self.wave.step() > Step::Normal;
        let limits = match tight {
            true => &self.policy.limits.tightened(),
            false => &self.policy.limits,
        };
        let dimensions = rate::dimensions(&asked, limits, &self.key);
        let charges: Vec<_> = dimensions.iter().map(|d| d.charge).collect();
        let now = attempt.at.as_microsecond().unsigned_abs();
        match self.limiter.reserve(&charges, now) {
            Err(spent) => (rate::refuse(&spent), None),
            Ok(reservation) => (rate::pass(attempt.client), Some((dimensions, reservation))),
        }
    }

    fn withdraw(&mut self, counted: &Counted) {
        for ticket in &counted.servers {
            self.servers.withdraw(*ticket);
        }
        for ticket in &counted.apps {
            self.apps.withdraw(ticket);
        }
    }
}
