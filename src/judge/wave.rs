//! The register behind `wave`: how much comes to be, how much normally does,
//! and how far the breaker is up.
//!
//! Pure: the time is passed in, nothing is asked of clock, disk or DNS, so that
//! the live gate, `replay` and the efficacy bench run the same code. Its memory
//! is fixed, whatever comes.
//!
//! What is counted *came to be*: the upstream's reply said so. What was refused,
//! or came to nothing, was never here, so nobody moves the breaker by asking.
//! What that leaves to an attacker, and what it costs, stands in SECURITY.md.

mod breaker;
mod by_hand;
mod evidence;
mod flow;
pub mod live;
mod normal;
mod recent;
#[cfg(test)]
mod tests;
pub mod tuning;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::cluster::Cluster;
use crate::event::EventId;
use crate::verdict::Mode;
use crate::wave::{ByHand, Counts, Kind, Move, Newcomer, Pin, Rate, Standing, Step};
use breaker::Breaker;
pub use evidence::Evidence;
use flow::Flow;
use normal::Normal;
use recent::Recent;
use tuning::Tuning;

/// How often the breaker is looked at, at most, in seconds.
const EVERY: i64 = 5;

/// Without a look for longer than this nobody watched, in seconds.
const UNWATCHED: i64 = 15 * 60;

/// What an admin says of the breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The highest step that it goes to by itself.
    pub highest: Step,
    /// The longest that it is at step 2 or above by itself, within any 24 hours.
    pub longest: Duration,
    /// Whether an invite that the upstream confirms excuses from `wave` and from the sign-up budgets.
    pub invites: Invites,
}

/// What an invite is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Invites {
    /// Nothing: it is judged like any other sign-up.
    #[default]
    Judge,
    /// It passes `wave` and the sign-up budgets.
    Pass,
}

impl Default for Settings {
    /// Step 2, four hours of a day, invites are judged: see `config/tuskgate.toml` for why.
    fn default() -> Self {
        Self {
            highest: Step::Known,
            longest: Duration::from_secs(4 * 3600),
            invites: Invites::Judge,
        }
    }
}

/// The register.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Wave {
    flow: Flow,
    normal: Normal,
    breaker: Breaker,
    pin: Option<Pin>,
    /// The stamp of what was last said by hand; zero if nothing ever was.
    #[serde(default)]
    stamp: i64,
    shown: Step,
    last: Option<Move>,
    reference: Option<EventId>,
    evidence: String,
    #[serde(skip)]
    recent: Recent,
    #[serde(skip)]
    looked: Option<i64>,
    #[serde(skip)]
    tuning: Tuning,
}

impl Wave {
    /// The register as [`Wave::kept`] wrote it; nothing is learned of the time between.
    ///
    /// # Errors
    /// If it is not what was written.
    pub fn restore(kept: &str) -> serde_json::Result<Self> {
        let mut wave: Self = serde_json::from_str(kept)?;
        wave.normal.mend();
        wave.flow.resume();
        Ok(wave)
    }

    /// What must outlive the process: some 20 KiB, always.
    ///
    /// # Panics
    /// Never: its parts are numbers and text, which JSON takes.
    #[must_use]
    pub fn kept(&self) -> String {
        serde_json::to_string(self).expect("numbers and text are JSON")
    }

    /// For a running gate, which looks every few seconds, before it looks: nobody
    /// watched if that is long ago by the clock. The clock was set forward, the
    /// machine slept, or the rule was off; hours that nobody watched teach nothing.
    pub fn watched(&mut self, now: i64) {
        if self.looked.is_some_and(|at| now - at > UNWATCHED) {
            self.flow.resume();
        }
    }

    /// Counts what came to be.
    pub fn count(&mut self, counts: &Counts) {
        self.roll(counts.at);
        self.flow.add(counts);
    }

    /// Remembers an account that was made, in case what it came through is condemned later.
    pub fn signed_up(&mut self, newcomer: Newcomer) {
        self.recent.add(newcomer);
    }

    /// Whether it is time to look again.
    #[must_use]
    pub fn is_due(&self, now: i64) -> bool {
        self.looked.is_none_or(|at| now < at || now >= at + EVERY)
    }

    /// When it was last looked at, while a step is in force.
    #[must_use]
    pub fn looked(&self) -> Option<i64> {
        self.looked.filter(|_| self.shown > Step::Normal)
    }

