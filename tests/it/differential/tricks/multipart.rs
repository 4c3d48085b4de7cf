//! Pairs as `multipart/form-data`.

use proptest::prelude::*;
use proptest::sample::select;

use super::Pair;

/// How it is written.
#[derive(Clone, Debug)]
pub(super) struct Style {
    content_type: &'static str,
    boundary: &'static str,
    /// The head of the part of this number, `NAME` standing for its name.
    head: Option<(usize, &'static str)>,
    eol: &'static str,
    before: &'static str,
    end: &'static str,
}

const TYPES: &[&str] = &[
    "multipart/form-data; boundary=\"B\"",
    "Multipart/Form-Data; BOUNDARY=B",
    "multipart/form-data; charset=utf-8; boundary=B",
    "multipart/form-data; boundary=B; charset=utf-8",
    "multipart/form-data;boundary=B",
    "multipart/form-data; xboundary=B",
    "multipart/form-data; boundary =B",
    "multipart/form-data; boundary=B; boundary=C",
    "multipart/form-data; boundary=C; boundary=B",
    "multipart/form-data, boundary=B",
    "multipart/related; boundary=B",
    "multipart/mixed; boundary=B",
    "multipart/form-data; boundary='B'",
    "multipart/form-data; boundary=B;",
    "multipart/form-data; boundary=\"B",
    "multipart/form-data; boundary=B x",
];

const BOUNDARIES: &[&str] = &[
    "----WebKitFormBoundary7MA4YWxkTrZu0gW",
    "3c7a9f0e5d2b4c1a",
    "XX--",
    "--",
    "a'b",
    "=a=",
    "boundary",
    "a:b",
    "a+b/c?d",
    "(a)",
];

const HEADS: &[&str] = &[
    "Content-Disposition: form-data; name=NAME",
    "content-disposition:form-data;name=\"NAME\"",
    "Content-Disposition: attachment; name=\"NAME\"",
    "Content-Disposition: form-data; name=\"NAME\"; filename=\"a\"",
    "Content-Disposition: form-data; name=\"NAME\"; filename=\"\"",
    "Content-Disposition: form-data; filename=\"a\"; name=\"NAME\"",
    "Content-Disposition: form-data; name=\"x\"; name=\"NAME\"",
    "Content-Disposition: form-data; name=\"NAME\"; name=\"x\"",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-Disposition: form-data; name=\"x\"",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-Type: text/plain",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-Type: text/plain; charset=utf-8",
    "Content-Type: text/plain; charset=US-ASCII\r\nContent-Disposition: form-data; name=\"NAME\"",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-Type: text/plain; charset=iso-8859-1",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-Type: text/plain; charset=utf-16",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-Type: application/json",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-Transfer-Encoding: base64",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-Transfer-Encoding: binary\r\nContent-Length: 3",
    "Content-Disposition: form-data; name=\"NAME\"\r\nContent-ID: x",
    "Content-ID: NAME",
    "Content-Disposition: form-data;\r\n name=\"NAME\"",
    "Content-Disposition: form-data; NAME=\"NAME\"",
    "Content-Disposition: form-data; name*=utf-8''NAME",
    "Content-Disposition: form-data; name = \"NAME\"",
    "Content-Disposition: form-data; name=\"NAME\";",
    "Content-Disposition: form-data; name='NAME'",
    "Content-Disposition: form-data; name=\"\\NAME\"",
    "X-A: b\r\nContent-Disposition: form-data; name=\"NAME\"",
    "Content-Disposition: form-data",
    "Content-Type: text/plain",
    "",
];

const ENDS: &[&str] = &[
    "--",
    "--\n",
    "-- \r\n",
    "--\r\n\r\n",
    "--\r\nx",
    "",
    "\r\n",
    "-",
    "--x\r\n",
];

impl Style {
    pub(super) fn content_type(&self) -> String {
        self.content_type
            .replace("=B", &format!("={}", self.boundary))
            .replace("\"B", &format!("\"{}", self.boundary))
            .replace("'B", &format!("'{}", self.boundary))
    }

    pub(super) fn body(&self, pairs: &[Pair]) -> Vec<u8> {
        let Self { boundary, eol, .. } = self;
        let mut body = self.before.to_owned();
        for (index, (key, value)) in pairs.iter().enumerate() {
            let head = match self.head {
                Some((at, head)) if at == index => head,
                _ => "Content-Disposition: form-data; name=\"NAME\"",
            };
            let head = head.replace("NAME", key);
            body.push_str(&format!("--{boundary}{eol}{head}{eol}{eol}{value}{eol}"));
        }
        body.push_str(&format!("--{boundary}{}", self.end));
        body.into_bytes()
    }
}

pub(super) fn style() -> impl Strategy<Value = Style> {
    (
        prop_oneof![8 => Just("multipart/form-data; boundary=B"), 1 => select(TYPES)],
        prop_oneof![3 => Just("XX"), 1 => select(BOUNDARIES)],
        prop_oneof![3 => Just(None), 1 => (0..3_usize, select(HEADS)).prop_map(Some)],
        prop_oneof![40 => Just("\r\n"), 1 => Just("\n")],
        prop_oneof![30 => Just(""), 1 => select(&["\r\n", "x\r\n", " ", "--XX\r\n"][..])],
        prop_oneof![12 => Just("--\r\n"), 1 => select(ENDS)],
    )
        .prop_map(|(content_type, boundary, head, eol, before, end)| Style {
            content_type,
            boundary,
            head,
            eol,
            before,
            end,
        })
}
