//! The configuration as written: a TOML document that knows its lines, and
//! the environment that overrides it.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::Environment;
use super::mistake::{Mistake, Place};

/// What was written, syntax errors included.
pub(super) struct Document<'a> {
    path: &'a Path,
    text: &'a str,
    root: DeTable<'a>,
    syntax: Vec<Mistake>,
    pub(super) environment: &'a Environment,
}

impl<'a> Document<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str, environment: &'a Environment) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut document = Self {
            path,
            text,
            root: root.into_inner(),
            syntax: Vec::new(),
            environment,
        };
        document.syntax = errors.iter().map(|error| document.syntax(error)).collect();
        document
    }

    pub(super) const fn root(&self) -> &DeTable<'a> {
        &self.root
    }

    /// What is not TOML. Keys on those lines may be misread and are not complained of again.
    pub(super) fn syntax_mistakes(&self) -> &[Mistake] {
        &self.syntax
    }

    /// Whether keys still belong to the section they seem to at `place`: not
    /// behind a heading, text or array that is not closed.
    pub(super) fn headings_hold(&self, place: &Place) -> bool {
        self.syntax.iter().all(|mistake| {
            let heading = mistake
                .found
                .as_deref()
                .is_some_and(|line| line.starts_with('['));
            let open = heading || mistake.wrong.contains("unclosed");
            *place < mistake.place || !open
        })
    }

    /// The whole file.
    pub(super) fn whole(&self) -> Place {
        Place::File(self.path.into())
    }

    /// The line where `span` begins.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        Place::Line(self.path.into(), line)
    }

    /// What stands at `span`, for people: one line, at most 80 characters.
    pub(super) fn excerpt(&self, span: &Range<usize>) -> String {
        shorten(self.text.get(span.clone()).unwrap_or_default())
    }

    /// A path as used: relative to the folder of the file.
    pub(super) fn resolve(&self, path: PathBuf) -> PathBuf {
        match self.path.parent() {
            Some(folder) => folder.join(path),
            None => path,
        }
    }

    fn syntax(&self, error: &toml::de::Error) -> Mistake {
        Mistake {
            place: error
                .span()
                .map_or_else(|| self.whole(), |span| self.place(&span)),
            key: String::new(),
            wrong: format!("not TOML: {}", error.message().replace('\n', "; ")),
            found: error
                .span()
                .map(|span| self.excerpt(&self.line_of(&span)))
                .filter(|line| !line.is_empty()),
            valid: Some("key = value lines below [section] headings, text in double quotes".into()),
            remedy: None,
        }
    }

    /// The whole line where `span` begins.
    fn line_of(&self, span: &Range<usize>) -> Range<usize> {
        let start = span.start.min(self.text.len());
        let (before, after) = self.text.split_at_checked(start).unwrap_or((self.text, ""));
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let end = after.find('\n').map_or(self.text.len(), |at| start + at);
        begin..end
    }
}

/// The first line of `text`, at most 80 characters and without a URL's password.
pub(super) fn shorten(text: &str) -> String {
    let text = text.trim();
    let line = mask(text.lines().next().unwrap_or_default());
    let mut short: String = line.chars().take(80).collect();
    if short.len() < line.len() || text.lines().nth(1).is_some() {
        short.push('…');
    }
    short
}

/// A line without what stands before the `@` of a URL, or behind `pass=` in one.
fn mask(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, url)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = url.find([',', '"', '\'', ' ']).unwrap_or(url.len());
        let (url, behind) = url.split_at_checked(end).unwrap_or((url, ""));
        let (secret, url) = url.rsplit_once('@').unwrap_or(("", url));
        if !secret.is_empty() {
            shown.push_str("…@");
        }
        match url.split_once("pass=") {
            Some((public, _)) => shown.extend([public, "pass=…"]),
            None => shown.push_str(url),
        }
        rest = behind;
    }
    shown.push_str(rest);
    shown
}

/// One value as written, wherever it was.
pub(super) enum Said<'a> {
    /// A TOML string.
    Text(&'a str),
    /// A variable: text that may stand for any kind of value.
    Variable(&'a str),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Bool(bool),
    /// Anything else.
    Other,
}

impl<'a> Said<'a> {
    pub(super) fn new(value: &'a Spanned<DeValue<'_>>) -> Self {
        match value.get_ref() {
            DeValue::String(text) => Self::Text(text),
            DeValue::Boolean(on) => Self::Bool(*on),
            DeValue::Integer(number) => {
                let digits: Cow<'_, str> = number.as_str().replace('_', "").into();
                i64::from_str_radix(&digits, number.radix()).map_or(Self::Other, Self::Integer)
            }
            DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                Self::Other
            }
        }
    }

    /// The text of a string or a variable.
    pub(super) const fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Variable(text) => Some(text),
            Self::Integer(_) | Self::Bool(_) | Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let long = format!("\"redis://{}@host\"", "x".repeat(200));
        for (text, shown) in [
            ("redis://gate:hunter2@host:6379/0", "redis://…@host:6379/0"),
            (
                "[\"redis://:a@b@h\", \"unix:///s?pass=p\"]",
                "[\"redis://…@h\", \"unix:///s?pass=…\"]",
            ),
            ("127.0.0.1:3000", "127.0.0.1:3000"),
            (long.as_str(), "\"redis://…@host\""),
            ("one\ntwo", "one…"),
        ] {
            assert_eq!(shorten(text), shown);
        }
    }
}
