//! Weighing one key: how many fresh domains came through it in each window,
//! and whether that is too many. Pure.

use std::collections::HashMap;

use crate::cluster::MailKey;
use crate::judge::cluster::history::History;
use crate::judge::cluster::latest::Entry;
use crate::judge::cluster::tuning::{Tuning, seconds};
use crate::mailbox::Domain;

/// What a key weighs in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weight {
    /// Distinct fresh domains; a sub-domain of one already counted counts less.
    pub domains: f32,
    /// Fresh domains and repeats together.
    pub score: f32,
    /// Distinct fresh domains, plainly counted.
    pub fresh: u32,
    /// Distinct domains in the window.
    pub all: u32,
    /// Sign-ups with fresh domains.
    pub sign_ups: u32,
}

/// Why a key is condemned.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The weight that was too much.
    pub weight: Weight,
    /// In how many seconds.
    pub span: i64,
    /// The score from which on it is condemned.
    pub bar: f32,
    /// What that is while nothing is known against the server or its like.
    pub usual: f32,
    /// Why it is lower than that, if it is.
    pub lower: Option<Lower>,
}

/// Why a bar is lower than usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lower {
    /// Another server was condemned lately.
    Alert,
    /// People reported accounts behind this key.
    Reported,
    /// This very server was condemned before, and the suspects may be real.
    Again,
}

/// What is known beside the key itself.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    /// The moment.
    pub now: i64,
    /// Fresh domains behind other unlisted servers, for each window.
    pub elsewhere: [u32; 4],
    /// Whether another cluster was condemned lately, or accounts behind this key were reported.
    pub alert: Option<Lower>,
    /// Whether this server was condemned before and the suspects may be real.
    pub again: bool,
}

/// Weighs the key's entries of the last `span` seconds, and `coming` with them.
///
/// What an earlier condemnation was built on is spent: a new one needs new evidence.
#[must_use]
pub fn weigh(history: &History, coming: &Entry, span: i64, tuning: &Tuning) -> Weight {
    let from = (coming.at - span).max(history.spent);
    let mut registered: HashMap<&Domain, HashMap<&Domain, u32>> = HashMap::new();
    let mut old: HashMap<&Domain, ()> = HashMap::new();
    let entries = history.entries.iter().rev().take_while(|e| e.at >= from);
    for entry in entries.chain(std::iter::once(coming)) {
        if entry.first >= coming.at - span {
            let own = registered.entry(&entry.registrable).or_default();
            *own.entry(&entry.domain).or_default() += 1;
        } else {
            old.insert(&entry.domain, ());
        }
    }
    let fresh: usize = registered.values().map(HashMap::len).sum();
    let sign_ups: u32 = registered.values().flat_map(HashMap::values).sum();
    let below = (fresh - registered.len()) as f32;
    let domains = registered.len() as f32 + below * tuning.sub_domain;
    let repeats = (sign_ups as f32 - fresh as f32) * tuning.repeat;
    Weight {
        domains,
        score: domains + repeats.min(tuning.repeats),
        fresh: fresh as u32,
        all: (fresh + old.len()) as u32,
        sign_ups,
    }
}

/// Whether `coming` tips the scale at `key`.
#[must_use]
pub fn judge(
    key: &MailKey,
    history: &History,
    coming: &Entry,
    scene: &Scene,
    tuning: &Tuning,
) -> Option<Finding> {
    let surcharge = tuning.surcharge(key);
    if history.entries.is_empty() && !scene.again {
        return None;
    }
    // One domain alone, which a flood through a server of one's own may be: then
    // nothing needs to be weighed.
    let alone = history.entries.all_of(&coming.domain);
    if !scene.again && tuning.least_domains > 1.0 && alone {
        return None;
    }
    for (window, elsewhere) in tuning.windows.iter().zip(scene.elsewhere) {
        let span = seconds(window.span);
        if coming.first < coming.at - span {
            continue;
        }
        let weight = weigh(history, coming, span, tuning);
        let others = elsewhere.saturating_sub(weight.fresh) as f32;
        let bar_at = |score: f32| {
            let bar = score + surcharge + others * tuning.rush(key);
            bar.max(tuning.least_domains)
        };
        let usual = bar_at(window.score);
        let (bar, least, lower) = match scene.alert {
            _ if scene.again => (tuning.again + surcharge, 1.0, Some(Lower::Again)),
            None => (usual, tuning.least_domains, None),
            why => {
                let bar = bar_at(window.score * tuning.alerted);
                (bar, tuning.least_domains, why)
            }
        };
        let dominates = weight.fresh as f32 >= tuning.dominance * weight.all as f32;
        if weight.domains >= least && weight.score >= bar && dominates {
            return Some(Finding {
                weight,
                span,
                bar,
                usual,
                lower: lower.filter(|_| bar < usual),
            });
        }
    }
    None
}
