//! `tuskgate check`: is the configuration right? Every mistake at once.

use std::path::Path;

use clap::Args;

use crate::cli::{Failure, assemble};
use crate::config::{self, Environment};

/// Validate the configuration and its lists
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 right, 78 mistakes (each with line, key, value and what would be valid)."
)]
pub(super) struct Check {
    /// Do not read the list files
    #[arg(long)]
    no_lists: bool,
}

impl Check {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let settings = config::load(config, &Environment::of_process())?;
        say!("{}: right", config.display());
        if self.no_lists {
            return Ok(());
        }
        assemble::webhook_secrets(&settings)?;
        let lists = assemble::lists(&settings)?;
        for loaded in lists.loaded() {
            say!(
                "{}: {} entries for {}, {} lines left out",
                loaded.file.display(),
                loaded.entries,
                loaded.list,
                loaded.skipped
            );
        }
        Ok(())
    }
}
