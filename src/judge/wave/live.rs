//! The breaker in the live gate: behind a lock, with the disk behind it, and a
//! word for everybody who should know when it moves.
//!
//! The lock is held for microseconds, never across an await, and always taken
//! after those of the cluster registers.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Wave;
use crate::attempt::Attempt;
use crate::cluster::ClusterKind;
use crate::event::{Event, VerdictRecord};
use crate::judge::cluster::apps::Apps;
use crate::judge::cluster::servers::{Servers, Ticket};
use crate::judge::policy::Policy;
use crate::judge::{Judge, doors};
use crate::store::{Store, StoreError};
use crate::telemetry::metrics;
use crate::told::Told;
use crate::verdict::{Decision, Mode, Rule, Verdict};
use crate::wave::{Counts, Kind, Move, Newcomer, Standing, Step};

/// How often the watch looks, and how often what was learned is written down.
const WATCH: Duration = Duration::from_secs(10);
const WRITE: i64 = 60;

/// The breaker of a running gate.
#[derive(Debug)]
pub(in crate::judge) struct Breaker {
    pub(super) wave: Mutex<Wave>,
    written: Mutex<i64>,
    /// What came of hearing other gates, and is not said yet.
    pub(super) heard: Mutex<Vec<Option<Move>>>,
    pub(super) has_heard: Notify,
}

/// What a judgement must know of it.
#[derive(Clone, Debug)]
pub(in crate::judge) struct Held {
    pub(in crate::judge) step: Step,
    pub(in crate::judge) apps: bool,
    pub(in crate::judge) why: String,
    pub(in crate::judge) wait: Duration,
}

impl Breaker {
    /// Counts what other gates saw come to be.
    pub(in crate::judge) fn work<T>(&self, count: impl FnOnce(&mut Wave) -> T) -> T {
        count(&mut self.wave.lock())
    }

    /// As `store` kept it. What cannot be read is said, and learned anew.
    pub(in crate::judge) fn open(store: &Store) -> Self {
        let wave = match store.take_kept_wave().as_deref().map(Wave::restore) {
            Some(Ok(wave)) => wave,
            Some(Err(fault)) => {
                tracing::error!(%fault, "what was learned of normal days cannot be read, and is learned anew");
                Wave::default()
            }
            None => Wave::default(),
        };
        metrics().wave.step(wave.step());
        Self {
            wave: Mutex::new(wave),
            written: Mutex::new(0),
            heard: Mutex::default(),
            has_heard: Notify::new(),
        }
    }
}

impl Judge {
    /// How far the breaker is up at `now`; looks first if it is time.
    pub(in crate::judge) fn breaker(&self, now: i64, policy: &Policy) -> Held {
        self.look_at_wave(now, policy);
        let wave = self.breaker.wave.lock();
        let step = wave.step();
        Held {
            step,
            apps: wave.holds_apps(),
            why: if step > Step::Tighten {
                wave.why()
            } else {
                String::new()
            },
            wait: wave.wait(now),
        }
    }

    /// Looks at volume and evidence, if it is time, and tells of a move.
    fn look_at_wave(&self, now: i64, policy: &Policy) {
        self.tell_heard();
        if policy.mode(Rule::Wave) == Mode::Off || !self.breaker.wave.lock().is_due(now) {
            return;
        }
        let moved = self.registers.both(|servers, apps| {
            let mut wave = self.breaker.wave.lock();
            let evidence = weigh(&wave, now, policy, servers, apps);
            wave.watched(now);
            wave.look(now, &policy.breaker, &evidence)
        });
        if let Some(moved) = moved {
            self.tell(&moved);
        }
        // Refused only if the queue is full: then the next minute's word will do.
        let _ = self.write_wave(now, WRITE);
    }

    /// An event, a log line, a metric.
    pub(super) fn tell(&self, moved: &Move) {
        let id = self.fresh_id();
        let by_hand = {
            let mut wave = self.breaker.wave.lock();
            wave.refer(id);
            wave.is_pinned()
        };
        metrics().wave.step(moved.to);
        let Move { from, to, why, .. } = moved;
        tracing::warn!(%from, %to, why, event = %id, "the breaker has moved: {}", to.words());
        let record = VerdictRecord {
            rule: Rule::Wave,
            mode: self.policy().mode(Rule::Wave),
            verdict: "step".to_owned(),
            fact: format!("from step {from} to step {to} ({}): {why}", to.words()),
            undo: Some(if by_hand {
                "tuskgate contain --step auto".to_owned()
            } else {
                format!("tuskgate contain --step {from} --for 2h")
            }),
        };
        let mut event = Event::blank(id, Timestamp::from_second(moved.at).unwrap_or_default());
        event.verdicts.push(record);
        self.store.record(event);
        let _ = self.write_wave(moved.at, 0);
    }

    /// Writes down what was learned, soon: before an orderly end.
    ///
    /// # Errors
    /// If the queue of the file is full.
    pub fn keep_wave(&self) -> Result<(), StoreError> {
        self.write_wave(0, 0)
    }

