//! What was done lately under one look. Bounded lists; in a flood the oldest go.

use std::collections::VecDeque;

use ipnet::IpNet;

use super::What;
use crate::app::ClientId;

const MOST: usize = 512;
const LATELY: usize = 16_384;
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
        // Mostly one app after the other: sorting is for the rest.
        ids.dedup();
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

/// All apps that are no listed client's, whatever their look: is there a rush?
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    since: i64,
    lately: VecDeque<i64>,
    day: (i64, u32),
    normal: f32,
}

/// How much is made now against the normal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    /// When the first app was seen.
    pub(super) since: i64,
    /// Apps within an hour, and within a day.
    pub(super) made: [f32; 2],
    /// The same as times the normal; at least one.
    pub(super) rush: [f32; 2],
}

impl Total {
    pub(super) fn roll(&mut self, now: i64) {
        if self.since == 0 {
            self.since = now;
        }
        let today = now / DAY;
        if self.day.0 == 0 {
            self.day = (today, 0);
        }
        while self.day.0 < today {
            self.normal += FOLLOW * (self.day.1 as f32 - self.normal);
            let skipped = if today - self.day.0 > 60 {
                today
            } else {
                self.day.0 + 1
            };
            self.day = (skipped, 0);
        }
        while self.lately.front().is_some_and(|at| *at < now - DAY) {
            self.lately.pop_front();
        }
    }

    pub(super) fn add(&mut self, now: i64) {
        self.day.1 += 1;
        if self.lately.len() >= LATELY {
            self.lately.pop_front();
        }
        self.lately.push_back(now);
    }

    pub(super) fn rates(&self, now: i64) -> Rates {
        let hour = self.lately.partition_point(|at| *at < now - 3600);
        let made = [(self.lately.len() - hour) as f32, self.lately.len() as f32];
        let normal = [self.normal / 24.0, self.normal].map(|normal| normal.max(1.0));
        Rates {
            since: self.since,
            made,
            rush: [
                (made[0] / normal[0]).max(1.0),
                (made[1] / normal[1]).max(1.0),
            ],
        }
    }
}

fn trim<T>(list: &mut Vec<T>) {
    if list.len() >= MOST {
        list.drain(..MOST / 4);
    }
}
