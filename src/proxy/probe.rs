//! What the gate sees of a request's sender, told to whoever holds a nonce:
//! the way `doctor` finds out whether the client's address arrives.
//!
//! While a probe is armed through the admin socket, a GET of [`PREFIX`] and its
//! nonce is answered by the gate itself, never forwarded, and what came with it
//! is kept for `doctor` to read. Any other path, and every path while nothing is
//! armed, passes as ever: a request then pays one relaxed load. One register
//! for the process, like the metrics: a nonce is unguessable, so two gates in
//! one process cannot mistake each other's probes. Nothing here judges.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::Body;
use super::client_ip::Peer;
use super::headers::{Scheme, X_FORWARDED_FOR};
use crate::attempt::ClientIp;

/// Where a probe is asked for; its nonce follows.
pub const PREFIX: &str = "/.well-known/tuskgate-doctor/";
/// How long a probe stays armed if nobody ends it.
pub const LASTING: Duration = Duration::from_secs(15 * 60);

/// Probes armed at once; the oldest gives way.
const ARMED_AT_ONCE: usize = 8;
/// Sightings kept of one probe; later ones are answered but not kept.
const KEPT: usize = 16;
/// Bytes kept of any header.
const HEADER_KEPT: usize = 300;

/// What the gate saw of one request that asked for a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Sighting {
    /// The client, if its address stands for one.
    pub client: Option<IpAddr>,
    /// Why it does not, in words.
    pub unknown: Option<String>,
    /// The other end of the socket; `None` for a unix socket.
    pub peer: Option<IpAddr>,
    /// Whether that peer's headers are believed.
    pub trusted: bool,
    /// `X-Forwarded-For` as it came, several lines joined; `None` if there was none.
    pub forwarded_for: Option<String>,
    /// `http` or `https`, as believed.
    pub scheme: String,
    /// `Host` as it came.
    pub host: String,
}

#[derive(Debug)]
struct Probe {
    nonce: String,
    since: Instant,
    seen: Vec<Sighting>,
}

static ARMED: AtomicUsize = AtomicUsize::new(0);
static PROBES: Mutex<Vec<Probe>> = Mutex::new(Vec::new());

/// Arms a probe and returns its nonce: 32 hexadecimal digits.
///
/// # Errors
/// If the system has no randomness to give.
pub fn arm() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    let mut nonce = String::with_capacity(32);
    for byte in bytes {
        let _ = write!(nonce, "{byte:02x}");
    }
    let mut probes = PROBES.lock();
    tidy(&mut probes);
    if probes.len() >= ARMED_AT_ONCE {
        probes.remove(0);
    }
    probes.push(Probe {
        nonce: nonce.clone(),
        since: Instant::now(),
        seen: Vec::new(),
    });
    ARMED.store(probes.len(), Ordering::Relaxed);
    Ok(nonce)
}

/// What was seen under `nonce` so far; `None` if it is not armed (any more).
#[must_use]
pub fn seen(nonce: &str) -> Option<Vec<Sighting>> {
    let mut probes = PROBES.lock();
    tidy(&mut probes);
    let probe = probes.iter().find(|probe| probe.nonce == nonce)?;
    Some(probe.seen.clone())
}

/// Ends a probe; its path is like any other from here on.
pub fn end(nonce: &str) {
    let mut probes = PROBES.lock();
    probes.retain(|probe| probe.nonce != nonce);
    tidy(&mut probes);
}

fn tidy(probes: &mut Vec<Probe>) {
    probes.retain(|probe| probe.since.elapsed() < LASTING);
    ARMED.store(probes.len(), Ordering::Relaxed);
}

/// Whether anybody waits for a probe: all that an ordinary request pays.
pub(super) fn is_armed() -> bool {
    ARMED.load(Ordering::Relaxed) != 0
}

/// The sender of a request, as identified.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    pub(super) client: ClientIp,
    pub(super) peer: Peer,
    pub(super) trusted: bool,
    pub(super) scheme: Scheme,
}

