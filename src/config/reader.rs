//! Walking the document section by section, collecting every mistake.
//!
//! A section knows which of its keys were asked for; what is left when its
//! reading ends is unknown, and a mistake. So the list of valid keys is the
//! code that reads them, and cannot fall behind.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment;
use super::mistake::{Mistake, Mistakes, Place};
use super::nearest::nearest;
use super::said::{Document, Said, shorten};
use super::value::{Kind, Wrong};

/// Where the right values stand, by key, and how each is written; several of a list.
pub(super) type Written = BTreeMap<String, Vec<(Place, String)>>;

/// What a walk found.
pub(super) struct Walked<T> {
    pub(super) value: T,
    pub(super) mistakes: Mistakes,
    /// Every key that there is.
    pub(super) keys: Vec<String>,
    pub(super) written: Written,
}

/// The walk.
pub(super) struct Reader<'d> {
    document: &'d Document<'d>,
    mistakes: Vec<Mistake>,
    /// Every key asked for.
    keys: Vec<String>,
    written: Written,
    variables: BTreeSet<String>,
}

impl<'d> Reader<'d> {
    /// Walks the whole document.
    pub(super) fn read<T>(
        document: &'d Document<'d>,
        read: impl FnOnce(&mut Section<'_, 'd>) -> T,
    ) -> Walked<T> {
        let mut reader = Self {
            document,
            mistakes: document.syntax_mistakes().to_vec(),
            keys: Vec::new(),
            written: BTreeMap::new(),
            variables: BTreeSet::new(),
        };
        let mut root = Section {
            reader: &mut reader,
            name: String::new(),
            table: Some(document.root()),
            asked: Vec::new(),
        };
        let value = read(&mut root);
        root.end();
        reader.end();
        Walked {
            value,
            mistakes: reader.mistakes.into(),
            keys: reader.keys,
            written: reader.written,
        }
    }

    fn end(&mut self) {
        for (name, value) in self.document.environment.names() {
            if self.variables.contains(name) {
                continue;
            }
            let near = nearest(name, self.variables.iter().map(String::as_str));
            self.mistakes.push(Mistake {
                place: Place::Variable(name.into()),
                key: String::new(),
                wrong: "no key belongs to this variable".into(),
                found: Some(shorten(value)),
                valid: Some("TUSKGATE_ and the section and key in capitals, such as TUSKGATE_UPSTREAM_ADDRESS".into()),
                remedy: near.map(|near| format!("did you mean {near}?")),
            });
        }
        let broken: BTreeSet<Place> = self
            .document
            .syntax_mistakes()
            .iter()
            .map(|mistake| mistake.place.clone())
            .collect();
        let mut seen_syntax = BTreeSet::new();
        self.mistakes.retain(|mistake| {
            !broken.contains(&mistake.place) || seen_syntax.insert(mistake.place.clone())
        });
    }
}

/// One table of the document, while it is read.
pub(super) struct Section<'r, 'd> {
    reader: &'r mut Reader<'d>,
    name: String,
    table: Option<&'d DeTable<'d>>,
    asked: Vec<&'static str>,
}

