//! An app for a person. Its name and URIs are its creator's words, so they are escaped.

use crate::admin::ask::AppReport;
use crate::app::{App, AppSource};
use crate::cli::bans;
use crate::numeral::counted as counted_in_words;
use crate::store::CountedApp;

/// One app in a list.
pub(super) fn line(counted: &CountedApp) -> String {
    let app = &counted.app;
    let creator = app
        .creator
        .map_or_else(|| "-".into(), |net| net.to_string());
    format!(
        "{}  {}  {:.0}  {:<20} {:?}  {}",
        app.client_id.as_str().escape_debug(),
        counted_in_words(counted.tokens, "token", "tokens"),
        app.created,
        creator,
        app.name.as_str(),
        uris(app)
    )
}

fn uris(app: &App) -> String {
    let uris = app.redirect_uris.iter();
    let uris: Vec<_> = uris.map(|uri| uri.escape_debug().to_string()).collect();
    uris.join(" ")
}

/// All that is known of it.
pub(super) fn tell(report: &AppReport) -> String {
    let app = &report.counted.app;
    let mut text = String::new();
    let mut say = |name: &str, value: String| text.push_str(&format!("{name:<14}{value}\n"));
    say(
        "client_id",
        app.client_id.as_str().escape_debug().to_string(),
    );
    say("name", format!("{:?}", app.name.as_str()));
    say("redirect URIs", uris(app));
    let website = app.website.as_deref().unwrap_or("-");
    say("website", website.escape_debug().to_string());
    let creator = app
        .creator
        .map_or_else(|| "not known".into(), |net| net.to_string());
    say("creator", creator);
    let source = match app.source {
        AppSource::Learn => "seen as it came to be",
        AppSource::Import => "imported",
        AppSource::Ask => "the upstream was asked; it is older",
    };
    say("first seen", format!("{:.0} ({source})", app.created));
    let (tokens, left) = if report.shared {
        (
            " known to this gate",
            " by what this gate let through; the limit itself is shared by all gates",
        )
    } else {
        ("", "")
    };
    say("tokens", format!("{}{tokens}", report.counted.tokens));
    let proven = if report.proven { "yes" } else { "not yet" };
    say("secret seen", format!("{proven}; never kept"));
    say("known client", known(report));
    say(
        "look",
        format!(
            "{:?}, folded name {:?}, under which {} known",
            report.look,
            report.folded,
            counted_in_words(report.namesakes, "app is", "apps are")
        ),
    );
    for cluster in &report.clusters {
        say(
            "cluster",
            format!(
                "{}: {}; tuskgate clusters show {0}",
                cluster.id, cluster.evidence
            ),
        );
    }
    for ban in &report.entries {
        say(
            "entry",
            format!(
                "{}; to undo: tuskgate unban --id {}",
                bans::line(ban),
                ban.id
            ),
        );
    }
    match &report.budgets {
        None => say("budgets", "only a running gate can tell".into()),
        Some(budgets) => {
            for budget in budgets {
                say(
                    "budget",
                    format!(
                        "{} {}: {} left{left}",
                        budget.limit, budget.set, budget.left
                    ),
                );
            }
        }
    }
    text
}

fn known(report: &AppReport) -> String {
    match (&report.listed, report.poses, report.established) {
        (Some(client), ..) => format!("{client}: no budget shared by name, never in a cluster"),
        (None, true, _) => {
            "no: it is called like one, but does not return to it, so it is treated like any other"
                .into()
        }
        (None, false, true) => {
            "no, but established: logins through it have no shared budget".into()
        }
        (None, false, false) => "no, and new".into(),
    }
}
