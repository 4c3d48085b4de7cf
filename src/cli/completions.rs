//! `tuskgate completions SHELL`: generated from the same definitions as the help.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::out::Out;
use crate::cli::{Cli, Failure};

/// Print a completion script
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate completions bash > /etc/bash_completion.d/tuskgate
  tuskgate completions fish > ~/.config/fish/completions/tuskgate.fish";

impl Completions {
    pub(super) fn run(self) -> Result<(), Failure> {
        // Into memory first: the generator panics where it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tuskgate", &mut script);
        Out.write_all(&script)?;
        Ok(())
    }
}
