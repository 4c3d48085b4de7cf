//! The client credential that Doorkeeper will use at the token door.
//!
//! `Authorization: Basic …` beats the parameters `client_id` and
//! `client_secret`, unless it holds a blank id. Doorkeeper decodes base64
//! leniently and has changed its mind on the scheme's case; here it must be
//! `Basic`, plain padded base64, UTF-8 and an id, or the request is refused.
//! Nothing is percent-decoded, in spite of RFC 6749 §2.3.1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::request::Parts;

use super::fields::Fields;
use crate::app::{ClientId, Credential};
use crate::rack::{self, Fault};
use crate::secret::Secret;

/// Reads it from the header or the parameters.
pub(super) fn read(head: &Parts, top: Fields<'_>) -> Result<Option<Credential>, Fault> {
    let header = rack::only(&head.headers, &AUTHORIZATION)?.unwrap_or_default();
    let scheme = header.split([' ', '\t']).next().unwrap_or_default();
    if scheme.eq_ignore_ascii_case("Basic") {
        return basic(header).map(Some);
    }
    in_params(top)
}

/// `client_id` and `client_secret`; a blank id is none.
pub(super) fn in_params(top: Fields<'_>) -> Result<Option<Credential>, Fault> {
    let client_secret = top.text("client_secret")?.map(Secret::new);
    let id = top.text("client_id")?.filter(|id| !id.trim().is_empty());
    Ok(id.map(|id| Credential {
        client_id: ClientId::new(id),
        client_secret,
    }))
}

fn basic(header: &str) -> Result<Credential, Fault> {
    const ODD: Fault = Fault::malformed("an odd Basic authorization");
    let encoded = header.strip_prefix("Basic ").ok_or(ODD)?;
    let decoded = STANDARD.decode(encoded).map_err(|_| ODD)?;
    let text = String::from_utf8(decoded).map_err(|_| ODD)?;
    let (id, secret) = match text.split_once(':') {
        Some((id, secret)) => (id, Some(secret)),
        None => (text.as_str(), None),
    };
    if id.trim().is_empty() {
        return Err(ODD);
    }
    Ok(Credential {
        client_id: ClientId::new(id),
        client_secret: secret.map(Secret::new),
    })
}
