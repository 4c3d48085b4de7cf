//! Answers about apps: from the store alone, and what only a running gate knows.

use jiff::Timestamp;

use crate::admin::ask::{Answer, AppBudget, AppReport, AppsWanted};
use crate::app::{App, AppName, ClientId};
use crate::ban::{Ban, Subject};
use crate::cluster::Cluster;
use crate::judge::cluster::apps::look_of;
use crate::judge::{Judge, app_sight};
use crate::lists::apps::{fold, redirect_subject, website_subject};
use crate::lists::clients;
use crate::store::{CountedApp, Store};

/// The apps asked for.
pub(super) async fn list(wanted: AppsWanted, store: &Store) -> Result<Answer, String> {
    let folded = wanted.name.map(|name| fold(&AppName::new(&name)));
    let apps = store.list_apps(folded, wanted.order, wanted.limit).await;
    apps.map(Answer::Apps).map_err(|fault| fault.to_string())
}

/// All that the store knows of one app, with those of `clusters` that are about its look.
pub(super) async fn report(
    id: &ClientId,
    store: &Store,
    clusters: &[Cluster],
) -> Result<Option<AppReport>, String> {
    let Some(app) = store.app(id).await else {
        return Ok(None);
    };
    let app = app.as_ref().clone();
    let folded = fold(&app.name);
    let look = look_of(&folded);
    let called = store.apps_called(&folded).await;
    let known = clients::known(&app.name, &app.redirect_uris, app.website.as_deref());
    let listed = app_sight::listed(&app);
    Ok(Some(AppReport {
        namesakes: called.map_err(|fault| fault.to_string())?,
        listed: match known {
            Some(client) => Some(format!("{} ({})", client.name, client.source)),
            None => listed.then(|| "by its name; the upstream told no redirect URI".to_owned()),
        },
        poses: clients::named(&app.name) && !listed,
        established: app_sight::established(&app, Timestamp::now()),
        proven: app.credential.is_some(),
        entries: entries(&app, &folded, store),
        clusters: about(&look, clusters),
        budgets: None,
        shared: store.shares(),
        counted: CountedApp {
            tokens: store.token_count(id).await,
            app,
        },
        folded,
        look,
    }))
}

/// The clusters of a look, newest first, without their suspects, which may be many.
fn about(look: &str, clusters: &[Cluster]) -> Vec<Cluster> {
    let own = clusters
        .iter()
        .filter(|cluster| cluster.name.as_deref() == Some(look));
    let mut own: Vec<_> = own
        .map(|cluster| Cluster {
            suspects: Vec::new(),
            ..cluster.clone()
        })
        .collect();
    own.sort_by_key(|cluster| std::cmp::Reverse(cluster.opened));
    own
}

/// Bans and allow entries that are about this app.
fn entries(app: &App, folded: &str, store: &Store) -> Vec<Ban> {
    let hosts: Vec<_> = app
        .redirect_uris
        .iter()
        .filter_map(|uri| redirect_subject(uri))
        .collect();
    let website = app.website.as_deref().and_then(website_subject);
    let below = |host: &str, banned: &str| {
        host == banned
            || host
                .strip_suffix(banned)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    let now = Timestamp::now();
    let bans = store.bans();
    let own = bans.iter().filter(|ban| {
        ban.in_force(now)
            && match &ban.subject {
                Subject::ClientId(id) => *id == app.client_id,
                Subject::AppName(name) => name == folded,
                Subject::RedirectUri(uri) => hosts.iter().any(|host| below(host, uri)),
                Subject::Website(host) => website.as_deref().is_some_and(|own| below(own, host)),
                Subject::Network(_)
                | Subject::MailDomain(_)
                | Subject::MailServer(_)
                | Subject::Address(_)
                | Subject::CanonicalAddress(_) => false,
            }
    });
    own.map(|ban| ban.as_ref().clone()).collect()
}

/// The same of a running gate, with what is left of the app's budgets on it.
pub(super) async fn live(id: &ClientId, judge: &Judge) -> Answer {
    let clusters = judge.registers().clusters();
    match report(id, judge.store(), &clusters).await {
        Ok(None) => Answer::App(None),
        Ok(Some(mut report)) => {
            let budgets = judge.app_budgets(&report.counted.app, Timestamp::now());
            let budgets = budgets.into_iter().map(|(limit, budget, left)| AppBudget {
                limit: limit.name().to_owned(),
                set: budget.to_string(),
                left,
            });
            report.budgets = Some(budgets.collect());
            Answer::App(Some(Box::new(report)))
        }
        Err(why) => Answer::Fault(why),
    }
}
