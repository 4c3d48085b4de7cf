//! `multipart/form-data` bodies (RFC 7578), text fields only.
//!
//! Hand-written: a general reader accepts far more than every Rack reads alike
//! (preambles, padding, bare line feeds, text behind the last boundary, a
//! boundary in the middle of a line, which Rack 2.2 honours and Rack 3 does not).
//! Here the whole body must be: `--B CRLF head CRLF CRLF value CRLF` for each
//! part, then `--B--` and at most line ends. `--B` anywhere else is a fault.

use std::str;

use super::{Fault, MAX_PAIRS, Params, Value, brackets};

mod head;

const ODD: Fault = Fault::malformed("not the plain multipart that every Rack reads alike");

/// Reads a whole body, which must not be empty.
pub(super) fn read(boundary: &str, body: &[u8]) -> Result<Params, Fault> {
    let delimiter = format!("--{boundary}");
    let mut params = Params::default();
    let mut rest = body.strip_prefix(delimiter.as_bytes()).ok_or(ODD)?;
    for _ in 0..MAX_PAIRS {
        let Some((piece, after)) = split(rest, delimiter.as_bytes()) else {
            return if closes(rest, params.is_empty()) {
                Ok(params)
            } else {
                Err(ODD)
            };
        };
        let part = piece
            .strip_prefix(b"\r\n")
            .and_then(|part| part.strip_suffix(b"\r\n"))
            .ok_or(ODD)?;
        let (name, value) = field(part)?;
        brackets::insert(&mut params, name.to_owned(), Value::Text(value.to_owned()))?;
        rest = after;
    }
    Err(Fault::malformed("too many parts"))
}

/// Without parts (an empty `FormData`), every Rack insists on the one line end.
fn closes(rest: &[u8], empty: bool) -> bool {
    rest.strip_prefix(b"--").is_some_and(|end| {
        end == b"\r\n" || (!empty && end.iter().all(|byte| matches!(byte, b'\r' | b'\n')))
    })
}

fn field(part: &[u8]) -> Result<(&str, &str), Fault> {
    let (head, value) = split(part, b"\r\n\r\n").ok_or(ODD)?;
    let head = head::read(str::from_utf8(head).map_err(|_| ODD)?)?;
    let value = str::from_utf8(value).map_err(|_| Fault::malformed("a parameter is not UTF-8"))?;
    if head.ascii_only && !value.is_ascii() {
        return Err(Fault::malformed("a part is not in the charset it names"));
    }
    Ok((head.name, value))
}

/// What comes before and after the first `at`.
fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let start = bytes.windows(at.len()).position(|window| window == at)?;
    let (before, rest) = bytes.split_at_checked(start)?;
    Some((before, rest.get(at.len()..)?))
}
