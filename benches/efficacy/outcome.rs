//! What came of a run.

use crate::people::KINDS;

/// Counts of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Bot sign-ups tried and let in.
    pub(crate) bots: (u32, u32),
    /// Bot tokens asked for and given.
    pub(crate) tokens: (u32, u32),
    /// Which bot sign-up was the first to be refused, from one.
    pub(crate) first_refusal: Option<u32>,
    /// Seconds from the first bot's attempt to the last one let in.
    pub(crate) last_in: i64,
    /// Seconds from the first bot token to the last one given.
    pub(crate) last_token: i64,
    /// Honest people, and how many were refused anything, by kind.
    pub(crate) people: [(u32, u32); KINDS.len()],
    /// Of those refused at a hoster: of the busiest one.
    pub(crate) busiest: u32,
    /// Mail and app clusters condemned.
    pub(crate) clusters: (u32, u32),
    /// When bots were let in, in seconds since the attack began.
    pub(crate) curve: Vec<i64>,
    /// Acts judged, and nanoseconds for all of them.
    pub(crate) cost: (u64, u128),
    /// Keys, domains and sign-ups held.
    pub(crate) state: [usize; 3],
    /// A rule for each honest refusal.
    pub(crate) why: Vec<String>,
}

impl Outcome {
    pub(crate) fn honest(&self) -> u32 {
        self.people.iter().map(|(all, _)| all).sum()
    }

    pub(crate) fn refused(&self) -> u32 {
        self.people.iter().map(|(_, refused)| refused).sum()
    }
}
