//! Where a replay's events come from: the record of the gate, a file, or
//! standard input. One event is held at a time; a bad line is named.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use crate::cli::Failure;
use crate::cli::events::Pages;
use crate::event::Event;

/// The longest line that is read: an event with every bound exhausted has some 20 KiB.
const LONGEST_LINE: u64 = 1 << 20;

/// Events are written in the order in which they were read; their times may be this much apart.
const OUT_OF_ORDER: SignedDuration = SignedDuration::from_secs(60);

/// Events, oldest first.
pub(super) enum Input {
    /// Of the gate's own record.
    Record(Box<Pages>, VecDeque<Event>),
    /// Of a file or of standard input.
    Lines(Lines, Option<Timestamp>),
}

impl Input {
    /// Of the record.
    pub(super) fn record(pages: Pages) -> Self {
        Self::Record(Box::new(pages), VecDeque::new())
    }

    /// Of the file at `path`; `-` is standard input.
    pub(super) fn file(path: &Path) -> anyhow::Result<Self> {
        Ok(Self::Lines(Lines::open(path)?, None))
    }

    /// The next event.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Failure> {
        match self {
            Self::Record(pages, waiting) => {
                if waiting.is_empty() {
                    waiting.extend(pages.next()?);
                }
                Ok(waiting.pop_front())
            }
            Self::Lines(lines, latest) => {
                let Some(event) = lines.next::<Event>("an event")? else {
                    return Ok(None);
                };
                let before = *latest.get_or_insert(event.at);
                if event.at < before && before.duration_since(event.at) > OUT_OF_ORDER {
                    let place = lines.place();
                    return Err(anyhow!(
                        "{place}: this event ({}) is older than the one before it ({before}); a replay needs them oldest first, as `tuskgate events --json` writes them",
                        event.at
                    )
                    .into());
                }
                *latest = Some(before.max(event.at));
                Ok(Some(event))
            }
        }
    }
}

/// JSON lines.
pub(super) struct Lines {
    name: String,
    reader: Box<dyn BufRead>,
    number: u64,
    line: Vec<u8>,
}

impl Lines {
    /// Of the file at `path`; `-` is standard input.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let (name, reader): (_, Box<dyn BufRead>) = if name == "-" {
            (
                "standard input".into(),
                Box::new(BufReader::new(io::stdin())),
            )
        } else {
            let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
            (name, Box::new(BufReader::with_capacity(1 << 16, file)))
        };
        Ok(Self {
            name,
            reader,
            number: 0,
            line: Vec::new(),
        })
    }

    /// Where the last line was.
    pub(super) fn place(&self) -> String {
        format!("{}: line {}", self.name, self.number)
    }

    /// The next line that is not empty, read as `what`.
    pub(super) fn next<T: DeserializeOwned>(&mut self, what: &str) -> anyhow::Result<Option<T>> {
        loop {
            self.line.clear();
            let mut bounded = self.reader.by_ref().take(LONGEST_LINE + 1);
            let read = bounded.read_until(b'\n', &mut self.line);
            self.number += 1;
            if read.with_context(|| format!("{} cannot be read", self.place()))? == 0 {
                return Ok(None);
            }
            if self.line.len() as u64 > LONGEST_LINE {
                bail!("{}: longer than 1 MiB, so it is not {what}", self.place());
            }
            if self.line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let value = serde_json::from_slice(&self.line);
            return value.map(Some).with_context(|| {
                format!(
                    "{} is not {what} as tuskgate writes it with --json",
                    self.place()
                )
            });
        }
    }

    /// Every line.
    pub(super) fn all<T: DeserializeOwned>(mut self, what: &str) -> anyhow::Result<Vec<T>> {
        std::iter::from_fn(|| self.next(what).transpose()).collect()
    }
}
