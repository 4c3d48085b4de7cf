//! Request bytes to parameters, as Rack and Rails build them.
//!
//! Mirrors Rack 2.2 with Rails 6.1 (Mastodon 4.1) and Rack 3 with Rails 7 and 8
//! (Mastodon 4.3 to main). What the two read alike is read; whatever they read
//! differently, or one of them refuses, or nobody is certain of, is a [`Fault`]:
//! honest clients use a small, boring subset, so strictness is cheap.
//!
//! Pure and bounded: at most [`MAX_BODY`] and [`MAX_QUERY`] bytes come in, at
//! most [`MAX_PAIRS`] parameters nested at most [`MAX_DEPTH`] deep go out, and
//! no bytes make it panic. Uploads are deliberately not read: no guarded door
//! takes a file. Path parameters are `mastodon`'s business.

use http::Method;
use http::request::Parts;

use crate::verdict::Unreadable;

mod body;
mod brackets;
mod header;
mod json;
mod media_type;
mod multipart;
mod percent;
mod query;
mod value;
mod verb;

#[cfg(test)]
mod tests;

pub(crate) use header::only;
pub use value::{Params, Value};

/// The longest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;
/// The longest query that is read, in bytes: Puma's own bound.
pub const MAX_QUERY: usize = 10 * 1024;
/// The most parameters in a query or in a body, nested ones and empty pairs
/// included. Rack's own bound is 4,096 in a body.
pub const MAX_PAIRS: usize = 1024;
/// The deepest nesting: `a[b]` is 2. Rack 3 stops at 32, Rack 2.2 at 100.
pub const MAX_DEPTH: usize = 16;

/// A request as Rails sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The verb after `Rack::MethodOverride`.
    pub method: Method,
    /// Body and query merged, without path parameters.
    pub params: Params,
}

/// Why a request is not read. The fact is a constant, so it cannot carry
/// anything that the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fact}")]
pub struct Fault {
    /// Which answer it deserves.
    pub unreadable: Unreadable,
    /// For the admin.
    pub fact: &'static str,
}

impl Fault {
    pub(crate) const fn malformed(fact: &'static str) -> Self {
        Self {
            unreadable: Unreadable::Malformed,
            fact,
        }
    }

    pub(crate) const fn unsupported(fact: &'static str) -> Self {
        Self {
            unreadable: Unreadable::Unsupported,
            fact,
        }
    }
}

/// Reads a whole request. `body` must be de-framed (no chunks) and complete.
///
/// # Errors
/// If Rack 2.2 and Rack 3 would not certainly both read the same parameters.
pub fn read(head: &Parts, body: &[u8]) -> Result<Read, Fault> {
    let query = query::read(head.uri.query().unwrap_or_default())?;
    let body = body::read(head, body)?;
    let method = verb::after_override(head, &body)?;
    let params = merge(body.params, query)?;
    Ok(Read { method, params })
}

/// Rails lets the query win, Rack (and so rack-attack) the body. A key in both
/// is read only when it makes no difference; nobody honest sends two values.
fn merge(mut body: Params, query: Params) -> Result<Params, Fault> {
    for (key, value) in query {
        match body.get(&key) {
            Some(other) if *other != value => {
                return Err(Fault::malformed(
                    "a parameter is in both query and body, with different values",
                ));
            }
            Some(_) => {}
            None => body.insert(key, value),
        }
    }
    Ok(body)
}
