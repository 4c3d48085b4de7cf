//! Mastodon's webhooks: `{event, created_at, object}`, signed in
//! `X-Hub-Signature: sha256=HEX` with HMAC-SHA-256 over the body.
//!
//! Mirrors `app/services/webhook_service.rb` and the admin account and report
//! entities from 3.5 to main: numbers are strings, `ip` was an object once,
//! what is not set is null or missing. `object` is read only as far as the gate
//! uses it. The body is written once and sent up to seventeen times over two
//! days, so `created_at` is when the event happened, not when it was sent.
//! Pure, linear in the body, keeps nothing of it: an address leaves as an
//! [`EmailAddress`], which masks itself.

use std::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny};
use sha2::Sha256;

use crate::mail::{address, domain};
use crate::mailbox::{Domain, EmailAddress};
use crate::secret::Secret;

#[cfg(test)]
mod tests;

/// The header of the signature.
pub const SIGNATURE: &str = "x-hub-signature";

/// The longest body that is read: a report carries whole posts.
pub const BOUND: usize = 1 << 20;

/// The longest user name that is kept; Mastodon's own is 30.
const USERNAME: usize = 128;

/// A webhook, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// When it happened, by Mastodon's clock.
    pub at: Timestamp,
    /// What.
    pub news: News,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// An account came to be, was approved (or confirmed, on an open server) or changed.
    Account(Stage, Box<Account>),
    /// Somebody was reported.
    Report {
        /// By whom.
        by: Box<Account>,
        /// Who.
        target: Box<Account>,
    },
    /// An event that the gate has no use for.
    Other,
}

/// The events about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// `account.created`.
    Created,
    /// `account.approved`.
    Approved,
    /// `account.updated`.
    Updated,
}

impl Stage {
    /// The word in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "account-created",
            Self::Approved => "account-approved",
            Self::Updated => "account-updated",
        }
    }
}

/// The admin account entity, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Mastodon's number; negative for the server's own actor.
    pub id: i64,
    /// At most 128 characters.
    pub username: String,
    /// Whether it is an account of this server.
    pub local: bool,
    /// When it came to be; for a remote one, when it was first met.
    pub created: Timestamp,
    /// The address; `None` for remote accounts, and if it is an odd one.
    pub email: Option<EmailAddress>,
    /// The domain of the address, an odd one's too.
    pub mail_domain: Option<Domain>,
    /// An address it was used from.
    pub ip: Option<IpAddr>,
    /// Whether the address is confirmed.
    pub confirmed: bool,
    /// Whether a moderator let it in, or none had to.
    pub approved: bool,
    /// Whether moderators have taken anything from it.
    pub sanctioned: bool,
}

/// Why a body is no webhook.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Not the JSON it should be. The place and what was expected, never a value.
    #[error("not a webhook of mastodon: {0}")]
    Shape(String),
}

/// Whether `header` is the signature of `body` by one of `secrets`. The
/// comparison takes the same time wherever the two differ.
#[must_use]
pub fn is_signed(secrets: &[Secret], body: &[u8], header: &[u8]) -> bool {
    let Some(told) = header.strip_prefix(b"sha256=").and_then(unhex) else {
        return false;
    };
    secrets.iter().any(|secret| {
        let mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes());
        mac.is_ok_and(|mac| mac.chain_update(body).verify_slice(&told).is_ok())
    })
}

fn unhex(text: &[u8]) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() != 32 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |c: &u8| char::from(*c).to_digit(16);
        *byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    }
    Some(bytes)
}

/// Reads a body whose signature was right.
///
/// # Errors
/// If it is not the JSON that Mastodon sends.
pub fn read(body: &[u8]) -> Result<Hook, Fault> {
    let head: Head = parse(body)?;
    let stage = match head.event.as_str() {
        "account.created" => Stage::Created,
        "account.approved" => Stage::Approved,
        "account.updated" => Stage::Updated,
        "report.created" => {
            let Object { object } = parse::<Object<WrittenReport>>(body)?;
            let (by, target) = (object.account.into(), object.target_account.into());
            let (by, target) = (Box::new(by), Box::new(target));
            let news = News::Report { by, target };
            return Ok(Hook {
                at: head.created_at,
                news,
            });
        }
        _ => {
            return Ok(Hook {
                at: head.created_at,
                news: News::Other,
            });
        }
    };
    let Object { object } = parse::<Object<WrittenAccount>>(body)?;
    Ok(Hook {
        at: head.created_at,
        news: News::Account(stage, Box::new(object.into())),
    })
}

/// The second pass over the same bytes costs no memory; a tree of them might.
fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        // Its own words quote what was found.
        let (line, column) = (error.line(), error.column());
        Fault::Shape(format!("{:?} at {line}:{column}", error.classify()))
    })
}

#[derive(Deserialize)]
struct Head {
    event: String,
    created_at: Timestamp,
}

#[derive(Deserialize)]
struct Object<T> {
    object: T,
}

#[derive(Deserialize)]
struct WrittenReport {
    account: WrittenAccount,
    target_account: WrittenAccount,
}

#[derive(Deserialize)]
struct WrittenAccount {
    #[serde(deserialize_with = "number")]
    id: i64,
    username: String,
    domain: Option<String>,
    created_at: Timestamp,
    email: Option<String>,
    #[serde(default)]
    ip: WrittenIp,
    confirmed: Option<bool>,
    approved: Option<bool>,
    disabled: Option<bool>,
    silenced: Option<bool>,
    suspended: Option<bool>,
}

/// Text, with a prefix length or not; an object before 4.0; or nothing.
#[derive(Default, Deserialize)]
#[serde(untagged)]
enum WrittenIp {
    Text(String),
    Object {
        ip: String,
    },
    Else(IgnoredAny),
    #[default]
    #[serde(skip)]
    Missing,
}

impl WrittenIp {
    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Text(text) | Self::Object { ip: text } => {
                text.split('/').next()?.parse::<IpAddr>().ok()
            }
            Self::Else(_) | Self::Missing => None,
        }
    }
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Text(String),
        Number(i64),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(|_| D::Error::custom("no number")),
    }
}

impl From<WrittenAccount> for Account {
    fn from(written: WrittenAccount) -> Self {
        let text = written.email.as_deref().unwrap_or_default();
        let email = address::read(text).ok().flatten();
        let mail_domain = match &email {
            Some(email) => Some(email.domain().clone()),
            // An admin may have given an address that nobody could sign up with.
            None => text
                .rsplit_once('@')
                .and_then(|(_, host)| domain::read(host).ok()),
        };
        let ip = written.ip.address().map(|ip| ip.to_canonical());
        let yes = |flag: Option<bool>| flag == Some(true);
        Self {
            id: written.id,
            username: written.username.chars().take(USERNAME).collect(),
            local: written.domain.is_none(),
            created: written.created_at,
            email,
            mail_domain,
            ip,
            confirmed: yes(written.confirmed),
            approved: yes(written.approved),
            sanctioned: yes(written.disabled) || yes(written.silenced) || yes(written.suspended),
        }
    }
}
