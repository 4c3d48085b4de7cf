//! `tuskgate apps ban`: the same as `tuskgate ban app`, where somebody is who
//! has just looked at apps.

use std::path::Path;

use clap::Args;

use super::{AppMark, Entry, What, duration};
use crate::ban::Effect;
use crate::cli::Failure;

/// A ban of an app, as `tuskgate apps ban` takes it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct AppBan {
    #[command(flatten)]
    mark: IdOrMark,
    /// Why, for the record and for an appeal
    #[arg(long, default_value = "")]
    reason: String,
    /// For how long, such as 12h or 7d; for good if not given
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasting: Option<std::time::Duration>,
    /// Also what would hit nearly everybody
    #[arg(long)]
    force: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate apps ban 0a1b2c3d --reason 'a wave' --for 30d
  tuskgate apps ban --name AaA
  tuskgate apps ban --redirect-uri evil.example";

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct IdOrMark {
    /// Its client_id
    #[arg(value_name = "CLIENT_ID")]
    id: Option<String>,
    /// Its client_id
    #[arg(long)]
    client_id: Option<String>,
    /// Its name, whatever the case or look-alike letters
    #[arg(long)]
    name: Option<String>,
    /// A redirect URI, or the host of one
    #[arg(long)]
    redirect_uri: Option<String>,
    /// The host of its website
    #[arg(long)]
    website: Option<String>,
}

impl AppBan {
    pub(in crate::cli) fn run(self, config: &Path) -> Result<(), Failure> {
        let mark = AppMark {
            client_id: self.mark.id.or(self.mark.client_id),
            name: self.mark.name,
            redirect_uri: self.mark.redirect_uri,
            website: self.mark.website,
        };
        let entry = Entry {
            what: What::App(mark),
            reason: self.reason,
            lasting: self.lasting,
            force: self.force,
            json: self.json,
        };
        entry.run(config, Effect::Ban)
    }
}
