//! Hears what the other nodes have counted: a blocking read of the log, on a
//! connection of its own, in the order that holds for all nodes.
//!
//! A node that starts reads the log from its beginning: what it knows already
//! from its disk has the same number. One that was cut off goes on where it
//! stopped. Entries are numbered, so what was trimmed before it could be read
//! is noticed at the next one, connected or not: counted, said, and the node
//! goes on from what its own disk and the shared condemnations say.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use redis::{RedisResult, Value};
use tokio::sync::mpsc;

use super::clusters::Clusters;
use super::link::Link;
use super::tell::KEEP_FOR;
use super::{Core, connect};
use crate::telemetry::metrics;
use crate::told::{Heard, Told};

/// How long the server holds a read that finds nothing.
const BLOCK: Duration = Duration::from_secs(1);

/// Entries in one answer.
const MOST: usize = 512;

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(200);

/// An entry's place in the log: milliseconds, and which within them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(u64, u64);

impl Place {
    fn read(text: &str) -> Option<Self> {
        let (millis, within) = text.split_once('-')?;
        Some(Self(millis.parse().ok()?, within.parse().ok()?))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

/// How far a node has heard.
#[derive(Debug, Default)]
pub(super) struct Ear {
    place: Place,
    /// The number of the entry there; `None` before the first.
    number: Option<u64>,
    said: Option<Instant>,
}

/// Between two warnings.
const QUIET: Duration = Duration::from_secs(1);

impl Ear {
    /// Notes the entries of an answer; how many were trimmed before they could be read.
    fn note(&mut self, entries: &[Entry]) -> u64 {
        let mut missed = 0;
        for entry in entries {
            self.place = entry.place;
            if let Some(number) = entry.number {
                missed += match self.number {
                    Some(before) if number > before => number - before - 1,
                    // The log has begun anew.
                    Some(_) => number - 1,
                    None => 0,
                };
                self.number = Some(number);
            }
        }
        missed
    }

    /// Counts what was missed, and says so now and then.
    fn say_missed(&mut self, count: u64) {
        metrics().shared.missed.inc_by(count);
        if self.said.is_none_or(|at| at.elapsed() >= QUIET) {
            self.said = Some(Instant::now());
            tracing::warn!(
                count,
                "what other nodes counted is lost to this one: going on from the own disk and the shared condemnations"
            );
        }
    }
}

/// Listens until nobody wants to hear any more. `missed` is told when something
/// was, so that what the others have made of it is looked for at once.
pub(super) async fn keep(
    core: Arc<Core>,
    ear: Arc<Mutex<Ear>>,
    heard: mpsc::Sender<Heard>,
    clusters: Arc<Clusters>,
) {
    while !heard.is_closed() {
        // Not before the key has been seen to be the right one.
        if core.link().is_some()
            && let Err(fault) = listen(&core, &ear, &heard, &clusters).await
        {
            tracing::debug!(%fault, "not hearing what other nodes count");
        }
        metrics().shared.hearing.set(0);
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(
    core: &Core,
    ear: &Mutex<Ear>,
    heard: &mpsc::Sender<Heard>,
    clusters: &Clusters,
) -> RedisResult<()> {
    let begun = core.generation();
    let mut link = connect::link(&core.settings).await?;
    find_back(core, &mut link, ear).await?;
    metrics().shared.hearing.set(1);
    // Another connection of the keeper may lead to another master.
    while core.link().is_some() && core.generation() == begun {
        let from = ear.lock().place;
        let entries = read(core, &mut link, from).await?;
        let told: Vec<_> = entries
            .iter()
            .filter_map(|entry| entry.told(core))
            .collect();
        metrics().shared.heard.inc_by(told.len() as u64);
        if !told.is_empty() && heard.send(Heard::Told(told)).await.is_err() {
            return Ok(());
        }
        let mut ear = ear.lock();
        let missed = ear.note(&entries);
        if missed > 0 {
            ear.say_missed(missed);
            clusters.changed.notify_one();
        }
    }
    Ok(())
}

/// Whether the log still goes on where this node stopped. That something was
/// trimmed from its beginning shows in the number of the next entry.
async fn find_back(core: &Core, link: &mut Link, ear: &Mutex<Ear>) -> RedisResult<()> {
    let from = ear.lock().place;
    if from == Place::default() {
        return Ok(());
    }
    let mut last = redis::cmd("XREVRANGE");
    last.arg(core.keys.log()).arg("+").arg("-");
    let answer: Value = last.arg("COUNT").arg(1).query_async(link).await?;
    let last = entries(&answer).next();
    let mut ear = ear.lock();
    let lost = match last {
        Some(last) if last.place < from => {
            // What comes next may be numbered by a clock that is behind.
            (ear.place, ear.number) = (last.place, last.number);
            true
        }
        Some(_) => false,
        None => {
            // An empty log begins anew, whatever its clock says; nothing of it is known.
            (ear.place, ear.number) = (Place(0, 1), Some(0));
            let now = jiff::Timestamp::now().as_millisecond().unsigned_abs();
            // Older than that, it has run out by itself.
            now < from.0 + KEEP_FOR.as_millis() as u64
        }
    };
    if lost {
        // How much nobody can tell: one at least.
        ear.say_missed(1);
    }
    Ok(())
}

/// What follows `from`; nothing if nothing came.
async fn read(core: &Core, link: &mut Link, from: Place) -> RedisResult<Vec<Entry>> {
    let mut read = redis::cmd("XREAD");
    read.arg("BLOCK").arg(BLOCK.as_millis() as u64);
    read.arg("COUNT").arg(MOST);
    read.arg("STREAMS")
        .arg(core.keys.log())
        .arg(from.to_string());
    let answer: Value = read.query_async(link).await?;
    let Value::Array(logs) = &answer else {
        return Ok(Vec::new());
    };
    let Some(Value::Array(log)) = logs.first() else {
        return Ok(Vec::new());
    };
    Ok(log.get(1).into_iter().flat_map(entries).collect())
}

/// One entry of the log.
#[derive(Debug)]
struct Entry {
    place: Place,
    number: Option<u64>,
    node: String,
    text: String,
}

impl Entry {
    /// What another node tells, if it can be read.
    fn told(&self, core: &Core) -> Option<Told> {
        if self.node == core.node {
            return None;
        }
        let told = serde_json::from_str(&self.text);
        if told.is_err() {
            // A later release tells it, or nobody should.
            metrics().shared.unheard.inc();
        }
        told.ok()
    }
}

/// The entries of an answer.
fn entries(answer: &Value) -> impl Iterator<Item = Entry> {
    let all = match answer {
        Value::Array(all) => all.as_slice(),
        _ => &[],
    };
    all.iter().filter_map(|entry| {
        let (place, fields): (String, Vec<String>) = redis::from_redis_value_ref(entry).ok()?;
        let mut entry = Entry {
            place: Place::read(&place)?,
            number: None,
            node: String::new(),
            text: String::new(),
        };
        let mut words = fields.into_iter();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            match name.as_str() {
                "n" => entry.number = value.parse().ok().filter(|number| *number > 0),
                "node" => entry.node = value,
                "told" => entry.text = value,
                _ => {}
            }
        }
        Some(entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_order() {
        let places: Vec<_> = ["9-0", "10-0", "10-2", "10-11"]
            .map(|text| Place::read(text).expect("a place"))
            .into();
        assert!(places.is_sorted());
        assert_eq!(places[3].to_string(), "10-11");
        assert_eq!(Place::read("x"), None);
    }

    #[test]
    fn what_was_trimmed_is_noticed_by_the_numbers() {
        let entry = |number| Entry {
            place: Place(number, 0),
            number: Some(number),
            node: String::new(),
            text: String::new(),
        };
        let mut ear = Ear::default();
        assert_eq!(ear.note(&[entry(70), entry(71)]), 0, "a node that starts");
        assert_eq!(ear.note(&[entry(72), entry(90), entry(91)]), 17);
        assert_eq!(ear.note(&[]), 0);
        assert_eq!(ear.note(&[entry(3), entry(4)]), 2, "it has begun anew");
        assert_eq!(ear.note(&[entry(1)]), 0);
    }
}
