//! `tuskgate explain ID`: the attempt behind a reference, each verdict with
//! its facts, and the command that would undo it.

use std::path::Path;

use clap::Args;

use crate::admin::ask::{Answer, Ask};
use crate::cli::{Failure, reach};
use crate::event::{Event, EventId};

/// Explain one decision by the reference a refused person was shown
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The reference, such as 7K3M9QX2B4DH
    id: EventId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let event = match reach::ask(config, Ask::Explain { id: self.id })? {
            Answer::Explain(Some(event)) => event,
            Answer::Explain(None) => {
                return Err(anyhow::anyhow!(
                    "no event {}: mistyped, older than [events] retention, or merged into another row of a flood",
                    self.id
                )
                .into());
            }
            other => return Err(reach::unexpected(&other)),
        };
        if self.json {
            println!("{}", serde_json::to_string(&event)?);
        } else {
            print!("{}", tell(&event));
        }
        Ok(())
    }
}

fn tell(event: &Event) -> String {
    let mut text = String::new();
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!("{name:<14}{value}\n"));
        }
    };
    say("reference", Some(event.id.to_string()));
    say("at", Some(event.at.to_string()));
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
    let moved = event.verdicts.iter().any(|said| said.verdict == "step");
    let decision = match event.admitted {
        _ if moved => "the breaker has moved",
        true => "admitted",
        false => "refused",
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
        if let Some(undo) = &record.undo {
            text.push_str(&format!("  to undo: {undo}\n"));
        }
    }
    text
}