impl<'d> Section<'_, 'd> {
    /// The document, for resolving paths.
    pub(super) const fn document(&self) -> &'d Document<'d> {
        self.reader.document
    }

    /// Reads the table `name` inside this one.
    pub(super) fn section<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Section<'_, 'd>) -> T,
    ) -> T {
        self.asked.push(name);
        let table = match self.entry(name) {
            None => None,
            Some(value) => match value.get_ref() {
                DeValue::Table(table) => Some(table),
                _ => {
                    let key = self.key(name);
                    self.mistake(
                        value,
                        key.clone(),
                        Wrong::new("is not a section"),
                        format!("[{key}] on a line of its own, and its keys below"),
                    );
                    None
                }
            },
        };
        let mut inner = Section {
            name: self.key(name),
            reader: self.reader,
            table,
            asked: Vec::new(),
        };
        let value = read(&mut inner);
        inner.end();
        value
    }

    /// The value of `key`, if it is written and right.
    pub(super) fn one<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<T> {
        if let Some((place, text)) = self.ask(key) {
            let read = (kind.read)(&Said::Variable(text));
            return self.settle(read, key, place, shorten(text), kind.valid);
        }
        let value = self.entry(key)?;
        self.one_of(key, value, kind)
    }

    /// The values of `key`: one, or an array; in a variable, separated by commas.
    pub(super) fn many<T>(&mut self, key: &'static str, kind: &Kind<T>) -> Option<Vec<T>> {
        if let Some((place, text)) = self.ask(key) {
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            let mut values = Vec::new();
            for part in parts {
                let read = (kind.read)(&Said::Variable(part));
                values.extend(self.settle(read, key, place.clone(), shorten(part), kind.valid));
            }
            return Some(values);
        }
        let value = self.entry(key)?;
        match value.get_ref() {
            DeValue::Array(items) => Some(
                items
                    .iter()
                    .filter_map(|item| self.one_of(key, item, kind))
                    .collect(),
            ),
            _ => self.one_of(key, value, kind).map(|value| vec![value]),
        }
    }

    /// Complains of the value of `key` for what other keys say.
    pub(super) fn conflict(&mut self, key: &str, wrong: &str, remedy: &str) {
        let (place, found) = match self.reader.written.get(key).and_then(|all| all.last()) {
            Some((place, found)) => (place.clone(), Some(found.clone())),
            None => (self.reader.document.whole(), None),
        };
        self.reader.mistakes.push(Mistake {
            place,
            key: key.into(),
            wrong: wrong.into(),
            found,
            valid: None,
            remedy: Some(remedy.into()),
        });
    }

    /// Notes that `key` exists; its variable, if that is set.
    fn ask(&mut self, key: &'static str) -> Option<(Place, &'d str)> {
        self.asked.push(key);
        self.reader.keys.push(self.key(key));
        let variable = environment::name(&self.name, key);
        let said = self.reader.document.environment.value(&self.name, key);
        let place = Place::Variable(variable.clone());
        self.reader.variables.insert(variable);
        Some((place, said?))
    }

    fn entry(&self, key: &str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.table?.get(key)
    }

    fn one_of<T>(
        &mut self,
        key: &'static str,
        value: &'d Spanned<DeValue<'d>>,
        kind: &Kind<T>,
    ) -> Option<T> {
        let place = self.reader.document.place(&value.span());
        let found = self.reader.document.excerpt(&value.span());
        self.settle(
            (kind.read)(&Said::new(value)),
            key,
            place,
            found,
            kind.valid,
        )
    }

    fn settle<T>(
        &mut self,
        read: Result<T, Wrong>,
        key: &'static str,
        place: Place,
        found: String,
        valid: &str,
    ) -> Option<T> {
        let key = self.key(key);
        // Never shown, not even a wrong one.
        let found = match key.ends_with(".secret") {
            true => "…".to_owned(),
            false => found,
        };
        match read {
            Ok(value) => {
                let written = self.reader.written.entry(key).or_default();
                written.push((place, found));
                Some(value)
            }
            Err(wrong) => {
                self.reader.mistakes.push(Mistake {
                    place,
                    key,
                    wrong: wrong.wrong,
                    found: Some(found),
                    valid: Some(valid.into()),
                    remedy: wrong.remedy,
                });
                None
            }
        }
    }

    fn mistake(&mut self, value: &Spanned<DeValue<'_>>, key: String, wrong: Wrong, valid: String) {
        self.reader.mistakes.push(Mistake {
            place: self.reader.document.place(&value.span()),
            key,
            wrong: wrong.wrong,
            found: Some(self.reader.document.excerpt(&value.span())),
            valid: Some(valid),
            remedy: wrong.remedy,
        });
    }

    /// What nobody asked for is unknown.
    fn end(self) {
        let Some(table) = self.table else { return };
        for (key, value) in table {
            let name = key.get_ref();
            if self.asked.contains(&name.as_ref()) {
                continue;
            }
            let document = self.reader.document;
            let place = document.place(&key.span());
            if !document.headings_hold(&place) {
                continue;
            }
            let near = nearest(name, self.asked.iter().copied());
            let is_table = matches!(value.get_ref(), DeValue::Table(_));
            self.reader.mistakes.push(Mistake {
                place,
                key: self.key(name),
                wrong: if is_table {
                    "there is no such section"
                } else {
                    "there is no such key"
                }
                .into(),
                found: (!is_table).then(|| document.excerpt(&value.span())),
                valid: Some(self.asked.join(", ")),
                remedy: Some(match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => {
                        "take it out, or look for the right name in config/tuskgate.toml".into()
                    }
                }),
            });
        }
    }

    fn key(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.into()
        } else {
            format!("{}.{key}", self.name)
        }
    }
}
