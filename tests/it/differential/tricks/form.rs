//! Pairs as `a=1&b=2`, in a query or a body.

use proptest::prelude::*;
use proptest::sample::select;

use super::Pair;

/// How it is written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    content_type: &'static str,
    separator: &'static str,
    /// Which characters are percent-encoded although they need not be.
    extra: u8,
    lower: bool,
    /// The pair that goes without `=`, if there are so many.
    bare: Option<usize>,
    /// The body as it stands, nothing encoded but what must be.
    raw: bool,
}

const TYPES: &[&str] = &[
    "Application/X-WWW-Form-URLEncoded",
    "application/x-www-form-urlencoded; charset=utf-8",
    "application/x-www-form-urlencoded;charset=iso-8859-1",
    "application/x-www-form-urlencoded ; x=y",
    "application/x-www-form-urlencoded;",
];

const SEPARATORS: &[&str] = &["&&", "& ", ";", "&;", "&+", " &", "&=&", "\n"];

impl Style {
    pub(super) const PLAIN: Self = Self {
        content_type: "application/x-www-form-urlencoded",
        separator: "&",
        extra: 0,
        lower: false,
        bare: None,
        raw: false,
    };

    pub(super) fn content_type(&self) -> String {
        self.content_type.to_owned()
    }

    pub(super) fn body(&self, pairs: &[Pair]) -> Vec<u8> {
        self.join(pairs, self.raw)
    }

    /// A target takes no raw blanks and no bytes beyond ASCII.
    pub(super) fn query(&self, pairs: &[Pair]) -> Vec<u8> {
        let text = self.join(pairs, false);
        let mut query = Vec::with_capacity(text.len());
        for byte in text {
            match byte {
                b'!'..=b'~' if byte != b'#' => query.push(byte),
                _ => query.extend(format!("%{byte:02X}").into_bytes()),
            }
        }
        query
    }

    fn join(&self, pairs: &[Pair], raw: bool) -> Vec<u8> {
        let mut text = Vec::new();
        for (index, (key, value)) in pairs.iter().enumerate() {
            if index > 0 {
                text.extend(self.separator.bytes());
            }
            self.encode(key, raw, &mut text);
            if self.bare != Some(index) {
                text.push(b'=');
                self.encode(value, raw, &mut text);
            }
        }
        text
    }

    fn encode(&self, plain: &str, raw: bool, into: &mut Vec<u8>) {
        for byte in plain.bytes() {
            let needs = !(byte.is_ascii_alphanumeric()
                || b"[]_.-@:/".contains(&byte)
                || (raw && !b"&=+%;".contains(&byte)));
            let wants = self.extra > 0 && byte % 7 == self.extra;
            match (needs || wants, byte) {
                (true, b' ') if self.extra.is_multiple_of(2) => into.push(b'+'),
                (true, _) if self.lower => into.extend(format!("%{byte:02x}").into_bytes()),
                (true, _) => into.extend(format!("%{byte:02X}").into_bytes()),
                (false, _) => into.push(byte),
            }
        }
    }
}

pub(super) fn style() -> impl Strategy<Value = Style> {
    (
        prop_oneof![6 => Just(Style::PLAIN.content_type), 1 => select(TYPES)],
        prop_oneof![20 => Just("&"), 1 => select(SEPARATORS)],
        prop_oneof![3 => Just(0_u8), 1 => 0..7_u8],
        any::<bool>(),
        prop_oneof![20 => Just(None), 1 => (0..4_usize).prop_map(Some)],
        prop::bool::weighted(0.2),
    )
        .prop_map(|(content_type, separator, extra, lower, bare, raw)| Style {
            content_type,
            separator,
            extra,
            lower,
            bare,
            raw,
        })
}
