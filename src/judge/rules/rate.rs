//! `rate`: a budget is spent, asked from narrow to wide.
//!
//! Its *look* is the reservation itself, made last and only if no enforcing
//! rule has refused: every dimension is checked, then all are charged, or
//! none. What is kept of the charges is settled by the upstream's reply
//! (`settle`), off the request's path.
//!
//! # Deployment caveat
//! The narrow dimensions are keyed by the client's address. Behind a proxy
//! that is not in `listen.trusted-proxies`, everybody is one client; the gate
//! then abstains from these dimensions and says so in `/readyz` and `doctor`.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::address_text;
use crate::attempt::{Attempt, ClientIp, Grant, narrow_network, wide_network};
use crate::event::Outcome;
use crate::judge::app_sight::{self, AppSight};
use crate::judge::doors::{Family, family};
use crate::judge::limit::Limit;
use crate::judge::policy::Limits;
use crate::judge::rules::address::Mailbox;
use crate::secret::{HashKey, KeyedHash, Purpose};
use crate::store::limiter::{Charge, Spent};
use crate::verdict::{Because, Cause, Fact, Reason, Verdict};

/// Everything that the dimensions are keyed by.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    /// Its mailbox, hashed.
    pub mailbox: Option<Mailbox>,
    /// Its app.
    pub app: &'a AppSight,
    /// Whether the credential or bearer has been seen to be good, so that
    /// shared dimensions may be reserved for it.
    pub proven: bool,
    /// The addresses (/32, /64) of the preferred exchanges that are no shared
    /// provider's; `None` if the domain's mail is at a shared provider, or unknown.
    pub own_servers: Option<&'a [IpNet]>,
}

/// One dimension of an attempt.
#[derive(Clone, Debug)]
pub struct Dimension {
    /// Its limit.
    pub limit: Limit,
    /// Its charge.
    pub charge: Charge,
}

/// The dimensions to charge, narrow to wide.
#[must_use]
pub fn dimensions(asked: &Asked<'_>, limits: &Limits, key: &HashKey) -> Vec<Dimension> {
    let mut into = Collect {
        limits,
        key,
        out: Vec::with_capacity(10),
    };
    match family(asked.attempt.endpoint) {
        Some(Family::SignUp) => sign_up(asked, &mut into),
        Some(Family::Token) => token(asked, &mut into),
        Some(Family::App) => app(asked, &mut into),
        Some(Family::Invite) => into.network(asked.attempt.client, Limit::InvitePerNetwork, None),
        None => {}
    }
    into.out
}

fn sign_up(asked: &Asked<'_>, into: &mut Collect<'_>) {
    into.network(
        asked.attempt.client,
        Limit::SignUpPerNetwork,
        Some(Limit::SignUpPerWideNetwork),
    );
    if let Some(mailbox) = asked.mailbox {
        into.add(Limit::SignUpPerMailbox, &[&mailbox.canonical.0]);
    }
    into.app(asked, Limit::SignUpPerApp, Limit::SignUpPerName);
    if let Some(own_servers) = asked.own_servers {
        for domain in asked.attempt.mail_domains() {
            into.add(Limit::SignUpPerMailDomain, &[domain.as_str().as_bytes()]);
        }
        for server in own_servers {
            let text = address_text::network(*server);
            into.add(Limit::SignUpPerMailServer, &[text.as_bytes()]);
        }
    }
    into.add(Limit::SignUpTotal, &[]);
}

fn token(asked: &Asked<'_>, into: &mut Collect<'_>) {
    let attempt = asked.attempt;
    into.network(
        attempt.client,
        Limit::TokenPerNetwork,
        Some(Limit::TokenPerWideNetwork),
    );
    let login = attempt.grant == Some(Grant::AuthorizationCode);
    if login {
        let established = |app| app_sight::established(app, attempt.at);
        if asked.app.app().is_some_and(established) {
            return;
        }
        into.app_id(asked, Limit::CodePerApp);
    } else {
        into.app(asked, Limit::TokenPerApp, Limit::TokenPerName);
    }
    into.add(Limit::TokenTotal, &[]);
}

fn app(asked: &Asked<'_>, into: &mut Collect<'_>) {
    into.network(
        asked.attempt.client,
        Limit::AppPerNetwork,
        Some(Limit::AppPerWideNetwork),
    );
    if let Some(new) = &asked.attempt.new_app {
        let listed =
            crate::lists::clients::known(&new.name, &new.redirect_uris, new.website.as_deref());
        if listed.is_none() {
            let name = crate::lists::apps::fold(&new.name);
            into.add(Limit::AppPerName, &[name.as_bytes()]);
        }
    }
    into.add(Limit::AppTotal, &[]);
}

/// The charge of a sign-up that an invite excuses: the code's own.
#[must_use]
pub fn by_invite(attempt: &Attempt, limits: &Limits, key: &HashKey) -> Vec<Dimension> {
    let mut into = Collect {
        limits,
        key,
        out: Vec::with_capacity(1),
    };
    if let Some(code) = &attempt.invite {
        let hash = key.hash(Purpose::Invite, &[code.expose().as_bytes()]);
        into.add(Limit::SignUpPerInvite, &[&hash.0]);
    }
    into.out
}

/// The charge for a look-up at the upstream that a stranger causes. Those
/// whose address is unknown share one.
#[must_use]
pub fn look_up(client: ClientIp, limits: &Limits, key: &HashKey) -> Vec<Charge> {
    let mut into = Collect {
        limits,
        key,
        out: Vec::with_capacity(1),
    };
    match client {
        ClientIp::Known(_) => into.network(client, Limit::LookUpPerNetwork, None),
        ClientIp::Unknown(_) => into.add(Limit::LookUpPerNetwork, &[b"unknown"]),
    }
    into.out
        .into_iter()
        .map(|dimension| dimension.charge)
        .collect()
}

