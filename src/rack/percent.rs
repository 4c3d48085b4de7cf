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
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (rest.next(), rest.next()) {
                (Some(&high), Some(&low)) => octet([high, low]).ok_or(ENCODED)?,
                _ => return Err(ENCODED),
            },
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| Fault::malformed("a parameter is not UTF-8"))
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
            ("a%c3%a4+%41%", None),
            ("a%c3%a4+%41", Some("aä A")),
        ] {
            assert_eq!(
                decode(encoded.as_bytes()).ok().as_deref(),
                text,
                "{encoded}"
            );
        }
    }
}
