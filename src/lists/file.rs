//! One list file, line by line.
//!
//! A feed of a million lines always has a bad one, and refusing the feed for
//! it would leave the gate open; so a bad line is left out, told (the first
//! few of each file one by one) and counted. A file without one good line but
//! many bad ones is no list: most likely an error page saved under its name.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::formats::LineFault;

/// The bad lines of one file that are told one by one; the others are counted.
const TOLD: usize = 20;
/// That many bad lines and no good one: not a list at all.
const HOPELESS: usize = 10;

/// A line that was left out, or how many more were.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListWarning {
    /// One line.
    #[error("{}:{line}: {fault}; the line is left out", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        fault: LineFault,
    },
    /// Lines beyond the first twenty.
    #[error("{}: {lines} more lines are left out for reasons like these", file.display())]
    More {
        /// The file.
        file: PathBuf,
        /// How many.
        lines: usize,
    },
}

/// A file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// It cannot be read.
    #[error("{} ({list} in [lists]) cannot be read", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The key that names it.
        list: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Not one line of it is what the list should hold.
    #[error("{} ({list} in [lists]) is not such a list: not one of its lines can be used; the first: {first}", file.display())]
    NotAList {
        /// The file.
        file: PathBuf,
        /// The key that names it.
        list: &'static str,
        /// What is wrong with its first line.
        first: LineFault,
    },
    /// More files than can be told apart.
    #[error("{list} in [lists] names {files} files, and at most {most} can be told apart")]
    TooMany {
        /// The key.
        list: &'static str,
        /// How many files it names.
        files: usize,
        /// How many are possible.
        most: usize,
    },
}

impl ListError {
    /// The key in `[lists]` that is meant.
    #[must_use]
    pub const fn list(&self) -> &'static str {
        match self {
            Self::Read { list, .. } | Self::NotAList { list, .. } | Self::TooMany { list, .. } => {
                list
            }
        }
    }

    /// The file, if it is one file's fault.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Read { file, .. } | Self::NotAList { file, .. } => Some(file),
            Self::TooMany { .. } => None,
        }
    }
}

/// What came of the lines of a file.
pub(super) struct Tally {
    pub(super) entries: usize,
    pub(super) skipped: usize,
}

/// Hands each line of `file` to `take`, which says how many entries it held.
pub(super) fn read(
    file: &Path,
    list: &'static str,
    warnings: &mut Vec<ListWarning>,
    mut take: impl FnMut(&str) -> Result<usize, LineFault>,
) -> Result<Tally, ListError> {
    let failed = |source| ListError::Read {
        file: file.into(),
        list,
        source,
    };
    let mut reader = BufReader::with_capacity(64 * 1024, File::open(file).map_err(failed)?);
    let mut tally = Tally {
        entries: 0,
        skipped: 0,
    };
    let (mut bytes, mut line, mut understood, mut first) = (Vec::new(), 0, false, None);
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).map_err(failed)? == 0 {
            break;
        }
        line += 1;
        match text(&bytes, line).and_then(&mut take) {
            Ok(entries) => tally.entries += entries,
            Err(fault) => {
                tally.skipped += 1;
                understood |= matches!(fault, LineFault::Reserved(_) | LineFault::TooWide(_));
                if tally.skipped <= TOLD {
                    let (file, fault) = (file.into(), fault.clone());
                    warnings.push(ListWarning::Line { file, line, fault });
                }
                first.get_or_insert(fault);
            }
        }
    }
    if tally.entries == 0
        && !understood
        && tally.skipped >= HOPELESS
        && let Some(first) = first
    {
        let file = file.into();
        return Err(ListError::NotAList { file, list, first });
    }
    if let Some(lines) = tally.skipped.checked_sub(TOLD).filter(|&more| more > 0) {
        let file = file.into();
        warnings.push(ListWarning::More { file, lines });
    }
    Ok(tally)
}

/// A line as text; a byte order mark before the first is no part of it.
fn text(bytes: &[u8], line: usize) -> Result<&str, LineFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| LineFault::NotText)?;
    Ok(match line {
        1 => text.strip_prefix('\u{feff}').unwrap_or(text),
        _ => text,
    })
}
