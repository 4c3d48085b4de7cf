//! Standard output and standard error. Whoever reads may have read enough
//! (`head`): then the verb is done, quietly. A full disk is an error.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

/// Writes to standard output.
pub(super) fn printed(text: Arguments<'_>) {
    // What cannot be written any more has ended the process.
    let _ = Out.write_fmt(text);
}

/// Writes to standard error, if anybody reads it.
pub(super) fn remarked(text: Arguments<'_>) {
    let _ = io::stderr().write_fmt(text);
}

/// Standard output, which ends the process when nobody reads it any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out;

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        or_end(io::stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        or_end(io::stdout().flush())
    }
}

fn or_end<T>(written: io::Result<T>) -> io::Result<T> {
    if let Err(fault) = &written {
        match fault.kind() {
            ErrorKind::BrokenPipe => std::process::exit(0),
            ErrorKind::Interrupted => {}
            _ => {
                remarked(format_args!("cannot write: {fault}\n"));
                std::process::exit(1);
            }
        }
    }
    written
}
