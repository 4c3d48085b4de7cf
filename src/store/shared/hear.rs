//! Hears what the other nodes have counted: a blocking read of the log, on a
//! connection of its own, in the order that holds for all nodes.
//!
//! A node that starts reads the log from its beginning: what it knows already
//! from its disk has the same number. One that was cut off goes on where it
//! stopped. If the log has been trimmed, emptied or has lost its end meanwhile,
//! that is said, and the node goes on from what its own disk and the shared
//! condemnations say.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::{RedisResult, Value};
use tokio::sync::mpsc;

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

/// Listens until nobody wants to hear any more.
pub(super) async fn keep(core: Arc<Core>, place: Arc<Mutex<Place>>, heard: mpsc::Sender<Heard>) {
    while !heard.is_closed() {
        // Not before the key has been seen to be the right one.
        if core.link().is_some()
            && let Err(fault) = listen(&core, &place, &heard).await
        {
            tracing::debug!(%fault, "not hearing what other nodes count");
        }
        metrics().shared.hearing.set(0);
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(core: &Core, place: &Mutex<Place>, heard: &mpsc::Sender<Heard>) -> RedisResult<()> {
    let begun = core.generation();
    let mut link = connect::link(&core.settings).await?;
    find_back(core, &mut link, place).await?;
    metrics().shared.hearing.set(1);
    // Another connection of the keeper may lead to another master.
    while core.link().is_some() && core.generation() == begun {
        let from = *place.lock();
        let Some((last, told)) = read(core, &mut link, from).await? else {
            continue;
        };
        metrics().shared.heard.inc_by(told.len() as u64);
        if !told.is_empty() && heard.send(Heard::Told(told)).await.is_err() {
            return Ok(());
        }
        *place.lock() = last;
    }
    Ok(())
}

/// Whether the log still goes on where this node stopped.
async fn find_back(core: &Core, link: &mut Link, place: &Mutex<Place>) -> RedisResult<()> {
    let mut from = *place.lock();
    if from == Place::default() {
        return Ok(());
    }
    let end = |command: &'static str, ends: [&'static str; 2]| {
        let mut cmd = redis::cmd(command);
        cmd.arg(core.keys.log()).arg(&ends).arg("COUNT").arg(1);
        cmd
    };
    let first = end("XRANGE", ["-", "+"]).query_async(link).await?;
    let last = end("XREVRANGE", ["+", "-"]).query_async(link).await?;
    let first = entries(&first).next().map(|(place, _)| place);
    let last = entries(&last).next().map(|(place, _)| place);
    let trimmed = first.is_some_and(|first| first > from);
    let now = jiff::Timestamp::now().as_millisecond().unsigned_abs();
    let shorter = match last {
        Some(last) => last < from,
        // Older than that, it has run out by itself.
        None => now < from.0 + KEEP_FOR.as_millis() as u64,
    };
    if trimmed || shorter {
        metrics().shared.missed.inc();
        tracing::warn!(
            "what other nodes counted meanwhile is lost: going on from the own disk and the shared condemnations"
        );
    }
    if let Some(last) = last.filter(|last| *last < from) {
        // What comes next may be numbered by a clock that is behind.
        from = last;
    } else if last.is_none() {
        // An empty log begins anew, whatever its clock says; nothing of it is known.
        from = Place(0, 1);
    }
    *place.lock() = from;
    Ok(())
}

/// What follows `from`; `None` if nothing came.
async fn read(
    core: &Core,
    link: &mut Link,
    from: Place,
) -> RedisResult<Option<(Place, Vec<Told>)>> {
    let mut read = redis::cmd("XREAD");
    read.arg("BLOCK").arg(BLOCK.as_millis() as u64);
    read.arg("COUNT").arg(MOST);
    read.arg("STREAMS")
        .arg(core.keys.log())
        .arg(from.to_string());
    let answer: Value = read.query_async(link).await?;
    let Value::Array(logs) = &answer else {
        return Ok(None);
    };
    let Some(Value::Array(log)) = logs.first() else {
        return Ok(None);
    };
    let mut last = None;
    let mut told = Vec::new();
    for (place, fields) in log.get(1).into_iter().flat_map(entries) {
        last = Some(place);
        let [_, node, _, text] = fields.as_slice() else {
            continue;
        };
        if *node == core.node {
            continue;
        }
        match serde_json::from_str(text) {
            Ok(one) => told.push(one),
            // A later release tells it, or nobody should.
            Err(_) => {
                metrics().shared.unheard.inc();
            }
        }
    }
    Ok(last.map(|last| (last, told)))
}

/// The entries of an answer: place, and names and values in turn.
fn entries(answer: &Value) -> impl Iterator<Item = (Place, Vec<String>)> {
    let all = match answer {
        Value::Array(all) => all.as_slice(),
        _ => &[],
    };
    all.iter().filter_map(|entry| {
        let (place, fields): (String, Vec<String>) = redis::from_redis_value_ref(entry).ok()?;
        Some((Place::read(&place)?, fields))
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
}
