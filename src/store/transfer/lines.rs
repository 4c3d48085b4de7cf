//! Records as lines of JSON: a heading that says under which key, the records,
//! and a last line that says how many there were.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use super::{Counts, Record};
use crate::secret::HashKey;

const VERSION: u32 = 1;

/// Longer lines are no records: a name or URI has at most some KiB.
const LONGEST: u64 = 1 << 22;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Heading { tuskgate_store: u32, key: String },
    Record(Record),
    End(Counts),
}

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinesError {
    /// The file.
    #[error("the export cannot be read")]
    Io(#[from] io::Error),
    /// A line.
    #[error("line {0} of the export is not what this release writes")]
    Line(usize, #[source] Option<serde_json::Error>),
    /// It was made under another key.
    #[error("the export was made under another key: copy the file `key` of that store first")]
    OtherKey,
    /// It breaks off, or lines are missing.
    #[error("the export is not whole: {found} instead of {expected}")]
    NotWhole {
        /// What was read.
        found: Box<Counts>,
        /// What it says of itself.
        expected: Box<Counts>,
    },
}

/// Writes records made under `key`.
///
/// # Errors
/// If they cannot be written.
pub fn write_lines(
    mut out: impl Write,
    key: &HashKey,
    records: impl IntoIterator<Item = Record>,
) -> io::Result<Counts> {
    let mut put = |line: &Line| -> io::Result<()> {
        serde_json::to_writer(&mut out, line)?;
        out.write_all(b"\n")
    };
    put(&Line::Heading {
        tuskgate_store: VERSION,
        key: fingerprint(key),
    })?;
    let mut counts = Counts::default();
    for record in records {
        counts.add(&record);
        put(&Line::Record(record))?;
    }
    put(&Line::End(counts))?;
    out.flush()?;
    Ok(counts)
}

/// Reads what [`write_lines`] wrote; all of it, or nothing.
///
/// # Errors
/// If it is not whole, not ours, or of another key.
pub fn read_lines(mut from: impl BufRead, key: &HashKey) -> Result<Vec<Record>, LinesError> {
    let mut records = Vec::new();
    let mut counts = Counts::default();
    for number in 1.. {
        let mut line = Vec::new();
        let read = io::Read::take(&mut from, LONGEST).read_until(b'\n', &mut line)?;
        if read == 0 {
            break;
        }
        let line =
            serde_json::from_slice(&line).map_err(|fault| LinesError::Line(number, Some(fault)))?;
        match line {
            Line::Heading {
                tuskgate_store,
                key: made,
            } if number == 1 => {
                if tuskgate_store != VERSION {
                    return Err(LinesError::Line(1, None));
                }
                if made != fingerprint(key) {
                    return Err(LinesError::OtherKey);
                }
            }
            Line::Record(record) if number > 1 => {
                counts.add(&record);
                records.push(record.canonical());
            }
            Line::End(expected) if expected == counts => return Ok(records),
            Line::End(expected) => {
                return Err(LinesError::NotWhole {
                    found: counts.into(),
                    expected: expected.into(),
                });
            }
            Line::Heading { .. } | Line::Record(_) => return Err(LinesError::Line(number, None)),
        }
    }
    Err(LinesError::NotWhole {
        found: counts.into(),
        expected: Counts::default().into(),
    })
}

fn fingerprint(key: &HashKey) -> String {
    let digits = key.fingerprint().map(|byte| format!("{byte:02x}"));
    digits.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ban::{Effect, Subject};
    use crate::store::bans::changes::Entry;
    use crate::store::transfer::{Content, missing};

    /// Else an import of it would be said to be missing.
    #[test]
    fn a_network_of_an_earlier_export_is_in_its_one_spelling() {
        let lifted = |network: &str| {
            Record(Content::Ban(Entry {
                subject: Subject::Network(network.parse().expect("a network")),
                effect: Effect::Ban,
                stamp: jiff::Timestamp::now().as_microsecond(),
                ban: None,
            }))
        };
        let key = HashKey::new(&[7; 32]);
        let mut export = Vec::new();
        write_lines(&mut export, &key, [lifted("::ffff:45.9.9.0/120")]).expect("written");
        let read = read_lines(export.as_slice(), &key).expect("read");
        let there = [lifted("45.9.9.0/24")];
        assert_eq!(missing(&read, &there), Counts::default());
        assert_ne!(missing(&[lifted("45.9.0.0/16")], &there), Counts::default());
    }
}
