//! The `tuskgate` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tuskgate::cli::run()
}
