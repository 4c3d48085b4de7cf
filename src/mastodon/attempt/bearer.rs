//! The bearer token that Doorkeeper will use.
//!
//! `Authorization: Bearer T` (the scheme in any case, exactly one space cut),
//! unless what is left is blank; else the parameter `access_token`, else
//! `bearer_token`. Anything after the one space belongs to the token.

use http::header::AUTHORIZATION;
use http::request::Parts;

use super::fields::Fields;
use crate::rack::{self, Fault};
use crate::secret::Secret;

const SCHEME: usize = "Bearer ".len();

/// Reads it from the three places.
pub(super) fn read(head: &Parts, top: Fields<'_>) -> Result<Option<Secret>, Fault> {
    let header = rack::only(&head.headers, &AUTHORIZATION)?.and_then(token);
    if let Some(token) = header {
        return Ok(Some(Secret::new(token)));
    }
    for key in ["access_token", "bearer_token"] {
        let text = top.text(key)?;
        if let Some(token) = text.filter(|text| !text.trim().is_empty()) {
            return Ok(Some(Secret::new(token)));
        }
    }
    Ok(None)
}

fn token(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_at_checked(SCHEME)?;
    let bearer = scheme.eq_ignore_ascii_case("Bearer ") && !token.trim().is_empty();
    bearer.then_some(token)
}
