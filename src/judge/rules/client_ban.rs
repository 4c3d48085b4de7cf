//! `client-ban`: the client's address lies in a banned network whose scope
//! covers the request.
//!
//! Scope `sign-up` counts at the sign-up doors, scope `all` at every request
//! (`judge::Judge::banned_everywhere`). An address that is missing, private or
//! a proxy's own stands for nobody in particular, so the rule abstains.

use crate::attempt::{Attempt, ClientIp};
use crate::ban::Scope;
use crate::judge::sight::{Found, Sight};
use crate::verdict::{Because, Cause, Reason, Verdict};

/// What the lists say of the client's network.
#[must_use]
pub fn look(attempt: &Attempt, sight: &Sight) -> Found {
    match attempt.client {
        ClientIp::Known(ip) => sight.network(ip, Scope::SignUp),
        ClientIp::Unknown(_) => Found::Nothing,
    }
}

/// The verdict.
#[must_use]
pub fn judge(client: ClientIp, found: Found) -> Verdict {
    if let ClientIp::Unknown(why) = client {
        return Verdict::Abstain(Cause::ClientUnknown(why));
    }
    match found {
        Found::Nothing => Verdict::Pass,
        Found::Allow(hit) => Verdict::Abstain(Cause::Allow(hit.phrase())),
        Found::Ban(hit) => Verdict::Refuse(Reason {
            because: Because::Ban,
            fact: format!("the client's network is banned: {}", hit.phrase()).into(),
            undo: hit.undo.map(Into::into),
        }),
    }
}
