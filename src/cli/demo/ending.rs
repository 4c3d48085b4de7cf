//! What is shown after the play: the comparison, the verdict, and where to look.

use super::act::Play;
use super::caller::SERVER;
use super::stage::Stage;
use super::summary::Summary;
use super::table;
use super::terminal::{Look, Terminal};

/// People named who did not get in.
const NAMED: usize = 5;

/// The tables and the verdict.
pub(super) fn tell(play: &Play, summary: &Summary, terminal: &Terminal) -> String {
    let mut lines = table::counts(&play.tally, terminal);
    lines.push(String::new());
    lines.push(terminal.paint(Look::Dim, "refused by rule: reason (as in /metrics)"));
    lines.extend(table::refusals(&summary.refused_by, 12));
    lines.push(String::new());
    lines.push(terminal.paint(Look::Dim, "the stand-in upstream received"));
    lines.extend(table::received(&summary.received));
    if summary.bots.apps_from_before > 0 {
        lines.push(format!(
            "({} apps that the gate refused are taken to be older than it: the bots use them all)",
            summary.bots.apps_from_before
        ));
    }
    lines.push(String::new());
    lines.extend(comparison(summary, terminal));
    lines.push(String::new());
    lines.extend(verdict(summary, terminal));
    lines.push(String::new());
    lines.join("\n")
}

/// Beside what a complete Mastodon 4.1 did when the same was played at it alone.
fn comparison(summary: &Summary, terminal: &Terminal) -> Vec<String> {
    let bots = &summary.bots;
    let received = summary.received.bots;
    let head = format!(
        "{:<22}{:>18}{:>20}",
        "", "Mastodon alone*", "behind the gate"
    );
    let row = |what: &str, asked: u64, got: u64| {
        let alone = format!("{0} of {0}", table::spell(asked));
        let gated = format!("{} of {}", table::spell(got), table::spell(asked));
        format!("{what:<22}{alone:>18}{gated:>20}")
    };
    vec![
        terminal.paint(Look::Dim, &head),
        row("apps called AaA", bots.apps.asked(), received.apps),
        row("their token requests", bots.tokens.asked(), received.tokens),
        row("their sign-ups", bots.sign_ups.asked(), received.sign_ups),
        row("honest people", summary.people.all, summary.people.got_in),
        terminal.paint(
            Look::Dim,
            "* a complete Mastodon 4.1 with that mail server's IP blocked let in all of 60 apps,\n  \
             4,500 tokens and 100 sign-ups",
        ),
    ]
}

fn verdict(summary: &Summary, terminal: &Terminal) -> Vec<String> {
    if summary.held {
        let promise = &summary.bots.promise;
        return vec![
            terminal.paint(
                Look::Good,
                "HELD. Everybody honest got in, and the bots were held as promised:",
            ),
            format!(
                "at most {} apps, {} token requests and {} sign-ups of theirs.",
                promise.apps, promise.tokens, promise.sign_ups
            ),
        ];
    }
    let mut lines = vec![terminal.paint(Look::Bad, "NOT HELD.")];
    lines.extend(summary.broken.iter().map(|broken| format!("- {broken}")));
    for lost in summary.people.lost.iter().take(NAMED) {
        let explain = lost.reference.as_ref().map(|id| format!(" (explain {id})"));
        let explain = explain.unwrap_or_default();
        lines.push(format!("  {}: {}{explain}", lost.username, lost.why));
    }
    lines
}

/// Where to look while everything is kept running.
pub(super) fn tour(play: &Play, stage: &Stage) -> String {
    let tuskgate = std::env::current_exe()
        .map_or_else(|_| "tuskgate".to_owned(), |path| path.display().to_string());
    let file = stage.config();
    let verb = |verb: &str| format!("  {tuskgate} {verb} --config {}\n", file.display());
    let mut text = String::from("Everything runs on until Ctrl-C. In another terminal:\n");
    text.push_str(&verb("status"));
    text.push_str(&verb("bans"));
    text.push_str(&verb("clusters"));
    text.push_str(&verb("events --limit 5"));
    if let Some(id) = play.tally.example() {
        text.push_str(&verb(&format!("explain {id}")));
    }
    text.push_str(&verb(&format!("doctor --host {SERVER}")));
    if let Some(admin) = &stage.control.status.admin {
        text.push_str(&format!("  curl http://{admin}/metrics\n"));
        text.push_str(&format!("  curl http://{admin}/readyz\n"));
    }
    text.push_str(&format!(
        "  curl -si http://{}/api/v1/apps -H 'X-Forwarded-For: 2001:db8:b000::1' \\\n    \
         -d client_name=AaA -d redirect_uris=urn:ietf:wg:oauth:2.0:oob\n",
        stage.gate
    ));
    text
}
