//! Percent-encoding as Ruby's `URI.decode_www_form_component` takes it.
//!
//! `+` is a space and every `%` must be followed by two hexadecimal digits
//! (Ruby raises otherwise, Rails answers 400). The outcome must be UTF-8, as
//! Rails demands of every parameter. Raw bytes pass as they are: `curl -d`
//! encodes nothing.

use super::Fault;

/// Decodes one key or value.
pub(super) fn decode(encoded: &[u8]) -> Result<String, Fault> {
    const ENCODED: Fault = Fault::malformed("bad percent-encoding in a parameter");
    const UTF8: Fault = Fault::malformed("a parameter is not UTF-8");
    let Some(plain) = plain_run(encoded) else {
        return std::str::from_utf8(encoded)
            .map(str::to_owned)
            .map_err(|_| UTF8);
    };
    let mut bytes = Vec::with_capacity(encoded.len());
    let (run, mut rest) = encoded.split_at(plain);
    bytes.extend_from_slice(run);
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'+' => {
                bytes.push(b' ');
                after
            }
            b'%' => {
                let (digits, after) = after.split_first_chunk().ok_or(ENCODED)?;
                bytes.push(octet(*digits).ok_or(ENCODED)?);
                after
            }
            _ => {
                let (run, after) = rest.split_at(plain_run(rest).unwrap_or(rest.len()));
                bytes.extend_from_slice(run);
                after
            }
        };
    }
    String::from_utf8(bytes).map_err(|_| UTF8)
}

/// How many bytes come before the first that stands for another.
fn plain_run(encoded: &[u8]) -> Option<usize> {
    encoded.iter().position(|byte| matches!(byte, b'+' | b'%'))
}

fn octet([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_ruby_decodes() {
        for (encoded, text) in [
            ("", Some("")),
            ("a+b%2Bc", Some("a b+c")),
            ("%c3%A4", Some("ä")),
            ("%00", Some("\0")),
            ("ä", Some("ä")),
            ("%", None),
            ("%4", None),
            ("%zz", None),
            ("%+1", None),
            ("%ff", None),
            ("%c0%80", None),
        ] {
            assert_eq!(
                decode(encoded.as_bytes()).ok().as_deref(),
                text,
                "{encoded}"
            );
        }
    }
}
