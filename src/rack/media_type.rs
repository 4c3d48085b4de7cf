//! `Content-Type`: which of Rack's and Rails' body parsers will run.
//!
//! The header is cut at the first `;` (Rails and Rack also cut at `,`, which is
//! refused here), trimmed and lower-cased. JSON are the types that Mastodon 4.1
//! *and* today's main register; `application/problem+json` is JSON only on the
//! latter and so is nothing here. Charset parameters are ignored by both.
//!
//! Rack parses `multipart/related` and `multipart/mixed` too, and reads a
//! `multipart/form-data` without boundary as urlencoded: nobody honest sends
//! either, and both are refused.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::{Fault, header};

/// How a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType<'a> {
    /// No header: a form if the verb on the wire is POST, else ignored.
    Absent,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// JSON under one of its names.
    Json,
    /// `multipart/form-data`, with the header's parameters.
    Multipart(&'a str),
    /// A type whose body Rails ignores, or reads on some versions only.
    Other,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: [&str; 6] = [
    "application/json",
    "application/activity+json",
    "application/ld+json",
    "application/jrd+json",
    "application/jsonrequest",
    "text/x-json",
];

/// Reads the header.
pub(super) fn read(headers: &HeaderMap) -> Result<MediaType<'_>, Fault> {
    let Some(header) = header::only(headers, &CONTENT_TYPE)? else {
        return Ok(MediaType::Absent);
    };
    if header.contains(',') {
        return Err(Fault::unsupported("a list as content type"));
    }
    let (essence, parameters) = header.split_once(';').unwrap_or((header, ""));
    let essence = essence.trim_end_matches([' ', '\t']);
    if essence.eq_ignore_ascii_case(FORM) {
        return Ok(MediaType::Form);
    }
    let essence = essence.to_ascii_lowercase();
    Ok(match essence.as_str() {
        "multipart/form-data" => MediaType::Multipart(parameters),
        "multipart/related" | "multipart/mixed" => {
            return Err(Fault::unsupported("multipart, but not form-data"));
        }
        json if JSON.contains(&json) => MediaType::Json,
        other if is_type(other) => MediaType::Other,
        _ => return Err(Fault::unsupported("not a content type")),
    })
}

/// Rails answers 406 to less than this.
fn is_type(essence: &str) -> bool {
    let token = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.len() <= 127
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte))
    };
    essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

/// The boundary among the parameters of `multipart/form-data`.
///
/// Rack finds `boundary=` anywhere in the header, the last or the first by
/// version, and keeps spaces: only one, whole, of at most 70 plain characters
/// is taken.
pub(super) fn boundary(parameters: &str) -> Result<&str, Fault> {
    const ODD: Fault = Fault::malformed("an odd or missing multipart boundary");
    let mut found = None;
    for parameter in parameters.split(';') {
        // Blanks behind the value are part of it to Rack, so they stay and are refused.
        let parameter = parameter.trim_start_matches([' ', '\t']);
        match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("boundary") && found.is_none() => {
                found = Some(unquoted(value));
            }
            _ if parameter.to_ascii_lowercase().contains("boundary") => return Err(ODD),
            _ => {}
        }
    }
    found.filter(|value| is_boundary(value)).ok_or(ODD)
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
        .unwrap_or(value)
}

fn is_boundary(value: &str) -> bool {
    (1..=70).contains(&value.len())
        && !value.to_ascii_lowercase().contains("boundary=")
        && value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"'()+_-./:=?".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries() {
        for (parameters, expected) in [
            (" boundary=abc", Some("abc")),
            ("charset=utf-8; Boundary=\"a=b\"", Some("a=b")),
            (" boundary=Boundary+0xAbCd", Some("Boundary+0xAbCd")),
            (
                " boundary=dio-boundary-01; charset=utf-8",
                Some("dio-boundary-01"),
            ),
            (" boundary====a==", Some("===a==")),
            ("", None),
            (" boundary=", None),
            (" boundary =a", None),
            (" xboundary=a", None),
            (" boundary=a; boundary=b", None),
            (" boundary=a; xboundary=b", None),
            (" boundary=aboundary=b", None),
            (" boundary=\"a b\"", None),
            (" boundary=\"a", None),
            (" boundary=a b", None),
            (" boundary=a ; charset=utf-8", None),
        ] {
            assert_eq!(boundary(parameters).ok(), expected, "{parameters}");
        }
        assert!(boundary(&format!("boundary={}", "a".repeat(71))).is_err());
    }
}