/// The nonce that `request` asks for, whether armed or not.
pub(super) fn asked(request: &Request<Body>) -> Option<&str> {
    let read = matches!(*request.method(), Method::GET | Method::HEAD);
    read.then(|| request.uri().path().strip_prefix(PREFIX))?
}

/// Keeps what was seen and answers with it; `None` if the nonce is not armed.
pub(super) fn answer(nonce: &str, headers: &HeaderMap, sender: Sender) -> Option<Response<Body>> {
    let mut probes = PROBES.lock();
    tidy(&mut probes);
    let probe = probes.iter_mut().find(|probe| probe.nonce == nonce)?;
    let sighting = sighting(headers, sender);
    let text = serde_json::to_string(&sighting).unwrap_or_default();
    if probe.seen.len() < KEPT {
        probe.seen.push(sighting);
    }
    let mut response = Response::new(Body::from(text + "\n"));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

fn sighting(headers: &HeaderMap, sender: Sender) -> Sighting {
    let lines: Vec<_> = headers
        .get_all(X_FORWARDED_FOR)
        .iter()
        .map(excerpt)
        .collect();
    Sighting {
        client: sender.client.known(),
        unknown: match sender.client {
            ClientIp::Known(_) => None,
            ClientIp::Unknown(why) => Some(why.to_string()),
        },
        peer: match sender.peer {
            Peer::Tcp(socket) => Some(socket.ip().to_canonical()),
            Peer::Unix => None,
        },
        trusted: sender.trusted,
        forwarded_for: (!lines.is_empty()).then(|| lines.join(", ")),
        scheme: match sender.scheme {
            Scheme::Http => "http".into(),
            Scheme::Https => "https".into(),
        },
        host: headers.get(HOST).map(excerpt).unwrap_or_default(),
    }
}

fn excerpt(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    let kept = bytes.get(..HEADER_KEPT).unwrap_or(bytes);
    String::from_utf8_lossy(kept).escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::Unknown;

    const SENDER: Sender = Sender {
        client: ClientIp::Unknown(Unknown::Missing),
        peer: Peer::Unix,
        trusted: true,
        scheme: Scheme::Https,
    };

    #[test]
    fn only_an_armed_nonce_is_answered_and_kept() {
        let headers = HeaderMap::new();
        assert!(answer("0123", &headers, SENDER).is_none());
        let nonce = arm().expect("randomness");
        assert!(is_armed());
        assert_eq!(seen(&nonce), Some(Vec::new()));
        assert!(answer("0123", &headers, SENDER).is_none());
        for _ in 0..KEPT + 5 {
            assert!(answer(&nonce, &headers, SENDER).is_some());
        }
        let kept = seen(&nonce).expect("armed");
        assert_eq!(kept.len(), KEPT);
        assert_eq!((kept[0].client, kept[0].peer), (None, None));
        assert!(kept[0].unknown.is_some() && kept[0].scheme == "https");
        end(&nonce);
        assert_eq!(seen(&nonce), None);
        assert!(answer(&nonce, &headers, SENDER).is_none());
    }

    #[test]
    fn only_reading_asks_for_a_probe() {
        let path = format!("{PREFIX}abc");
        for (method, target, expected) in [
            ("GET", path.as_str(), Some("abc")),
            ("HEAD", path.as_str(), Some("abc")),
            ("POST", path.as_str(), None),
            ("GET", "/.well-known/webfinger", None),
        ] {
            let request = Request::builder().method(method).uri(target);
            let request = request.body(Body::empty()).expect("a request");
            assert_eq!(asked(&request), expected, "{method} {target}");
        }
    }

    #[test]
    fn headers_are_cut_and_shown_harmless() {
        let mut headers = HeaderMap::new();
        let long = "9".repeat(5000);
        headers.append(X_FORWARDED_FOR, HeaderValue::from_str(&long).expect("ok"));
        let odd = HeaderValue::from_bytes(b"\xff\x80").expect("opaque");
        headers.append(X_FORWARDED_FOR, odd);
        let sighting = sighting(&headers, SENDER);
        let seen = sighting.forwarded_for.expect("two lines");
        assert!(seen.len() < 2 * HEADER_KEPT && seen.is_ascii() || seen.contains('\u{fffd}'));
    }
}
