//! The register of apps that look alike, and the bursts among them.
//!
//! A *look* is a folded name without its digits. Names are the attacker's to
//! choose, so a look alone condemns nobody for long: listed clients are not in
//! here at all, an app older than the burst keeps its budget, and a look that
//! has long been used has its own rate to be held against. What a condemned
//! look may still do is counted over all of its fresh apps together, however
//! many `client_id`s there are.

mod hear;
mod look;
mod many;
mod mark;
mod ration;
mod success;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::app::ClientId;
use crate::cluster::{AppStep, Change, Cluster, ClusterId, ClusterKind, Suspect};
use crate::judge::cluster::bounded::Bounded;
use crate::judge::cluster::join::Register;
use crate::judge::cluster::numbers::Numbers;
use crate::judge::cluster::size::DEFAULT_SIZE;
use crate::judge::cluster::words;
use crate::numeral::counted;
use look::{Look, Made, Rates, Total};

const CLUSTERS: usize = 2048;
const SUSPECTS: usize = 256;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// The numbers of `app-cluster`, chosen by the efficacy bench.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// Apps of one look within an hour that condemn it, and within a day.
    pub made: [f32; 2],
    /// How many times its own normal, times the present rush, a look may have beyond that.
    pub normal: f32,
    /// What each app of another look adds, and while the register is young.
    pub elsewhere: [f32; 2],
    /// Until then the register is young: no look's normal is known.
    pub young: i64,
    /// Tokens of a look's fresh apps within an hour that condemn it, and within a day...
    pub tokens: [u32; 2],
    /// ...if there are so many for each app: people log in once or twice.
    pub tokens_each: usize,
    /// Tokens for itself that condemn a fresh app alone, and tokens in all, within a day.
    pub alone: [u32; 2],
    /// Tokens that a condemned look's apps may still have at once...
    pub ration: u32,
    /// ...and this long for each one more.
    pub ration_every: i64,
    /// How long the first, second, … condemnation keeps new apps out.
    pub lasts: [i64; 4],
    /// How long the apps of a condemned look stay on their ration.
    pub memory: i64,
    /// An app that old when a look is condemned is not hit.
    pub fresh: i64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            made: [8.0, 24.0],
            normal: 3.0,
            elsewhere: [0.05, 0.3],
            young: 7 * DAY,
            tokens: [20, 30],
            tokens_each: 5,
            alone: [15, 80],
            ration: 5,
            ration_every: 6 * HOUR,
            lasts: [HOUR, 4 * HOUR, DAY, 7 * DAY],
            memory: 30 * DAY,
            fresh: DAY,
        }
    }
}

impl Tuning {
    /// How many apps of `look` condemn it: within an hour (0) or a day (1).
    fn bar(&self, at: usize, look: &Look, all: &Rates, now: i64) -> f32 {
        let young = now - all.since < self.young;
        let share = self.elsewhere[usize::from(young)];
        let elsewhere = (all.made[at] - look.made_since(now - [HOUR, DAY][at]) as f32).max(0.0);
        let normal = look.normal / [24.0, 1.0][at];
        self.made[at] + self.normal * normal * all.rush[at] + share * elsewhere
    }
}

/// The register.
#[derive(Clone, Debug)]
pub struct Apps {
    tuning: Tuning,
    looks: Bounded<String, Look>,
    all: Total,
    clusters: BTreeMap<u64, Cluster>,
    numbers: Numbers,
    changes: Vec<Change>,
    successes: success::Successes,
}

/// What the register says of an attempt through an app, or to make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// A listed client, an app older than any burst, or none at all.
    Exempt,
    /// Nothing against it; counted.
    Counted(Ticket),
    /// The look is condemned and what it may still have is spent.
    Condemned {
        /// As what.
        cluster: ClusterId,
        /// Why.
        evidence: String,
        /// When to come back.
        until: i64,
    },
}

/// A token that somebody asks for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Through which app.
    pub id: &'a ClientId,
    /// When that was made.
    pub created: i64,
    /// Whether it is for the app itself, and not for somebody who logs in.
    pub own: bool,
}

/// Something counted, to be withdrawn if nothing comes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    look: String,
    at: i64,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Made,
    Token,
}

/// The look of a folded name.
#[must_use]
pub fn look_of(folded: &str) -> String {
    if folded.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return folded.to_owned();
    }
    let letters: String = folded.chars().filter(|c| !c.is_numeric()).collect();
    if letters.is_empty() {
        folded.to_owned()
    } else {
        letters
    }
}

