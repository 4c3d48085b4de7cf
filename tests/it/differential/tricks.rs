//! A grammar of tricks: requests that are nearly honest, with a few things odd.
//!
//! Each part (path, verb, place and form of the parameters, types, framing,
//! headers) is plain most of the time, so that about half of the requests get
//! past the gate and are read by Rails too; then a few bytes may be bent. As
//! proptest strategies, so that a failing request shrinks to what matters.

use proptest::prelude::*;
use proptest::sample::select;

mod form;
mod header;
mod json;
mod multipart;

use super::sent::{Content, Sent};

/// Where and what: a door (or something near one), the verb, the key of its address.
const DOORS: &[(&str, &str)] = &[
    ("POST", "/auth"),
    ("POST", "/api/v1/accounts"),
    ("POST", "/api/v1/apps"),
    ("POST", "/oauth/token"),
    ("POST", "/auth/setup"),
    ("PUT", "/auth/setup"),
    ("PATCH", "/auth"),
    ("POST", "/api/v1/emails/confirmations"),
    ("POST", "/settings/applications"),
    ("POST", "/settings/applications/7"),
    ("PUT", "/settings/applications/7"),
    ("POST", "/oauth/authorize"),
    ("GET", "/oauth/authorize"),
    ("GET", "/auth/sign_up"),
    ("GET", "/invite/AbC"),
    ("POST", "/auth/sign_in"),
    ("POST", "/auth/confirmation"),
    ("POST", "/invites"),
    ("POST", "/oauth/applications"),
    ("POST", "/api/v1/accounts/7/email_subscriptions"),
];

const VERBS: &[&str] = &[
    "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "PROPFIND",
];

/// Keys that matter somewhere.
const KEYS: &[&str] = &[
    "email",
    "user[email]",
    "user[account_attributes][username]",
    "user[invite_code]",
    "username",
    "invite_code",
    "client_name",
    "redirect_uris",
    "redirect_uris[]",
    "website",
    "client_id",
    "client_secret",
    "grant_type",
    "access_token",
    "bearer_token",
    "doorkeeper_application[name]",
    "doorkeeper_application[redirect_uri]",
    "doorkeeper_application[scopes][]",
    "_method",
    "locale",
];

/// Keys that come near, or break the rules of brackets.
const ODD_KEYS: &[&str] = &[
    "email[]",
    "email]",
    "[email]",
    "email[",
    "email[x]",
    "Email",
    " email",
    "email ",
    "email\0",
    "email(1i)",
    "user",
    "user[]",
    "user[email][]",
    "user[email][x]",
    "user[email]x",
    "user[[email]]",
    "[user][email]",
    "user]email]",
    "user.email",
    "user[email(1i)]",
    "user[ email]",
    "user[]email",
    "user[][email]",
    "user[a][b]",
    "a",
    "a[]",
    "a[b]",
    "a[][b]",
    "a[b][]",
    "",
    "é",
    "a;b",
    "controller",
    "action",
    "format",
    "id",
    "_json",
    "_method[]",
    "client_id[]",
    "client_name(1i)",
    "x[y]z[w]",
];

const VALUES: &[&str] = &[
    "a@good.test",
    "carol",
    "x",
    "",
    "put",
    "PATCH",
    "get",
    "client_credentials",
    "authorization_code",
    "AbC",
    "urn:ietf:wg:oauth:2.0:oob",
    "urn:a\nurn:b",
    "1",
    "true",
    "AaA",
];

