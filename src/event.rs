//! What is remembered of an attempt: enough for an appeal, a report and a
//! replay; no password, token, secret or e-mail local part.

pub mod facts;

use std::cell::RefCell;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::{AppName, ClientId};
use crate::attempt::Grant;
use crate::cluster::ClusterId;
use crate::endpoint::Endpoint;
use crate::mailbox::Domain;
use crate::secret::KeyedHash;
use crate::verdict::{Mode, RELEASE, Rule};
use facts::Facts;

/// The random, unguessable reference that a refused person is shown.
///
/// 60 bits in twelve characters of Crockford's base 32 (no I, L, O, U).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EventId(u64);

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl EventId {
    /// A fresh one from the system's random source.
    ///
    /// # Errors
    /// If the system has no randomness to give.
    pub fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(random_u64()? >> 4))
    }

    /// Its twelve characters, as it is shown.
    #[must_use]
    pub fn digits(self) -> [u8; 12] {
        let mut left = self.0;
        let mut digits = [0; 12];
        for digit in digits.iter_mut().rev() {
            *digit = ALPHABET[left as usize & 31];
            left >>= 5;
        }
        digits
    }

    /// For keeping in a database column.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// From a database column; the upper four bits are dropped.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self(number & (u64::MAX >> 4))
    }
}

/// How many numbers are fetched at once: asking the system costs more than a reference does.
const AT_ONCE: usize = 32;

thread_local! {
    static FETCHED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

fn random_u64() -> Result<u64, getrandom::Error> {
    FETCHED.with_borrow_mut(|numbers| {
        if let Some(number) = numbers.pop() {
            return Ok(number);
        }
        let mut bytes = [0; AT_ONCE * 8];
        getrandom::fill(&mut bytes)?;
        let (each, _) = bytes.as_chunks();
        numbers.extend(each.iter().map(|bytes| u64::from_le_bytes(*bytes)));
        numbers.pop().ok_or(getrandom::Error::UNEXPECTED)
    })
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let mut number = 0;
        let mut digits = 0;
        for c in text.bytes().filter(|c| !matches!(c, b'-' | b' ')) {
            let c = match c.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let value = ALPHABET.iter().position(|a| *a == c).ok_or(NotAnEventId)?;
            number = (number << 5) | value as u64;
            digits += 1;
        }
        if digits == 12 {
            Ok(Self(number))
        } else {
            Err(NotAnEventId)
        }
    }
}

impl TryFrom<String> for EventId {
    type Error = NotAnEventId;

    fn try_from(text: String) -> Result<Self, NotAnEventId> {
        text.parse()
    }
}

impl From<EventId> for String {
    fn from(id: EventId) -> Self {
        id.to_string()
    }
}

/// The text is not a reference id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reference is twelve letters and digits, such as 7K3M9QX2B4DH")]
pub struct NotAnEventId;

/// One attempt, judged, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The reference.
    pub id: EventId,
    /// When it was read.
    pub at: Timestamp,
    /// The door; `None` for a request refused before a door was recognised.
    pub endpoint: Option<Endpoint>,
    /// Who asked, as far as known.
    pub client: Option<IpAddr>,
    /// The user name asked for.
    pub username: Option<String>,
    /// The domain of the address.
    pub mail_domain: Option<Domain>,
    /// The exact mailbox, hashed.
    pub mailbox: Option<KeyedHash>,
    /// The canonical mailbox, hashed.
    pub canonical_mailbox: Option<KeyedHash>,
    /// The mail server as looked up: host names, then addresses.
    pub mail_server: Vec<String>,
    /// The app.
    pub client_id: Option<ClientId>,
    /// Its name, if known.
    pub app_name: Option<AppName>,
    /// What kind of token was asked for.
    pub grant: Option<String>,
    /// Whether it was forwarded.
    pub admitted: bool,
    /// Every verdict that is not a plain pass.
    pub verdicts: Vec<VerdictRecord>,
    /// What the reply told.
    pub outcome: Option<Outcome>,
    /// How many like it this row stands for: a flood of refusals is aggregated.
    #[serde(default = "one")]
    pub count: u32,
    /// What the rules were shown; none for a request that was not read, or was
    /// recorded by a release that did not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Box<Facts>>,
    /// What this is if it is no attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Note>,
}

/// An event that is no attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Note {
    /// Mastodon told of an account that the gate never let through.
    Bypass,
}

impl Event {
    /// Whether somebody tried something; not for what the gate or Mastodon notes by itself,
    /// such as a move of the breaker or an account that came in beside the gate.
    #[must_use]
    pub fn is_attempt(&self) -> bool {
        self.note.is_none() && self.step().is_none()
    }

    /// The record of a move of the breaker, if it is one.
    #[must_use]
    pub fn step(&self) -> Option<&VerdictRecord> {
        self.verdicts.iter().find(|said| said.verdict == "step")
    }

    /// One of which nothing is known but its moment; admitted.
    #[must_use]
    pub const fn blank(id: EventId, at: Timestamp) -> Self {
        Self {
            id,
            at,
            endpoint: None,
            client: None,
            username: None,
            mail_domain: None,
            mailbox: None,
            canonical_mailbox: None,
            mail_server: Vec::new(),
            client_id: None,
            app_name: None,
            grant: None,
            admitted: true,
            verdicts: Vec::new(),
            outcome: None,
            count: 1,
            facts: None,
            note: None,
        }
    }
}

const fn one() -> u32 {
    1
}

/// A verdict, written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictRecord {
    /// Whose.
    pub rule: Rule,
    /// Under which mode.
    pub mode: Mode,
    /// `refuse` or `abstain`; `step` for a move of the breaker, which is no attempt.
    pub verdict: String,
    /// The facts.
    pub fact: String,
    /// The command that would undo it.
    pub undo: Option<String>,
}

impl VerdictRecord {
    /// The cluster that it was said for, if that is what was said.
    #[must_use]
    pub fn cluster(&self) -> Option<ClusterId> {
        let id = self.undo.as_ref()?.strip_prefix(RELEASE)?;
        id.parse().ok()
    }
}

/// What came of a forwarded attempt, as far as the upstream's reply tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It came to be (token, app, account, changed address).
    Create,
    /// It did not (validation failed, wrong secret, CSRF).
    Fail,
    /// The reply does not tell.
    Unclear,
}

impl Grant {
    /// The word in events and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::Password => "password",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_survives_being_read_aloud() {
        let id = EventId::random().expect("randomness");
        let text = id.to_string();
        assert_eq!(text.len(), 12);
        assert_eq!(id, text.to_lowercase().parse().expect("lower case"));
        assert_eq!(
            id,
            text.replace('0', "o")
                .replace('1', "l")
                .parse()
                .expect("look-alikes")
        );
        assert!("short".parse::<EventId>().is_err());
        assert!("7K3M9QX2B4DHH".parse::<EventId>().is_err());
    }
}
