//! `tuskgate status`: what a running gate is doing, and what is wrong.

use std::path::Path;

use clap::Args;

use crate::admin::ask::{Answer, Ask, SharedStanding, Status};
use crate::cli::{Failure, breaker, reach};
use crate::numeral::counted;

/// Show what the running gate is doing
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct StatusVerb {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate status
  tuskgate status --json | jq .troubles";

impl StatusVerb {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let status = match reach::ask(config, Ask::Status)? {
            Answer::Status(status) => status,
            other => return Err(reach::unexpected(&other)),
        };
        if self.json {
            say!("{}", serde_json::to_string(&status)?);
        } else {
            say_on!("{}", tell(&status));
        }
        Ok(())
    }
}

fn tell(status: &Status) -> String {
    let mut text = format!("tuskgate {} (pid {})\n", status.version, status.pid);
    for listen in &status.listen {
        text.push_str(&format!("listens on {listen}\n"));
    }
    text.push_str(&format!("forwards to {}\n", status.upstream));
    if let Some(admin) = &status.admin {
        text.push_str(&format!("health and metrics on http://{admin}\n"));
    }
    if let Some(since) = status.since {
        text.push_str(&format!("runs since {since:.0}\n"));
    }
    if status.observe {
        text.push_str("observes only: nothing is refused (--observe, or observe = true)\n");
    }
    text.push_str(&format!(
        "{} in force\n",
        counted(status.bans, "ban or allow entry", "bans and allow entries")
    ));
    text.push_str(match status.shared {
        Some(SharedStanding::Up) => "shared store: in use\n",
        Some(SharedStanding::Away) => "shared store: away, this gate decides alone meanwhile\n",
        None => "",
    });
    text.push_str(&tell_heard(status));
    if let Some(standing) = &status.breaker {
        text.push_str(&breaker::tell(standing));
    }
    for trouble in &status.troubles {
        text.push_str(&format!("trouble: {trouble}\n"));
    }
    text
}

fn tell_heard(status: &Status) -> String {
    let heard = &status.heard;
    let mut text = match &status.webhooks {
        Some(address) => format!(
            "webhooks on http://{address}/webhooks: {} taken, {} refused; {} of {} sign-ups confirmed\n",
            heard.events, heard.refused, heard.confirmed, heard.admitted
        ),
        None if heard.links > 0 => format!(
            "{} followed, {} let in\n",
            counted(heard.links, "confirmation link", "confirmation links"),
            counted(heard.admitted, "sign-up", "sign-ups")
        ),
        None => String::new(),
    };
    if let Some(last) = heard.last_bypass {
        text.push_str(&format!(
            "{} came to be beside the gate, the last {last:.0}\n",
            counted(heard.bypasses, "account", "accounts")
        ));
    }
    text
}
