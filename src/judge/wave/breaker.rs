//! The breaker: five steps, up one at a time and down one at a time.
//!
//! - **Step 1** needs volume far above normal and nothing else, and goes when
//!   volume has been below half of that for a while.
//! - **Step 2** needs that volume *and* evidence: many condemnations, and more
//!   accounts let in before them than normally come in all. It holds an hour
//!   after the last evidence; since nothing unknown is let in meanwhile, there
//!   seldom is any. Whom it holds back is what the evidence is about: unknown mail
//!   providers always, fresh apps only where apps were condemned, too.
//! - **Steps 3 and 4** need the same of accounts let in *at the step below*, which
//!   shows that it does not help, and a gate that knows which addresses confirm.
//!
//! What one step was built on builds no other. Steps 2 and above together last
//! at most a set time of any 24 hours, 3 and above a quarter of it, and so does
//! step 2 while nobody knows whether those accounts confirmed, whatever the
//! evidence: who wants it longer pins it by hand.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::Settings;
use super::evidence::Evidence;
use super::tuning::Tuning;
use crate::wave::{Kind, Rate, Step};

const DAY: i64 = 86_400;

/// Stays remembered; more of a day are joined with the time between them.
const STAYS: usize = 64;

/// How much comes to be, beside what is normal.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Volume {
    /// What is far above normal, in words.
    high: Vec<String>,
    /// Whether accounts or new domains are among that.
    accounts: bool,
    /// Whether nothing is above half of far above normal.
    calm: bool,
    /// How many accounts are normal for as long as evidence counts.
    normal: f32,
}

impl Volume {
    pub(super) fn of(rates: &[Rate], normal: f32, tuning: &Tuning) -> Self {
        let mut volume = Self {
            calm: true,
            normal,
            ..Self::default()
        };
        for rate in rates {
            for (at, span) in ["10 min", "1 h"].into_iter().enumerate() {
                let count = rate.now[at] as f32;
                let bar = tuning.bar(rate.kind, at, rate.normal[at]);
                volume.calm &= count <= bar / 2.0;
                if count > bar {
                    volume.accounts |= matches!(rate.kind, Kind::SignUp | Kind::Domain);
                    volume.high.push(format!(
                        "{count} {}s in {span} ({:.1} are normal, {bar:.0} pass)",
                        rate.kind.name(),
                        rate.normal[at]
                    ));
                }
            }
        }
        volume
    }
}

/// All that a look sees.
pub(super) struct View<'a> {
    pub(super) now: i64,
    pub(super) volume: &'a Volume,
    pub(super) evidence: &'a Evidence,
    pub(super) settings: &'a Settings,
    pub(super) tuning: &'a Tuning,
    /// Somebody has put a step by hand: what the breaker does by itself holds nobody back.
    pub(super) pinned: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Breaker {
    step: Step,
    entered: i64,
    /// When evidence last came in at a step above 1.
    last: i64,
    /// Evidence condemned before this has been used.
    spent: i64,
    /// Whether it was known that the accounts behind the last climb to step 2 confirmed.
    proven: bool,
    /// Whether apps were among the evidence of the present stay at step 2 or above.
    #[serde(default)]
    apps: bool,
    calm_since: Option<i64>,
    ticked: i64,
    /// Times at step 2 or above, and at 3 or above, of the last day.
    stays: [VecDeque<(i64, i64)>; 2],
}

impl Breaker {
    pub(super) const fn step(&self) -> Step {
        self.step
    }

    pub(super) const fn spent(&self) -> i64 {
        self.spent
    }

    /// Whether bots came through apps, as far as the evidence of this stay tells.
    pub(super) const fn by_apps(&self) -> bool {
        self.apps
    }

    /// Seconds of the last day at step 2 or above.
    pub(super) fn held(&self, now: i64) -> i64 {
        held(&self.stays[0], now)
    }

    /// When the present step ends if no evidence comes.
    pub(super) fn holds_until(&self, tuning: &Tuning) -> i64 {
        let hold = match self.step {
            Step::Normal | Step::Tighten => tuning.calm,
            Step::Known => tuning.hold[0],
            Step::WebOnly | Step::Closed => tuning.hold[1],
        };
        self.entered.max(self.last) + hold
    }

    /// Moves by one step at most, or down as far as time says; why, if it moved.
    pub(super) fn tick(&mut self, view: &View<'_>) -> Option<String> {
        self.pass(view);
        if let Some(why) = self.fall(view) {
            return Some(why);
        }
        self.rise(view)
    }

