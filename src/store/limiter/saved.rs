//! A bucket outside the limiter: what is saved and put back.
//!
//! In wall-clock time, so that a saved bucket goes on draining while the gate is
//! down. Open reservations are not saved: after a restart they count as kept.

use serde::{Deserialize, Serialize};

use crate::secret::KeyedHash;

/// One bucket, in wall-clock time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSlot {
    /// Whose.
    pub key: KeyedHash,
    /// When it is full again; nanoseconds since 1970.
    pub full_at: u64,
    /// Until when it counts as in use; nanoseconds since 1970.
    pub used_until: u64,
}

/// How far an export has come. Slots that move meanwhile may be seen twice or
/// be missed until the next export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor(pub(super) usize);
