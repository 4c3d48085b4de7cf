//! What the stand-in was asked, kept for assertions.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use parking_lot::Mutex;

/// One request as it came over the wire.
#[derive(Debug)]
pub struct Recorded {
    /// Which connection it came on, counted from zero.
    pub connection: u64,
    /// The method.
    pub method: Method,
    /// The target, byte for byte (a fragment would be cut by hyper).
    pub target: String,
    /// The version.
    pub version: Version,
    /// The headers; the order between different names is lost.
    pub headers: HeaderMap,
    body: Mutex<BytesMut>,
    received: AtomicU64,
    trailers: Mutex<Option<HeaderMap>>,
}

impl Recorded {
    /// How many requests are kept.
    pub const KEPT: usize = 20_000;
    /// How much of a body is kept, in bytes.
    pub const BODY_KEPT: usize = 256 * 1024;

    /// The body so far, up to [`Self::BODY_KEPT`].
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        self.body.lock().to_vec()
    }

    /// How many bytes of the body have come.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// The trailers, once they have come.
    #[must_use]
    pub fn trailers(&self) -> Option<HeaderMap> {
        self.trailers.lock().clone()
    }

    /// The first value of a header, as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn note(&self, part: &[u8]) {
        self.received.fetch_add(part.len() as u64, Relaxed);
        let mut body = self.body.lock();
        let room = Self::BODY_KEPT.saturating_sub(body.len());
        body.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    pub(super) fn note_trailers(&self, trailers: HeaderMap) {
        *self.trailers.lock() = Some(trailers);
    }

    /// Reads a body to its end, noting it.
    pub(super) async fn whole(&self, mut body: Incoming) -> Result<Bytes, hyper::Error> {
        let mut all = BytesMut::new();
        while let Some(frame) = body.frame().await {
            match frame?.into_data() {
                Ok(part) => {
                    self.note(&part);
                    if all.len() < MOST_READ {
                        all.extend_from_slice(&part);
                    }
                }
                Err(frame) => {
                    if let Ok(trailers) = frame.into_trailers() {
                        self.note_trailers(trailers);
                    }
                }
            }
        }
        Ok(all.freeze())
    }
}

/// More than any form of Mastodon's.
const MOST_READ: usize = 4 * 1024 * 1024;

/// The requests of one stand-in.
#[derive(Debug, Default)]
pub(super) struct Log {
    kept: Mutex<VecDeque<Arc<Recorded>>>,
    count: AtomicU64,
    connections: AtomicU64,
}

impl Log {
    pub(super) fn connection(&self) -> u64 {
        self.connections.fetch_add(1, Relaxed)
    }

    pub(super) fn begin<B>(&self, connection: u64, request: &Request<B>) -> Arc<Recorded> {
        let recorded = Arc::new(Recorded {
            connection,
            method: request.method().clone(),
            target: request.uri().to_string(),
            version: request.version(),
            headers: copied(request.headers()),
            body: Mutex::default(),
            received: AtomicU64::new(0),
            trailers: Mutex::default(),
        });
        self.count.fetch_add(1, Relaxed);
        let mut kept = self.kept.lock();
        if kept.len() >= Recorded::KEPT {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(&recorded));
        recorded
    }

    pub(super) fn all(&self) -> Vec<Arc<Recorded>> {
        self.kept.lock().iter().cloned().collect()
    }

    pub(super) fn count(&self) -> u64 {
        self.count.load(Relaxed)
    }
}

/// Values of their own: hyper's are slices of a connection's whole read buffer,
/// which would be kept with them.
fn copied(headers: &HeaderMap) -> HeaderMap {
    let copy = |value: &HeaderValue| {
        HeaderValue::from_bytes(value.as_bytes()).expect("a header value's own bytes")
    };
    headers
        .iter()
        .map(|(name, value)| (name.clone(), copy(value)))
        .collect()
}
