//! Randomness from a seed: splitmix64, so that a run can be repeated anywhere.

/// A seeded generator.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0)
    }

    /// Another generator, whose rolls do not depend on how often this one is rolled.
    pub(crate) fn fork(&self, label: u64) -> Self {
        Self::new(self.0 ^ label.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not zero.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    /// In [0, 1).
    pub(crate) fn part(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(crate) fn chance(&mut self, part: f64) -> bool {
        self.part() < part
    }

    /// Below `count`, small numbers more often: Zipf with this exponent, roughly.
    pub(crate) fn zipf(&mut self, count: u64, exponent: f64) -> u64 {
        let u = self.part();
        let n = count as f64;
        let x = if (exponent - 1.0).abs() < 1e-6 {
            (n + 1.0).powf(u)
        } else {
            let power = 1.0 - exponent;
            (u * ((n + 1.0).powf(power) - 1.0) + 1.0).powf(1.0 / power)
        };
        (x as u64).saturating_sub(1).min(count - 1)
    }
}
