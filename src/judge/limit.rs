//! The named limits of `[limits]`: what is counted, and how much of it.
//!
//! One limit for each dimension of an attempt, narrow to wide. Two demands
//! pull at the numbers. One address of a carrier or a university may stand
//! for two hundred people who all join within the hour, each with an app, two
//! tokens and a second try. And the attack of December 2018 (4,500 tokens in
//! 40 minutes, 60 apps of one name, 900 addresses) must be stopped although
//! each address asks for only five. So the per-network limits are wide, and
//! the per-app and per-name ones, which known clients do not share, narrow.
//! In any span W a limit N/P admits at most N + ⌈N·W/P⌉.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::quota::Quota;
use crate::verdict::Mode;

/// A named limit. Names are an interface: config key and metric label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Limit {
    /// Sign-ups and changed addresses from one client network (/32, /64).
    SignUpPerNetwork,
    /// The same from one site (/24, /48).
    SignUpPerWideNetwork,
    /// Sign-ups with one canonical mailbox.
    SignUpPerMailbox,
    /// Sign-ups through one app.
    SignUpPerApp,
    /// Sign-ups through all apps of one folded name, unless a known client.
    SignUpPerName,
    /// Sign-ups with addresses of one domain, unless a shared provider's.
    SignUpPerMailDomain,
    /// Sign-ups with addresses behind one mail server, unless a shared provider's.
    SignUpPerMailServer,
    /// All sign-ups.
    SignUpTotal,
    /// Tokens asked for from one client network (/32, /64).
    TokenPerNetwork,
    /// The same from one site (/24, /48).
    TokenPerWideNetwork,
    /// Tokens of an app for itself or by password (`client_credentials`, `password`).
    TokenPerApp,
    /// The same for all apps of one folded name, unless a known client.
    TokenPerName,
    /// Logins (`authorization_code`) through an app that is not established.
    CodePerApp,
    /// All tokens.
    TokenTotal,
    /// Apps created from one client network (/32, /64).
    AppPerNetwork,
    /// The same from one site (/24, /48).
    AppPerWideNetwork,
    /// Apps created under one folded name, unless a known client.
    AppPerName,
    /// All apps created.
    AppTotal,
    /// Invites created from one client network.
    InvitePerNetwork,
    /// Sign-ups that one invite excuses from the other limits and from `wave`.
    SignUpPerInvite,
    /// Unknown bearers and apps that the gate asks the upstream about, per client network.
    LookUpPerNetwork,
    /// Mail servers looked up that the gate does not know yet, per client network (/32, /64).
    MailLookUpPerNetwork,
    /// The same from one site (/24, /48).
    MailLookUpPerWideNetwork,
}

/// Everything that is said of a limit, in one place.
struct Row {
    limit: Limit,
    name: &'static str,
    count: u32,
    minutes: u64,
    mode: Mode,
    why: &'static str,
}

const fn row(limit: Limit, name: &'static str, count: u32, minutes: u64, why: &'static str) -> Row {
    Row {
        limit,
        name,
        count,
        minutes,
        mode: Mode::Enforce,
        why,
    }
}

const fn observed(row: Row) -> Row {
    Row {
        mode: Mode::Observe,
        ..row
    }
}

const HOUR: u64 = 60;
const DAY: u64 = 24 * HOUR;

