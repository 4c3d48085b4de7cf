//! One run: people and bots in order before one judge.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tuskgate::app::{App, AppName, AppSource, ClientId, Credential, NewApp};
use tuskgate::attempt::Grant as Granted;
use tuskgate::attempt::{Attempt, ClientIp, narrow_network};
use tuskgate::endpoint::Endpoint;
use tuskgate::event;
use tuskgate::judge::cluster::{apps, tuning::Tuning};
use tuskgate::judge::limit::Limit;
use tuskgate::judge::policy::Policy;
use tuskgate::judge::replay::{Past, Replay};
use tuskgate::judge::sight::Sight;
use tuskgate::lists::{Lists, Overlay};
use tuskgate::mail::address;
use tuskgate::mail::dns::Finding;
use tuskgate::verdict::{Mode, Rule};

use crate::attack::{ATTACKS, Attack};
use crate::bots::HANDS;
use crate::dice::Dice;
use crate::honest::{self, SIZES, Size, Span};
use crate::outcome::Outcome;
use crate::people::{Act, Grant, Kind, What, Who};

/// The first day of the present; a midnight.
const T0: i64 = 1_700_006_400;
const DAY: i64 = 86_400;
const PAST: i64 = 40 * DAY;

/// Where and how an attack was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Case {
    pub(crate) attack: usize,
    pub(crate) size: usize,
    pub(crate) start: Start,
    pub(crate) rush: bool,
    pub(crate) webhooks: bool,
}

/// What the gate has seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Start {
    Cold,
    Warm,
}

pub(crate) type Results = BTreeMap<Case, Vec<Outcome>>;

/// The largest server costs as much as all else together, so it has fewer seeds.
const LARGE_SEEDS: u64 = 3;

/// Every case on every seed.
pub(crate) fn all(seeds: Range<u64>, only: Option<&str>) -> Results {
    let half = seeds.start + (seeds.end - seeds.start) / 2;
    let large = seeds.start..seeds.end.min(seeds.start + LARGE_SEEDS);
    let mut results = Results::new();
    std::thread::scope(|scope| {
        let parts = [
            (seeds.start..half, 0..2),
            (half..seeds.end, 0..2),
            (large, 2..3),
        ];
        let parts = parts.map(|(seeds, sizes)| scope.spawn(move || some(seeds, sizes, only)));
        for part in parts {
            for (case, outcomes) in part.join().expect("a run does not panic") {
                results.entry(case).or_default().extend(outcomes);
            }
        }
    });
    results
}

fn some(seeds: Range<u64>, sizes: Range<usize>, only: Option<&str>) -> Results {
    let mut results = Results::new();
    for seed in seeds {
        for size in sizes.clone() {
            let of = &SIZES[size];
            for webhooks in [false, true] {
                let mut warm = None;
                for case in cases(size, webhooks, only) {
                    let past = match case.start {
                        Start::Cold => nothing(),
                        Start::Warm => warm
                            .get_or_insert_with(|| past(*of, seed, webhooks))
                            .clone(),
                    };
                    let outcome = one(case, &ATTACKS[case.attack], *of, seed, past);
                    results.entry(case).or_default().push(outcome);
                }
            }
        }
        eprintln!("seed {seed}");
    }
    results
}

fn cases(size: usize, webhooks: bool, only: Option<&str>) -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, attack) in ATTACKS.iter().enumerate() {
        if only.is_some_and(|only| !only.split(',').any(|key| key == attack.key)) {
            continue;
        }
        let case = |start, rush| Case {
            attack: at,
            size,
            start,
            rush,
            webhooks,
        };
        let calm = attack.key == "rush" || attack.key == "-";
        // Webhooks change something only where confirmations are the point.
        if webhooks && !matches!(attack.key, "h" | "k2") {
            continue;
        }
        cases.push(case(Start::Warm, attack.key == "rush"));
        if calm || size == 1 {
            cases.push(case(Start::Cold, attack.key == "rush"));
        }
        if size == 2 && matches!(attack.key, "a1" | "e" | "j") {
            cases.push(case(Start::Warm, true));
        }
    }
    cases
}

fn nothing() -> Past {
    Past::none(Tuning::default(), apps::Tuning::default())
}

