//! The current address of an account, from the form at `GET /auth/edit`: the
//! value of its input named `user[email]`.
//!
//! A scanner for `<input …>` tags as HTML writes them (names in any case,
//! quotes of either kind or none, character references), not a parser: Rails
//! escapes everything that a person wrote, in text, attributes and embedded
//! JSON alike, so nothing on the page can pose as a tag.

use http::StatusCode;

use super::BOUND;
use crate::secret::Secret;

/// What the page says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Current {
    /// It is the account's address already.
    Unchanged,
    /// The account has another.
    Changed,
    /// The page does not tell: nobody signed in, another page, no such input.
    Unknown,
}

/// Reads the reply to [`edit_page`](super::edit_page()) and compares the address in it, trimmed
/// and in lower case, with `new`, which is so already. Looks at the first [`BOUND`] bytes.
#[must_use]
pub fn read_edit_page(status: StatusCode, body: &[u8], new: &Secret) -> Current {
    if status != StatusCode::OK {
        return Current::Unknown;
    }
    let page = String::from_utf8_lossy(body.get(..BOUND).unwrap_or(body));
    let Some(value) = email_input(&page) else {
        return Current::Unknown;
    };
    let blank = |c: char| c.is_ascii_whitespace() || c == '\0' || c == '\u{b}';
    let current = unescape(value).trim_matches(blank).to_lowercase();
    if current.is_empty() {
        Current::Unknown
    } else if current == new.expose() {
        Current::Unchanged
    } else {
        Current::Changed
    }
}

/// The `value` of the first `<input>` that has one and is named `user[email]`.
fn email_input(page: &str) -> Option<&str> {
    let mut rest = page;
    while let Some((_, tail)) = rest.split_once('<') {
        rest = tail;
        let Some((name, tail)) = tail.split_at_checked(5) else {
            continue;
        };
        if !name.eq_ignore_ascii_case("input") || !tail.starts_with([' ', '\t', '\n', '\r', '/']) {
            continue;
        }
        let mut named = false;
        let mut value = None;
        rest = attributes(tail, |name, text| {
            if name.eq_ignore_ascii_case("name") {
                named = unescape(text) == "user[email]";
            } else if name.eq_ignore_ascii_case("value") {
                value = Some(text);
            }
        });
        if let (true, Some(value)) = (named, value) {
            return Some(value);
        }
    }
    None
}

/// Tells each attribute of a tag, and returns what follows the tag.
fn attributes<'a>(tag: &'a str, mut tell: impl FnMut(&'a str, &'a str)) -> &'a str {
    let blank = |c: char| c.is_ascii_whitespace() || c == '/';
    let mut rest = tag.trim_start_matches(blank);
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('>') {
            return after;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))
            .unwrap_or(rest.len());
        let (name, tail) = split(rest, end.max(1));
        let (text, tail) = match tail.trim_start().strip_prefix('=') {
            Some(tail) => attribute_value(tail.trim_start()),
            None => ("", tail),
        };
        tell(name, text);
        rest = tail.trim_start_matches(blank);
    }
    rest
}

fn attribute_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote) {
            return inner.split_once(quote).unwrap_or((inner, ""));
        }
    }
    let end = text
        .find(|c: char| c.is_ascii_whitespace() || c == '>')
        .unwrap_or(text.len());
    split(text, end)
}

/// Splits at a character boundary at or after `at`.
fn split(text: &str, at: usize) -> (&str, &str) {
    let at = text.ceil_char_boundary(at);
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// Replaces the character references that ERB and Haml write, and any numeric one.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once('&') {
        out.push_str(before);
        let known = tail
            .split_once(';')
            .and_then(|(name, after)| Some((character(name)?, after)));
        rest = match known {
            Some((c, after)) => {
                out.push(c);
                after
            }
            None => {
                out.push('&');
                tail
            }
        };
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}