impl Apps {
    /// An empty register.
    #[must_use]
    pub fn new(tuning: Tuning) -> Self {
        Self {
            tuning,
            looks: Bounded::new(DEFAULT_SIZE / 8),
            all: Total::default(),
            clusters: BTreeMap::new(),
            numbers: Numbers::default(),
            changes: Vec::new(),
            successes: success::Successes::default(),
        }
    }

    /// The register with the clusters it had.
    #[must_use]
    pub fn restore(tuning: Tuning, clusters: impl IntoIterator<Item = Cluster>) -> Self {
        let mut register = Self::new(tuning);
        for cluster in clusters {
            let number = cluster.id.number;
            register.numbers.take(number);
            register.heed(&cluster);
            register.clusters.insert(number, cluster);
        }
        register.forget_surplus(None);
        register
    }

    /// Somebody wants to make an app that is no listed client.
    pub fn make(&mut self, folded: &str, creator: Option<IpNet>, now: i64) -> Sighting {
        let name = look_of(folded);
        let tuning = self.tuning.clone();
        if let Some(cluster) = self.counting(&name).filter(|cluster| cluster.in_force(now)) {
            let number = cluster.id.number;
            return self.refuse(number, now, None);
        }
        self.all.roll(now);
        let all = self.all.rates(now);
        let look = self.look(&name);
        look.roll(now);
        for (at, span) in [HOUR, DAY].into_iter().enumerate() {
            let count = look.made_since(now - span) + 1;
            let bar = tuning.bar(at, look, &all, now);
            if count as f32 >= bar {
                let evidence = format!(
                    "{} like {name:?} made within {}: condemned from {:.0}",
                    counted(count, "app", "apps"),
                    words::span(span),
                    bar.ceil()
                );
                let number = self.condemn(name, now, evidence);
                return self.refuse(number, now, None);
            }
        }
        look.made.push(Made {
            at: now,
            id: None,
            creator,
        });
        look.total += 1;
        self.all.add(now);
        self.changes.push(Change::App(AppStep::Made {
            look: name.clone(),
            at: now,
            creator,
        }));
        Sighting::Counted(Ticket {
            look: name,
            at: now,
            what: What::Made,
        })
    }

    /// Somebody wants a token, or an account, through an app that is no listed client.
    pub fn token(&mut self, folded: &str, asked: Asked<'_>, now: i64) -> Sighting {
        let name = look_of(folded);
        if let Some(number) = self.hit(&name, asked, now) {
            return self.ration(number, name, now);
        }
        if now - asked.created >= self.tuning.fresh {
            return Sighting::Exempt;
        }
        if let Some(evidence) = self.too_many(&name, asked, now) {
            let number = self.condemn(name.clone(), now, evidence);
            return self.ration(number, name, now);
        }
        self.look(&name).tokens.push(asked.token(now));
        self.changes.push(Change::App(AppStep::Token {
            look: name.clone(),
            at: now,
            id: Some(asked.id.clone()),
            own: asked.own,
        }));
        Sighting::Counted(Ticket {
            look: name,
            at: now,
            what: What::Token,
        })
    }

    /// An app that was counted has its `client_id` now; whether its tokens are to be
    /// contained, because its look was meanwhile.
    pub fn made(&mut self, folded: &str, id: &ClientId, creator: Option<IpNet>, at: i64) -> bool {
        let name = look_of(folded);
        let mut contained = false;
        if let Some(cluster) = self.name(&name, (at, creator), id) {
            contained = cluster.contains();
            let change = cluster.change();
            self.changes.push(change);
        }
        self.changes.push(Change::App(AppStep::Named {
            look: name,
            at,
            creator,
            id: id.clone(),
        }));
        contained
    }

    /// An account that came through this app at `made` has confirmed; `server` stands for its
    /// mail server.
    pub fn confirm(&mut self, id: &ClientId, server: u64, made: i64) {
        self.successes.add(id, server, made);
    }

    /// Takes something counted back: nothing came of it.
    pub fn withdraw(&mut self, ticket: &Ticket) {
        let Some(look) = self.looks.peek_mut(&ticket.look) else {
            return;
        };
        look.withdraw(ticket.at, ticket.what);
        let (look, at) = (ticket.look.clone(), ticket.at);
        self.changes.push(Change::App(match ticket.what {
            What::Made => AppStep::Unmade { look, at },
            What::Token => AppStep::Untaken { look, at },
        }));
    }

