//! One judge, and people and bots before it one after another.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use tuskgate::app::{App, AppName, AppSource, ClientId, Credential, NewApp};
use tuskgate::attempt::Grant as Granted;
use tuskgate::attempt::{Attempt, ClientIp, narrow_network};
use tuskgate::endpoint::Endpoint;
use tuskgate::event;
use tuskgate::judge::limit::Limit;
use tuskgate::judge::policy::Policy;
use tuskgate::judge::replay::{Past, Replay};
use tuskgate::judge::sight::Sight;
use tuskgate::lists::{Lists, Overlay};
use tuskgate::mail::address;
use tuskgate::mail::dns::Finding;
use tuskgate::verdict::Rule;

use crate::bots::HANDS;
use crate::dice::Dice;
use crate::outcome::Outcome;
use crate::people::{Act, Grant, Kind, What, Who};

/// The default configuration, nothing banned.
fn judge(past: Past) -> Replay {
    let limits = Limit::ALL.map(|limit| (limit, limit.default_budget()));
    let policy = Policy {
        modes: Rule::ALL.map(|rule| (rule, rule.default_mode())).into(),
        limits: limits.into_iter().collect(),
        ..Policy::default()
    };
    let sight = Sight {
        lists: Arc::new(Lists::empty()),
        bans: Arc::new(Overlay::default()),
        now: Timestamp::UNIX_EPOCH,
    };
    Replay::new(policy, sight, past, 1 << 16)
}

/// One run.
pub(crate) struct Run {
    pub(crate) judge: Replay,
    pub(crate) out: Outcome,
    /// Apps by the number in the story.
    apps: HashMap<u32, ClientId>,
    bot_apps: Vec<ClientId>,
    pub(crate) met: HashMap<u32, Kind>,
    pub(crate) refused: HashSet<u32>,
    /// Distinct tokens of the bots: one for each app and whoever it acts for.
    tokens: HashSet<(ClientId, Option<u32>)>,
    begun: Option<i64>,
    token_begun: Option<i64>,
    /// Confirmations to come.
    confirm: Vec<(i64, tuskgate::mailbox::Domain)>,
    webhooks: bool,
    dice: Dice,
    micros: i64,
    /// So many times as fast, from this moment on.
    pub(crate) squeeze: (i64, f64),
}

impl Run {
    pub(crate) fn new(past: Past, webhooks: bool, seed: u64) -> Self {
        Self {
            judge: judge(past),
            out: Outcome::default(),
            apps: HashMap::new(),
            bot_apps: Vec::new(),
            met: HashMap::new(),
            refused: HashSet::new(),
            tokens: HashSet::new(),
            begun: None,
            token_begun: None,
            confirm: Vec::new(),
            webhooks,
            dice: Dice::new(seed).fork(9),
            micros: 0,
            squeeze: (0, 1.0),
        }
    }

    /// What somebody does, and what the judge says.
    pub(crate) fn act(&mut self, act: Act) {
        self.confirm_until(act.at);
        if let Who::Person(number, kind) = act.who {
            self.met.insert(number, kind);
            if self.refused.contains(&number) {
                return;
            }
        }
        let mut attempt = self.blank(&act);
        let mail = match &act.what {
            What::Make(_, look) => {
                attempt.endpoint = Endpoint::AppCreate;
                attempt.new_app = Some(NewApp {
                    name: AppName::new(&look.name),
                    redirect_uris: vec![look.redirect.to_owned()],
                    website: look.website.map(str::to_owned),
                });
                None
            }
            What::Token(app, grant) => {
                attempt.endpoint = Endpoint::Token;
                attempt.grant = Some(match grant {
                    Grant::App => Granted::ClientCredentials,
                    Grant::Code => Granted::AuthorizationCode,
                });
                attempt.credential = self.credential(act.who, *app);
                if attempt.credential.is_none() {
                    self.count_token(&act, None);
                    return;
                }
                None
            }
            What::SignUp(app, mail, local) => {
                let text = format!("{local}@{}", mail.domain);
                attempt.email = address::read(&text).expect("a plain address");
                attempt.credential = app.and_then(|app| self.credential(act.who, app));
                attempt.endpoint = match attempt.credential {
                    Some(_) => Endpoint::ApiSignUp,
                    None => Endpoint::SignUp,
                };
                Some(Finding::Server(Arc::clone(&mail.server)))
            }
        };
        let ruling = self.judge.judge(&attempt, mail);
        let refused = ruling.refused.clone();
        let outcome = if refused.is_some() {
            event::Outcome::Fail
        } else {
            event::Outcome::Create
        };
        self.judge.settle(ruling, outcome);
        self.count(&act, &attempt, refused);
    }

