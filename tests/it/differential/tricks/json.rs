//! Pairs as a JSON object: brackets become objects and arrays, as clients send them.

use proptest::prelude::*;
use proptest::sample::select;

use super::Pair;

/// How it is written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    content_type: &'static str,
    /// Escape this one in seven characters of keys and texts.
    escape: u8,
    /// Leave keys with brackets as they are.
    flat: bool,
    /// The member that gets this value instead of its text.
    other: Option<(usize, &'static str)>,
    around: (&'static str, &'static str),
}

const TYPES: &[&str] = &[
    "application/json; charset=utf-8",
    "application/json;charset=utf-16",
    "Application/JSON",
    "text/x-json",
    "application/jsonrequest",
    "application/activity+json",
    "application/ld+json; profile=\"x\"",
    "application/jrd+json",
    "application/problem+json",
    "application/json ;",
    "application/hal+json",
];

const OTHER: &[&str] = &[
    "null",
    "true",
    "false",
    "1",
    "-0",
    "12345678901234567890",
    "1.5",
    "1e3",
    "[]",
    "{}",
    "[\"a@good.test\"]",
    "{\"x\":\"y\"}",
    "[null]",
    "[[\"x\"]]",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"\\/\"",
    "\"a\\u0040good.test\"",
];

const AROUND: &[(&str, &str)] = &[
    (" ", "\n"),
    ("\u{feff}", ""),
    ("/*c*/", ""),
    ("", "//c"),
    ("[", "]"),
    ("", "{}"),
    ("", "x"),
    ("\r\n\t", " "),
    ("", "\0"),
];

impl Style {
    pub(super) fn content_type(&self) -> String {
        self.content_type.to_owned()
    }

    pub(super) fn body(&self, pairs: &[Pair]) -> Vec<u8> {
        let mut members: Vec<(String, String)> = Vec::new();
        for (index, (key, value)) in pairs.iter().enumerate() {
            let value = match self.other {
                Some((at, other)) if at == index => other.to_owned(),
                _ => self.text(value),
            };
            self.insert(&mut members, key, value);
        }
        let inner: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("{key}:{value}"))
            .collect();
        format!("{}{{{}}}{}", self.around.0, inner.join(","), self.around.1).into_bytes()
    }

    /// `user[email]` joins what is under `user` already.
    fn insert(&self, members: &mut Vec<(String, String)>, key: &str, value: String) {
        let split = if self.flat {
            None
        } else {
            key.split_once('[')
                .filter(|(root, rest)| !root.is_empty() && rest.ends_with(']'))
        };
        let Some((root, rest)) = split else {
            members.push((self.text(key), value));
            return;
        };
        let root = self.text(root);
        let child = rest.trim_end_matches(']').replace("][", "\u{1}");
        let value = child
            .split('\u{1}')
            .rev()
            .fold(value, |inner, key| match key {
                "" => format!("[{inner}]"),
                _ => format!("{{{}:{inner}}}", self.text(key)),
            });
        let earlier = members
            .iter_mut()
            .find(|(key, there)| *key == root && there.starts_with('{') && value.starts_with('{'));
        match earlier {
            Some((_, there)) => {
                there.pop();
                there.push(',');
                there.push_str(value.get(1..).unwrap_or_default());
            }
            None => members.push((root, value)),
        }
    }

    fn text(&self, plain: &str) -> String {
        let mut text = String::from("\"");
        for (index, c) in plain.chars().enumerate() {
            let code = u32::from(c);
            match c {
                '"' | '\\' => {
                    text.push('\\');
                    text.push(c);
                }
                _ if code < 0x20
                    || (code < 0x1_0000
                        && self.escape > 0
                        && index % 7 == usize::from(self.escape)) =>
                {
                    text.push_str(&format!("\\u{code:04x}"));
                }
                _ => text.push(c),
            }
        }
        text.push('"');
        text
    }
}

pub(super) fn style() -> impl Strategy<Value = Style> {
    (
        prop_oneof![5 => Just("application/json"), 1 => select(TYPES)],
        prop_oneof![4 => Just(0_u8), 1 => 0..7_u8],
        prop::bool::weighted(0.1),
        prop_oneof![8 => Just(None), 1 => (0..3_usize, select(OTHER)).prop_map(Some)],
        prop_oneof![15 => Just(("", "")), 1 => select(AROUND)],
    )
        .prop_map(|(content_type, escape, flat, other, around)| Style {
            content_type,
            escape,
            flat,
            other,
            around,
        })
}
