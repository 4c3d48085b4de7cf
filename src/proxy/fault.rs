//! What the proxy answers when it cannot do what it was asked.
//!
//! Each fault knows whose it is. The answer is JSON where the client is a
//! program (under `/api`, at `/oauth/token`, or by its `Accept`) in Mastodon's
//! own shape, and a plain page else.

use http::header::{ACCEPT, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::Body;

/// Why a request was not answered by the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// `CONNECT`: the gate is no forward proxy.
    Method,
    /// Not exactly one `Host`.
    Host,
    /// The target is not a path.
    Target,
    /// A transfer coding other than `chunked`.
    Coding,
    /// The request's body stopped coming.
    BodyStall,
    /// The request's body broke off or broke its framing.
    BodyBroken,
    /// No address of the upstream takes connections.
    Unreachable,
    /// The upstream hung up or answered what is not HTTP.
    Broken,
    /// The upstream said nothing in time.
    Silent,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The client's.
    Downstream,
    /// Mastodon's, or the way to it.
    Upstream,
    /// Ours.
    Internal,
}

impl Source {
    /// The metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Downstream => "downstream",
            Self::Upstream => "upstream",
            Self::Internal => "internal",
        }
    }
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 9] = [
        Self::Method,
        Self::Host,
        Self::Target,
        Self::Coding,
        Self::BodyStall,
        Self::BodyBroken,
        Self::Unreachable,
        Self::Broken,
        Self::Silent,
    ];

    /// The metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Host => "host",
            Self::Target => "target",
            Self::Coding => "coding",
            Self::BodyStall => "body-stall",
            Self::BodyBroken => "body-broken",
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
            Self::Silent => "silent",
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn source(self) -> Source {
        match self {
            Self::Method
            | Self::Host
            | Self::Target
            | Self::Coding
            | Self::BodyStall
            | Self::BodyBroken => Source::Downstream,
            Self::Unreachable | Self::Broken | Self::Silent => Source::Upstream,
        }
    }

    /// Counts it.
    pub(super) fn count(self) {
        let metrics = &crate::telemetry::metrics().proxy;
        metrics.failed(self.source().name(), self.name());
    }

    /// The status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Method | Self::Host | Self::Target | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::Coding => StatusCode::NOT_IMPLEMENTED,
            Self::BodyStall => StatusCode::REQUEST_TIMEOUT,
            Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::BAD_GATEWAY,
            Self::Silent => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Method => "This server is not a proxy",
            Self::Host => "A request needs exactly one Host header",
            Self::Target => "The request target is not a path",
            Self::Coding => "The body's transfer coding is not supported",
            Self::BodyStall => "The request took too long to arrive",
            Self::BodyBroken => "The request broke off",
            Self::Unreachable => "The server is down for a moment, please try again soon",
            Self::Broken => "The server gave no proper answer, please try again soon",
            Self::Silent => "The server took too long to answer, please try again later",
        }
    }
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"error": "..."}`.
    Json,
    /// A page for a person.
    Page,
}

impl Shape {
    /// The form that the client of `path` can read.
    #[must_use]
    pub fn fitting(path: &str, headers: &HeaderMap) -> Self {
        let api = path.starts_with("/api/") || path == "/oauth/token";
        let asks = || {
            headers
                .get(ACCEPT)
                .is_some_and(|accept| prefers_json(accept.as_bytes()))
        };
        if api || asks() {
            Self::Json
        } else {
            Self::Page
        }
    }
}

/// `application/json` or a `+json` type, and no `text/html` before it.
fn prefers_json(accept: &[u8]) -> bool {
    let first = accept
        .split(|&byte| byte == b',')
        .filter_map(|range| range.split(|&byte| byte == b';').next())
        .map(<[u8]>::trim_ascii)
        .find(|range| range.eq_ignore_ascii_case(b"text/html") || range.ends_with(b"json"));
    first.is_some_and(|range| range.ends_with(b"json"))
}

/// The answer to a request that met `fault`.
#[must_use]
pub fn answer(fault: Fault, shape: Shape) -> Response<Body> {
    let (kind, text) = match shape {
        Shape::Json => (
            "application/json; charset=utf-8",
            format!("{{\"error\":\"{}\"}}", fault.text()),
        ),
        Shape::Page => ("text/html; charset=utf-8", page(fault)),
    };
    let mut response = Response::new(text.into());
    *response.status_mut() = fault.status();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if fault == Fault::Unreachable {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    if fault.source() == Source::Downstream {
        // Whatever else such a client sends is not worth interpreting.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    // For whoever stands further out and must tell it from a reply.
    response.extensions_mut().insert(fault);
    response
}

fn page(fault: Fault) -> String {
    let (status, text) = (fault.status(), fault.text());
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{status}</title>\n\
         <style>body{{font:1.1em/1.5 sans-serif;max-width:34em;margin:4em auto;padding:0 1em}}</style>\n\
         </head>\n<body>\n<main>\n<h1>{status}</h1>\n<p>{text}.</p>\n</main>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(path: &str, accept: &str) -> Shape {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, accept.parse().expect("a header value"));
        Shape::fitting(path, &headers)
    }

    #[test]
    fn programs_get_json_and_people_a_page() {
        let browser = "text/html,application/xhtml+xml,*/*;q=0.8";
        for (path, accept, expected) in [
            ("/api/v1/apps", browser, Shape::Json),
            ("/oauth/token", "*/*", Shape::Json),
            ("/auth", browser, Shape::Page),
            ("/auth", "application/json", Shape::Json),
            (
                "/users/a",
                "application/activity+json, text/html",
                Shape::Json,
            ),
            ("/users/a", "text/html, application/json", Shape::Page),
            ("/apix", "*/*", Shape::Page),
        ] {
            assert_eq!(shape(path, accept), expected, "{path} {accept}");
        }
    }

    #[test]
    fn every_fault_has_its_own_name_and_an_error_status() {
        let names: std::collections::HashSet<_> = Fault::ALL.map(Fault::name).into();
        assert_eq!(names.len(), Fault::ALL.len());
        for fault in Fault::ALL {
            assert!(fault.status().is_client_error() || fault.status().is_server_error());
        }
    }
}
