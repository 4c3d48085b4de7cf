//! What everything is called in Redis.
//!
//! The prefix is a hash tag, so that on a Redis Cluster everything of one
//! installation lies on one shard and one script reaches all of it.

use crate::app::ClientId;
use crate::secret::{HashKey, KeyedHash};

/// The layout of keys and values; nodes of another one are kept out.
const LAYOUT: u32 = 1;

/// The names under one prefix.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    tag: String,
}

impl Keys {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            tag: format!("{{{prefix}}}:"),
        }
    }

    /// A budget.
    pub(super) fn budget(&self, key: KeyedHash) -> Vec<u8> {
        let mut name = Vec::with_capacity(self.tag.len() + 16);
        name.extend_from_slice(self.budgets().as_bytes());
        // As bytes: half the length of their text, a million times.
        name.extend_from_slice(&key.0);
        name
    }

    /// What every budget's name begins with, and no other name does.
    pub(super) fn budgets(&self) -> String {
        format!("{}=", self.tag.trim_end_matches(':'))
    }

    /// The limiter's own time and how many keys it holds.
    pub(super) fn clock(&self) -> String {
        self.named("clock")
    }

    /// How many budgets end in which minute.
    pub(super) fn minutes(&self) -> String {
        self.named("minutes")
    }

    /// Under which key and layout all this was made.
    pub(super) fn fingerprint(&self) -> String {
        self.named("key")
    }

    /// Written to see whether writing is possible.
    pub(super) fn probe(&self) -> String {
        self.named("probe")
    }

    /// Latest entries, log of changes, version, epoch.
    pub(super) fn bans(&self) -> [String; 4] {
        ["bans", "bans:log", "bans:version", "bans:epoch"].map(|name| self.named(name))
    }

    /// The same of clusters.
    pub(super) fn clusters(&self) -> [String; 4] {
        [
            "clusters",
            "clusters:log",
            "clusters:version",
            "clusters:epoch",
        ]
        .map(|name| self.named(name))
    }

    /// The same of what is contained.
    pub(super) fn contained(&self) -> [String; 4] {
        [
            "contained",
            "contained:log",
            "contained:version",
            "contained:epoch",
        ]
        .map(|name| self.named(name))
    }

    /// What an admin said of the breaker last.
    pub(super) fn by_hand(&self) -> String {
        self.named("by-hand")
    }

    /// What registers knew that were moved here, until a node takes it over.
    pub(super) fn moved(&self) -> String {
        self.named("moved")
    }

    /// What nodes have counted, in one order for all.
    pub(super) fn log(&self) -> String {
        self.named("counted")
    }

    /// Where it is said that bans or clusters have changed.
    pub(super) fn channel(&self) -> String {
        self.named("bans:changed")
    }

    /// The register's own time and how many keys it holds; the minutes in which they end.
    pub(super) fn register(&self) -> [String; 2] {
        ["register:clock", "register:minutes"].map(|name| self.named(name))
    }

    /// What is known of an app.
    pub(super) fn app(&self, id: &ClientId) -> String {
        format!("{}app:{}", self.tag, id.as_str())
    }

    /// The credential that is right for an app.
    pub(super) fn credential(&self, id: &ClientId) -> String {
        format!("{}credential:{}", self.tag, id.as_str())
    }

    /// What every token's name begins with.
    pub(super) fn tokens(&self) -> String {
        self.named("token:")
    }

    /// Whose a token is.
    pub(super) fn token(&self, token: KeyedHash) -> String {
        format!("{}{token}", self.tokens())
    }

    fn named(&self, name: &str) -> String {
        format!("{}{name}", self.tag)
    }
}

/// What [`Keys::fingerprint`] holds for nodes that may share a store.
pub(super) fn fingerprint(key: &HashKey) -> String {
    let digits = key.fingerprint().map(|byte| format!("{byte:02x}"));
    format!("{LAYOUT}:{}", digits.concat())
}
