//! A flood of refusals is one row that counts, not a million rows.
//!
//! For each kind of refusal (rule and what it is about) the first few in a
//! window get rows of their own; every further one adds to the last of those
//! rows. What would have been refused, had the rule not merely observed, is
//! merged too where nothing can come of it: a request of a client banned
//! everywhere, or one that could not be read. Other admitted events are never
//! merged, because each of them gets an outcome. Pure: the time comes with the event.

use std::borrow::Cow;
use std::time::Duration;

use hashbrown::HashMap;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::attempt::wide_network;
use crate::event::{Event, EventId};
use crate::verdict::{Judged, Mode, Rule, Verdict};

/// Kinds that are told apart at once; beyond, all further kinds are one.
const KINDS: usize = 4096;

/// When refusals of one kind are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloodSettings {
    /// Rows of its own that one kind gets in a window; at least one.
    pub rows: u32,
    /// How long a window is.
    pub window: Duration,
}

impl Default for FloodSettings {
    fn default() -> Self {
        Self {
            rows: 10,
            window: Duration::from_secs(60),
        }
    }
}

/// What becomes of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It gets a row.
    Row,
    /// It was counted and is to be added to another's row.
    Merge,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    start: Timestamp,
    rows: u32,
    last: EventId,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Flood {
    settings: FloodSettings,
    windows: HashMap<u64, Window>,
    merged: HashMap<EventId, u32>,
    swept: Timestamp,
}

impl Flood {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(settings: FloodSettings) -> Self {
        Self {
            settings,
            windows: HashMap::new(),
            merged: HashMap::new(),
            swept: Timestamp::MIN,
        }
    }

    /// Says what becomes of a refusal of this kind at `at`.
    pub fn place(&mut self, kind: u64, id: EventId, at: Timestamp) -> Place {
        let kind = self.seat(kind, at);
        let (rows, length) = (self.settings.rows.max(1), self.settings.window);
        let window = self.windows.entry(kind).or_insert(Window {
            start: at,
            rows: 0,
            last: id,
        });
        if !is_open(window, length, at) {
            *window = Window {
                start: at,
                rows: 0,
                last: id,
            };
        }
        if window.rows < rows {
            window.rows += 1;
            window.last = id;
            return Place::Row;
        }
        let count = self.merged.entry(window.last).or_insert(0);
        *count = count.saturating_add(1);
        Place::Merge
    }

    /// What is to be added to which rows since the last call. At once, however
    /// much it is: requests wait for the one who calls this.
    pub fn take_merged(&mut self) -> HashMap<EventId, u32> {
        std::mem::take(&mut self.merged)
    }

    /// Every kind has a window of its own until there are too many.
    fn seat(&mut self, kind: u64, at: Timestamp) -> u64 {
        const REST: u64 = 0;
        if self.windows.len() < KINDS || self.windows.contains_key(&kind) {
            return kind;
        }
        // Once a second at most: the cost of a refusal must not depend on the flood.
        if self.swept.duration_until(at).as_secs() != 0 {
            let length = self.settings.window;
            self.windows.retain(|_, window| is_open(window, length, at));
            self.swept = at;
        }
        if self.windows.len() < KINDS {
            kind
        } else {
            REST
        }
    }
}

fn is_open(window: &Window, length: Duration, at: Timestamp) -> bool {
    let end = window.start.checked_add(length).unwrap_or(Timestamp::MAX);
    (window.start..end).contains(&at)
}

/// What one kind of refusals has in common.
pub(super) type Kind<'a> = (Rule, Mode, About<'a>);

/// What a kind of refusals is about.
#[derive(Debug, Hash)]
pub(super) enum About<'a> {
    Fact(Cow<'a, str>),
    Network(IpNet),
}

