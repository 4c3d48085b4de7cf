//! Parameters, read leniently: query, then form, JSON or multipart.
//!
//! Keys keep their brackets (`user[email]`); JSON objects are flattened to the
//! same spelling and arrays to `key[]`. A later value of one key wins.

use std::collections::BTreeMap;

use http::header::{CONTENT_TYPE, HeaderMap};
use http::request::Parts;

/// Parameters by bracketed key.
#[derive(Debug, Default)]
pub(super) struct Params(BTreeMap<String, Vec<String>>);

impl Params {
    /// The last value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.last().map(String::as_str)
    }

    /// Every value of `key` and of `key[]`.
    pub(super) fn list(&self, key: &str) -> Vec<&str> {
        [key.to_owned(), format!("{key}[]")]
            .iter()
            .filter_map(|key| self.0.get(key))
            .flatten()
            .map(String::as_str)
            .collect()
    }

    fn add(&mut self, key: &str, value: &str) {
        self.0
            .entry(key.to_owned())
            .or_default()
            .push(value.to_owned());
    }
}

pub(super) fn read(head: &Parts, body: &[u8]) -> Params {
    let mut params = Params::default();
    form(&mut params, head.uri.query().unwrap_or(""));
    let kind = text_of(&head.headers, CONTENT_TYPE.as_str()).to_ascii_lowercase();
    let body = String::from_utf8_lossy(body);
    if kind.starts_with("application/json") {
        if let Ok(value) = serde_json::from_str(&body) {
            json(&mut params, "", &value);
        }
    } else if kind.starts_with("multipart/form-data") {
        multipart(
            &mut params,
            text_of(&head.headers, CONTENT_TYPE.as_str()),
            &body,
        );
    } else {
        form(&mut params, &body);
    }
    params
}

/// A header's first value, or nothing.
pub(super) fn text_of<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

fn form(params: &mut Params, text: &str) {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        params.add(&unescape(key), &unescape(value));
    }
}

/// Undoes `+` and `%XX`; what is no escape stays.
pub(super) fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => out.push(b' '),
            b'%' => match two_digits(&rest) {
                Some(value) => {
                    out.push(value);
                    rest.nth(1);
                }
                None => out.push(b'%'),
            },
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn two_digits(ahead: &std::str::Bytes<'_>) -> Option<u8> {
    let mut ahead = ahead.clone();
    let high = char::from(ahead.next()?).to_digit(16)?;
    let low = char::from(ahead.next()?).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

fn json(params: &mut Params, key: &str, value: &serde_json::Value) {
    use serde_json::Value;
    match value {
        Value::Null => {}
        Value::Bool(flag) => params.add(key, &flag.to_string()),
        Value::Number(number) => params.add(key, &number.to_string()),
        Value::String(text) => params.add(key, text),
        Value::Array(items) => {
            for item in items {
                json(params, &format!("{key}[]"), item);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let inner = if key.is_empty() {
                    name.clone()
                } else {
                    format!("{key}[{name}]")
                };
                json(params, &inner, field);
            }
        }
    }
}

fn multipart(params: &mut Params, kind: &str, body: &str) {
    let Some((_, boundary)) = kind.split_once("boundary=") else {
        return;
    };
    let boundary = boundary.split(';').next().unwrap_or("").trim_matches('"');
    for part in body.split(&format!("--{boundary}")) {
        let Some((head, value)) = part.split_once("\r\n\r\n") else {
            continue;
        };
        let Some((_, name)) = head.split_once("name=\"") else {
            continue;
        };
        let name = name.split('"').next().unwrap_or("");
        params.add(name, value.strip_suffix("\r\n").unwrap_or(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(kind: &str, target: &str, body: &str, key: &str) -> Option<String> {
        let request = http::Request::builder()
            .uri(target)
            .header(CONTENT_TYPE, kind)
            .body(())
            .expect("a request");
        let (head, ()) = request.into_parts();
        read(&head, body.as_bytes()).get(key).map(str::to_owned)
    }

    #[test]
    fn every_kind_of_body_gives_the_same() {
        let form = "application/x-www-form-urlencoded";
        let part =
            "--b\r\nContent-Disposition: form-data; name=\"user[email]\"\r\n\r\na+b@c.d\r\n--b--";
        for (kind, body) in [
            (form, "x=1&user%5Bemail%5D=a%2Bb%40c.d"),
            ("application/json", r#"{"user":{"email":"a+b@c.d"}}"#),
            ("multipart/form-data; boundary=b", part),
        ] {
            let found = get(kind, "/auth", body, "user[email]");
            assert_eq!(found.as_deref(), Some("a+b@c.d"), "{kind}");
        }
        assert_eq!(get(form, "/a?x=100%&y", "", "x").as_deref(), Some("100%"));
    }
}
