//! The table: what is read at which door.

use http::request::Parts;

use super::fields::Fields;
use super::{Fault, app, bearer, credential, mailbox};
use crate::attempt::{Attempt, Grant};
use crate::endpoint::Endpoint;
use crate::mastodon::endpoint::invite_code;
use crate::rack::{self, Params};
use crate::secret::Secret;

/// Reads into a bare attempt what matters at its door.
pub(super) fn fill(attempt: Attempt, head: &Parts, params: &Params) -> Result<Attempt, Fault> {
    let endpoint = attempt.endpoint;
    let at = |fault| Fault::at(endpoint, fault);
    let top = Fields::top(params);
    match endpoint {
        Endpoint::SignUp => sign_up(attempt, top),
        Endpoint::EmailChange | Endpoint::EmailSetup => {
            let user = top.within("user").map_err(at)?;
            Ok(Attempt {
                email: mailbox::must_read(user, endpoint)?,
                ..attempt
            })
        }
        Endpoint::ConfirmationResend | Endpoint::SignIn => {
            let user = top.within("user").map_err(at)?;
            Ok(Attempt {
                email: mailbox::may_read(user).map_err(at)?,
                ..attempt
            })
        }
        Endpoint::ApiSignUp => Ok(Attempt {
            username: top.scalar("username").map_err(at)?,
            invite: top.secret("invite_code").map_err(at)?,
            ..by_api(attempt, head, top)?
        }),
        Endpoint::ApiEmailChange => by_api(attempt, head, top),
        Endpoint::Subscription => Ok(Attempt {
            email: mailbox::must_read(top, endpoint)?,
            ..attempt
        }),
        Endpoint::SignUpForm => form(attempt, head, top).map_err(at),
        Endpoint::AppCreate => Ok(Attempt {
            new_app: app::by_api(top).map_err(at)?,
            ..attempt
        }),
        Endpoint::AppSettings => {
            let app = top.within("doorkeeper_application").map_err(at)?;
            Ok(Attempt {
                new_app: app::in_settings(app).map_err(at)?,
                ..attempt
            })
        }
        Endpoint::Token => token(attempt, head, top).map_err(at),
        Endpoint::Authorize => Ok(Attempt {
            credential: credential::in_params(top).map_err(at)?,
            ..attempt
        }),
        // Signed-in people only; nothing in the parameters identifies anybody.
        Endpoint::AppToken | Endpoint::InviteCreate => Ok(attempt),
    }
}

fn sign_up(attempt: Attempt, top: Fields<'_>) -> Result<Attempt, Fault> {
    let endpoint = attempt.endpoint;
    let at = |fault| Fault::at(endpoint, fault);
    let user = top.within("user").map_err(at)?;
    let account = user.within("account_attributes").map_err(at)?;
    Ok(Attempt {
        email: mailbox::must_read(user, endpoint)?,
        username: account.scalar("username").map_err(at)?,
        invite: user.secret("invite_code").map_err(at)?,
        ..attempt
    })
}

fn by_api(attempt: Attempt, head: &Parts, top: Fields<'_>) -> Result<Attempt, Fault> {
    let endpoint = attempt.endpoint;
    Ok(Attempt {
        email: mailbox::must_read(top, endpoint)?,
        bearer: bearer::read(head, top).map_err(|fault| Fault::at(endpoint, fault))?,
        ..attempt
    })
}

/// The code in the path beats the one in the query, as every path parameter
/// does; one that is percent-encoded is no code.
fn form(attempt: Attempt, head: &Parts, top: Fields<'_>) -> Result<Attempt, rack::Fault> {
    let invite = match invite_code(head.uri.path()) {
        Some(code) => (!code.contains('%')).then(|| Secret::new(code)),
        None => top.secret("invite_code")?,
    };
    Ok(Attempt { invite, ..attempt })
}

fn token(attempt: Attempt, head: &Parts, top: Fields<'_>) -> Result<Attempt, rack::Fault> {
    Ok(Attempt {
        credential: credential::read(head, top)?,
        grant: top.text("grant_type")?.map(Grant::read),
        ..attempt
    })
}
