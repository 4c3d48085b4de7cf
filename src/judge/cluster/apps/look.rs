//! What was done lately under one look. Bounded lists; in a flood the oldest go.

use std::collections::VecDeque;

use ipnet::IpNet;

use super::{Apps, SUSPECTS, What};
use crate::app::ClientId;
use crate::cluster::{Cluster, Suspect};
use crate::judge::cluster::bounded::{Fill, Weigh};

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

/// A token that was given.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) at: i64,
    pub(super) id: ClientId,
    /// For the app itself.
    pub(super) own: bool,
}

/// One look.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) made: Vec<Made>,
    pub(super) tokens: Vec<Token>,
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
        self.tokens.iter().filter(|token| token.at >= from).count()
    }

    /// Tokens that the apps had for themselves since, and all tokens.
    pub(super) fn tokens_of_day(&self, from: i64) -> [usize; 2] {
        let from = from.max(self.spent);
        let own = self.tokens.iter().filter(|t| t.own && t.at >= from);
        [own.count(), self.tokens_since(from)]
    }

    /// Distinct apps that had tokens since, with `coming`.
    pub(super) fn apps_since(&self, from: i64, coming: &ClientId) -> usize {
        let tokens = self.tokens.iter().filter(|token| token.at >= from);
        let mut ids: Vec<_> = tokens.map(|token| &token.id).collect();
        ids.push(coming);
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

    /// An app made at `at` has its `client_id` now.
    pub(super) fn name(&mut self, at: i64, creator: Option<IpNet>, id: &ClientId) {
        let made = self.made.iter_mut().rev();
        let nameless = made.filter(|made| made.at == at && made.id.is_none());
        if let Some(made) = nameless.min_by_key(|made| made.creator != creator) {
            made.id = Some(id.clone());
        }
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
                if let Some(place) = self.tokens.iter().rposition(|token| token.at == at) {
                    self.tokens.remove(place);
                }
                if let Some(place) = self.ration.iter().rposition(|then| *then == at) {
                    self.ration.remove(place);
                }
            }
        }
    }
}

impl Apps {
    /// Names an app under its look, and among the suspects of the cluster that was
    /// condemned while its reply was under way: by these its tokens are contained.
    pub(super) fn name(
        &mut self,
        look: &str,
        (at, creator): (i64, Option<IpNet>),
        id: &ClientId,
    ) -> Option<&mut Cluster> {
        let fresh = self.tuning.fresh;
        let look = self.look(look);
        look.name(at, creator, id);
        let number = look.cluster?;
        let cluster = self.clusters.get_mut(&number)?;
        name_suspect(cluster, (at, creator), id, fresh).then_some(cluster)
    }

    /// Names the suspects of a cluster that another gate has condemned by what this one
    /// knows of its look: what named them may have been heard before the cluster was.
    pub(super) fn name_suspects(&mut self, number: u64) -> Option<&mut Cluster> {
        let fresh = self.tuning.fresh;
        let cluster = self.clusters.get_mut(&number)?;
        if cluster.ended.is_some() {
            return None;
        }
        let look = self.looks.peek(cluster.name.as_ref()?)?;
        let mut any = false;
        for made in &look.made {
            if let Some(id) = &made.id {
                any |= name_suspect(cluster, (made.at, made.creator), id, fresh);
            }
        }
        any.then_some(cluster)
    }

    /// From now on all registers together may take `size` bytes.
    pub fn resize(&mut self, size: usize) {
        self.looks.resize(size / 8);
    }

    /// Every cluster that is remembered, as it stands.
    pub(in crate::judge) fn every(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters.values()
    }

    /// How full the register is.
    #[must_use]
    pub fn fill(&self) -> Fill {
        self.looks.fill()
    }
}

/// Names an app among the suspects of a cluster that it was made before; whether that
/// is new.
fn name_suspect(
    cluster: &mut Cluster,
    (at, creator): (i64, Option<IpNet>),
    id: &ClientId,
    fresh: i64,
) -> bool {
    let known = |one: &Suspect| one.client_id.as_ref() == Some(id);
    if cluster.suspects.iter().any(known) {
        return false;
    }
    let suspects = cluster.suspects.iter_mut();
    let nameless = suspects.filter(|one| one.at == at && one.client_id.is_none());
    // Of several at one moment that of the same creator; an earlier release told none.
    if let Some(suspect) = nameless.min_by_key(|one| one.client != creator) {
        suspect.client_id = Some(id.clone());
        return true;
    }
    // Two of one creator at one moment are one suspect where versions were joined.
    let from = cluster.since.max(cluster.opened - fresh);
    let counted = (from..=cluster.opened).contains(&at) && cluster.suspects.len() < SUSPECTS;
    if counted {
        let id = Some(id.clone());
        cluster.suspects.push(Made { at, id, creator }.suspect());
    }
    counted
}

impl Weigh for Look {
    fn weight(&self) -> usize {
        let id = |id: &ClientId| 24 + id.as_str().len();
        let made = self.made.iter().filter_map(|made| made.id.as_ref()).map(id);
        let tokens = self.tokens.iter().map(|token| id(&token.id));
        size_of::<Self>()
            + room(&self.made)
            + room(&self.tokens)
            + room(&self.ration)
            + made.sum::<usize>()
            + tokens.sum::<usize>()
    }

    fn activity(&self) -> u64 {
        self.total
    }

    /// What was condemned is not forgiven because others came.
    fn held(&self) -> bool {
        self.cluster.is_some()
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
        // Nearly always the last; what another gate has counted may come late.
        let place = self.lately.partition_point(|at| *at <= now);
        self.lately.insert(place, now);
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

const fn room<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}

fn trim<T>(list: &mut Vec<T>) {
    if list.len() >= MOST {
        list.drain(..MOST / 4);
    }
}