/// In the order of [`Limit`]'s variants.
static ROWS: [Row; 23] = [
    row(
        Limit::SignUpPerNetwork,
        "sign-up-per-network",
        300,
        HOUR,
        "one carrier's or university's address with 200 people an hour, and every second one tries twice",
    ),
    row(
        Limit::SignUpPerWideNetwork,
        "sign-up-per-wide-network",
        600,
        HOUR,
        "a carrier spreads its people over neighbouring addresses; twice the narrow limit",
    ),
    row(
        Limit::SignUpPerMailbox,
        "sign-up-per-mailbox",
        4,
        7 * DAY,
        "a person and a few further accounts; what fails is given back, and dots and +tags do not make it another mailbox",
    ),
    row(
        Limit::SignUpPerApp,
        "sign-up-per-app",
        20,
        HOUR,
        "one installation is one person and perhaps a family; a known web client (Elk, Phanpy, …) whose app is older than a day has ten times as much, here and in the other limits per app",
    ),
    row(
        Limit::SignUpPerName,
        "sign-up-per-name",
        40,
        HOUR,
        "a client that nobody knows does not bring more people an hour; known clients have no such limit",
    ),
    row(
        Limit::SignUpPerMailDomain,
        "sign-up-per-mail-domain",
        60,
        HOUR,
        "a school class or a club on a domain of its own; shared providers have no such limit",
    ),
    row(
        Limit::SignUpPerMailServer,
        "sign-up-per-mail-server",
        60,
        HOUR,
        "many domains on one unknown server are the mark of 2018; shared providers have no such limit",
    ),
    observed(row(
        Limit::SignUpTotal,
        "sign-up-total",
        2000,
        HOUR,
        "a busy server's rush hour; only observed, or anybody could close the server for everybody",
    )),
    row(
        Limit::TokenPerNetwork,
        "token-per-network",
        900,
        HOUR,
        "200 people an hour behind one address, two tokens for each installation, and some with two devices",
    ),
    row(
        Limit::TokenPerWideNetwork,
        "token-per-wide-network",
        1800,
        HOUR,
        "twice the narrow limit, for the neighbouring addresses of one carrier",
    ),
    row(
        Limit::TokenPerApp,
        "token-per-app",
        20,
        HOUR,
        "one installation needs one or two tokens for itself, a script a few; 2018 took 75 for each app",
    ),
    row(
        Limit::TokenPerName,
        "token-per-name",
        40,
        HOUR,
        "all unknown apps of one name together: of 4,500 tokens for AaA in 40 minutes this lets 67 through",
    ),
    row(
        Limit::CodePerApp,
        "code-per-app",
        40,
        HOUR,
        "people log in through a new app one by one; an established app has no such limit",
    ),
    observed(row(
        Limit::TokenTotal,
        "token-total",
        6000,
        HOUR,
        "three times the sign-ups in all; only observed, since logins must never fail for other people's tokens",
    )),
    row(
        Limit::AppPerNetwork,
        "app-per-network",
        500,
        HOUR,
        "200 people an hour behind one address who each try a second client, and some a third",
    ),
    row(
        Limit::AppPerWideNetwork,
        "app-per-wide-network",
        1000,
        HOUR,
        "twice the narrow limit, for the neighbouring addresses of one carrier",
    ),
    row(
        Limit::AppPerName,
        "app-per-name",
        20,
        HOUR,
        "a client that nobody knows is not installed more often; 2018 made 60 apps called AaA",
    ),
    observed(row(
        Limit::AppTotal,
        "app-total",
        4000,
        HOUR,
        "twice the sign-ups in all; only observed, or anybody could keep new clients out",
    )),
    row(
        Limit::InvitePerNetwork,
        "invite-per-network",
        100,
        DAY,
        "people invite their friends one by one; a stolen session that makes thousands would open a closed server",
    ),
    row(
        Limit::SignUpPerInvite,
        "sign-up-per-invite",
        20,
        DAY,
        "a club that joins together; beyond it a code is worth nothing, and its people are judged like all others",
    ),
    row(
        Limit::LookUpPerNetwork,
        "look-up-per-network",
        300,
        HOUR,
        "each token that the gate has not seen yet costs the upstream a question; 200 people an hour ask at most once or twice each",
    ),
    row(
        Limit::MailLookUpPerNetwork,
        "mail-look-up-per-network",
        300,
        HOUR,
        "200 people an hour behind one address, each with a mail domain that the gate has not met; known ones cost nothing",
    ),
    row(
        Limit::MailLookUpPerWideNetwork,
        "mail-look-up-per-wide-network",
        600,
        HOUR,
        "twice the narrow limit; without it one IPv6 site could keep every look-up busy with name servers that stall",
    ),
];

/// A row out of place would give one limit another's name and number.
const _: () = {
    let mut at = 0;
    while at < ROWS.len() {
        assert!(ROWS[at].limit as usize == at);
        at += 1;
    }
};

