//! Which rule applies at which door: one table, a test for each cell.
//!
//! The reasons: doors that merely look an address up (rows 6 and 19) must
//! never lock an existing user out by a mail rule; logins must never be
//! refused because of who else is at the same app, provider or network ban
//! meant for sign-ups. `client-ban` with scope `all` is not in this table: the
//! gate asks it of every request, guarded or not.

use crate::endpoint::Endpoint;
use crate::verdict::Rule;

/// Whether `rule` has a say at `endpoint`.
#[must_use]
pub const fn applies(rule: Rule, endpoint: Endpoint) -> bool {
    match rule {
        Rule::ClientBan => client_ban_for_sign_up(endpoint),
        Rule::Unreadable => true,
        Rule::AppBan => app_rules(endpoint),
        Rule::AppCluster => app_clusters(endpoint),
        Rule::Address | Rule::MailDomain | Rule::MailServer | Rule::MailCluster => {
            mail_rules(endpoint)
        }
        Rule::Rate => family(endpoint).is_some(),
    }
}

/// Where a network banned with scope `sign-up` counts.
const fn client_ban_for_sign_up(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::SignUp
            | Endpoint::SignUpForm
            | Endpoint::EmailSetup
            | Endpoint::ApiSignUp
            | Endpoint::ApiEmailChange
            | Endpoint::AppCreate
    )
}

/// Where an address enters or changes.
const fn mail_rules(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::SignUp
            | Endpoint::EmailChange
            | Endpoint::EmailSetup
            | Endpoint::ApiSignUp
            | Endpoint::ApiEmailChange
            | Endpoint::Subscription
    )
}

/// Where an app is named, made or used to get a token or an account.
const fn app_rules(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::ApiSignUp
            | Endpoint::AppCreate
            | Endpoint::AppSettings
            | Endpoint::Token
            | Endpoint::Authorize
    )
}

/// Where an app is made by anybody, or gives a token or an account.
const fn app_clusters(endpoint: Endpoint) -> bool {
    matches!(
        endpoint,
        Endpoint::ApiSignUp | Endpoint::AppCreate | Endpoint::Token
    )
}

/// The family of limits that a door draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `sign-up-…`: accounts and changed addresses.
    SignUp,
    /// `token-…` and `code-per-app`.
    Token,
    /// `app-…`.
    App,
    /// `invite-per-network`.
    Invite,
}

/// The limits that a door draws on, if any.
#[must_use]
pub const fn family(endpoint: Endpoint) -> Option<Family> {
    match endpoint {
        Endpoint::SignUp
        | Endpoint::EmailChange
        | Endpoint::EmailSetup
        | Endpoint::ApiSignUp
        | Endpoint::ApiEmailChange
        | Endpoint::Subscription => Some(Family::SignUp),
        Endpoint::Token => Some(Family::Token),
        Endpoint::AppCreate | Endpoint::AppSettings => Some(Family::App),
        Endpoint::InviteCreate => Some(Family::Invite),
        Endpoint::SignUpForm
        | Endpoint::ConfirmationResend
        | Endpoint::AppToken
        | Endpoint::Authorize
        | Endpoint::SignIn => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One row for each door: which of the rules, in the order of [`Rule::ALL`], have a say.
    const TABLE: [(Endpoint, &str); 15] = [
        // client-ban, unreadable, app-ban, address, mail-domain, mail-server, mail-cluster, app-cluster, rate
        (Endpoint::SignUp, "xx.xxxx.x"),
        (Endpoint::EmailChange, ".x.xxxx.x"),
        (Endpoint::SignUpForm, "xx......."),
        (Endpoint::EmailSetup, "xx.xxxx.x"),
        (Endpoint::ConfirmationResend, ".x......."),
        (Endpoint::ApiSignUp, "xxxxxxxxx"),
        (Endpoint::ApiEmailChange, "xx.xxxx.x"),
        (Endpoint::AppCreate, "xxx....xx"),
        (Endpoint::AppSettings, ".xx.....x"),
        (Endpoint::AppToken, ".x......."),
        (Endpoint::Token, ".xx....xx"),
        (Endpoint::Authorize, ".xx......"),
        (Endpoint::SignIn, ".x......."),
        (Endpoint::InviteCreate, ".x......x"),
        (Endpoint::Subscription, ".x.xxxx.x"),
    ];

    #[test]
    fn every_cell() {
        assert_eq!(TABLE.map(|row| row.0), Endpoint::ALL);
        for (endpoint, cells) in TABLE {
            assert_eq!(cells.len(), Rule::ALL.len(), "{endpoint:?}");
            for (rule, cell) in Rule::ALL.into_iter().zip(cells.chars()) {
                assert_eq!(
                    applies(rule, endpoint),
                    cell == 'x',
                    "{rule} at {endpoint:?}"
                );
            }
        }
    }
}
