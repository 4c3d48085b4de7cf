//! `tuskgate explain ID`: the attempt behind a reference, each verdict with
//! its facts, and the command that would undo it.

use std::path::Path;

use clap::Args;
use serde::Serialize;

use crate::admin::ask::{Answer, Ask};
use crate::cli::reach::{self, Reach};
use crate::cli::{Failure, clusters};
use crate::cluster::{Cluster, ClusterId};
use crate::event::{Event, EventId, Note, VerdictRecord};
use crate::numeral::counted;
use crate::verdict::Mode;

/// Explain one decision by the reference a refused person was shown
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tuskgate explain 7K3M9QX2B4DH      what was tried, what each rule said, what stood behind it, how to undo it\n  tuskgate explain 7K3M9QX2B4DH --json"
)]
pub(super) struct Explain {
    /// The reference, such as 7K3M9QX2B4DH
    id: EventId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let mut reach = Reach::of(config)?;
        let event = match reach.ask(&Ask::Explain { id: self.id })? {
            Answer::Explain(Some(event)) => event,
            Answer::Explain(None) => return Err(self.unknown(&reach).into()),
            other => return Err(reach::unexpected(&other)),
        };
        let clusters = behind(&event, &mut reach)?;
        if self.json {
            let explained = Explained {
                event: &event,
                clusters: &clusters,
            };
            say!("{}", serde_json::to_string(&explained)?);
        } else {
            say_on!("{}", tell(&event, &clusters));
        }
        Ok(())
    }
}

impl Explain {
    fn unknown(&self, reach: &Reach) -> anyhow::Error {
        let why = "mistyped, older than [events] retention, or merged into another row of a flood";
        match reach.one_of_several() {
            None => anyhow::anyhow!("no event {}: {why}", self.id),
            Some(asked) => anyhow::anyhow!(
                "no event {} here: events are kept by the gate that judged (asked: {asked}), so ask the others with `tuskgate explain {}` on their hosts; or it is {why}",
                self.id,
                self.id
            ),
        }
    }
}

/// The event, and the clusters that it was refused for.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    event: &'a Event,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    clusters: &'a [Cluster],
}

/// The clusters for which something was said of `event`, as they are now.
fn behind(event: &Event, reach: &mut Reach) -> Result<Vec<Cluster>, Failure> {
    let mut clusters: Vec<Cluster> = Vec::new();
    for id in event.verdicts.iter().filter_map(VerdictRecord::cluster) {
        if clusters.iter().any(|known| known.id == id) {
            continue;
        }
        match reach.ask(&Ask::Cluster { id })? {
            Answer::Cluster(found) => clusters.extend(found.map(|cluster| *cluster)),
            other => return Err(reach::unexpected(&other)),
        }
    }
    Ok(clusters)
}

fn tell(event: &Event, clusters: &[Cluster]) -> String {
    let mut text = String::new();
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("{name:<14}{value}\n"));
        }
    };
    say("reference", Some(event.id.to_string()));
    say("at", Some(event.at.to_string()));
    say(
        "what",
        event.note.map(|note| match note {
            Note::Bypass => "an account that the gate never let through".into(),
        }),
    );
    say(
        "door",
        event
            .endpoint
            .map(|door| format!("{} (row {})", door.name(), door.row())),
    );
    say("client", event.client.map(|ip| ip.to_string()));
    say("username", event.username.clone());
    say(
        "mail domain",
        event.mail_domain.as_ref().map(ToString::to_string),
    );
    let servers = event.mail_server.join(" ");
    say("mail server", (!servers.is_empty()).then_some(servers));
    say(
        "app",
        event
            .app_name
            .as_ref()
            .map(|name| name.as_str().escape_debug().to_string()),
    );
    say(
        "client_id",
        event.client_id.as_ref().map(ToString::to_string),
    );
    say("grant", event.grant.clone());
    if let Some(step) = event.step() {
        text.push_str(&tell_step(step));
        return text;
    }
    let decision = match (event.note, event.admitted) {
        (Some(_), _) => "none was asked for",
        (None, true) => "admitted",
        (None, false) => "refused",
    };
    let times = if event.count > 1 {
        format!(" ({} like it)", event.count)
    } else {
        String::new()
    };
    say("decision", Some(format!("{decision}{times}")));
    say(
        "came of it",
        event
            .outcome
            .map(|outcome| format!("{outcome:?}").to_lowercase()),
    );
    for record in &event.verdicts {
        let verdict = format!(
            "{} ({}) {}",
            record.rule,
            record.mode.name(),
            record.verdict
        );
        text.push_str(&format!("\n{verdict}\n  {}\n", record.fact));
        if let Some(id) = record.cluster() {
            let known = clusters.iter().find(|cluster| cluster.id == id);
            text.push_str(&tell_cluster(id, known));
        }
        if let Some(undo) = &record.undo {
            text.push_str(&format!("  to undo: {undo}\n"));
        }
    }
    text
}

/// A move of the breaker: nobody tried anything, so there is no decision.
fn tell_step(step: &VerdictRecord) -> String {
    let mode = match step.mode {
        Mode::Enforce => String::new(),
        other => format!(" (rule {}: {})", step.rule, other.name()),
    };
    let mut text = format!(
        "what          the breaker has moved{mode}\n\n  {}\n",
        step.fact
    );
    if let Some(undo) = &step.undo {
        text.push_str(&format!("  to undo, if it still stands so: {undo}\n"));
    }
    text.push_str("  how it stands now: tuskgate status\n");
    text
}

/// What stood behind a condemnation, in a few lines; the whole is `clusters show`.
fn tell_cluster(id: ClusterId, known: Option<&Cluster>) -> String {
    let Some(cluster) = known else {
        return format!("  cluster {id}: no longer remembered\n");
    };
    let mut domains: Vec<_> = cluster.suspects.iter().map(|s| &s.domain).collect();
    domains.sort_unstable();
    domains.dedup();
    format!(
        "  cluster {}\n  recognised by {}\n  members: {} let in before, with {}; {} refused; {} confirmed\n  more: tuskgate clusters show {id}\n",
        clusters::line(cluster),
        clusters::marks(cluster),
        cluster.suspects.len(),
        counted(
            domains.iter().filter(|domain| domain.is_some()).count(),
            "domain",
            "domains"
        ),
        cluster.refused,
        cluster.confirmed,
    )
}
