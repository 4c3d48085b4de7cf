//! `tuskgate reload`: swaps configuration and lists without dropping a request.

use std::path::Path;

use clap::Args;

use crate::admin::ask::{Answer, Ask};
use crate::cli::{Failure, reach};

/// Put a changed configuration and changed lists in force
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Reload {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
What is wrong is said, and the old configuration stays in force; SIGHUP does the same.

Examples:
  tuskgate check && tuskgate reload
  tuskgate reload --json | jq .restart      what changed and takes a restart";

impl Reload {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        match reach::ask(config, Ask::Reload)? {
            Answer::Reload(restart) if self.json => {
                say!("{}", serde_json::json!({ "restart": restart }));
                Ok(())
            }
            Answer::Reload(restart) => {
                say!("reloaded");
                for key in restart {
                    say!("{key} changed too, but takes a restart");
                }
                Ok(())
            }
            other => Err(reach::unexpected(&other)),
        }
    }
}