const ODD_VALUES: &[&str] = &[
    "A@GOOD.test ",
    "\ta@good.test",
    "a@good.test\0",
    "a\0@good.test",
    "a@good.test.",
    "a@b@good.test",
    "a@m\u{fc}nchen.test",
    "a@MU\u{308}NCHEN.test",
    "a@stra\u{df}e.test",
    "a@good\u{3002}test",
    "\u{ff41}@good.test",
    "a@1.2.3.4",
    "a@[1.2.3.4]",
    "<a@good.test>",
    "a(c)@good.test",
    "\"a\"@good.test",
    "a%b@good.test",
    "a+b@good.test",
    "\u{130}@good.test",
    "a@\u{212a}it.test",
    "\r\n",
    "a&b",
    "a=b",
    "a;b=c",
    "+",
    "%",
    "%00",
    "\u{feff}a@good.test",
    "\u{a0}",
    "--XX",
    "\r\n--XX--\r\n",
    "{}",
    "\"",
    "ä",
    "💩",
    "'",
    "\\",
    "a@xn--a.test",
    "a@good.test/",
    "post ",
    "\u{85}x",
    "\u{2028}",
];

/// One parameter before it is written in some form.
pub(super) type Pair = (String, String);

/// Any request.
pub(crate) fn request() -> impl Strategy<Value = Sent> {
    (
        door(),
        parameters(),
        form_of_body(),
        header::extra(),
        chunks(),
        bends(),
    )
        .prop_map(|(door, (query, body), form, extra, chunks, bends)| {
            let (method, path) = door;
            let mut sent = Sent::post("generated", "");
            sent.method = method;
            let mut target = path.into_bytes();
            if !query.is_empty() {
                target.push(b'?');
                target.extend(form.query(&query));
            }
            let (content_type, mut bytes) = form.write(&body);
            if matches!(sent.method.as_str(), "GET" | "HEAD") && !form.insists() {
                bytes.clear();
            } else {
                sent.headers.extend(
                    content_type.map(|value| ("Content-Type".to_owned(), value.into_bytes())),
                );
            }
            sent.headers.extend(extra);
            for bend in &bends {
                bend.apply(&mut target, &mut bytes, &mut sent.headers);
            }
            sent.target = target;
            sent.content = match chunks {
                Some(sizes) => Content::Chunked(bytes, sizes, ""),
                None => Content::Whole(bytes),
            };
            sent
        })
}

fn door() -> impl Strategy<Value = (String, String)> {
    let verb = prop_oneof![12 => Just(None), 1 => select(VERBS).prop_map(Some)];
    (
        select(DOORS),
        verb,
        prop_oneof![9 => Just(0_u8), 2 => 1..16_u8],
    )
        .prop_map(|((method, path), verb, how)| {
            let last = path.rsplit('/').next().unwrap_or_default();
            let head = path.strip_suffix(last).unwrap_or_default();
            let path = match how {
                1 => format!("{path}/"),
                2 => format!("/{path}"),
                3 => format!("{path}.json"),
                4 => format!("{path}."),
                5 => format!("{path}.a.b"),
                6 => format!("{path};x=1"),
                7 => format!("{head}./{last}"),
                8 => path.to_uppercase(),
                9 => format!(
                    "{head}%{:02x}{}",
                    last.bytes().next().unwrap_or(b'x'),
                    last.get(1..).unwrap_or_default()
                ),
                10 => path.replace('/', "//"),
                11 => format!("{path}.json/"),
                12 => format!("http://mastodon.test{path}"),
                13 => format!("{path}/new"),
                14 => format!("{path}%2Fx"),
                15 => format!("{path}/8"),
                _ => path.to_owned(),
            };
            (verb.unwrap_or(method).to_owned(), path)
        })
}

fn pair() -> impl Strategy<Value = Pair> {
    let key = prop_oneof![14 => select(KEYS), 1 => select(ODD_KEYS)];
    let value = prop_oneof![10 => select(VALUES), 2 => select(ODD_VALUES)];
    (key, value).prop_map(|(key, value)| (key.to_owned(), value.to_owned()))
}

/// Those in the query and those in the body.
fn parameters() -> impl Strategy<Value = (Vec<Pair>, Vec<Pair>)> {
    let some = || prop::collection::vec(pair(), 0..6);
    prop_oneof![
        6 => some().prop_map(|pairs| (Vec::new(), pairs)),
        2 => some().prop_map(|pairs| (pairs, Vec::new())),
        2 => (some(), some()),
    ]
}

