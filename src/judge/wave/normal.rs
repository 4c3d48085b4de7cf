//! What is normal: for each hour of the week a mean that forgets slowly, leaning
//! on its hour of the day and on the mean of all hours until it has been seen
//! often itself. Hours are UTC; a summer time only moves the pattern by one.
//!
//! One hour teaches at most a few times its normal, so a wave does not become
//! the normal that it is measured by; growth does, within days. Who grows by
//! less than that every week raises it, which is what learning means.

use serde::{Deserialize, Serialize};

use super::tuning::Tuning;
use crate::wave::Kind;

const DAY: usize = 24;
const WEEK: usize = 168;

/// A mean, and how often it was taught. The later lessons weigh one in the number kept in `MEMORY`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Mean(f32, u16);

impl Mean {
    fn learn(&mut self, value: f32, memory: u16) {
        self.1 = self.1.saturating_add(1);
        let weight = 1.0 / f32::from(self.1.min(memory));
        self.0 += weight * (value - self.0);
    }

    /// Leaning on `prior` as if that had been one lesson.
    fn or(self, prior: f32, memory: u16) -> f32 {
        let seen = f32::from(self.1.min(memory));
        (self.0 * seen + prior) / (seen + 1.0)
    }
}

/// How many lessons count: weeks of one hour, days of one hour, hours of all.
const MEMORY: [u16; 3] = [6, 14, 168];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Normal {
    week: Vec<[Mean; 4]>,
    day: Vec<[Mean; 4]>,
    all: [Mean; 4],
}

impl Default for Normal {
    fn default() -> Self {
        Self {
            week: vec![[Mean::default(); 4]; WEEK],
            day: vec![[Mean::default(); 4]; DAY],
            all: [Mean::default(); 4],
        }
    }
}

impl Normal {
    /// What was read from a disk has the right shape from here on.
    pub(super) fn mend(&mut self) {
        self.week.resize(WEEK, [Mean::default(); 4]);
        self.day.resize(DAY, [Mean::default(); 4]);
        let all = self.week.iter_mut().chain(&mut self.day);
        for mean in all.flatten().chain(&mut self.all) {
            if !mean.0.is_finite() || mean.0 < 0.0 {
                *mean = Mean::default();
            }
        }
    }

    /// Learns a whole hour, by its number since 1970.
    pub(super) fn learn(&mut self, hour: i64, of: [u32; 4], tuning: &Tuning) {
        for kind in Kind::ALL {
            let normal = self.expected(kind, hour, tuning);
            let value = (of[kind as usize] as f32).min(tuning.most(kind, normal));
            let (week, day) = places(hour);
            let at = kind as usize;
            self.week[week][at].learn(value, MEMORY[0]);
            self.day[day][at].learn(value, MEMORY[1]);
            self.all[at].learn(value, MEMORY[2]);
        }
    }

    /// How many of `kind` are normal in this hour.
    pub(super) fn expected(&self, kind: Kind, hour: i64, tuning: &Tuning) -> f32 {
        let (week, day) = places(hour);
        let at = kind as usize;
        let day = self.day[day][at].or(self.all[at].0, MEMORY[1]);
        let own = self.week[week][at].or(day, MEMORY[0]);
        if self.learned() < DAY as u32 {
            own.max(tuning.cold[at])
        } else {
            own
        }
    }

    /// How many hours have been learned, as far as they are counted.
    pub(super) fn learned(&self) -> u32 {
        self.all[0].1.into()
    }
}

fn places(hour: i64) -> (usize, usize) {
    let place = |of: usize| hour.rem_euclid(of as i64) as usize;
    (place(WEEK), place(DAY))
}
