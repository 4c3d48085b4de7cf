//! `a=1&b=2`: the query, and form bodies of type `x-www-form-urlencoded`.
//!
//! Pairs are split at `&` and the spaces right after it, empty pairs are
//! skipped, a key without `=` is null. Rack 2.2 also splits a *query* (not a
//! body) at `;` and Rack 3 does not, so a raw `;` in a query is refused; in a
//! body it is an ordinary character everywhere.

use std::ops::Range;

use super::{Fault, MAX_PAIRS, MAX_QUERY, Params, Value, brackets, percent};

/// Reads the query of a request target, without its `?`.
pub(super) fn read(query: &str) -> Result<Params, Fault> {
    if query.len() > MAX_QUERY {
        return Err(Fault::malformed("the query is too long"));
    }
    if query.contains(';') {
        return Err(Fault::malformed("a semicolon in the query"));
    }
    pairs(query.as_bytes())
}

/// Reads a form body.
pub(super) fn form(body: &[u8]) -> Result<Params, Fault> {
    if body.contains(&0) {
        // Rack cuts one off at the very end, for a Safari of long ago.
        return Err(Fault::malformed("a raw NUL in a form"));
    }
    pairs(body)
}

fn pairs(text: &[u8]) -> Result<Params, Fault> {
    // ASCII from end to end, as nearly all are: then no part of it needs a check of its own.
    let ascii = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.is_ascii());
    let read = |part: Range<usize>, coded: bool| match ascii.and_then(|text| text.get(part.clone()))
    {
        Some(part) if !coded => Ok(part.to_owned()),
        _ => percent::decode(text.get(part).unwrap_or_default()),
    };
    let mut params = Params::default();
    let mut start = 0;
    for index in 0.. {
        if index >= MAX_PAIRS {
            return Err(Fault::malformed("too many parameters"));
        }
        let rest = text.get(start..).unwrap_or_default();
        let pair = Pair::first(rest);
        let end = start + pair.length;
        let spaces = if index > 0 { leading_spaces(rest) } else { 0 };
        let from = start + spaces;
        if from < end {
            let key_end = pair.equals.map_or(end, |at| start + at);
            let key = read(from..key_end, pair.coded_name)?;
            let value = match pair.equals {
                Some(at) => Value::Text(read(start + at + 1..end, pair.coded_value)?),
                None => Value::Null,
            };
            brackets::insert(&mut params, key, value)?;
        }
        if end == text.len() {
            break;
        }
        start = end + 1;
    }
    Ok(params)
}

/// What one look over a pair finds.
#[derive(Default)]
struct Pair {
    /// Up to the `&` after it, or the end.
    length: usize,
    /// Where its first `=` is.
    equals: Option<usize>,
    /// Something before it stands for something else.
    coded_name: bool,
    /// Something behind it does.
    coded_value: bool,
}

impl Pair {
    fn first(text: &[u8]) -> Self {
        let mut pair = Self {
            length: text.len(),
            ..Self::default()
        };
        for (at, &byte) in text.iter().enumerate() {
            match byte {
                // All letters: nothing of this sort has a meaning here.
                b'>'.. => {}
                b'&' => {
                    pair.length = at;
                    break;
                }
                b'=' => pair.equals = pair.equals.or(Some(at)),
                b'+' | b'%' if pair.equals.is_none() => pair.coded_name = true,
                b'+' | b'%' => pair.coded_value = true,
                _ => {}
            }
        }
        pair
    }
}

fn leading_spaces(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| byte == b' ').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, split first and looked at after.
    fn pairs_by_splitting(text: &[u8]) -> Result<Params, Fault> {
        let mut params = Params::default();
        for (index, pair) in text.split(|&byte| byte == b'&').enumerate() {
            if index >= MAX_PAIRS {
                return Err(Fault::malformed("too many parameters"));
            }
            let spaces = if index > 0 { leading_spaces(pair) } else { 0 };
            let pair = pair.get(spaces..).unwrap_or_default();
            if pair.is_empty() {
                continue;
            }
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let key = percent::decode(halves.next().unwrap_or_default())?;
            let value = match halves.next() {
                Some(value) => Value::Text(percent::decode(value)?),
                None => Value::Null,
            };
            brackets::insert(&mut params, key, value)?;
        }
        Ok(params)
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let letters = b"aabb==&&&++%% []>~\xc3\xa4\xff\x00\x7f4c3A";
        proptest::collection::vec(proptest::sample::select(&letters[..]), 0..40)
    }

    proptest! {
        #[test]
        fn one_look_finds_what_splitting_finds(text in text()) {
            prop_assert_eq!(pairs(&text), pairs_by_splitting(&text));
        }
    }

    #[test]
    fn pairs_are_counted_with_the_empty_ones() {
        for count in [MAX_PAIRS - 1, MAX_PAIRS] {
            let text = "&".repeat(count);
            let read = pairs(text.as_bytes());
            assert_eq!(read, pairs_by_splitting(text.as_bytes()));
            assert_eq!(read.is_ok(), count < MAX_PAIRS);
        }
    }
}
