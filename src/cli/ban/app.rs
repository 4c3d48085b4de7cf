//! `tuskgate apps ban`: the same as `tuskgate ban app`, where somebody is who
//! has just looked at apps.

use std::path::Path;

use clap::Args;

use super::{AppMark, Entry, How, What};
use crate::ban::Effect;
use crate::cli::Failure;

/// A ban of an app, as `tuskgate apps ban` takes it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct AppBan {
    /// Its client_id
    #[arg(value_name = "CLIENT_ID", group = "AppMark")]
    id: Option<String>,
    #[command(flatten)]
    mark: AppMark,
    #[command(flatten)]
    how: How,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate apps ban 0a1b2c3d --reason 'a wave' --for 30d
  tuskgate apps ban --name AaA
  tuskgate apps ban --redirect-uri evil.example";

impl AppBan {
    pub(in crate::cli) fn run(self, config: &Path) -> Result<(), Failure> {
        let mut mark = self.mark;
        mark.client_id = self.id.or(mark.client_id);
        let entry = Entry {
            what: What::App(mark),
            how: self.how,
        };
        entry.run(config, Effect::Ban)
    }
}
