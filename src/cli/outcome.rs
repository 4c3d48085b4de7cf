//! How a verb ends: exit codes as sysexits.h has them, and one clear line.

use std::process::ExitCode;

use crate::cli::there::NoStore;
use crate::config::Mistakes;

/// Wrong usage of the command line (`EX_USAGE`).
const USAGE: u8 = 64;
/// What was to be read is not there (`EX_NOINPUT`).
const NO_INPUT: u8 = 66;
/// Wrong configuration (`EX_CONFIG`).
const CONFIG: u8 = 78;

/// Why a verb failed.
#[derive(Debug)]
pub enum Failure {
    /// The configuration is wrong; every mistake is in it.
    Config(Mistakes),
    /// The command line contradicts itself in a way that clap cannot tell.
    Usage(String),
    /// Anything else.
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(fault: E) -> Self {
        match fault.into().downcast::<Mistakes>() {
            Ok(mistakes) => Self::Config(mistakes),
            Err(other) => Self::Other(other),
        }
    }
}

/// Prints clap's message and picks the exit code: help and version are no failure.
pub(super) fn usage(fault: &clap::Error) -> ExitCode {
    // A closed pipe on the way to a pager is nobody's failure.
    let _ = fault.print();
    if fault.use_stderr() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// Says why, if it failed.
pub(super) fn exit(done: Result<(), Failure>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Config(mistakes)) => {
            remark!("{mistakes}");
            ExitCode::from(CONFIG)
        }
        Err(Failure::Usage(why)) => {
            remark!("tuskgate: {why}; --help shows how");
            ExitCode::from(USAGE)
        }
        Err(Failure::Other(fault)) => {
            remark!("tuskgate: {fault:#}");
            if fault.is::<NoStore>() {
                return ExitCode::from(NO_INPUT);
            }
            ExitCode::FAILURE
        }
    }
}
