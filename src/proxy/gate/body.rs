//! Reading a guarded request's body whole, within two bounds: one a request,
//! one for all requests held at the same moment.
//!
//! The bytes read are the bytes forwarded. A body over the first bound is a
//! 413; when the second is reached the gate answers 503 rather than grow.
//! Where nothing is to be refused, both go on unread instead, put together
//! again with what was read of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use http_body::{Body as _, Frame};
use http_body_util::BodyExt;

use crate::proxy::Body;

/// The two bounds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// One guarded body.
    pub one: usize,
    /// All guarded bodies held at a moment.
    pub all: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            one: 64 << 10,
            all: 64 << 20,
        }
    }
}

/// What a guarded request counts for beside its body, so that empty ones are bounded too.
const OVERHEAD: usize = 4 << 10;

/// What is held at the moment, of how much.
#[derive(Debug)]
pub(crate) struct Held {
    bounds: Bounds,
    bytes: Arc<AtomicUsize>,
}

/// A body read whole; its bytes count as held until this is dropped.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) bytes: Bytes,
    _share: Share,
}

/// A share of what is held.
#[derive(Debug)]
struct Share {
    of: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for Share {
    fn drop(&mut self) {
        self.of.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Why a body was not read; the body itself, if there still is one.
#[derive(Debug)]
pub(crate) enum Unread {
    /// Over [`Bounds::one`].
    TooLarge(Body),
    /// Over [`Bounds::all`].
    Full(Body),
    /// The client hung up, stalled, or broke the framing.
    Broken,
}

impl Held {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            bytes: Arc::default(),
        }
    }

    /// Reads `body` to its end.
    pub(crate) async fn read(&self, mut body: Body) -> Result<Whole, Unread> {
        // As its head declares.
        if body.size_hint().lower() > self.bounds.one as u64 {
            return Err(Unread::TooLarge(body));
        }
        let mut share = Share {
            of: Arc::clone(&self.bytes),
            bytes: 0,
        };
        if !self.take(&mut share, OVERHEAD) {
            return Err(Unread::Full(body));
        }
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Unread::Broken)?;
            // Trailers end here: Puma reads none, and what is judged must be all there is.
            let Ok(chunk) = frame.into_data() else {
                continue;
            };
            if bytes.len() + chunk.len() > self.bounds.one {
                return Err(Unread::TooLarge(rejoined(bytes, chunk, body)));
            }
            if !self.take(&mut share, chunk.len()) {
                return Err(Unread::Full(rejoined(bytes, chunk, body)));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Whole {
            bytes: bytes.freeze(),
            _share: share,
        })
    }

    /// Whether there was room; what is taken is given back with the share either way.
    fn take(&self, share: &mut Share, more: usize) -> bool {
        share.bytes += more;
        let before = self.bytes.fetch_add(more, Ordering::Relaxed);
        before + more <= self.bounds.all
    }
}

/// What was read of a body, then the rest of it.
fn rejoined(read: BytesMut, last: Bytes, rest: Body) -> Body {
    rest.after(Frame::data(last))
        .after(Frame::data(read.freeze()))
}
