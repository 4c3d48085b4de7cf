//! Internationalised domain names, as the different libraries under Mastodon
//! turn them into ASCII.
//!
//! Production Mastodon normalises with libidn (IDNA 2003), its pure-Ruby
//! fallback composes, lower-cases and encodes without a table, and whoever
//! delivers the mail follows UTS 46. A name on which they differ in more than
//! the four deviation characters (ß, ς, ZWJ, ZWNJ: two results, both judged) is
//! refused rather than guessed at.

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::mailbox::Domain;

/// Every ASCII name that a library may make of `name`, which must be lower-cased
/// already: one for most, two where IDNA versions differ. IDNA 2003's comes first.
///
/// `None` where the result cannot be foretold, or is no host name.
pub(super) fn every_ascii(name: &str) -> Option<Vec<Domain>> {
    if let Some(domain) = plain(name) {
        return Some(vec![domain]);
    }
    every_ascii_closely(name)
}

fn every_ascii_closely(name: &str) -> Option<Vec<Domain>> {
    if name.is_ascii() {
        return host(&to_ascii(name)?).map(|domain| vec![domain]);
    }
    if !name.chars().all(foreseeable) {
        return None;
    }
    let modern = to_ascii(name)?;
    if tableless(name)? != modern {
        return None;
    }
    let mapped = as_idna_2003(name);
    let old = to_ascii(&mapped)?;
    let mut all = vec![host(&old)?];
    if modern != old {
        all.push(host(&modern)?);
    }
    Some(all)
}

/// A host name in lower-case ASCII that every library leaves as it is: no label
/// claims to be encoded (two hyphens running are for a closer look), and [`host`]
/// would take it. `None` says nothing.
pub(super) fn plain(name: &str) -> Option<Domain> {
    let (mut before, mut dotted, mut number) = (b'.', false, true);
    for byte in name.bytes() {
        if byte.is_ascii_lowercase() {
            number = false;
        } else if !byte.is_ascii_digit() {
            if !matches!(byte, b'.' | b'-') || matches!(before, b'.' | b'-') {
                return None;
            }
            dotted |= byte == b'.';
            number = byte == b'.';
        }
        before = byte;
    }
    if !dotted || number || before == b'-' {
        return None;
    }
    Domain::new(name).ok()
}

/// The name by UTS 46 without transitional processing, as it is registered today.
pub(super) fn to_ascii(name: &str) -> Option<Cow<'_, str>> {
    // Hyphens in the third and fourth place are legal in plain host names and
    // in use; a label that claims to be encoded is decoded and checked all the same.
    Uts46::new()
        .to_ascii(
            name.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .ok()
}

/// A host name that mail can have: two labels or more, and no number at the end
/// (an IPv4 address, or what some resolver takes for one).
fn host(name: &str) -> Option<Domain> {
    let (_, last) = name.rsplit_once('.')?;
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Domain::new(name).ok()
}

/// Letters, digits and marks, and the two joiners. Everything that one library
/// drops or maps and another encodes (soft hyphen, zero-width space, other dots,
/// full-width letters on Addressable 2.8.1) falls outside.
fn foreseeable(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '-' | '.' | '\u{200c}' | '\u{200d}')
        || (!c.is_ascii()
            && (c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c))
            && !is_rewritten(c))
}

/// Characters that compatibility normalisation turns into others (ligatures,
/// mathematical letters, …): whether it does depends on the library's Unicode version.
fn is_rewritten(c: char) -> bool {
    !std::iter::once(c).nfd().eq(std::iter::once(c).nfkd())
}

/// IDNA 2003 maps two of the deviation characters and drops the others.
fn as_idna_2003(name: &str) -> String {
    let mut mapped = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            'ß' => mapped.push_str("ss"),
            'ς' => mapped.push('σ'),
            '\u{200c}' | '\u{200d}' => {}
            _ => mapped.push(c),
        }
    }
    mapped
}

/// Compose, lower-case, encode: no mapping table, as Addressable does without libidn.
fn tableless(name: &str) -> Option<String> {
    let composed: String = name.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    let labels: Option<Vec<Cow<'_, str>>> = composed
        .split('.')
        .map(|label| {
            if label.is_ascii() {
                Some(Cow::Borrowed(label))
            } else {
                idna::punycode::encode_str(label).map(|code| Cow::Owned(format!("xn--{code}")))
            }
        })
        .collect();
    Some(labels?.join("."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_plain_name_is_read_as_a_closer_look_reads_it(
            labels in "([a-z0-9]{0,3}|xn--[a-z0-9-]{0,8}|[a-zA-Z0-9_.-]{0,4}|a{60,65}|[a-z]{1,8}|\\PC{0,3})(\\.([a-z0-9-]{0,8}|[0-9]{1,3}|[a-z]{1,6}|a{58,63})){0,5}",
            bytes in proptest::collection::vec(0..0x80_u8, 0..12),
        ) {
            prop_assert_eq!(every_ascii(&labels), every_ascii_closely(&labels));
            let text: String = bytes.into_iter().map(char::from).collect();
            prop_assert_eq!(every_ascii(&text), every_ascii_closely(&text));
        }
    }

    fn read(name: &str) -> Vec<String> {
        every_ascii(name)
            .unwrap_or_default()
            .iter()
            .map(Domain::to_string)
            .collect()
    }

    #[test]
    fn libraries_that_agree_give_one_name() {
        for (name, ascii) in [
            ("example.com", "example.com"),
            ("r3---sn-x.example.com", "r3---sn-x.example.com"),
            ("exämple.com", "xn--exmple-cua.com"),
            ("exa\u{308}mple.com", "xn--exmple-cua.com"),
            ("xn--exmple-cua.com", "xn--exmple-cua.com"),
            ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ] {
            assert_eq!(read(name), [ascii], "{name}");
        }
    }

    #[test]
    fn deviation_characters_give_both_names() {
        assert_eq!(read("straße.test"), ["strasse.test", "xn--strae-oqa.test"]);
        assert_eq!(read("βόλος.com"), ["xn--nxasmq6b.com", "xn--nxasmm1c.com"]);
    }

    #[test]
    fn what_libraries_read_differently_is_not_read() {
        for name in [
            "example。com",
            "example．com",
            "ｅｘample.com",
            "exam\u{ad}ple.com",
            "exam\u{200b}ple.com",
            "𝐠𝐨𝐨𝐝.test",
            "good.teſt",
            "ﬁne.test",
            "💩.la",
            "exämple",
            "１２７.０.０.１",
            "xn--zzzzzzzzz.test",
            "-x.com",
            "x-.com",
            "a..b.com",
            "a_b.com",
            "exämple.com.",
        ] {
            assert_eq!(read(name), [""; 0], "{name}");
        }
    }
}
