//! Which buckets have changed since they were last saved.
//!
//! A list of keys, each on it once: its slot says so ([`super::table::Slot::unsaved`]).
//! Off unless somebody saves them. Bounded: a saver that does not come for too
//! long (a full disk) finds the newest changes missing, which is as if the
//! gate had crashed that much earlier.

/// Changes that may wait: at half a second between two visits and ten
/// dimensions a request, fifty thousand requests a second.
const MOST: usize = 1 << 18;

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Changed(Option<Vec<u128>>);

impl Changed {
    /// Begins to take note.
    pub(super) fn note(&mut self) {
        self.0.get_or_insert_default();
    }

    /// A bucket has changed that is not on the list; whether it is now.
    #[inline]
    pub(super) fn add(&mut self, key: u128) -> bool {
        let Some(keys) = self.0.as_mut().filter(|keys| keys.len() < MOST) else {
            return false;
        };
        keys.push(key);
        true
    }

    /// How many are on the list.
    pub(super) fn len(&self) -> usize {
        self.0.as_ref().map_or(0, Vec::len)
    }

    /// Takes the list, and leaves `room` for the next one.
    pub(super) fn take(&mut self, room: Vec<u128>) -> Vec<u128> {
        match &mut self.0 {
            Some(keys) => std::mem::replace(keys, room),
            None => room,
        }
    }
}
