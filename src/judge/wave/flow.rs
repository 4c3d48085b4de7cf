//! What came to be in the last hour, minute by minute, and in the hour by the
//! clock that is not yet over. Sixty counts of each kind, always.

use serde::{Deserialize, Serialize};

use crate::wave::{Counts, Kind};

const MINUTES: usize = 60;

/// Hours without a word that are learned as quiet ones, at most.
const QUIET: i64 = 24 * 7;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Flow {
    /// The minutes, each at its number modulo 60.
    minutes: Vec<[u32; 4]>,
    /// The latest minute.
    minute: i64,
    /// The hour by the clock, and what came in it so far.
    hour: i64,
    so_far: [u32; 4],
    /// Whether it was watched from its beginning.
    whole: bool,
    /// Nobody watched between what was kept and now.
    #[serde(skip)]
    resumed: bool,
}

impl Default for Flow {
    fn default() -> Self {
        Self {
            minutes: vec![[0; 4]; MINUTES],
            minute: 0,
            hour: 0,
            so_far: [0; 4],
            whole: false,
            resumed: true,
        }
    }
}

impl Flow {
    /// The process was gone for a while.
    pub(super) fn resume(&mut self) {
        self.minutes.resize(MINUTES, [0; 4]);
        self.resumed = true;
    }

    /// Goes on to `now`; each hour that ends on the way is given to `learn`, if
    /// it was watched. A clock that is set back is waited for, an hour at most.
    pub(super) fn roll(&mut self, now: i64, learn: impl FnMut(i64, [u32; 4])) {
        let minute = now.div_euclid(60);
        let back = self.minute - minute;
        if back > 0 && back <= MINUTES as i64 {
            return;
        }
        for passed in 1..=(minute - self.minute).min(MINUTES as i64) {
            *self.at(minute + 1 - passed) = [0; 4];
        }
        if back > 0 {
            self.minutes.fill([0; 4]);
        }
        self.minute = minute;
        self.roll_hour(minute.div_euclid(60), learn);
        self.resumed = false;
    }

    fn roll_hour(&mut self, hour: i64, mut learn: impl FnMut(i64, [u32; 4])) {
        if hour == self.hour {
            return;
        }
        let quiet = self.hour + 1..hour;
        if !self.resumed && hour > self.hour {
            if self.whole {
                learn(self.hour, self.so_far);
            }
            let skip = (quiet.end - quiet.start - QUIET).max(0);
            for empty in quiet.start + skip..quiet.end {
                learn(empty, [0; 4]);
            }
        }
        self.whole = !self.resumed;
        self.hour = hour;
        self.so_far = [0; 4];
    }

    /// Counts; what is older than an hour is too late.
    pub(super) fn add(&mut self, counts: &Counts) {
        let minute = counts.at.div_euclid(60).min(self.minute);
        if self.minute - minute >= MINUTES as i64 {
            return;
        }
        let same_hour = minute.div_euclid(60) == self.hour;
        let here = self.at(minute);
        for (count, more) in here.iter_mut().zip(counts.of) {
            *count = count.saturating_add(more);
        }
        if same_hour {
            for (count, more) in self.so_far.iter_mut().zip(counts.of) {
                *count = count.saturating_add(more);
            }
        }
    }

    /// How many of `kind` in the last `minutes`, the one that runs among them.
    pub(super) fn within(&self, kind: Kind, minutes: i64) -> u32 {
        let counts = (0..minutes.min(MINUTES as i64)).map(|back| {
            let at = (self.minute - back).rem_euclid(MINUTES as i64) as usize;
            self.minutes.get(at).map_or(0, |of| of[kind as usize])
        });
        counts.fold(0, u32::saturating_add)
    }

    fn at(&mut self, minute: i64) -> &mut [u32; 4] {
        &mut self.minutes[minute.rem_euclid(MINUTES as i64) as usize]
    }
}