/// The charges for looking up a mail server that is not known yet.
#[must_use]
pub fn mail_look_up(client: ClientIp, limits: &Limits, key: &HashKey) -> Vec<Charge> {
    let mut into = Collect {
        limits,
        key,
        out: Vec::with_capacity(2),
    };
    into.network(
        client,
        Limit::MailLookUpPerNetwork,
        Some(Limit::MailLookUpPerWideNetwork),
    );
    into.out
        .into_iter()
        .map(|dimension| dimension.charge)
        .collect()
}

/// Gathers the dimensions whose limits are on.
struct Collect<'a> {
    limits: &'a Limits,
    key: &'a HashKey,
    out: Vec<Dimension>,
}

/// The parts that make a key of one limit: an address and its length, or one text.
const MOST_PARTS: usize = 2;

impl Collect<'_> {
    fn add(&mut self, limit: Limit, parts: &[&[u8]]) {
        self.add_times(limit, parts, 1);
    }

    /// The budget is `times` what is set.
    fn add_times(&mut self, limit: Limit, parts: &[&[u8]], times: u32) {
        let Some(set) = self.limits.get(limit) else {
            return;
        };
        let mut all = [limit.name().as_bytes(); MOST_PARTS + 1];
        let end = parts.len() + 1;
        all[1..end].copy_from_slice(parts);
        let charge = Charge {
            limit: limit.name(),
            key: self.key.hash(Purpose::Limit, &all[..end]),
            quota: set.quota.times(times),
            wider: None,
            mode: set.mode,
        };
        self.out.push(Dimension { limit, charge });
    }

    /// The narrow network, then the wide one, to which the narrow falls back when the table is full.
    fn network(&mut self, client: ClientIp, narrow: Limit, wide: Option<Limit>) {
        let Some(ip) = client.known() else {
            return;
        };
        let before = self.out.len();
        self.add_network(narrow, narrow_network(ip));
        if let Some(wide) = wide {
            let at = self.out.len();
            self.add_network(wide, wide_network(ip));
            if at > before && self.out.len() > at {
                self.out[before].charge.wider = Some(at);
            }
        }
    }

    fn add_network(&mut self, limit: Limit, network: IpNet) {
        let length = [network.prefix_len()];
        match network.network() {
            IpAddr::V4(v4) => self.add(limit, &[&v4.octets(), &length]),
            IpAddr::V6(v6) => self.add(limit, &[&v6.octets(), &length]),
        }
    }

    fn app(&mut self, asked: &Asked<'_>, per_app: Limit, per_name: Limit) {
        self.app_id(asked, per_app);
        if let Some(name) = asked
            .app
            .app()
            .filter(|_| asked.proven)
            .and_then(app_sight::shared_name)
        {
            self.add(per_name, &[name.as_bytes()]);
        }
    }

    /// By `client_id`; bearers that nobody could resolve share one bucket.
    fn app_id(&mut self, asked: &Asked<'_>, per_app: Limit) {
        match asked.app {
            AppSight::None => {}
            AppSight::Unresolved => self.add(per_app, &[b"unresolved"]),
            AppSight::Known(_) | AppSight::Id(_) | AppSight::Late(_) if !asked.proven => {}
            AppSight::Known(_) | AppSight::Id(_) | AppSight::Late(_) => {
                if let Some(id) = asked.app.client_id() {
                    let share = |app| app_sight::share(app, asked.attempt.at);
                    let times = asked.app.app().map_or(1, share);
                    self.add_times(per_app, &[id.as_str().as_bytes()], times);
                }
            }
        }
    }
}

/// The verdict on a reservation that was refused.
#[must_use]
pub fn refuse(spent: &Spent) -> Verdict {
    Verdict::Refuse(Reason {
        because: Because::Spent {
            limit: spent.limit,
            burst: spent.burst.get(),
            after: spent.after.max(Duration::from_secs(1)),
        },
        fact: Fact::Spent {
            limit: spent.limit,
            burst: spent.burst.get(),
        },
        undo: None,
    })
}

/// The verdict on a reservation that was made.
#[must_use]
pub fn pass(client: ClientIp) -> Verdict {
    match client {
        ClientIp::Known(_) => Verdict::Pass,
        ClientIp::Unknown(why) => Verdict::Abstain(Cause::ClientUnknown(why)),
    }
}

/// Whether a dimension's charge is kept once the reply is known.
///
/// What came to nothing is given back everywhere but at the client's own
/// network, so that nobody can spend an app's or a provider's budget from outside.
#[must_use]
pub const fn settle(limit: Limit, outcome: Outcome) -> Keep {
    match outcome {
        Outcome::Create | Outcome::Unclear => Keep::Yes,
        Outcome::Fail if limit.is_client_network() => Keep::Yes,
        // It may be the only one charged, and a code is easily had.
        Outcome::Fail if matches!(limit, Limit::SignUpPerInvite) => Keep::Yes,
        Outcome::Fail => Keep::GiveBack,
    }
}

/// What becomes of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It stays.
    Yes,
    /// It is undone.
    GiveBack,
}

/// The keyed hash under which a credential is known once proven.
#[must_use]
pub fn credential_hash(attempt: &Attempt, key: &HashKey) -> Option<KeyedHash> {
    let credential = attempt.credential.as_ref()?;
    let secret = credential.client_secret.as_ref()?;
    let parts = [
        credential.client_id.as_str().as_bytes(),
        secret.expose().as_bytes(),
    ];
    Some(key.hash_often(Purpose::Credential, &parts))
}