    fn look(&mut self, name: &str) -> &mut Look {
        self.looks.get_or_insert_mut(name.to_owned(), Look::default)
    }

    /// The last condemnation of a look, unless it was taken back.
    fn counting(&self, name: &str) -> Option<&Cluster> {
        let look = self.looks.peek(name)?;
        let cluster = self.clusters.get(&look.cluster?)?;
        cluster.ended.is_none().then_some(cluster)
    }

    fn condemn(&mut self, name: String, now: i64, evidence: String) -> u64 {
        let tuning = self.tuning.clone();
        let before = self
            .counting(&name)
            .filter(|cluster| now - cluster.until < tuning.memory)
            .map(|cluster| (cluster.times, cluster.since));
        let times = before.map_or(1, |(times, _)| times + 1);
        let number = self.numbers.next();
        let look = self.look(&name);
        look.cluster = Some(number);
        look.spent = now;
        look.ration = Vec::new();
        let first = look.made.iter().map(|made| made.at).min();
        let since = now - tuning.fresh;
        let suspects = look.made.iter().filter(|made| made.at >= since);
        let suspects = suspects.rev().take(SUSPECTS).map(Made::suspect).collect();
        let step = (times as usize - 1).min(tuning.lasts.len() - 1);
        let mut cluster = Cluster {
            name: Some(name),
            times,
            evidence,
            suspects,
            ..Cluster::opened(
                id(number),
                before.map_or(first.unwrap_or(since).max(since), |(_, earlier)| earlier),
                now,
                now + tuning.lasts.get(step).copied().unwrap_or(HOUR),
            )
        };
        self.changes.push(cluster.change());
        self.clusters.insert(number, cluster);
        self.forget_surplus(Some(number));
        number
    }

    fn refuse(&mut self, number: u64, now: i64, until: Option<i64>) -> Sighting {
        let Some(cluster) = self.clusters.get_mut(&number) else {
            return Sighting::Exempt;
        };
        cluster.refused += 1;
        Sighting::Condemned {
            cluster: cluster.id,
            evidence: cluster.evidence.clone(),
            until: until.unwrap_or(cluster.until).max(now + 1),
        }
    }

    /// Lets a cluster go as a whole.
    pub fn release(&mut self, number: u64, now: i64, why: &str) -> Option<Cluster> {
        let number = self.clusters.get(&number)?.same_as.unwrap_or(number);
        let cluster = self.clusters.get_mut(&number)?;
        if cluster.ended.is_some() {
            return Some(cluster.clone());
        }
        cluster.ended = Some((now, why.to_owned()));
        self.changes.push(cluster.change());
        let cluster = cluster.clone();
        if let Some(name) = &cluster.name {
            self.forgive(name, number, now);
        }
        Some(cluster)
    }

    /// Marks whether a cluster's tokens are contained.
    pub fn contain(&mut self, number: u64, contain: bool) -> Option<Cluster> {
        let number = self.clusters.get(&number)?.same_as.unwrap_or(number);
        let cluster = self.clusters.get_mut(&number)?;
        cluster.mark(contain);
        self.changes.push(cluster.change());
        Some(cluster.clone())
    }

    /// Every cluster that is remembered, newest first.
    #[must_use]
    pub fn clusters(&self) -> Vec<Cluster> {
        self.clusters.values().rev().cloned().collect()
    }

    /// Every cluster that is in force.
    pub fn in_force(&self, now: i64) -> impl Iterator<Item = &Cluster> {
        let clusters = self.clusters.values();
        clusters.filter(move |cluster| cluster.in_force(now))
    }

    /// One cluster.
    #[must_use]
    pub fn cluster(&self, number: u64) -> Option<&Cluster> {
        self.clusters.get(&number)
    }

    /// What has changed since it was last asked, to be written down.
    pub fn changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }
}

const fn id(number: u64) -> ClusterId {
    ClusterId {
        kind: ClusterKind::App,
        number,
    }
}

impl Made {
    fn suspect(&self) -> Suspect {
        Suspect {
            client: self.creator,
            client_id: self.id.clone(),
            ..Suspect::at(self.at)
        }
    }
}
