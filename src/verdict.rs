//! What a rule says of an attempt, and what the verdicts come to.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attempt::Unknown;

/// A rule: its name is config key, reason code, metric label and heading in the docs.
///
/// The order is the order of judging. Names are an interface: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// The client's address lies in a banned network.
    ClientBan,
    /// The request cannot be read as Rails would.
    Unreadable,
    /// The app, its name, redirect URI or website is banned.
    AppBan,
    /// The mailbox is banned.
    Address,
    /// The e-mail domain or a parent of it is banned.
    MailDomain,
    /// The mail server behind the domain is banned or does not exist.
    MailServer,
    /// The mail server has been condemned: many fresh domains in a short time.
    MailCluster,
    /// The app belongs to a burst of apps that look alike.
    AppCluster,
    /// A budget is spent.
    Rate,
}

impl Rule {
    /// Every rule, in the order of judging.
    pub const ALL: [Self; 9] = [
        Self::ClientBan,
        Self::Unreadable,
        Self::AppBan,
        Self::Address,
        Self::MailDomain,
        Self::MailServer,
        Self::MailCluster,
        Self::AppCluster,
        Self::Rate,
    ];

    /// The mode that applies if the configuration says nothing. The rules by which
    /// the gate condemns on its own only observe: they wait for confirmations that
    /// the gate cannot hear of yet, and refusing a person by a guess is an admin's choice.
    #[must_use]
    pub const fn default_mode(self) -> Mode {
        match self {
            Self::MailCluster | Self::AppCluster => Mode::Observe,
            Self::ClientBan
            | Self::Unreadable
            | Self::AppBan
            | Self::Address
            | Self::MailDomain
            | Self::MailServer
            | Self::Rate => Mode::Enforce,
        }
    }

    /// The one word for this rule.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientBan => "client-ban",
            Self::Unreadable => "unreadable",
            Self::AppBan => "app-ban",
            Self::Address => "address",
            Self::MailDomain => "mail-domain",
            Self::MailServer => "mail-server",
            Self::MailCluster => "mail-cluster",
            Self::AppCluster => "app-cluster",
            Self::Rate => "rate",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is done with a rule's refusal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Refuse.
    #[default]
    Enforce,
    /// Record that it would have refused, and go on.
    Observe,
    /// Do not even look.
    Off,
}

impl Mode {
    /// The word in config, metrics and events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
            Self::Off => "off",
        }
    }
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it.
    Pass,
    /// Refuse, and why.
    Refuse(Reason),
    /// Could not or would not judge, and why.
    Abstain(Cause),
}

/// Why a rule refuses: the machine's part and the admin's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What kind of refusal, which decides the form of the answer.
    pub because: Because,
    /// The facts for the admin and for an appeal; no secret, no local part.
    pub fact: String,
    /// The command that would undo it, if there is one.
    pub undo: Option<String>,
}

/// The kinds of refusal that clients can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// A ban or list entry on network, app, domain or mail server.
    Ban,
    /// A ban on the mailbox (Mastodon disguises it as taken).
    Mailbox,
    /// Not readable as Rails would; the fault decides the status.
    Unreadable(Unreadable),
    /// The address is not one that mail could reach.
    Undeliverable,
    /// The mail server could not be looked up just now.
    TryAgain {
        /// When to come back.
        after: Duration,
    },
    /// A budget is spent.
    Spent {
        /// The name of the limit in `[limits]`.
        limit: &'static str,
        /// N of `N/PERIOD`.
        burst: u32,
        /// When the next attempt would pass.
        after: Duration,
    },
}

/// How a guarded request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unreadable {
    /// 400: malformed, ambiguous, or read differently by different Rails.
    Malformed,
    /// 413: the body is over the bound.
    TooLarge,
    /// 415: an encoding or type that the gate does not read.
    Unsupported,
    /// 422: an e-mail address that Mastodon versions read differently.
    Address,
}

/// Why a rule abstains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The client's address is not known.
    ClientUnknown(Unknown),
    /// Unrelated domains lapse too: our resolver is down.
    ResolverDown,
    /// A mere covering range; the mail server is a shared provider's.
    SharedProvider(String),
    /// An allow entry silences this rule; its reason.
    Allow(String),
    /// A store or upstream look-up did not answer in time.
    Lapse(&'static str),
    /// The upstream says the address is the account's current one.
    Unchanged,
}

impl Cause {
    /// The metric label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ClientUnknown(_) => "client-unknown",
            Self::ResolverDown => "resolver-down",
            Self::SharedProvider(_) => "shared-provider",
            Self::Allow(_) => "allow",
            Self::Lapse(_) => "lapse",
            Self::Unchanged => "unchanged",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientUnknown(why) => why.fmt(f),
            Self::ResolverDown => {
                f.write_str("the DNS resolver does not answer for unrelated domains either")
            }
            Self::SharedProvider(fact) => {
                write!(f, "{fact}, but the mail server is a shared provider's")
            }
            Self::Allow(reason) => write!(f, "allowed: {reason}"),
            Self::Lapse(what) => write!(f, "{what} did not answer in time"),
            Self::Unchanged => f.write_str("the address is the account's current one"),
        }
    }
}

/// One rule's word under its mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Whose.
    pub rule: Rule,
    /// Under which mode.
    pub mode: Mode,
    /// What it said.
    pub verdict: Verdict,
}

/// The verdicts folded under their modes, in the order of judging.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Every rule that was asked.
    pub verdicts: Vec<Judged>,
}

impl Decision {
    /// The first enforced refusal, which is the answer.
    #[must_use]
    pub fn refusal(&self) -> Option<(Rule, &Reason)> {
        self.refusals(Mode::Enforce).next()
    }

    /// Every refusal under `mode`.
    pub fn refusals(&self, mode: Mode) -> impl Iterator<Item = (Rule, &Reason)> {
        self.verdicts
            .iter()
            .filter_map(move |judged| match &judged.verdict {
                Verdict::Refuse(reason) if judged.mode == mode => Some((judged.rule, reason)),
                Verdict::Refuse(_) | Verdict::Pass | Verdict::Abstain(_) => None,
            })
    }
}
