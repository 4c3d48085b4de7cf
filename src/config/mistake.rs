//! A mistake in the configuration: where, what was found, what would be
//! valid, and what to do about it. They are collected and shown together.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::numeral::counted;

/// Where a mistake is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Place {
    /// In the file, at a line from 1.
    Line(PathBuf, usize),
    /// In the file as a whole.
    File(PathBuf),
    /// In a variable of the environment.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(file, line) => write!(f, "{}:{line}", file.display()),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// Where.
    pub place: Place,
    /// The key, as `section.key`; empty if the file as a whole is meant.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// The value found, as written, at most 80 characters.
    pub found: Option<String>,
    /// What would be valid.
    pub valid: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
}

impl Mistake {
    /// The file cannot be read at all.
    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self {
            place: Place::File(path.into()),
            key: String::new(),
            wrong: format!("the configuration cannot be read: {error}"),
            found: None,
            valid: None,
            remedy: Some(
                "name another file with --config, or begin with config/tuskgate.toml, \
                 which shows every key with its default"
                    .into(),
            ),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.wrong)?;
        for (what, text) in [
            ("found", &self.found),
            ("valid", &self.valid),
            ("remedy", &self.remedy),
        ] {
            if let Some(text) = text {
                write!(f, "\n    {what:<6} {text}")?;
            }
        }
        Ok(())
    }
}

/// All mistakes, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.0.iter()
    }
}

impl From<Mistake> for Mistakes {
    fn from(mistake: Mistake) -> Self {
        Self(vec![mistake])
    }
}

impl From<Vec<Mistake>> for Mistakes {
    fn from(mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        Self(mistakes)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mistakes = counted(self.0.len(), "mistake", "mistakes");
        write!(f, "{mistakes} in the configuration")?;
        for mistake in &self.0 {
            write!(f, "\n\n{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