    /// Writes down what was learned, soon, if that was not done within `every` seconds.
    pub(super) fn write_wave(&self, now: i64, every: i64) -> Result<(), StoreError> {
        let mut written = self.breaker.written.lock();
        if (0..every).contains(&(now - *written)) {
            return Ok(());
        }
        *written = now;
        let kept = self.breaker.wave.lock().kept();
        self.store.keep_wave(kept)
    }

    /// What came to be of an admitted attempt, counted.
    pub(in crate::judge) fn count_in_wave(
        &self,
        attempt: &Attempt,
        decision: &Decision,
        app: Option<&crate::app::ClientId>,
        servers: &[Ticket],
        new_token: bool,
    ) {
        let policy = self.policy();
        if policy.mode(Rule::Wave) == Mode::Off {
            return;
        }
        let fresh = self.registers.both(|register, _| {
            servers
                .iter()
                .filter(|one| register.is_first(**one))
                .count()
        });
        let counts = counts(attempt, fresh, new_token);
        if counts.is_empty() {
            return;
        }
        for kind in Kind::ALL {
            metrics().wave.counted(kind, counts.of[kind as usize]);
        }
        self.store.tell(Told::Wave(counts));
        let newcomer = (doors::counted(attempt.endpoint) == Some(Kind::SignUp)).then(|| Newcomer {
            at: counts.at,
            app: app.cloned(),
            condemned: was_condemned(decision, &policy),
        });
        if let Some(newcomer) = newcomer.as_ref().filter(|one| one.may_tell()) {
            self.store.tell(Told::Newcomer(newcomer.clone()));
        }
        let mut wave = self.breaker.wave.lock();
        wave.count(&counts);
        newcomer.into_iter().for_each(|one| wave.signed_up(one));
    }

    /// How the breaker stands.
    #[must_use]
    pub fn standing(&self, now: i64) -> Standing {
        let policy = self.policy();
        self.look_at_wave(now, &policy);
        let mode = policy.mode(Rule::Wave);
        Standing {
            observe: policy.observe,
            ..self.breaker.wave.lock().standing(now, mode)
        }
    }

    /// Looks at the breaker now and then, so that it also comes down, and learns
    /// quiet hours, while nobody asks. Ends with the judge.
    pub async fn watch_wave(judge: Weak<Self>) {
        let mut every = tokio::time::interval(WATCH);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let Some(breaker) = judge.upgrade().map(|judge| Arc::clone(&judge.breaker)) else {
                return;
            };
            tokio::select! {
                _ = every.tick() => {}
                () = breaker.has_heard.notified() => {}
            }
            let Some(judge) = judge.upgrade() else { return };
            let now = Timestamp::now().as_second();
            judge.registers.tidy(now);
            for rate in judge.standing(now).rates {
                metrics().wave.rate(&rate);
            }
        }
    }
}

/// What came to be of an attempt that did.
pub(in crate::judge) fn counts(attempt: &Attempt, fresh: usize, new_token: bool) -> Counts {
    let mut counts = Counts {
        at: attempt.at.as_second(),
        ..Counts::default()
    };
    let kind = doors::counted(attempt.endpoint);
    let kind = kind.filter(|kind| *kind != Kind::Token || new_token);
    if let Some(kind) = kind {
        counts.of[kind as usize] = 1;
    }
    counts.of[Kind::Domain as usize] = u32::try_from(fresh).unwrap_or(u32::MAX);
    counts
}

/// Whether a cluster rule would have refused it, had it not only observed, and
/// its word counts.
pub(in crate::judge) fn was_condemned(decision: &Decision, policy: &Policy) -> bool {
    decision.verdicts.iter().any(|judged| {
        let cluster = match judged.rule {
            Rule::MailCluster => ClusterKind::Mail,
            Rule::AppCluster => ClusterKind::App,
            _ => return false,
        };
        matches!(judged.verdict, Verdict::Refuse(_)) && counts_as_evidence(cluster, policy)
    })
}

/// Whether the finding of a cluster rule may move the breaker: never that of one
/// which an admin only watches, unless the breaker is only watched as well.
fn counts_as_evidence(kind: ClusterKind, policy: &Policy) -> bool {
    let rule = match kind {
        ClusterKind::Mail => Rule::MailCluster,
        ClusterKind::App => Rule::AppCluster,
    };
    match (policy.mode(rule), policy.mode(Rule::Wave)) {
        (Mode::Enforce, _) | (Mode::Observe, Mode::Observe) => true,
        (Mode::Observe | Mode::Off, _) => false,
    }
}

/// What the registers' condemnations are worth to `wave` under `policy`.
pub(in crate::judge) fn weigh(
    wave: &Wave,
    now: i64,
    policy: &Policy,
    servers: &Servers,
    apps: &Apps,
) -> super::Evidence {
    let mail = counts_as_evidence(ClusterKind::Mail, policy);
    let app = counts_as_evidence(ClusterKind::App, policy);
    let mail = servers.in_force(now).filter(|_| mail);
    let clusters = mail.chain(apps.in_force(now).filter(|_| app));
    wave.weigh(now, clusters, servers.confirmations_known())
}