    /// What condemnations are worth as evidence at `now`. Only those of rules whose
    /// word counts may be given.
    pub fn weigh<'a>(
        &self,
        now: i64,
        clusters: impl Iterator<Item = &'a Cluster>,
        confirmations_known: bool,
    ) -> Evidence {
        let from = (now - self.tuning.evidence).max(self.breaker.spent());
        let scene = evidence::Scene {
            now,
            from,
            spent: self.breaker.spent(),
            confirmations_known,
        };
        evidence::weigh(&scene, clusters, &self.recent)
    }

    /// Looks at volume and evidence, and moves the breaker if they say so; the
    /// change of the step in force, if there is one.
    pub fn look(&mut self, now: i64, settings: &Settings, evidence: &Evidence) -> Option<Move> {
        self.looked = Some(now);
        self.roll(now);
        let volume = self.volume(now);
        self.evidence = evidence.to_string();
        let ended = self.pin.take_if(|pin| !pin.in_force(now)).is_some();
        let view = breaker::View {
            now,
            volume: &volume,
            evidence,
            settings,
            tuning: &self.tuning,
            pinned: self.pin.is_some(),
        };
        let why = self.breaker.tick(&view);
        let by_hand = ended.then(|| "the pinned time is over".to_owned());
        self.show(now, by_hand.or(why))
    }

    /// Puts a step by hand, or lets the breaker go by itself again.
    pub fn put(&mut self, now: i64, pin: Option<Pin>) -> Option<Move> {
        self.stamp = (self.stamp + 1).max(now.saturating_mul(1_000_000));
        self.set(now, pin, "")
    }

    /// The same by the clock's microseconds, so that the words of two gates differ.
    pub fn put_at(&mut self, micros: i64, pin: Option<Pin>) -> Option<Move> {
        self.stamp = (self.stamp + 1).max(micros);
        self.set(micros.div_euclid(1_000_000), pin, "")
    }

    /// Another gate's word: the change of the step in force, if it is later than
    /// ours and changes it. `None` if ours holds.
    pub fn hear(&mut self, now: i64, word: ByHand) -> Option<Option<Move>> {
        if word.stamp <= self.stamp {
            return None;
        }
        self.stamp = word.stamp;
        let pin = word.pin.filter(|pin| pin.in_force(now));
        Some(self.set(now, pin, " on another gate"))
    }

    /// What was last said by hand, if anything ever was.
    #[must_use]
    pub fn by_hand(&self) -> Option<ByHand> {
        (self.stamp > 0).then_some(ByHand {
            pin: self.pin,
            stamp: self.stamp,
        })
    }

    fn set(&mut self, now: i64, pin: Option<Pin>, whose: &str) -> Option<Move> {
        self.pin = pin;
        let what = match pin {
            Some(_) => "put by hand",
            None => "let go by hand",
        };
        self.show(now, Some(format!("{what}{whose}")))
    }

    /// The step in force as of the last look.
    #[must_use]
    pub const fn step(&self) -> Step {
        self.shown
    }

    /// Whether step 2 holds back who comes through a fresh app as well: where apps are
    /// among the evidence, and where somebody put the step by hand.
    #[must_use]
    pub const fn holds_apps(&self) -> bool {
        self.pin.is_some() || self.breaker.by_apps()
    }

    /// Why, in words for whoever was refused by it and asks the admin.
    #[must_use]
    pub fn why(&self) -> String {
        let why = self.last.as_ref().map_or("", |last| last.why.as_str());
        let event = self
            .reference
            .map_or_else(String::new, |id| format!(" (tuskgate explain {id})"));
        format!("{why}{event}")
    }

    /// Whether the step in force is put by hand.
    #[must_use]
    pub const fn is_pinned(&self) -> bool {
        self.pin.is_some()
    }

    /// Which event tells of the last change.
    pub const fn refer(&mut self, id: EventId) {
        self.reference = Some(id);
    }

    /// When a person who is held back may ask again, as far as can be told.
    #[must_use]
    pub fn wait(&self, now: i64) -> Duration {
        let end = match &self.pin {
            Some(pin) => pin.until.unwrap_or(now + 3600),
            None => self.breaker.holds_until(&self.tuning),
        };
        let seconds = (end - now).clamp(60, 3600);
        Duration::from_secs(seconds.unsigned_abs())
    }

    /// How it stands.
    #[must_use]
    pub fn standing(&self, now: i64, mode: Mode) -> Standing {
        Standing {
            step: self.shown,
            mode,
            observe: false,
            by_itself: self.breaker.step(),
            pin: self.pin,
            last: self.last.clone(),
            reference: self.reference,
            evidence: self.evidence.clone(),
            rates: Kind::ALL.map(|kind| self.rate(kind, now)).into(),
            learned: self.normal.learned(),
            held: self.breaker.held(now),
        }
    }

    fn roll(&mut self, now: i64) {
        let (normal, tuning) = (&mut self.normal, &self.tuning);
        self.flow
            .roll(now, |hour, of| normal.learn(hour, of, tuning));
    }

    fn show(&mut self, now: i64, why: Option<String>) -> Option<Move> {
        let to = self.pin.map_or(self.breaker.step(), |pin| pin.step);
        let from = std::mem::replace(&mut self.shown, to);
        if from == to {
            return None;
        }
        let step = Move {
            at: now,
            from,
            to,
            why: why.unwrap_or_else(|| "the configuration has changed".to_owned()),
        };
        self.last = Some(step.clone());
        self.reference = None;
        Some(step)
    }

    fn rate(&self, kind: Kind, now: i64) -> Rate {
        let hour = now.div_euclid(3600);
        // At the turn of an hour either may be meant.
        let normal = self
            .normal
            .expected(kind, hour, &self.tuning)
            .max(self.normal.expected(kind, hour - 1, &self.tuning));
        let normal = [normal / 6.0, normal];
        let bar = [0, 1].map(|at| self.tuning.bar(kind, at, normal[at]));
        Rate {
            kind,
            now: [10, 60].map(|minutes| self.flow.within(kind, minutes)),
            normal,
            bar,
        }
    }

    fn volume(&self, now: i64) -> breaker::Volume {
        let rates = Kind::ALL.map(|kind| self.rate(kind, now));
        let hours = self.tuning.evidence / 3600;
        let hour = now.div_euclid(3600);
        let normal = (0..hours)
            .map(|back| {
                self.normal
                    .expected(Kind::SignUp, hour - back, &self.tuning)
            })
            .sum();
        breaker::Volume::of(&rates, normal, &self.tuning)
    }
}