    fn credential(&mut self, who: Who, app: u32) -> Option<Credential> {
        let id = match (self.apps.get(&app), who) {
            (Some(id), _) => Some(id.clone()),
            // A bot whose app was refused takes another of theirs.
            (None, Who::Bot(_)) if !self.bot_apps.is_empty() => {
                let pick = self.dice.below(self.bot_apps.len() as u64) as usize;
                self.bot_apps.get(pick).cloned()
            }
            (None, _) => None,
        };
        id.map(|client_id| Credential {
            client_id,
            client_secret: None,
        })
    }

    fn count(
        &mut self,
        act: &Act,
        attempt: &Attempt,
        refused: Option<(tuskgate::verdict::Rule, String)>,
    ) {
        let well = refused.is_none();
        if let (Who::Person(number, kind), Some((rule, fact))) = (act.who, &refused) {
            self.refused.insert(number);
            if self.out.why.len() < 40 {
                self.out.why.push(format!("{kind:?} {rule}: {fact}"));
            }
        }
        match &act.what {
            What::Make(number, _) if well => self.made(*number, act, attempt),
            What::Make(..) => {}
            What::Token(..) => self.count_token(act, attempt.credential.as_ref().filter(|_| well)),
            What::SignUp(_, mail, _) => {
                let confirms = match act.who {
                    Who::Person(..) => self.dice.chance(0.9),
                    // In k2 nobody can: the mailboxes are not the bots'.
                    Who::Bot(_) => !mail.server.hosts[0].name.as_str().contains("hoster"),
                };
                if well && confirms && self.webhooks {
                    self.confirm.push((act.at + 240, mail.domain.clone()));
                }
                self.count_sign_up(act, well);
            }
        }
    }

    fn count_sign_up(&mut self, act: &Act, well: bool) {
        let Who::Bot(_) = act.who else { return };
        let begun = *self.begun.get_or_insert(act.at);
        self.out.bots.0 += 1;
        if well {
            self.out.bots.1 += 1;
            self.out.last_in = act.at - begun;
            self.out.curve.push(act.at - begun);
        } else {
            self.out.first_refusal.get_or_insert(self.out.bots.0);
        }
    }

    fn count_token(&mut self, act: &Act, given: Option<&Credential>) {
        let Who::Bot(number) = act.who else { return };
        let begun = *self.token_begun.get_or_insert(act.at);
        self.out.tokens.0 += 1;
        if let Some(credential) = given {
            self.out.tokens.1 += 1;
            self.out.last_token = act.at - begun;
            let owner = matches!(act.what, What::Token(_, Grant::Code)).then_some(number);
            self.tokens.insert((credential.client_id.clone(), owner));
            self.out.distinct = self.tokens.len() as u32;
        }
    }

    fn made(&mut self, number: u32, act: &Act, attempt: &Attempt) {
        let Some(new) = attempt.new_app.clone() else {
            return;
        };
        let id = ClientId::new(&format!("app{number}"));
        if matches!(act.who, Who::Bot(_)) && number >= HANDS {
            self.bot_apps.push(id.clone());
        }
        self.judge.learn(App {
            client_id: id.clone(),
            name: new.name,
            redirect_uris: new.redirect_uris,
            website: new.website,
            creator: Some(narrow_network(act.ip)),
            created: attempt.at,
            source: AppSource::Learn,
            credential: None,
        });
        self.apps.insert(number, id);
    }

    fn confirm_until(&mut self, now: i64) {
        while let Some((at, domain)) = self.confirm.first().filter(|(at, _)| *at <= now).cloned() {
            self.confirm.remove(0);
            self.judge
                .confirm(&domain, Timestamp::from_second(at).expect("in range"));
        }
    }

    fn blank(&mut self, act: &Act) -> Attempt {
        // Two acts of one second are not at one moment.
        self.micros = (self.micros + 7) % 1_000_000;
        let (zero, times) = self.squeeze;
        let since = ((act.at - zero) as f64 * 1e6 / times) as i64;
        let at = zero * 1_000_000 + since + self.micros;
        let at = Timestamp::from_microsecond(at).expect("in range");
        Attempt::blank(at, Endpoint::SignUp, ClientIp::Known(act.ip))
    }
}
