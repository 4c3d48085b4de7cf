//! What an answer must know of the request: does the client want JSON, in
//! which language, from another origin, with a body.
//!
//! Everything here is the client's choice and decides only how the refusal
//! looks, never whether there is one.

use http::header::{ACCEPT, HeaderMap, ORIGIN};
use http::{Method, request::Parts};

use super::language::Language;

/// Media ranges beyond these are not read.
const MOST_RANGES: usize = 32;

/// The part of a request that decides the form of a refusal.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// JSON is preferred to HTML, by `Accept` or by the path's suffix.
    pub json: bool,
    /// From `?lang=`, else `Accept-Language`, else English: as Mastodon chooses.
    pub language: Language,
    /// There is an `Origin`: CORS headers are due where Mastodon sends them.
    pub origin: bool,
    /// The method is `HEAD`: no body.
    pub head: bool,
    /// Where the path lies, for requests whose door is not known.
    pub place: Place,
}

/// The part of Mastodon that a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/api/…`.
    Api,
    /// `/oauth/token`.
    Token,
    /// The rest.
    Web,
}

impl Asker {
    /// Reads a request's head, as the client sent it.
    #[must_use]
    pub fn of(head: &Parts) -> Self {
        let path = head.uri.path();
        Self {
            json: path.trim_end_matches('/').ends_with(".json") || wants_json(&head.headers),
            language: Language::of(head.uri.query(), &head.headers),
            origin: head.headers.contains_key(ORIGIN),
            head: head.method == Method::HEAD,
            place: place(path),
        }
    }
}

/// Rails ignores repeated slashes.
fn place(path: &str) -> Place {
    // As nearly all are.
    if path.starts_with("/api/") {
        return Place::Api;
    }
    if path == "/oauth/token" {
        return Place::Token;
    }
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    match (parts.next(), parts.next()) {
        (Some("api"), _) => Place::Api,
        (Some("oauth"), Some(token)) if token == "token" || token.starts_with("token.") => {
            Place::Token
        }
        _ => Place::Web,
    }
}

/// Whether a JSON type is weighed higher than HTML; `*/*` speaks for neither.
fn wants_json(headers: &HeaderMap) -> bool {
    let ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter(|value| *value != "*/*")
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .take(MOST_RANGES);
    let (mut json, mut html) = (0, 0);
    for range in ranges {
        let (name, weight) = weighed(range);
        let name = name.to_ascii_lowercase();
        if name.ends_with("/json") || name.ends_with("+json") {
            json = json.max(weight);
        } else if name == "text/html" || name == "application/xhtml+xml" {
            html = html.max(weight);
        }
    }
    json > html
}

/// A range of `Accept` or `Accept-Language` and its weight in thousandths
/// (RFC 9110 §12.4.2); an odd weight counts as none given.
pub(super) fn weighed(range: &str) -> (&str, u32) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts
        .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
        .and_then(|text| text.parse::<f32>().ok())
        .filter(|weight| (0.0..=1.0).contains(weight))
        .unwrap_or(1.0);
    // In range by the filter, so the cast neither wraps nor loses its sign.
    (name, (weight * 1000.0).round() as u32)
}
