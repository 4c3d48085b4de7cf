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
            println!("{}", serde_json::to_string(&status)?);
        } else {
            print!("{}", tell(&status));
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
    if let Some(standing) = &status.breaker {
        text.push_str(&breaker::tell(standing));
    }
    for trouble in &status.troubles {
        text.push_str(&format!("trouble: {trouble}\n"));
    }
    text
}
