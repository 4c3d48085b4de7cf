//! What was done lately under one look. Bounded lists; in a flood the oldest go.

use ipnet::IpNet;

use super::What;
use crate::app::ClientId;

const MOST: usize = 256;
const DAY: i64 = 86_400;

/// How fast the normal follows: a week's half-life, roughly.
const FOLLOW: f32 = 0.1;

/// An app that was made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) at: i64,
    pub(super) id: Option<ClientId>,
    pub(super) creator: Option<IpNet>,
}

/// One look.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) made: Vec<Made>,
    pub(super) tokens: Vec<(i64, ClientId)>,
    /// When rationed tokens were given out since the look was condemned.
    pub(super) ration: Vec<i64>,
    /// Apps a day, as learned over past days.
    pub(super) normal: f32,
    /// The day being counted, and how many so far.
    pub(super) day: (i64, u32),
    pub(super) total: u64,
    pub(super) cluster: Option<u64>,
    /// What lies before was the evidence of an earlier condemnation.
    pub(super) spent: i64,
}

impl Look {
    pub(super) fn made_since(&self, from: i64) -> usize {
        let from = from.max(self.spent);
        self.made.iter().filter(|made| made.at >= from).count()
    }

    pub(super) fn tokens_since(&self, from: i64) -> usize {
        let from = from.max(self.spent);
        self.tokens.iter().filter(|(at, _)| *at >= from).count()
    }

    /// Distinct apps that asked for tokens since, or were made.
    pub(super) fn apps_since(&self, from: i64) -> usize {
        let mut ids: Vec<_> = self
            .tokens
            .iter()
            .filter(|(at, _)| *at >= from)
            .map(|(_, id)| id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        ids.len()
    }

    /// Counts one more app into its day, and learns from days that have passed.
    pub(super) fn roll(&mut self, now: i64) {
        let today = now / DAY;
        if self.day.0 == 0 {
            self.day = (today, 0);
        }
        while self.day.0 < today {
            self.normal += FOLLOW * (self.day.1 as f32 - self.normal);
            // After a month of silence there is nothing left to learn.
            let skipped = if today - self.day.0 > 60 {
                today
            } else {
                self.day.0 + 1
            };
            self.day = (skipped, 0);
        }
        self.day.1 += 1;
        trim(&mut self.made);
        trim(&mut self.tokens);
    }

    pub(super) fn withdraw(&mut self, at: i64, what: What) {
        match what {
            What::Made => {
                if let Some(place) = self.made.iter().rposition(|made| made.at == at) {
                    self.made.remove(place);
                    self.total = self.total.saturating_sub(1);
                    self.day.1 = self.day.1.saturating_sub(1);
                }
            }
            What::Token => {
                if let Some(place) = self.tokens.iter().rposition(|(then, _)| *then == at) {
                    self.tokens.remove(place);
                }
                if let Some(place) = self.ration.iter().rposition(|then| *then == at) {
                    self.ration.remove(place);
                }
            }
        }
    }
}

fn trim<T>(list: &mut Vec<T>) {
    if list.len() >= MOST {
        list.drain(..MOST / 4);
    }
}