/// What a refusal is about, as far as it makes two of them alike; `None` for
/// an event that must have its own row. Observed and enforced are never alike.
pub(super) fn key(event: &Event) -> Option<Kind<'_>> {
    let refusals = event.verdicts.iter().filter_map(|said| {
        let refuses = said.verdict == "refuse";
        refuses.then_some((said.rule, said.mode, || Cow::Borrowed(said.fact.as_str())))
    });
    key_among(event, refusals)
}

/// The same before the verdicts are written down in the event.
pub(super) fn key_of<'a>(event: &Event, verdicts: &'a [Judged]) -> Option<Kind<'a>> {
    let refusals = verdicts.iter().filter_map(|said| match &said.verdict {
        Verdict::Refuse(reason) => Some((said.rule, said.mode, || reason.fact.words())),
        Verdict::Pass | Verdict::Abstain(_) => None,
    });
    key_among(event, refusals)
}

/// Facts are put into words for the one that counts only, and seldom for that.
fn key_among<'a>(
    event: &Event,
    mut refusals: impl Iterator<Item = (Rule, Mode, impl FnOnce() -> Cow<'a, str>)>,
) -> Option<Kind<'a>> {
    let mode = if event.admitted {
        Mode::Observe
    } else {
        Mode::Enforce
    };
    let (rule, _, fact) = refusals.find(|(_, under, _)| *under == mode)?;
    // Read and judged at a door: something may come of it.
    let unread = event.endpoint.is_none() || rule == Rule::Unreadable;
    if event.admitted && !unread {
        return None;
    }
    let about = match rule {
        // The entry that hit, of which there are as many as an admin made.
        Rule::MailDomain | Rule::AppBan => About::Fact(fact()),
        // Else by who asks and not by what for: an attacker has more domains and
        // names than networks, and a flood with addresses of a large provider
        // must not swallow the rows of that provider's honest people.
        Rule::ClientBan
        | Rule::Unreadable
        | Rule::Address
        | Rule::MailServer
        | Rule::MailCluster
        | Rule::AppCluster
        | Rule::Wave
        | Rule::Rate => {
            let network = event.client.map(wide_network);
            network.map_or_else(|| About::Fact(fact()), About::Network)
        }
    };
    Some((rule, mode, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("in range")
    }

    fn id(number: u64) -> EventId {
        EventId::from_number(number)
    }

    #[test]
    fn beyond_the_first_rows_of_a_window_all_are_counted_in_the_last() {
        let mut flood = Flood::new(FloodSettings {
            rows: 3,
            window: Duration::from_secs(10),
        });
        let places: Vec<Place> = (0..1000).map(|n| flood.place(1, id(n), at(0))).collect();
        assert_eq!(places.iter().filter(|p| **p == Place::Row).count(), 3);
        assert_eq!(flood.take_merged(), HashMap::from([(id(2), 997)]));
        assert_eq!(flood.take_merged(), HashMap::new());
        assert_eq!(flood.place(2, id(5000), at(0)), Place::Row, "another kind");
        assert_eq!(flood.place(1, id(5001), at(9)), Place::Merge);
        assert_eq!(flood.place(1, id(5002), at(10)), Place::Row, "next window");
        assert_eq!(
            flood.place(1, id(5003), at(3)),
            Place::Row,
            "clock set back"
        );
    }

    #[test]
    fn kinds_are_bounded_and_the_rest_is_one_kind() {
        let settings = FloodSettings::default();
        let mut flood = Flood::new(settings);
        let rows = (1..=100_000)
            .filter(|n| flood.place(*n, id(*n), at(0)) == Place::Row)
            .count();
        assert_eq!(rows, KINDS + settings.rows as usize);
        assert!(flood.windows.len() <= KINDS + 1);
        let merged: u32 = flood.take_merged().values().sum();
        assert_eq!(merged as usize, 100_000 - rows);
        assert_eq!(flood.place(100_001, id(1), at(60)), Place::Row);
        assert_eq!(flood.windows.len(), 1, "closed windows go");
    }
}
