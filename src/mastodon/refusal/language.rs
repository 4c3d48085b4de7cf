//! The language of an answer, chosen as Mastodon chooses: `?lang=`, else
//! `Accept-Language` (RFC 9110 §12.5.4, look-up of RFC 4647 §3.4), else English.

use http::header::{ACCEPT_LANGUAGE, HeaderMap};

use super::asker::weighed;
use super::words::{ENGLISH, WORDS, Words};

/// Ranges beyond these are not read.
const MOST_RANGES: usize = 16;

/// A language that answers can be given in.
#[derive(Clone, Copy)]
pub struct Language(pub(super) &'static Words);

impl Language {
    /// Every language there is.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|words| Self(words))
    }

    /// The one for a tag such as `pt-BR`; `None` if we do not speak it.
    #[must_use]
    pub fn named(tag: &str) -> Option<Self> {
        let tag = tag.trim().replace('_', "-").to_ascii_lowercase();
        let mut cut = tag.as_str();
        loop {
            if let Some(found) = Self::all().find(|language| language.0.tags.contains(&cut)) {
                return Some(found);
            }
            cut = cut.rsplit_once('-')?.0;
        }
    }

    /// The tag for `<html lang>`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.0.lang
    }

    pub(super) fn of(query: Option<&str>, headers: &HeaderMap) -> Self {
        query
            .and_then(Self::asked)
            .or_else(|| Self::accepted(headers))
            .unwrap_or_default()
    }

    fn asked(query: &str) -> Option<Self> {
        let tag = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("lang="))?;
        Self::named(tag.get(..16).unwrap_or(tag))
    }

    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut ranges: Vec<(&str, u32)> = headers
            .get_all(ACCEPT_LANGUAGE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(weighed)
            .filter(|(tag, weight)| *weight > 0 && tag.len() <= 16)
            .take(MOST_RANGES)
            .collect();
        // Stable: of equal weights the first wins.
        ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
        ranges.into_iter().find_map(|(tag, _)| Self::named(tag))
    }
}

impl Default for Language {
    fn default() -> Self {
        Self(&ENGLISH)
    }
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl Eq for Language {}

impl std::fmt::Debug for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.tag())
    }
}
