//! Where the keys of a configuration stand, for what is found wrong only when a
//! value is used: a file that is not there is as much a mistake at its line as
//! a number that is none.

use std::path::{Path, PathBuf};

use super::mistake::Place;
use super::reader::Written;
use super::said::Document;
use super::{Environment, sections};

/// Where the keys stand.
#[derive(Clone, Debug)]
pub struct Places {
    file: PathBuf,
    written: Written,
}

impl Places {
    /// Of the configuration at `path`, overridden by `environment`. If it cannot
    /// be read any more, every place is the file.
    #[must_use]
    pub fn of(path: &Path, environment: &Environment) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        Self {
            file: path.to_owned(),
            written: sections::written(&Document::new(path, &text, environment)),
        }
    }

    /// Where the value of `key` stands, of a list the `nth`, and how it is written.
    #[must_use]
    pub fn value(&self, key: &str, nth: usize) -> (Place, Option<&str>) {
        let found = self.written.get(key).and_then(|all| all.get(nth));
        match found {
            Some((place, text)) => (place.clone(), Some(text)),
            None => (Place::File(self.file.clone()), None),
        }
    }
}
