//! One request as it is put on the wire, byte by byte, and as a line of JSON.
//!
//! Two headers are added to every request: `X-Test-Echo`, which has Rails tell
//! what it read, and `X-Test-Id`, by which the recording upstream knows which
//! request it heard.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// A request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The row of the facts it stands for, or where it comes from.
    pub(crate) source: String,
    /// What an honest client sends: the gate must not refuse it.
    pub(crate) honest: bool,
    pub(crate) method: String,
    pub(crate) target: Vec<u8>,
    pub(crate) version: String,
    /// Without `Host`, which is otherwise added unless it is among the headers.
    pub(crate) hostless: bool,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) content: Content,
}

/// What follows the head.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// With `Content-Length`, except for an empty one of a GET or HEAD.
    Whole(Vec<u8>),
    /// In chunks of these sizes (the last takes the rest), with this text behind each size.
    Chunked(Vec<u8>, Vec<usize>, &'static str),
    /// These bytes and no header of framing but those given.
    Bare(Vec<u8>),
}

impl Content {
    /// The body as it must arrive; unknown where the framing is the point.
    pub(crate) fn body(&self) -> Option<&[u8]> {
        match self {
            Self::Whole(body) | Self::Chunked(body, ..) => Some(body),
            Self::Bare(_) => None,
        }
    }
}

impl Sent {
    /// A POST without anything, to be filled.
    pub(crate) fn post(source: &str, target: &str) -> Self {
        Self {
            source: source.to_owned(),
            honest: false,
            method: "POST".to_owned(),
            target: target.as_bytes().to_vec(),
            version: "HTTP/1.1".to_owned(),
            hostless: false,
            headers: Vec::new(),
            content: Content::Whole(Vec::new()),
        }
    }

    /// The bytes, under the id `id`.
    pub(crate) fn wire(&self, id: &str) -> Vec<u8> {
        let mut wire = format!("{} ", self.method).into_bytes();
        wire.extend(&self.target);
        wire.extend(format!(" {}\r\n", self.version).as_bytes());
        let named = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"));
        if !named && !self.hostless {
            wire.extend(b"Host: mastodon.test\r\n");
        }
        wire.extend(format!("X-Test-Echo: 1\r\nX-Test-Id: {id}\r\n").as_bytes());
        for (name, value) in &self.headers {
            // A name alone is a whole line, as it stands.
            wire.extend(name.as_bytes());
            if !name.contains(':') {
                wire.extend(b": ");
            }
            wire.extend(value);
            wire.extend(b"\r\n");
        }
        self.frame(&mut wire);
        wire
    }

    fn frame(&self, wire: &mut Vec<u8>) {
        match &self.content {
            Content::Whole(body) => {
                if !body.is_empty() || !matches!(self.method.as_str(), "GET" | "HEAD") {
                    wire.extend(format!("Content-Length: {}\r\n", body.len()).as_bytes());
                }
                wire.extend(b"\r\n");
                wire.extend(body);
            }
            Content::Chunked(body, sizes, extension) => {
                wire.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                let mut rest = body.as_slice();
                for size in sizes.iter().copied().chain([usize::MAX]) {
                    let (chunk, after) =
                        rest.split_at(size.clamp(1, rest.len().max(1)).min(rest.len()));
                    rest = after;
                    if chunk.is_empty() {
                        break;
                    }
                    wire.extend(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
                    wire.extend(chunk);
                    wire.extend(b"\r\n");
                }
                wire.extend(b"0\r\n\r\n");
            }
            Content::Bare(bytes) => {
                wire.extend(b"\r\n");
                wire.extend(bytes);
            }
        }
    }

    /// Origin-form without fragment, as it must reach the upstream.
    pub(crate) fn origin_form(&self) -> Vec<u8> {
        let cut = self.target.iter().position(|&byte| byte == b'#');
        let target = self
            .target
            .get(..cut.unwrap_or(self.target.len()))
            .unwrap_or_default();
        let text = String::from_utf8_lossy(target);
        match text.split_once("://") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
                let at = rest.find(['/', '?']).unwrap_or(rest.len());
                match rest.split_at(at).1 {
                    "" => b"/".to_vec(),
                    query if query.starts_with('?') => format!("/{query}").into_bytes(),
                    path => path.as_bytes().to_vec(),
                }
            }
            _ => target.to_vec(),
        }
    }

    /// Reads a line of the vectors: the shape of `tests/rack/vectors.jsonl`,
    /// with `source`, `version`, `chunks` and `bare` beside it.
    pub(crate) fn read(line: &str) -> Self {
        let json: Value = serde_json::from_str(line).expect("a vector is JSON");
        let text = |key: &str| json[key].as_str().map(str::to_owned);
        let bytes = |key: &str| match json[format!("{key}64")].as_str() {
            Some(coded) => Some(STANDARD.decode(coded).expect("base64")),
            None => json[key].as_str().map(|text| text.as_bytes().to_vec()),
        };
        let headers = json["headers"].as_array().map_or(&[][..], Vec::as_slice);
        let body = bytes("body").unwrap_or_default();
        let content = match (bytes("bare"), json["chunks"].as_array()) {
            (Some(bare), _) => Content::Bare(bare),
            (None, Some(sizes)) => Content::Chunked(body, sizes.iter().map(size).collect(), ""),
            (None, None) => Content::Whole(body),
        };
        Self {
            source: text("source").or_else(|| text("name")).expect("a source"),
            honest: json["honest"].as_bool().unwrap_or_default(),
            method: text("method").unwrap_or_else(|| "POST".to_owned()),
            target: bytes("target").expect("a target"),
            version: text("version").unwrap_or_else(|| "HTTP/1.1".to_owned()),
            hostless: json["hostless"].as_bool().unwrap_or_default(),
            headers: headers.iter().map(header).collect(),
            content,
        }
    }

    /// The line that [`Sent::read`] reads back.
    pub(crate) fn line(&self) -> String {
        let coded = |bytes: &[u8]| STANDARD.encode(bytes);
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| json!([name, {"64": coded(value)}]))
            .collect();
        let mut line = json!({
            "source": self.source, "honest": self.honest, "method": self.method,
            "target64": coded(&self.target), "version": self.version, "hostless": self.hostless, "headers": headers,
        });
        match &self.content {
            Content::Whole(body) => line["body64"] = coded(body).into(),
            Content::Chunked(body, sizes, _) => {
                line["body64"] = coded(body).into();
                line["chunks"] = json!(sizes);
            }
            Content::Bare(bytes) => line["bare64"] = coded(bytes).into(),
        }
        line.to_string()
    }
}

fn size(json: &Value) -> usize {
    usize::try_from(json.as_u64().expect("a size")).expect("a small one")
}

fn header(json: &Value) -> (String, Vec<u8>) {
    let name = json[0].as_str().expect("a header's name").to_owned();
    let value = match json[1]["64"].as_str() {
        Some(coded) => STANDARD.decode(coded).expect("base64"),
        None => json[1]
            .as_str()
            .expect("a header's value")
            .as_bytes()
            .to_vec(),
    };
    (name, value)
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n    {}", self.source, self.wire("x").escape_ascii())
    }
}
