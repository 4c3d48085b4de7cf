//! How many tokens are too many for the fresh apps of one look.
//!
//! Several fresh apps that look alike with several tokens each are a burst. One
//! alone may be a new web client, through which many people log in on its first
//! day; but it needs few tokens for itself, and its name is nobody else's.

use super::look::Token;
use super::{Apps, Asked, DAY, HOUR};
use crate::judge::cluster::words;
use crate::numeral::counted;

impl Asked<'_> {
    pub(super) fn token(self, at: i64) -> Token {
        Token {
            at,
            id: self.id.clone(),
            own: self.own,
        }
    }
}

impl Apps {
    /// The condemnation that this app falls under: made in the burst, and not
    /// too long ago. One app alone is let off as soon as it is established.
    pub(super) fn hit(&self, name: &str, asked: Asked<'_>, now: i64) -> Option<u64> {
        let cluster = self.counting(name)?;
        let made = self.looks.peek(name).map_or(0, |look| {
            let since = look.made.iter().filter(|made| made.at >= cluster.since);
            since.count()
        });
        let alone = cluster.suspects.len() < 2 && made < 2;
        let memory = if alone {
            self.tuning.fresh
        } else {
            self.tuning.memory
        };
        let age = now - if alone { asked.created } else { cluster.opened };
        let spared = self.successes.proven(asked.id, now);
        (asked.created >= cluster.since && age < memory && !spared).then_some(cluster.id.number)
    }

    /// Why one more token condemns the look, if it does.
    pub(super) fn too_many(&mut self, name: &str, asked: Asked<'_>, now: i64) -> Option<String> {
        let tuning = self.tuning.clone();
        let look = self.look(name);
        let apps = look.apps_since(now - DAY, asked.id);
        if apps < 2 {
            let [own, all] = look.tokens_of_day(now - DAY);
            let own = own + usize::from(asked.own);
            let most = tuning.alone.map(|most| most as usize);
            let (count, of, from) = match [own >= most[0] && asked.own, all + 1 >= most[1]] {
                [true, _] => (own, " for itself", most[0]),
                [_, true] => (all + 1, "", most[1]),
                [false, false] => return None,
            };
            let tokens = counted(count, "token", "tokens");
            return Some(format!(
                "one new app, {name:?}, asked for {tokens}{of} within 1 d: condemned from {from}"
            ));
        }
        [(tuning.tokens[0], HOUR), (tuning.tokens[1], DAY)]
            .into_iter()
            .find_map(|(most, span)| {
                let count = look.tokens_since(now - span) + 1;
                let many = count >= apps * tuning.tokens_each;
                (count as u32 >= most && many).then(|| {
                    format!(
                        "{count} tokens for {apps} new apps like {name:?} within {}: condemned from {most}",
                        words::span(span)
                    )
                })
            })
    }
}
