//! `tuskgate check`: is the configuration right? Every mistake at once.

use std::path::Path;

use clap::Args;

use crate::cli::words::counted;
use crate::cli::{Failure, files};
use crate::config::{self, Environment};

/// Validate the configuration and the files that it names
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// Do not read the files that it names, such as lists
    #[arg(long, visible_alias = "no-files")]
    no_lists: bool,
}

const EXAMPLES: &str = "\
Exit codes: 0 right, 78 mistakes (each with line, key, value and what would be valid).

Examples:
  tuskgate check                                     /etc/tuskgate/tuskgate.toml and its files
  tuskgate check --config new.toml && tuskgate reload
  tuskgate check --no-lists --config new.toml        on another machine, without its files";

impl Check {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let settings = config::load(config, &Environment::of_process())?;
        if self.no_lists {
            say!("{}: right, but its files were not read", config.display());
            return Ok(());
        }
        let files = files::read(config, &settings)?;
        say!("{}: right", config.display());
        for loaded in files.lists.loaded() {
            say!(
                "{}: {} for {}, {} left out",
                loaded.file.display(),
                counted(loaded.entries, "entry", "entries"),
                loaded.list,
                counted(loaded.skipped, "line", "lines"),
            );
        }
        Ok(())
    }
}
