//! What was decided then against what would be decided now, in numbers and
//! with a few examples of each kind. Bounded: kinds are rules and doors.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::whose::Whose;
use crate::cli::events;
use crate::endpoint::Endpoint;
use crate::event::{Event, VerdictRecord};
use crate::judge::replay::Ruling;
use crate::verdict::{Mode, Rule};

/// One side: then, or now.
#[derive(Debug, Default, Serialize)]
pub(super) struct Side {
    pub(super) admitted: u64,
    pub(super) refused: u64,
    /// Refused, by rule.
    pub(super) by_rule: BTreeMap<&'static str, u64>,
    /// Refused, by door.
    pub(super) by_door: BTreeMap<&'static str, u64>,
    /// Admitted, but a rule that only observes would have refused: by rule.
    pub(super) observed: BTreeMap<&'static str, u64>,
}

/// What is decided otherwise.
#[derive(Debug, Default, Serialize)]
pub(super) struct Difference {
    pub(super) total: u64,
    pub(super) people: u64,
    pub(super) bots: u64,
    pub(super) unknown: u64,
    pub(super) by_rule: BTreeMap<&'static str, u64>,
    pub(super) by_door: BTreeMap<&'static str, u64>,
    pub(super) examples: Vec<Example>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub(super) struct Example {
    /// The reference, for `tuskgate explain`.
    pub(super) id: String,
    pub(super) whose: Whose,
    /// The event in one line.
    pub(super) event: String,
    /// The rule that decides now, and then.
    pub(super) now: Option<String>,
    pub(super) then: Option<String>,
}

/// All of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tally {
    /// Of the first and last event that counts.
    pub(super) from: Option<Timestamp>,
    pub(super) until: Option<Timestamp>,
    /// Attempts, merged ones included.
    pub(super) attempts: u64,
    /// Attempts that were merged into the row of another in a flood.
    pub(super) merged: u64,
    /// Events that only filled the registers.
    pub(super) warm_up: u64,
    /// Whose they were, all together.
    pub(super) people: u64,
    pub(super) bots: u64,
    pub(super) unknown: u64,
    pub(super) then: Side,
    pub(super) now: Side,
    pub(super) newly_refused: Difference,
    pub(super) newly_admitted: Difference,
    /// Bots' attempts that are admitted now.
    pub(super) bots_admitted: Pair,
    /// People's attempts that are refused now.
    pub(super) people_refused: Pair,
    /// Admitted then through apps that would never have come to be; counted as refused now.
    pub(super) moot: u64,
    /// Rules that could not be asked, by how many attempts.
    pub(super) not_recorded: BTreeMap<&'static str, u64>,
    #[serde(skip)]
    most_examples: usize,
}

/// Then and now.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Pair {
    pub(super) then: u64,
    pub(super) now: u64,
}

impl Tally {
    /// Nothing yet; so many examples of each rule.
    pub(super) fn new(most_examples: usize) -> Self {
        Self {
            most_examples,
            ..Self::default()
        }
    }

    /// Counts one event.
    pub(super) fn add(&mut self, event: &Event, ruling: &Ruling, whose: Whose) {
        let count = u64::from(event.count);
        self.from.get_or_insert(event.at);
        self.until = Some(event.at);
        self.attempts += count;
        self.merged += count - 1;
        *match whose {
            Whose::Bot => &mut self.bots,
            Whose::Person => &mut self.people,
            Whose::Unknown => &mut self.unknown,
        } += count;
        for rule in &ruling.unknown {
            *self.not_recorded.entry(rule.name()).or_default() += count;
        }
        let before = said(event, Mode::Enforce).filter(|_| !event.admitted);
        let observed_then = said(event, Mode::Observe).map(|said| said.rule);
        let then = before.map(|said| said.rule);
        self.then.add(event, then, observed_then, !event.admitted);
        let now = ruling.refused.as_ref().map(|(rule, _)| *rule);
        let observed_now = ruling.observed.first().map(|(rule, _)| *rule);
        let refused_now = now.is_some() || ruling.moot;
        self.now.add(event, now, observed_now, refused_now);
        if ruling.moot {
            self.moot += count;
        }
        match (event.admitted, refused_now) {
            (true, true) => self.newly_refused.add(event, now, whose, count),
            (false, false) => self.newly_admitted.add(event, then, whose, count),
            (true, false) | (false, true) => {}
        }
        let pair = match whose {
            Whose::Bot => &mut self.bots_admitted,
            Whose::Person => &mut self.people_refused,
            Whose::Unknown => return,
        };
        let counts = |refused: bool| u64::from(refused == (whose == Whose::Person)) * count;
        pair.then += counts(!event.admitted);
        pair.now += counts(refused_now);
    }

    /// Keeps an example of a difference, if there are not enough of its kind.
    pub(super) fn keep_example(&mut self, event: &Event, ruling: &Ruling, whose: Whose) {
        let refused = ruling.refused.is_some() || ruling.moot;
        let most = self.most_examples;
        let difference = match (event.admitted, refused) {
            (true, true) => &mut self.newly_refused,
            (false, false) => &mut self.newly_admitted,
            (true, false) | (false, true) => return,
        };
        let now = match &ruling.refused {
            Some((rule, fact)) => Some(format!("{rule}: {fact}")),
            None if ruling.moot => Some("its app would never have come to be".to_owned()),
            None => None,
        };
        let then = said(event, Mode::Enforce).map(|said| format!("{}: {}", said.rule, said.fact));
        let kind = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default();
            text.split(':').next().map(str::to_owned)
        };
        let like = |one: &&Example| {
            one.whose == whose && kind(&one.now) == kind(&now) && kind(&one.then) == kind(&then)
        };
        if difference.examples.iter().filter(like).count() < most {
            difference.examples.push(Example {
                id: event.id.to_string(),
                whose,
                event: events::line(event),
                now,
                then,
            });
        }
    }
}

/// What the first rule under `mode` that refused said.
fn said(event: &Event, mode: Mode) -> Option<&VerdictRecord> {
    let mut said = event.verdicts.iter();
    said.find(|said| said.mode == mode && said.verdict == "refuse")
}

impl Side {
    fn add(&mut self, event: &Event, rule: Option<Rule>, observed: Option<Rule>, refused: bool) {
        let count = u64::from(event.count);
        if !refused {
            self.admitted += count;
            if let Some(rule) = observed {
                *self.observed.entry(rule.name()).or_default() += count;
            }
            return;
        }
        self.refused += count;
        let rule = rule.map_or("its app was refused", Rule::name);
        *self.by_rule.entry(rule).or_default() += count;
        *self.by_door.entry(door(event)).or_default() += count;
    }
}

impl Difference {
    fn add(&mut self, event: &Event, rule: Option<Rule>, whose: Whose, count: u64) {
        self.total += count;
        *match whose {
            Whose::Bot => &mut self.bots,
            Whose::Person => &mut self.people,
            Whose::Unknown => &mut self.unknown,
        } += count;
        let rule = rule.map_or("its app was refused", Rule::name);
        *self.by_rule.entry(rule).or_default() += count;
        *self.by_door.entry(door(event)).or_default() += count;
    }
}

fn door(event: &Event) -> &'static str {
    event.endpoint.map_or("any", Endpoint::name)
}
