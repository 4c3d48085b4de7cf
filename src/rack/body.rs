//! The body's parameters, by content type.
//!
//! An empty body has none whatever its type. `Content-Encoding` is ignored by
//! Rails, which would parse the compressed bytes, so anything but `identity` is
//! refused. Rails reads the body of a GET as it reads any other; a gate that
//! does not wait for one must refuse it.

use http::Method;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;

use super::media_type::{self, MediaType};
use super::{Fault, MAX_BODY, Params, header, json, multipart, query};
use crate::verdict::Unreadable;

/// A body, read.
pub(super) struct Body {
    pub(super) kind: Kind,
    pub(super) params: Params,
}

/// What Rack's method override needs to know of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    Form,
    Json,
}

/// Reads `body` under the headers of `head`.
pub(super) fn read(head: &Parts, body: &[u8]) -> Result<Body, Fault> {
    unencoded(head)?;
    if body.len() > MAX_BODY {
        return Err(Fault {
            unreadable: Unreadable::TooLarge,
            fact: "the body is too long",
        });
    }
    let media_type = media_type::read(&head.headers)?;
    if head.method == Method::GET || head.method == Method::HEAD {
        bodiless(head, body, media_type)?;
    }
    let (kind, params) = if body.is_empty() {
        (Kind::Empty, Params::default())
    } else {
        match media_type {
            MediaType::Form => (Kind::Form, query::form(body)?),
            MediaType::Absent if head.method == Method::POST => (Kind::Form, query::form(body)?),
            MediaType::Multipart(parameters) => {
                let boundary = media_type::boundary(parameters)?;
                (Kind::Form, multipart::read(boundary, body)?)
            }
            MediaType::Json => (Kind::Json, json::read(body)?),
            MediaType::Absent | MediaType::Other => {
                return Err(Fault::unsupported("a body of a type that Rails ignores"));
            }
        }
    };
    Ok(Body { kind, params })
}

fn unencoded(head: &Parts) -> Result<(), Fault> {
    match header::only(&head.headers, &CONTENT_ENCODING)? {
        None => Ok(()),
        Some(coding) if coding.eq_ignore_ascii_case("identity") => Ok(()),
        Some(_) => Err(Fault::unsupported("an encoded body")),
    }
}

fn bodiless(head: &Parts, body: &[u8], media_type: MediaType<'_>) -> Result<(), Fault> {
    let length = header::only(&head.headers, &CONTENT_LENGTH)?;
    if !body.is_empty()
        || length.is_some_and(|length| length != "0")
        || head.headers.contains_key(TRANSFER_ENCODING)
    {
        return Err(Fault::malformed("a GET with a body"));
    }
    if matches!(media_type, MediaType::Multipart(_)) {
        // Without a length Rack 3 looks for parts, and fails.
        return Err(Fault::malformed("a GET with a multipart type"));
    }
    Ok(())
}
