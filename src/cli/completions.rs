//! `tuskgate completions SHELL`: generated from the same definitions as the help.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::{Cli, Failure};

/// Print a completion script
#[derive(Debug, Args)]
#[command(after_help = "Example: tuskgate completions bash > /etc/bash_completion.d/tuskgate")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<(), Failure> {
        clap_complete::generate(
            self.shell,
            &mut Cli::command(),
            "tuskgate",
            &mut std::io::stdout(),
        );
        Ok(())
    }
}
