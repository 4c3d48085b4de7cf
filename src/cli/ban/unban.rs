//! `tuskgate unban`: an entry is taken back, by its number or by what it is about.

use std::path::Path;

use clap::Args;

use super::{What, show};
use crate::admin::ask::{Answer, Ask, Which};
use crate::ban::Effect;
use crate::cli::bans::line;
use crate::cli::{Failure, reach};

/// Take a ban or an allow entry back
#[derive(Debug, Args)]
#[command(
    subcommand_negates_reqs = true,
    arg_required_else_help = true,
    after_help = EXAMPLES
)]
pub(in crate::cli) struct Unban {
    /// Its number, as `tuskgate bans` shows it
    #[arg(long, required = true)]
    id: Option<u64>,
    #[command(subcommand)]
    what: Option<What>,
    /// Take an allow entry back, not a ban
    #[arg(long, global = true)]
    allow: bool,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate unban --id 12
  tuskgate unban mail-domain spam.example
  tuskgate unban --allow mail-domain club.example       an allow entry";

impl Unban {
    pub(in crate::cli) fn run(self, config: &Path) -> Result<(), Failure> {
        let effect = if self.allow {
            Effect::Allow
        } else {
            Effect::Ban
        };
        let which = match (self.id, self.what) {
            (Some(id), None) => Which::Id(id),
            (None, Some(what)) => Which::Target(what.target()?.0, effect),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Failure::Usage("say what, or --id N, and not both".into()));
            }
        };
        match reach::ask(config, Ask::Unban(which))? {
            Answer::Unban(Some(ban)) if self.json => show(&ban, true),
            Answer::Unban(Some(ban)) => {
                say!("taken back: {}", line(&ban));
                Ok(())
            }
            Answer::Unban(None) => {
                Err(anyhow::anyhow!("there is no such entry; `tuskgate bans` lists them. What a list file bans is excused by `tuskgate allow`, what the gate condemned by `tuskgate clusters release`").into())
            }
            other => Err(reach::unexpected(&other)),
        }
    }
}
