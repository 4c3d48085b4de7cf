//! A step that an admin puts by hand: on this gate, and on those that share with it.

use jiff::Timestamp;

use super::live::Breaker;
use crate::judge::Judge;
use crate::store::{Store, StoreError};
use crate::wave::{ByHand, Move, Pin, Standing};

impl Breaker {
    /// Takes in what an admin said on another gate, or tells that gate what was
    /// said later here. In force at once; the judge says so and writes it down.
    pub(in crate::judge) fn hear(&self, word: ByHand, store: &Store) {
        let now = Timestamp::now().as_second();
        let (heard, ours) = {
            let mut wave = self.wave.lock();
            (wave.hear(now, word), wave.by_hand())
        };
        match (heard, ours) {
            (Some(moved), _) => {
                self.heard.lock().push(moved);
                self.has_heard.notify_one();
            }
            (None, Some(ours)) if ours.stamp > word.stamp => store.share_by_hand(ours),
            (None, _) => {}
        }
    }

    /// Tells the other gates what was last said here.
    pub(in crate::judge) fn share(&self, store: &Store) {
        if let Some(word) = self.wave.lock().by_hand() {
            store.share_by_hand(word);
        }
    }

    /// What came of hearing others, once.
    pub(super) fn take_heard(&self) -> Vec<Option<Move>> {
        std::mem::take(&mut self.heard.lock())
    }
}

impl Judge {
    /// Puts a step by hand, or lets the breaker go by itself again: here at once,
    /// and on every gate that shares with this one as soon as it hears of it.
    ///
    /// # Errors
    /// If that is not on the disk; it is in force all the same.
    pub async fn pin_step(&self, pin: Option<Pin>, now: i64) -> Result<Standing, StoreError> {
        let micros = Timestamp::now().as_microsecond();
        let moved = self.breaker.wave.lock().put_at(micros, pin);
        if let Some(moved) = moved {
            self.tell(&moved);
        }
        self.breaker.share(&self.store);
        self.write_wave(now, 0)?;
        self.store.flush_wave().await?;
        // Its event as well, though the pin itself is safe without.
        match self.store.flush().await {
            // What other gates are to be told waits for them.
            Ok(()) | Err(StoreError::Unsent { .. }) => {}
            Err(fault) => tracing::warn!(%fault, "the event of a pinned step may be lost"),
        }
        Ok(self.standing(now))
    }

    /// Says what an admin did on another gate, and writes it down.
    pub(super) fn tell_heard(&self) {
        for moved in self.breaker.take_heard() {
            match moved {
                Some(moved) => self.tell(&moved),
                // Refused only if the queue is full: then the next minute's word will do.
                None => _ = self.write_wave(0, 0),
            }
        }
    }
}
