//! The newest events of a batch, until they are written: what a reply tells
//! mostly comes within moments, and is then written with the event instead of
//! into its row. Written in the order in which they came.

use std::collections::VecDeque;
use std::sync::Arc;

use rusqlite::Connection;

use super::rows::Insert;
use crate::event::{Event, EventId, Outcome};

/// Events that wait at most: sign-ups under way at once on a busy server. Nobody
/// can take over while they are written.
pub(super) const MOST: usize = 64;
/// Written at a time when there are more.
const SOME: usize = 16;

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Fresh(VecDeque<(EventId, Arc<Event>)>);

impl Fresh {
    /// Adds one; the oldest are written if there are too many.
    pub(super) fn add(
        &mut self,
        connection: &Connection,
        event: Arc<Event>,
    ) -> rusqlite::Result<()> {
        self.0.push_back((event.id, event));
        if self.0.len() > MOST {
            self.write_oldest(connection, SOME)?;
        }
        Ok(())
    }

    /// Notes what came of one; whether it is here.
    pub(super) fn complete(&mut self, id: EventId, outcome: Outcome) -> bool {
        let mut newest_first = self.0.iter_mut().rev();
        let Some((_, event)) = newest_first.find(|(one, _)| *one == id) else {
            return false;
        };
        // Hardly ever a copy: who recorded it has let go of it by now.
        Arc::make_mut(event).outcome = Some(outcome);
        true
    }

    /// Whether this one is here.
    pub(super) fn has(&self, id: EventId) -> bool {
        self.0.iter().any(|(one, _)| *one == id)
    }

    /// Writes them all.
    pub(super) fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        while !self.0.is_empty() {
            self.write_oldest(connection, SOME)?;
            // Requests may wait for this core.
            std::thread::yield_now();
        }
        Ok(())
    }

    fn write_oldest(&mut self, connection: &Connection, most: usize) -> rusqlite::Result<()> {
        let mut insert = Insert::prepare(connection)?;
        for (_, event) in self.0.drain(..most.min(self.0.len())) {
            insert.row(&event)?;
        }
        Ok(())
    }

    /// Their batch was taken back.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
