//! `tuskgate status`: what a running gate is doing, and what is wrong.

use std::path::Path;

use clap::Args;

use crate::admin::ask::{Answer, Ask, Status};
use crate::cli::{Failure, breaker, reach};

/// Show what the running gate is doing
#[derive(Debug, Args)]
pub(super) struct StatusVerb {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

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
    text.push_str(&format!("{} bans and allow entries\n", status.bans));
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
            "{} confirmation links followed, {} sign-ups let in\n",
            heard.links, heard.admitted
        ),
        None => String::new(),
    };
    if let Some(last) = heard.last_bypass {
        text.push_str(&format!(
            "{} accounts came to be beside the gate, the last {last:.0}\n",
            heard.bypasses
        ));
    }
    text
}