    /// Accounts for the time since the last tick.
    fn pass(&mut self, view: &View<'_>) {
        let now = view.now;
        if now < self.ticked - 3600 {
            // The clock was set back by more than a correction: begin anew at this step.
            self.stays = Default::default();
            (self.entered, self.last, self.calm_since) = (now, now, None);
            self.spent = self.spent.min(now);
        }
        let since = std::mem::replace(&mut self.ticked, now);
        for (stays, least) in self.stays.iter_mut().zip([Step::Known, Step::WebOnly]) {
            stays.retain(|(_, to)| *to > now - DAY);
            if self.step >= least && !view.pinned && since < now {
                stay(stays, since, now);
            }
        }
        if self.step > Step::Tighten {
            self.last = self.last.max(view.evidence.last.unwrap_or(0).min(now));
            self.apps |= view.evidence.apps;
        }
        self.calm_since = match (view.volume.calm, self.calm_since) {
            (true, since) => since.or(Some(now)),
            (false, _) => None,
        };
    }

    fn fall(&mut self, view: &View<'_>) -> Option<String> {
        let (now, tuning) = (view.now, view.tuning);
        if self.step > view.settings.highest {
            self.enter(view.settings.highest, now);
            return Some("the configuration allows no higher step".to_owned());
        }
        for (at, (least, below)) in [(Step::Known, Step::Tighten), (Step::WebOnly, Step::Known)]
            .into_iter()
            .enumerate()
        {
            let longest = longest(view.settings, at, self.proven);
            if self.step >= least && held(&self.stays[at], now) >= longest {
                self.enter(below, now);
                return Some(format!(
                    "the longest time above step {below} within a day is used up ({} min)",
                    longest / 60
                ));
            }
        }
        let over = now >= self.holds_until(tuning);
        match self.step {
            Step::Normal => None,
            Step::Tighten => {
                let since = self.calm_since.filter(|since| now - since >= tuning.calm)?;
                self.enter(Step::Normal, now);
                let minutes = (now - since) / 60;
                Some(format!("volume has been near its normal for {minutes} min"))
            }
            Step::Known | Step::WebOnly | Step::Closed if over => {
                let minutes = (now - self.entered.max(self.last)) / 60;
                self.enter(self.step.down(), now);
                Some(format!("no new evidence for {minutes} min"))
            }
            Step::Known | Step::WebOnly | Step::Closed => None,
        }
    }

    fn rise(&mut self, view: &View<'_>) -> Option<String> {
        let (now, volume, evidence) = (view.now, view.volume, view.evidence);
        if volume.high.is_empty() || self.step >= view.settings.highest {
            return None;
        }
        let words = volume.high.join("; ");
        if self.step == Step::Normal {
            self.enter(Step::Tighten, now);
            return Some(words);
        }
        let proven = match self.step {
            Step::Normal | Step::Closed => false,
            Step::Tighten => {
                let (clusters, sign_ups) = view.tuning.known;
                evidence.clusters >= clusters
                    && evidence.sign_ups >= sign_ups
                    && evidence.sign_ups as f32 >= volume.normal
            }
            Step::Known | Step::WebOnly => {
                let (clusters, sign_ups) = view.tuning.closed;
                now - self.entered >= view.tuning.settle
                    && evidence.confirmations_known
                    && evidence.clusters >= clusters
                    && evidence.sign_ups >= sign_ups
            }
        };
        if !proven || !volume.accounts || !self.time_is_left(view) {
            return None;
        }
        if self.step == Step::Tighten {
            self.proven = evidence.confirmations_known;
            self.apps = evidence.apps;
        }
        self.enter(self.step.up(), now);
        self.spent = now;
        Some(format!("{evidence}; {words}"))
    }

    /// Whether enough of the longest time is left for a stay at the next step.
    fn time_is_left(&self, view: &View<'_>) -> bool {
        let next = self.step.up();
        [Step::Known, Step::WebOnly]
            .into_iter()
            .enumerate()
            .filter(|(_, least)| next >= *least)
            .all(|(at, _)| {
                let proven = view.evidence.confirmations_known;
                let longest = longest(view.settings, at, proven);
                let left = longest - held(&self.stays[at], view.now);
                left >= view.tuning.left.min(longest)
            })
    }

    const fn enter(&mut self, step: Step, now: i64) {
        self.step = step;
        self.entered = now;
        self.calm_since = None;
    }
}

/// The longest time of a day at step 2 or above (0), or at 3 or above (1).
fn longest(settings: &Settings, at: usize, proven: bool) -> i64 {
    let whole = i64::try_from(settings.longest.as_secs()).unwrap_or(DAY);
    match (at, proven) {
        (0, true) => whole,
        _ => whole / 4,
    }
}

fn held(stays: &VecDeque<(i64, i64)>, now: i64) -> i64 {
    let day = now - DAY;
    stays
        .iter()
        .map(|(from, to)| (*to.min(&now) - *from.max(&day)).max(0))
        .sum()
}

fn stay(stays: &mut VecDeque<(i64, i64)>, from: i64, to: i64) {
    let full = stays.len() >= STAYS;
    match stays.back_mut() {
        Some(last) if last.1 == from || full => last.1 = to,
        Some(_) | None => stays.push_back((from, to)),
    }
}
