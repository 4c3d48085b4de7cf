//! Parameters once built: the values of Ruby's hashes that requests can carry.
//!
//! There is no variant for uploads (they are refused) and none for floats
//! (Ruby's printing of them is not worth imitating). `Debug` shows shapes only,
//! because values and even keys may hold passwords.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::Bound;

/// One value.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// `nil`: a key without `=`, or JSON `null`.
    Null,
    /// Any string; may be empty, may hold NUL and line ends.
    Text(String),
    /// JSON only.
    Bool(bool),
    /// JSON only: an integer of at most 64 bits, as Ruby prints it.
    Number(String),
    /// `a[]=…` or a JSON array.
    List(Vec<Self>),
    /// `a[b]=…` or a JSON object.
    Map(Params),
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Text(_) => f.write_str("Text"),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Number(_) => f.write_str("Number"),
            Self::List(list) => f.debug_list().entries(list).finish(),
            Self::Map(params) => params.fmt(f),
        }
    }
}

/// A hash with string keys. Order is not kept: nothing at a guarded door looks at it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// The value of `key`, if the key is there at all.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every key with its value, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// What is under keys that begin with `start`, by key: `start` itself is first.
    pub fn beginning<'a>(&'a self, start: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.0
            .range::<str, _>((Bound::Included(start), Bound::Unbounded))
            .map(|(key, value)| (key.as_str(), value))
            .take_while(move |(key, _)| key.starts_with(start))
    }

    pub(super) fn insert(&mut self, key: String, value: Value) {
        self.0.insert(key, value);
    }

    pub(super) fn entry(&mut self, key: String) -> btree_map::Entry<'_, String, Value> {
        self.0.entry(key)
    }
}

impl IntoIterator for Params {
    type Item = (String, Value);
    type IntoIter = btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.values()).finish()
    }
}
