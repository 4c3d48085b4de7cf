//! What a rule says of an attempt, and what the verdicts come to.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::attempt::Unknown;

pub use self::reason::{Fact, RELEASE, Reason, Undo};

mod reason;

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
    /// The breaker is up: sign-ups far above normal, and condemnations.
    Wave,
    /// A budget is spent.
    Rate,
}

/// A rule out of place would have another one's mode.
const _: () = {
    let mut at = 0;
    while at < Rule::ALL.len() {
        assert!(Rule::ALL[at] as usize == at);
        at += 1;
    }
};

impl Rule {
    /// Every rule, in the order of judging.
    pub const ALL: [Self; 10] = [
        Self::ClientBan,
        Self::Unreadable,
        Self::AppBan,
        Self::Address,
        Self::MailDomain,
        Self::MailServer,
        Self::MailCluster,
        Self::AppCluster,
        Self::Wave,
        Self::Rate,
    ];

    /// The mode that applies if the configuration says nothing: every rule refuses.
    /// That the rules by which the gate condemns on its own may do so rests on the
    /// efficacy bench (`benches/efficacy/RESULTS.md`), with and without webhooks.
    #[must_use]
    pub const fn default_mode(self) -> Mode {
        match self {
            Self::ClientBan
            | Self::Unreadable
            | Self::AppBan
            | Self::Address
            | Self::MailDomain
            | Self::MailServer
            | Self::MailCluster
            | Self::AppCluster
            | Self::Wave
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
            Self::Wave => "wave",
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
    /// The breaker holds it back for a while.
    Paused {
        /// What of it.
        what: Paused,
        /// When to ask again, as far as can be told.
        after: Duration,
    },
}

/// What the breaker holds back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paused {
    /// Addresses at providers that nobody knows.
    Mail,
    /// Sign-up through an app that is not established, or through any app.
    App,
    /// All sign-up.
    All,
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
    /// The upstream says the invite can be used, and its own budget is not spent.
    Invited,
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
            Self::Invited => "invited",
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
            Self::Invited => f.write_str("it comes with an invite that the upstream confirmed"),
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
