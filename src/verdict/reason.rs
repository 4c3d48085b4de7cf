//! Why a rule refuses, and in which words an admin is told.
//!
//! What floods are refused for, a spent budget or the condemned look of an app, is kept
//! as it is and put into words where somebody reads them: in a row of the record, of
//! which a flood has few.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use super::Because;
use crate::cluster::ClusterId;

/// Why a rule refuses: the machine's part and the admin's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What kind of refusal, which decides the form of the answer.
    pub because: Because,
    /// The facts for the admin and for an appeal; no secret, no local part.
    pub fact: Fact,
    /// The command that would undo it, if there is one.
    pub undo: Option<Undo>,
}

/// The facts of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// In words already.
    Words(String),
    /// A budget is spent.
    Spent {
        /// Which.
        limit: &'static str,
        /// How much of it there is at once.
        burst: u32,
    },
    /// The look of an app is condemned.
    Condemned {
        /// As what.
        cluster: ClusterId,
        /// Until when.
        until: Timestamp,
        /// Why.
        evidence: String,
    },
}

impl Fact {
    /// In words.
    #[must_use]
    pub fn words(&self) -> Cow<'_, str> {
        match self {
            Self::Words(words) => Cow::Borrowed(words),
            Self::Spent { .. } | Self::Condemned { .. } => Cow::Owned(self.to_string()),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => f.write_str(words),
            Self::Spent { limit, burst } => {
                write!(f, "the limit {limit} is spent ({burst} at once)")
            }
            Self::Condemned {
                cluster,
                until,
                evidence,
            } => write!(
                f,
                "apps that look like it are condemned as {cluster} until {until:.0}: {evidence}"
            ),
        }
    }
}

impl From<String> for Fact {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

/// The command that undoes a condemnation, up to the cluster's number.
pub const RELEASE: &str = "tuskgate clusters release ";

/// The command that would undo a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// In full.
    Command(String),
    /// Releases a cluster whole.
    Release(ClusterId),
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => f.write_str(command),
            Self::Release(cluster) => write!(f, "{RELEASE}{cluster}"),
        }
    }
}

impl From<String> for Undo {
    fn from(command: String) -> Self {
        Self::Command(command)
    }
}
