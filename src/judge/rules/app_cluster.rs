//! `app-cluster`: the app belongs to a burst of apps that look alike.
//!
//! Listed clients are never asked about, and neither is an app that was here
//! before the burst. What a condemned look may still have is rationed over all
//! of its fresh apps together; new apps of that look are not made for a while.

use std::time::Duration;

use jiff::Timestamp;

use crate::attempt::{Attempt, Grant};
use crate::endpoint::Endpoint;
use crate::judge::app_sight::{self, AppSight};
use crate::judge::cluster::apps::{Apps, Asked, Sighting};
use crate::judge::sight::Hit;
use crate::lists::{apps, clients};
use crate::verdict::{Because, Cause, Fact, Reason, Undo, Verdict};

/// What the register says, and whether the app is allowed.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Of the app, made or used.
    pub sighting: Sighting,
    /// The door is one where an app is made.
    pub making: bool,
    /// An allow entry on the `client_id`.
    pub allow: Option<Hit>,
    /// When it was asked.
    pub now: i64,
}

/// Asks the register about the app behind `attempt`, and counts it there.
pub fn look(attempt: &Attempt, app: &AppSight, register: &mut Apps) -> Sighting {
    let now = attempt.at.as_second();
    if attempt.endpoint == Endpoint::AppCreate {
        let Some(new) = &attempt.new_app else {
            return Sighting::Exempt;
        };
        if clients::known(&new.name, &new.redirect_uris, new.website.as_deref()).is_some() {
            return Sighting::Exempt;
        }
        let creator = attempt.client.known().map(crate::attempt::narrow_network);
        return register.make(&apps::fold(&new.name), creator, now);
    }
    let uses = matches!(attempt.endpoint, Endpoint::Token | Endpoint::ApiSignUp);
    match app.app().filter(|app| uses && !app_sight::listed(app)) {
        Some(app) => {
            let asked = Asked {
                id: &app.client_id,
                created: app.created.as_second(),
                own: matches!(
                    attempt.grant,
                    Some(Grant::ClientCredentials | Grant::Password)
                ),
            };
            register.token(&apps::fold(&app.name), asked, now)
        }
        None => Sighting::Exempt,
    }
}

/// The verdict.
#[must_use]
pub fn judge(facts: Facts) -> Verdict {
    let Sighting::Condemned {
        cluster,
        evidence,
        until,
    } = facts.sighting
    else {
        return Verdict::Pass;
    };
    if let Some(allow) = facts.allow {
        return Verdict::Abstain(Cause::Allow(allow.phrase()));
    }
    let wait = u64::try_from(until - facts.now).unwrap_or(1).max(1);
    let end = Timestamp::from_second(until).unwrap_or(Timestamp::MAX);
    let because = if facts.making {
        Because::Ban
    } else {
        Because::Spent {
            limit: "app-cluster",
            burst: 1,
            after: Duration::from_secs(wait),
        }
    };
    Verdict::Refuse(Reason {
        because,
        fact: Fact::Condemned {
            cluster,
            until: end,
            evidence,
        },
        undo: Some(Undo::Release(cluster)),
    })
}
