//! Words for OAuth applications: an app's public `client_id`, its
//! attacker-chosen name, and what the gate remembers of it.

use std::fmt;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::secret::{KeyedHash, Secret};

/// Doorkeeper's `uid` of an app: public, chosen by the server.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// Wraps what was sent or learned. No form is enforced: Doorkeeper compares bytes.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An app's name as its creator typed it: attacker-chosen, any text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppName(Arc<str>);

impl AppName {
    /// Wraps the text.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The text as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is asked for at `POST /api/v1/apps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApp {
    /// `client_name`.
    pub name: AppName,
    /// `redirect_uris`, split at white space or from an array.
    pub redirect_uris: Vec<String>,
    /// `website`.
    pub website: Option<String>,
}

/// What a caller proves itself with at `POST /oauth/token`: the pair that Doorkeeper will use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// `client_id`.
    pub client_id: ClientId,
    /// `client_secret`, if any was sent.
    pub client_secret: Option<Secret>,
}

/// An app that the gate has seen come to be, was told of, or asked the upstream for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Doorkeeper's `uid`.
    pub client_id: ClientId,
    /// As typed by its creator.
    pub name: AppName,
    /// All registered redirect URIs.
    pub redirect_uris: Vec<String>,
    /// The creator's website, if given.
    pub website: Option<String>,
    /// The narrow client network (IPv4 /32, IPv6 /64) that created it, if known.
    pub creator: Option<IpNet>,
    /// When it came to be, or was first heard of.
    pub created: Timestamp,
    /// How the gate knows of it.
    pub source: AppSource,
    /// Keyed hash of id and secret, once proven by creation or by a success.
    pub credential: Option<KeyedHash>,
}

/// How the gate came to know of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppSource {
    /// Seen in the upstream's reply to its creation.
    Learn,
    /// Read from an export with `tuskgate apps import`.
    Import,
    /// The upstream was asked.
    Ask,
}