fn judge(past: Past) -> Replay {
    let limits = Limit::ALL.map(|limit| (limit, limit.default_budget()));
    let policy = Policy {
        modes: Rule::ALL.map(|rule| (rule, Mode::Enforce)).into(),
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

/// The registers after forty quiet days.
fn past(size: Size, seed: u64, webhooks: bool) -> Past {
    let mut dice = Dice::new(seed).fork(1);
    let span = Span {
        from: T0 - PAST,
        to: T0,
        rush: None,
        logins: false,
    };
    let people = honest::people(size, span, &mut dice, 1_000_000);
    let mut run = Run::new(nothing(), webhooks, seed);
    for act in people {
        run.act(act);
    }
    run.judge.past()
}

fn one(case: Case, attack: &Attack, size: Size, seed: u64, past: Past) -> Outcome {
    let mut dice = Dice::new(seed).fork(2);
    let from = T0;
    let rush = case.rush.then_some(T0 + 9 * 3600);
    let hours = if case.rush {
        attack.hours.max(14) + 8
    } else {
        attack.hours
    };
    let span = Span {
        from,
        to: from + hours * 3600,
        rush,
        logins: true,
    };
    let mut acts = honest::people(size, span, &mut dice, 1);
    let begin = if case.rush {
        T0 + 9 * 3600 + 300
    } else {
        T0 + 1800
    };
    let mut dice = Dice::new(seed).fork(3 + case.attack as u64);
    acts.extend((attack.bots)(begin, &mut dice));
    acts.sort_by_key(|act| act.at);
    let mut run = Run::new(past, case.webhooks, seed);
    let before = (
        run.judge.servers().clusters().len(),
        run.judge.apps().clusters().len(),
    );
    let started = Instant::now();
    run.out.cost.0 = acts.len() as u64;
    for act in acts {
        run.act(act);
    }
    run.out.cost.1 = started.elapsed().as_nanos();
    run.out.state = run.judge.servers().size();
    run.out.clusters = (
        (run.judge.servers().clusters().len() - before.0) as u32,
        (run.judge.apps().clusters().len() - before.1) as u32,
    );
    for (who, kind) in &run.met {
        let row = &mut run.out.people[kind.row()];
        row.0 += 1;
        if run.refused.contains(who) {
            row.1 += 1;
            run.out.busiest += u32::from(*kind == Kind::Hoster(0));
        }
    }
    run.out
}

struct Run {
    judge: Replay,
    out: Outcome,
    /// Apps by the number in the story.
    apps: HashMap<u32, ClientId>,
    bot_apps: Vec<ClientId>,
    met: HashMap<u32, Kind>,
    refused: HashSet<u32>,
    begun: Option<i64>,
    token_begun: Option<i64>,
    /// Confirmations to come.
    confirm: Vec<(i64, tuskgate::mailbox::Domain)>,
    webhooks: bool,
    dice: Dice,
    micros: i64,
}

impl Run {
    fn new(past: Past, webhooks: bool, seed: u64) -> Self {
        Self {
            judge: judge(past),
            out: Outcome::default(),
            apps: HashMap::new(),
            bot_apps: Vec::new(),
            met: HashMap::new(),
            refused: HashSet::new(),
            begun: None,
            token_begun: None,
            confirm: Vec::new(),
            webhooks,
            dice: Dice::new(seed).fork(9),
            micros: 0,
        }
    }

    fn act(&mut self, act: Act) {
        self.confirm_until(act.at);
        if let Who::Person(number, kind) = act.who {
            self.met.insert(number, kind);
            if self.refused.contains(&number) {
                return;
            }
        }
        let mut attempt = blank(&act, &mut self.micros);
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
                    self.count_token(&act, false);
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
            What::Token(..) => self.count_token(act, well),
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

    fn count_token(&mut self, act: &Act, well: bool) {
        let Who::Bot(_) = act.who else { return };
        let begun = *self.token_begun.get_or_insert(act.at);
        self.out.tokens.0 += 1;
        if well {
            self.out.tokens.1 += 1;
            self.out.last_token = act.at - begun;
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
}

fn blank(act: &Act, micros: &mut i64) -> Attempt {
    // Two acts of one second are not at one moment.
    *micros = (*micros + 7) % 1_000_000;
    let at = Timestamp::from_microsecond(act.at * 1_000_000 + *micros).expect("in range");
    Attempt {
        at,
        endpoint: Endpoint::SignUp,
        client: ClientIp::Known(act.ip),
        email: None,
        username: None,
        credential: None,
        bearer: None,
        grant: None,
        new_app: None,
        invite: None,
    }
}
