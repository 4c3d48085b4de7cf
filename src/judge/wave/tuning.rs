//! The numbers of `wave`. The efficacy bench and the tests say what they
//! achieve (`benches/efficacy/RESULTS.md`); change them with it.

use crate::wave::Kind;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// All numbers of the rule. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuning {
    /// Far above normal is more than so many times the normal, and so many of its roots...
    pub above: f32,
    /// ...and this much, by kind, within ten minutes and within an hour: a small
    /// server's normal is nearly nothing.
    pub floor: [[f32; 2]; 4],
    /// Until a day has been learned an hour's normal is at least this, by kind.
    pub cold: [f32; 4],
    /// One hour teaches at most so many times its normal, and the floor.
    pub lesson: f32,
    /// Volume must be below half the bar for so long before step 1 is left.
    pub calm: i64,
    /// How far back evidence counts.
    pub evidence: i64,
    /// Condemnations, and accounts let in before them, that step 2 needs.
    pub known: (u32, u32),
    /// The same for steps 3 and 4, all let in at the step below.
    pub closed: (u32, u32),
    /// The shortest stay at a step before the next one up.
    pub settle: i64,
    /// How long steps 2, and 3 and 4, hold after the last evidence.
    pub hold: [i64; 2],
    /// What must be left of the longest time before step 2 or 3 is taken again.
    pub left: i64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            above: 4.0,
            floor: [[8.0, 15.0], [30.0, 60.0], [60.0, 120.0], [5.0, 8.0]],
            cold: [60.0, 120.0, 240.0, 10.0],
            lesson: 3.0,
            calm: 30 * MINUTE,
            evidence: 6 * HOUR,
            known: (8, 30),
            closed: (4, 20),
            settle: 10 * MINUTE,
            hold: [HOUR, HOUR / 2],
            left: HOUR / 4,
        }
    }
}

impl Tuning {
    /// More than this within ten minutes (0) or an hour (1) is far above `normal`.
    #[must_use]
    pub fn bar(&self, kind: Kind, window: usize, normal: f32) -> f32 {
        self.above * (normal + normal.sqrt()) + self.floor[kind as usize][window]
    }

    /// What one hour of `kind` teaches at most, where `normal` is known.
    #[must_use]
    pub fn most(&self, kind: Kind, normal: f32) -> f32 {
        self.lesson * normal + self.floor[kind as usize][1]
    }
}
