//! A ban (or an allow entry): what somebody decided about a network, a mail
//! domain, a mail server, a mailbox or an app, with its reason and its end.

use std::fmt;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::app::ClientId;
use crate::mailbox::Domain;
use crate::secret::KeyedHash;

/// One decision, kept on disk before it is acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Given by the store; never reused.
    pub id: u64,
    /// What is banned or allowed.
    pub subject: Subject,
    /// Refuse, or silence the rules of this dimension.
    pub effect: Effect,
    /// Where it counts; meaningful for networks only.
    pub scopes: Scopes,
    /// For the admin and for an appeal.
    pub reason: String,
    /// Who decided: a person at the command line, a list, the gate itself.
    pub source: String,
    /// When it was decided.
    pub created: Timestamp,
    /// When it ends by itself; `None` is never.
    pub expires: Option<Timestamp>,
}

impl Ban {
    /// Whether it is in force at `now`.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

/// What a ban is about. Two bans on one subject are one: the later replaces the earlier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "kebab-case")]
pub enum Subject {
    /// Client addresses and mail servers' addresses, by [`Scopes`].
    Network(IpNet),
    /// An e-mail domain and everything below it.
    MailDomain(Domain),
    /// A mail server's host name (MX exchange) and everything below it.
    MailServer(Domain),
    /// One mailbox, by keyed hash of the exact address.
    Address(KeyedHash),
    /// One mailbox whatever its dots and tags, by keyed hash of the canonical address.
    CanonicalAddress(KeyedHash),
    /// An app by its `client_id`.
    ClientId(ClientId),
    /// An app by its folded name (`mail`-style allow entries do not exist for names).
    AppName(String),
    /// An app by the host of one of its redirect URIs (or the whole URI where it has no host).
    RedirectUri(String),
    /// An app by the host of its website.
    Website(String),
}

impl Subject {
    /// The kind as the command line writes it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Network(_) => "network",
            Self::MailDomain(_) => "mail-domain",
            Self::MailServer(_) => "mail-server",
            Self::Address(_) => "address",
            Self::CanonicalAddress(_) => "canonical-address",
            Self::ClientId(_) => "client-id",
            Self::AppName(_) => "app-name",
            Self::RedirectUri(_) => "redirect-uri",
            Self::Website(_) => "website",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(net) => net.fmt(f),
            Self::MailDomain(domain) | Self::MailServer(domain) => domain.fmt(f),
            Self::Address(hash) | Self::CanonicalAddress(hash) => hash.fmt(f),
            Self::ClientId(id) => id.fmt(f),
            Self::AppName(text) | Self::RedirectUri(text) | Self::Website(text) => {
                f.write_str(text)
            }
        }
    }
}

/// What an entry does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Refuse.
    Ban,
    /// Silence the rules of this dimension only.
    Allow,
}

/// Where a network ban counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Scopes {
    /// The client's address at the sign-up doors.
    pub sign_up: bool,
    /// The addresses of the mail server behind a mailbox.
    pub mail: bool,
    /// The client's address on every request.
    pub all: bool,
}

/// One of [`Scopes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The client's address at the sign-up doors.
    SignUp,
    /// The addresses of the mail server behind a mailbox.
    Mail,
    /// The client's address on every request.
    All,
}

impl Scopes {
    /// Whether `scope` is among these.
    #[must_use]
    pub const fn covers(self, scope: Scope) -> bool {
        match scope {
            Scope::SignUp => self.sign_up,
            Scope::Mail => self.mail,
            Scope::All => self.all,
        }
    }

    /// Sign-up and mail: what list files and `tuskgate ban network` mean by default.
    pub const DEFAULT: Self = Self {
        sign_up: true,
        mail: true,
        all: false,
    };
    /// The mail server only: what the gate's own condemnations mean.
    pub const MAIL: Self = Self {
        sign_up: false,
        mail: true,
        all: false,
    };
    /// Every request.
    pub const ALL: Self = Self {
        sign_up: true,
        mail: true,
        all: true,
    };

    /// Whether `mail` was named and nothing else: an outright statement about a mail server.
    #[must_use]
    pub const fn only_mail(self) -> bool {
        self.mail && !self.sign_up && !self.all
    }
}
