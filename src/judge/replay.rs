//! The rules without a gate around them: attempts one after another, at their
//! own times, on registers and budgets of their own. Nothing is asked of
//! clock, disk, DNS or upstream, so a recorded week can be judged anew under
//! another policy, and the efficacy bench can live through a month in seconds.
//!
//! It runs the very functions of the live judge, in the order of [`Rule::ALL`].

use hashbrown::HashMap;
use jiff::Timestamp;

use crate::app::{App, ClientId};
use crate::attempt::Attempt;
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
use crate::judge::rules::{app_cluster, mail_cluster, mail_server};
use crate::judge::sight::Sight;
use crate::mail::dns::Finding;
use crate::mailbox::Domain;
use crate::secret::HashKey;
use crate::store::limiter::{Limiter, Reservation};
use crate::verdict::{Mode, Rule, Verdict};

/// A judge that lives in the times of what it is shown.
#[derive(Debug)]
pub struct Replay {
    policy: Policy,
    sight: Sight,
    key: HashKey,
    limiter: Limiter,
    servers: Servers,
    apps: Apps,
    known: HashMap<ClientId, App>,
}

/// What was decided, to be settled with what came of it.
#[derive(Debug)]
#[must_use = "settle it"]
pub struct Ruling {
    /// The enforced refusal.
    pub refused: Option<(Rule, String)>,
    counted: Counted,
    charged: Option<(Vec<Dimension>, Reservation)>,
}

/// The registers as they were at some moment, to begin from more than once.
#[derive(Clone, Debug)]
pub struct Past {
    servers: Servers,
    apps: Apps,
}

impl Past {
    /// Registers that have seen nothing.
    #[must_use]
    pub fn none(tuning: Tuning, apps: apps::Tuning) -> Self {
        Self {
            servers: Servers::new(tuning),
            apps: Apps::new(apps),
        }
    }
}

impl Replay {
    /// A judge under `policy` with `sight`'s lists and bans, that begins with `past`.
    #[must_use]
    pub fn new(policy: Policy, sight: Sight, past: Past, limiter_slots: usize) -> Self {
        Self {
            policy,
            sight,
            key: HashKey::new(&[7; 32]),
            limiter: Limiter::new(limiter_slots),
            servers: past.servers,
            apps: past.apps,
            known: HashMap::new(),
        }
    }

    /// The registers as they are now.
    #[must_use]
    pub fn past(&self) -> Past {
        Past {
            servers: self.servers.clone(),
            apps: self.apps.clone(),
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

    /// Learns of an app that came to be.
    pub fn learn(&mut self, app: App) {
        let folded = crate::lists::apps::fold(&app.name);
        self.apps
            .made(&folded, &app.client_id, app.created.as_second());
        self.known.insert(app.client_id.clone(), app);
    }

    /// An account with an address of this domain has confirmed.
    pub fn confirm(&mut self, domain: &Domain, at: Timestamp) {
        self.servers.confirm(domain, at.as_second());
    }

    /// Judges an attempt whose domain's mail is at `mail`.
    pub fn judge(&mut self, attempt: &Attempt, mail: Option<Finding>) -> Ruling {
        self.sight.now = attempt.at;
        let mut ruling = Ruling {
            refused: None,
            counted: Counted::default(),
            charged: None,
        };
        let app = self.app(attempt);
        let mail = MailSight::told(attempt, mail);
        let facts = mail.facts(&self.sight);
        self.say(attempt, &mut ruling, Rule::MailServer, |_, _| {
            mail_server::judge(&facts)
        });
        self.say(attempt, &mut ruling, Rule::MailCluster, |own, counted| {
            own.mail_cluster(attempt, &app, &mail, counted)
        });
        self.say(attempt, &mut ruling, Rule::AppCluster, |own, counted| {
            own.app_cluster(attempt, &app, counted)
        });
        let mut charged = None;
        self.say(attempt, &mut ruling, Rule::Rate, |own, _| {
            let (verdict, charges) = own.rate(attempt, &app, &mail);
            charged = charges;
            verdict
        });
        ruling.charged = charged;
        if ruling.refused.is_some() {
            self.withdraw(&std::mem::take(&mut ruling.counted));
        }
        ruling
    }

    /// Keeps or takes back what a ruling counted and charged.
    pub fn settle(&mut self, ruling: Ruling, outcome: Outcome) {
        if outcome == Outcome::Fail {
            self.withdraw(&ruling.counted);
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
        let asked = mode != Mode::Off && doors::applies(rule, attempt.endpoint);
        if !asked || ruling.refused.is_some() {
            return;
        }
        let verdict = ask(self, &mut ruling.counted);
        if let (Verdict::Refuse(reason), Mode::Enforce) = (verdict, mode) {
            ruling.refused = Some((rule, reason.fact));
        }
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
        app_cluster::judge(app_cluster::Facts {
            sighting,
            making: attempt.new_app.is_some(),
            allow: None,
            now: attempt.at.as_second(),
        })
    }

    fn rate(
        &self,
        attempt: &Attempt,
        app: &AppSight,
        mail: &MailSight,
    ) -> (Verdict, Option<(Vec<Dimension>, Reservation)>) {
        let own_servers = mail.own_servers();
        let asked = Asked {
            attempt,
            mailbox: Mailbox::of(attempt, &self.key),
            app,
            // Whoever is replayed had the right secret.
            proven: true,
            own_servers: &own_servers,
            shared_mail: mail.shared_or_unknown(),
        };
        let dimensions = rate::dimensions(&asked, &self.policy.limits, &self.key);
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
