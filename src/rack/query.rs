//! `a=1&b=2`: the query, and form bodies of type `x-www-form-urlencoded`.
//!
//! Pairs are split at `&` and the spaces right after it, empty pairs are
//! skipped, a key without `=` is null. Rack 2.2 also splits a *query* (not a
//! body) at `;` and Rack 3 does not, so a raw `;` in a query is refused; in a
//! body it is an ordinary character everywhere.

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
    let mut params = Params::default();
    for (index, pair) in text.split(|&byte| byte == b'&').enumerate() {
        if index >= MAX_PAIRS {
            return Err(Fault::malformed("too many parameters"));
        }
        let pair = if index > 0 { skip_spaces(pair) } else { pair };
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

fn skip_spaces(pair: &[u8]) -> &[u8] {
    let spaces = pair.iter().take_while(|&&byte| byte == b' ').count();
    pair.get(spaces..).unwrap_or_default()
}