impl Limit {
    /// Every limit: by door, then narrow to wide.
    pub const ALL: [Self; 23] = [
        Self::SignUpPerNetwork,
        Self::SignUpPerWideNetwork,
        Self::SignUpPerMailbox,
        Self::SignUpPerApp,
        Self::SignUpPerName,
        Self::SignUpPerMailDomain,
        Self::SignUpPerMailServer,
        Self::SignUpTotal,
        Self::TokenPerNetwork,
        Self::TokenPerWideNetwork,
        Self::TokenPerApp,
        Self::TokenPerName,
        Self::CodePerApp,
        Self::TokenTotal,
        Self::AppPerNetwork,
        Self::AppPerWideNetwork,
        Self::AppPerName,
        Self::AppTotal,
        Self::InvitePerNetwork,
        Self::SignUpPerInvite,
        Self::LookUpPerNetwork,
        Self::MailLookUpPerNetwork,
        Self::MailLookUpPerWideNetwork,
    ];

    const fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// The one word for this limit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Why the default is what it is, in a few words.
    #[must_use]
    pub const fn why(self) -> &'static str {
        self.row().why
    }

    /// Whether it is keyed by the client's own network: kept whatever comes of an attempt.
    #[must_use]
    pub const fn is_client_network(self) -> bool {
        matches!(
            self,
            Self::SignUpPerNetwork
                | Self::SignUpPerWideNetwork
                | Self::TokenPerNetwork
                | Self::TokenPerWideNetwork
                | Self::AppPerNetwork
                | Self::AppPerWideNetwork
                | Self::InvitePerNetwork
                | Self::LookUpPerNetwork
                | Self::MailLookUpPerNetwork
                | Self::MailLookUpPerWideNetwork
        )
    }

    /// Whether the breaker cuts it from step 1 on: what strangers share at sign-up.
    /// Never a network's, which a whole carrier may share, and never a login's.
    #[must_use]
    pub const fn is_tightened(self) -> bool {
        matches!(
            self,
            Self::SignUpPerApp
                | Self::SignUpPerName
                | Self::SignUpPerMailDomain
                | Self::SignUpPerMailServer
        )
    }

    /// Whether everybody who comes through one app, or one name, draws on it.
    #[must_use]
    pub const fn is_shared_by_app(self) -> bool {
        matches!(
            self,
            Self::SignUpPerApp
                | Self::SignUpPerName
                | Self::TokenPerApp
                | Self::TokenPerName
                | Self::CodePerApp
        )
    }

    /// What applies if the configuration says nothing.
    #[must_use]
    pub fn default_budget(self) -> Budget {
        let row = self.row();
        let quota = NonZeroU32::new(row.count)
            .and_then(|count| Quota::new(count, Duration::from_secs(row.minutes * 60)))
            .expect("the table holds non-zero counts and short periods");
        Budget {
            quota,
            mode: row.mode,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much of something, and what happens when it is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// N per P.
    pub quota: Quota,
    /// Refuse, only record, or do not count at all.
    pub mode: Mode,
}

impl fmt::Display for Budget {
    /// As the configuration writes it: `30/10m`, `30/10m observe` or `off`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            Mode::Enforce => self.quota.fmt(f),
            Mode::Observe => write!(f, "{} observe", self.quota),
            Mode::Off => f.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(limit: Limit, minutes: u64) -> u64 {
        let quota = limit.default_budget().quota;
        let burst = u64::from(quota.burst().get());
        burst + (burst * minutes * 60).div_ceil(quota.period().as_secs())
    }

    #[test]
    fn names_are_distinct_and_every_number_has_a_reason() {
        let mut names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Limit::ALL.len());
        for (place, limit) in Limit::ALL.into_iter().enumerate() {
            // What is set is kept by place, and read by it.
            assert_eq!(limit as usize, place);
            assert!(!limit.why().is_empty());
            let total = limit.name().ends_with("-total");
            let observed = limit.default_budget().mode == Mode::Observe;
            assert_eq!(total, observed, "{limit}: only totals are observed");
        }
    }

    #[test]
    fn two_hundred_people_an_hour_behind_one_address_pass() {
        let burst = |limit: Limit| limit.default_budget().quota.burst().get();
        assert!(burst(Limit::SignUpPerNetwork) >= 200);
        assert!(burst(Limit::AppPerNetwork) >= 2 * 200);
        assert!(burst(Limit::TokenPerNetwork) >= 4 * 200);
        assert!(burst(Limit::LookUpPerNetwork) >= 200);
    }

    #[test]
    fn the_attack_of_2018_is_stopped() {
        assert!(admitted(Limit::TokenPerName, 40) <= 70);
        assert!(admitted(Limit::TokenPerApp, 40) < 75);
    }
}
