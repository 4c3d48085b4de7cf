//! A guarded request, read: which parameters matter at which door.
//!
//! Mirrors the strong parameters of Mastodon's controllers and the places where
//! Doorkeeper looks for credentials and bearers, 4.1 to main. A parameter that
//! matters must be of the one kind that honest clients send: what Rails would
//! drop in silence (an array as address, a multi-parameter key `email(1i)`) is
//! refused, so that nobody has to know what a version makes of it.
//!
//! Parameters that do not matter are read past, whatever they are.

use http::request::Parts;
use jiff::Timestamp;

use super::endpoint::{self, GuardedPath};
use crate::attempt::{Attempt, ClientIp};
use crate::endpoint::Endpoint;
use crate::rack;
use crate::secret::Secret;
use crate::verdict::Unreadable;

mod app;
mod bearer;
mod credential;
mod door;
mod fields;
mod mailbox;

#[cfg(test)]
mod tests;

/// What a request on a guarded path is.
#[derive(Clone, Debug)]
pub enum Reading {
    /// After the override it is for no door: let it pass.
    Open,
    /// Somebody tries something.
    Attempt(Box<Attempt>),
}

/// Why a guarded request is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fact}")]
pub struct Fault {
    /// Which answer it deserves.
    pub unreadable: Unreadable,
    /// The door, or the likeliest one of the path: the voice of the answer.
    pub endpoint: Option<Endpoint>,
    /// For the admin; nothing that the client sent.
    pub fact: String,
    /// The address that could not be read, trimmed and in lower case: an account
    /// may have it already.
    pub address: Option<Secret>,
}

impl Fault {
    fn at(endpoint: Endpoint, fault: rack::Fault) -> Self {
        Self {
            unreadable: fault.unreadable,
            endpoint: Some(endpoint),
            fact: fault.fact.to_owned(),
            address: None,
        }
    }
}

/// Reads a whole request to `path`; `body` is de-framed, complete, and empty
/// where [`endpoint::takes_body`] says that none is waited for.
///
/// # Errors
/// If Rails would not certainly see the same parameters on every version, or the
/// address at a door that changes one is refused by Mastodon.
pub fn read(
    path: GuardedPath,
    head: &Parts,
    body: &[u8],
    client: ClientIp,
    at: Timestamp,
) -> Result<Reading, Fault> {
    let guess = endpoint::endpoint(path, &head.method).unwrap_or(path.usual());
    let request = rack::read(head, body).map_err(|fault| Fault::at(guess, fault))?;
    let Some(endpoint) = endpoint::endpoint(path, &request.method) else {
        return Ok(Reading::Open);
    };
    let attempt = Attempt::blank(at, endpoint, client);
    let attempt = door::fill(attempt, head, &request.params)?;
    Ok(Reading::Attempt(Box::new(attempt)))
}