/// How parameters are written.
#[derive(Clone, Debug)]
enum Form {
    Urlencoded(form::Style),
    Multipart(multipart::Style),
    Json(json::Style),
    /// With a type that Rails may ignore.
    Typed(&'static str, form::Style),
}

impl Form {
    fn query(&self, pairs: &[Pair]) -> Vec<u8> {
        let style = match self {
            Self::Urlencoded(style) | Self::Typed(_, style) => style,
            Self::Multipart(_) | Self::Json(_) => &form::Style::PLAIN,
        };
        style.query(pairs)
    }

    fn write(&self, pairs: &[Pair]) -> (Option<String>, Vec<u8>) {
        match self {
            Self::Urlencoded(style) => (Some(style.content_type()), style.body(pairs)),
            Self::Multipart(style) => (Some(style.content_type()), style.body(pairs)),
            Self::Json(style) => (Some(style.content_type()), style.body(pairs)),
            Self::Typed("", style) => (None, style.body(pairs)),
            Self::Typed(content_type, style) => {
                (Some((*content_type).to_owned()), style.body(pairs))
            }
        }
    }

    /// Even on a GET.
    fn insists(&self) -> bool {
        matches!(self, Self::Typed(..))
    }
}

const OTHER_TYPES: &[&str] = &[
    "",
    "text/plain",
    "application/octet-stream",
    "multipart/form-data",
    "multipart/mixed; boundary=XX",
    "text/json",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded, application/json",
    "garbage",
    "*/*",
    "application/xml",
];

fn form_of_body() -> impl Strategy<Value = Form> {
    prop_oneof![
        8 => form::style().prop_map(Form::Urlencoded),
        5 => multipart::style().prop_map(Form::Multipart),
        5 => json::style().prop_map(Form::Json),
        1 => (select(OTHER_TYPES), form::style()).prop_map(|(name, style)| Form::Typed(name, style)),
    ]
}

fn chunks() -> impl Strategy<Value = Option<Vec<usize>>> {
    prop_oneof![6 => Just(None), 1 => prop::collection::vec(1..40_usize, 0..4).prop_map(Some)]
}

/// One change to the bytes.
#[derive(Clone, Debug)]
struct Bend {
    place: u8,
    at: prop::sample::Index,
    how: u8,
    byte: u8,
}

const BYTES: &[u8] = b"\r\n\t \0\"\\;:,=&%+[](){}-_/.*'<>?#@abXYZ019\xff\xc3\xa4\x80";

fn bends() -> impl Strategy<Value = Vec<Bend>> {
    let bend = (
        0..8_u8,
        any::<prop::sample::Index>(),
        0..4_u8,
        select(BYTES),
    )
        .prop_map(|(place, at, how, byte)| Bend {
            place,
            at,
            how,
            byte,
        });
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(bend, 1..3)]
}

impl Bend {
    fn apply(&self, target: &mut Vec<u8>, body: &mut Vec<u8>, headers: &mut [(String, Vec<u8>)]) {
        match (self.place, headers.first_mut()) {
            (0, _) if self.byte.is_ascii_graphic() => self.bend(target),
            (1, Some((_, value))) if self.byte.is_ascii_graphic() => self.bend(value),
            _ => self.bend(body),
        }
    }

    fn bend(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        // Not before the slash of a target.
        let at = self.at.index(bytes.len()).max(1).min(bytes.len() - 1);
        match self.how {
            0 => bytes.insert(at, self.byte),
            1 => drop(bytes.remove(at)),
            2 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.byte;
                }
            }
            _ => {
                let piece: Vec<u8> = bytes.iter().skip(at).take(7).copied().collect();
                bytes.extend(piece);
            }
        }
    }
}
