//! The few header lines of one part.
//!
//! Rack 2.2 runs regular expressions over the whole head, Rack 3 walks the
//! parameters of the first `Content-Disposition`; quoting, escapes, folded
//! lines, repeated names and `Content-ID` give different names. Only one plain
//! `name` is taken, quoted or as a token, of the characters that real forms
//! use. A file name, any charset but UTF-8 or US-ASCII and a transfer encoding
//! that would change bytes are refused.

use super::ODD;
use crate::rack::Fault;

/// A part's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    pub(super) name: &'a str,
    /// The part says US-ASCII, so Rails would refuse any other byte.
    pub(super) ascii_only: bool,
}

/// Reads the lines before the blank one.
pub(super) fn read(head: &str) -> Result<Head<'_>, Fault> {
    let (mut name, mut kind, mut coding, mut length) = (None, None, None, None);
    for line in head.split("\r\n") {
        let (header, value) = line.split_once(':').ok_or(ODD)?;
        let slot = match header.to_ascii_lowercase().as_str() {
            "content-disposition" => &mut name,
            "content-type" => &mut kind,
            "content-transfer-encoding" => &mut coding,
            "content-length" => &mut length,
            _ => return Err(Fault::malformed("an unknown header in a part")),
        };
        if slot
            .replace(value.strip_prefix(' ').unwrap_or(value))
            .is_some()
        {
            return Err(Fault::malformed("a header twice in a part"));
        }
    }
    if length.is_some_and(|digits| !digits.bytes().all(|byte| byte.is_ascii_digit()))
        || coding.is_some_and(|coding| !is_identity(coding))
    {
        return Err(ODD);
    }
    Ok(Head {
        name: name
            .and_then(field_name)
            .ok_or(Fault::malformed("a part is a file or has an odd name"))?,
        ascii_only: kind.map_or(Ok(false), is_ascii)?,
    })
}

fn is_identity(coding: &str) -> bool {
    ["binary", "8bit", "7bit"]
        .iter()
        .any(|known| coding.eq_ignore_ascii_case(known))
}

fn field_name(disposition: &str) -> Option<&str> {
    let (kind, parameter) = disposition.split_once(';')?;
    if !kind.eq_ignore_ascii_case("form-data") {
        return None;
    }
    let value = parameter.trim_start_matches(' ').strip_prefix("name=")?;
    let quoted = value
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'));
    let allowed: &[u8] = if quoted.is_some() { b"_-.[]()" } else { b"_-" };
    let name = quoted.unwrap_or(value);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || allowed.contains(&byte);
    (!name.is_empty() && name.len() <= 256 && name.bytes().all(plain)).then_some(name)
}

/// Whether a part's type confines it to ASCII; UTF-8 is the default.
fn is_ascii(content_type: &str) -> Result<bool, Fault> {
    let text = content_type.to_ascii_lowercase();
    let (kind, charset) = text.split_once(';').unwrap_or((&text, ""));
    let charset = charset.trim_start_matches(' ');
    match (kind, charset) {
        ("text/plain", "" | "charset=utf-8" | "charset=\"utf-8\"") => Ok(false),
        ("text/plain", "charset=us-ascii" | "charset=\"us-ascii\"") => Ok(true),
        _ => Err(Fault::unsupported(
            "a part of a type or charset that is not read",
        )),
    }
}
