//! Which buckets have changed since they were last saved.
//!
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

    /// A bucket has changed.
    #[inline]
    pub(super) fn add(&mut self, key: u128) {
        if let Some(keys) = &mut self.0
            && keys.len() < MOST
        {
            keys.push(key);
        }
    }

    /// What has changed since the last visit, each once.
    pub(super) fn take(&mut self) -> Vec<u128> {
        let mut keys = self.0.as_mut().map(std::mem::take).unwrap_or_default();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}
