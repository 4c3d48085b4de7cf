//! `app-ban`: the app is banned by `client_id`, folded name, redirect URI or
//! website.
//!
//! Name, redirect URIs and website are chosen by the app's creator, so they
//! can condemn an app but never excuse it: an allow entry names a `client_id`.

use crate::app::{AppName, ClientId};
use crate::attempt::Attempt;
use crate::ban::Scopes;
use crate::judge::app_sight::AppSight;
use crate::judge::sight::{Found, Hit, Sight};
use crate::lists::apps;
use crate::verdict::{Because, Cause, Reason, Verdict};

/// The marks by which an app can be banned.
struct Marks<'a> {
    name: &'a AppName,
    redirect_uris: &'a [String],
    website: Option<&'a str>,
}

/// What the lists say of the app asked for, or of the app behind the attempt.
#[must_use]
pub fn look(attempt: &Attempt, app: &AppSight, sight: &Sight) -> Found {
    let by_id = app.client_id().and_then(|id| client_id(id, sight));
    let asked_for = attempt.new_app.as_ref().map(|new| Marks {
        name: &new.name,
        redirect_uris: &new.redirect_uris,
        website: new.website.as_deref(),
    });
    let known = app.app().map(|app| Marks {
        name: &app.name,
        redirect_uris: &app.redirect_uris,
        website: app.website.as_deref(),
    });
    let ban = by_id
        .or_else(|| asked_for.and_then(|app| marks(&app, sight)))
        .or_else(|| known.and_then(|app| marks(&app, sight)));
    let Some(ban) = ban else {
        return Found::Nothing;
    };
    let allow = app
        .client_id()
        .and_then(|id| sight.bans.allows().client_id(id, sight.now));
    allow.map_or(Found::Ban(ban), |allow| Found::Allow(Hit::of_ban(allow)))
}

fn client_id(id: &ClientId, sight: &Sight) -> Option<Hit> {
    let live = sight.bans.bans().client_id(id, sight.now).map(Hit::of_ban);
    live.or_else(|| sight.lists.client_id(id).map(listed))
}

fn marks(app: &Marks<'_>, sight: &Sight) -> Option<Hit> {
    let bans = sight.bans.bans();
    let folded = apps::fold(app.name);
    let by_name = bans.app_name(&folded, sight.now).map(Hit::of_ban);
    by_name
        .or_else(|| sight.lists.app_name(&folded).map(listed))
        .or_else(|| {
            app.redirect_uris
                .iter()
                .find_map(|uri| redirect_uri(uri, sight))
        })
        .or_else(|| website(app.website?, sight))
}

fn redirect_uri(uri: &str, sight: &Sight) -> Option<Hit> {
    let live = sight
        .bans
        .bans()
        .redirect_uri(uri, sight.now)
        .map(Hit::of_ban);
    live.or_else(|| sight.lists.redirect_uri(uri).map(listed))
}

fn website(url: &str, sight: &Sight) -> Option<Hit> {
    let live = sight.bans.bans().website(url, sight.now).map(Hit::of_ban);
    live.or_else(|| sight.lists.website(url).map(listed))
}

fn listed(entry: crate::lists::AppEntry<'_>) -> Hit {
    Hit::of_list(entry.listed, entry.source, Scopes::DEFAULT)
}

/// The verdict.
#[must_use]
pub fn judge(found: Found, app: &AppSight) -> Verdict {
    match found {
        Found::Nothing if matches!(app, AppSight::Late(_)) => {
            Verdict::Abstain(Cause::Lapse("the app register"))
        }
        Found::Nothing => Verdict::Pass,
        Found::Allow(hit) => Verdict::Abstain(Cause::Allow(hit.phrase())),
        Found::Ban(hit) => Verdict::Refuse(Reason {
            because: Because::Ban,
            fact: format!("the app is banned: {}", hit.phrase()).into(),
            undo: hit.undo.map(Into::into),
        }),
    }
}
