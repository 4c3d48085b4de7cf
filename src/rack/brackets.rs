//! Bracket expansion: `user[email]=x` becomes a hash in a hash.
//!
//! Only the forms that Rack 2.2 and Rack 3 expand alike are taken: `a`,
//! `a[b]`, `a[b][c]…`, each perhaps ending in `[]`. Unbalanced, doubled,
//! leading or empty brackets (`[a]`, `a]`, `a[[b]]`, `a[b]c`, `a[][b]`) name
//! one key on Rack 2.2 and another on Rack 3, so they are refused.
//!
//! A repeated scalar is overwritten, as everywhere in Rack. Two *kinds* under
//! one key are refused even where Rack would silently keep the last.

use std::collections::btree_map::Entry;

use super::{Fault, MAX_DEPTH, Params, Value};

/// Puts `value` (text or null) where `key` says.
pub(super) fn insert(params: &mut Params, key: String, value: Value) -> Result<(), Fault> {
    if is_plain(&key) {
        return put(params, key, value);
    }
    if key.is_empty() || has_controls(&key) {
        return Err(Fault::malformed(
            "a parameter's name is empty or has control characters",
        ));
    }
    if !key.bytes().any(|byte| matches!(byte, b'[' | b']')) {
        return put(params, key, value);
    }
    let (mut name, mut rest) = key.split_at(key.find('[').unwrap_or(key.len()));
    if name.is_empty() || name.contains(']') {
        return Err(BRACKETS);
    }
    let mut here = params;
    for _ in 0..MAX_DEPTH {
        match step(rest)? {
            Step::End => return put(here, name.to_owned(), value),
            Step::List => return push(here, name, value),
            Step::Into(child, after) => {
                here = map_at(here, name)?;
                (name, rest) = (child, after);
            }
        }
    }
    Err(Fault::malformed("parameters nest too deep"))
}

const BRACKETS: Fault = Fault::malformed("odd brackets in a parameter's name");
const KINDS: Fault = Fault::malformed("one parameter in two kinds");

enum Step<'a> {
    End,
    List,
    Into(&'a str, &'a str),
}

fn step(rest: &str) -> Result<Step<'_>, Fault> {
    match rest {
        "" => return Ok(Step::End),
        "[]" => return Ok(Step::List),
        _ => {}
    }
    let (child, after) = rest
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
        .ok_or(BRACKETS)?;
    if child.is_empty() || child.contains('[') {
        return Err(BRACKETS);
    }
    Ok(Step::Into(child, after))
}

fn put(params: &mut Params, name: String, value: Value) -> Result<(), Fault> {
    match params.entry(name) {
        Entry::Vacant(entry) => {
            entry.insert(value);
        }
        Entry::Occupied(entry) if matches!(entry.get(), Value::List(_) | Value::Map(_)) => {
            return Err(KINDS);
        }
        Entry::Occupied(mut entry) => {
            entry.insert(value);
        }
    }
    Ok(())
}

/// Whether nothing about it needs a closer look: neither brackets nor controls, all ASCII.
fn is_plain(key: &str) -> bool {
    let odd = |byte: u8| matches!(byte, ..b' ' | b'[' | b']' | 0x7f..);
    !key.is_empty() && !key.bytes().any(odd)
}

fn has_controls(key: &str) -> bool {
    match key.is_ascii() {
        true => key.bytes().any(|byte| byte.is_ascii_control()),
        false => key.chars().any(char::is_control),
    }
}

fn push(params: &mut Params, name: &str, value: Value) -> Result<(), Fault> {
    if value == Value::Null {
        // Rails drops it, but when and where has changed between versions.
        return Err(Fault::malformed("a null in a list"));
    }
    match params
        .entry(name.to_owned())
        .or_insert_with(|| Value::List(Vec::new()))
    {
        Value::List(list) => list.push(value),
        _ => return Err(KINDS),
    }
    Ok(())
}

fn map_at<'a>(params: &'a mut Params, name: &str) -> Result<&'a mut Params, Fault> {
    let value = match params.entry(name.to_owned()) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(Value::Map(Params::default())),
    };
    match value {
        Value::Map(map) => Ok(map),
        _ => Err(KINDS),
    }
}
