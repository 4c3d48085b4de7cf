//! The Rails application of `tests/rails` as a process.

use std::path::Path;
use std::process::Command;

use super::process::Process;

/// What starts it on a port of loopback, with its files in `state`.
pub(crate) fn command(port: u16, state: &Path) -> Command {
    let start = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rails/start");
    let mut command = Command::new(start);
    command.arg(port.to_string()).arg(state);
    command
}

/// Whether it has said that it answers.
pub(crate) fn is_up(rails: &Process) -> bool {
    rails.said().contains("\nready ") || rails.said().starts_with("ready ")
}
