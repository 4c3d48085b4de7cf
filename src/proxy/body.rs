//! The one body type of the proxy, for requests and replies.
//!
//! What comes from a socket streams through with back-pressure and with its
//! stalls accounted for; what the gate answers itself is held; what the gate
//! reads along travels through a bounded channel unless it has come whole.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::mpsc;

use super::headers;
use super::upstream::Download;
use super::watch::{BodyFate, Watch};
use crate::telemetry::metrics;

/// A request's or reply's body.
#[derive(Debug, Default)]
pub struct Body(Kind);

#[derive(Debug, Default)]
enum Kind {
    #[default]
    Empty,
    Full(Option<Bytes>),
    /// No bytes, though a length is stated: what a 304 says of its 200.
    Stated(u64),
    Request(Upload),
    Reply(Reply),
    Channel(mpsc::Receiver<Result<Frame<Bytes>, BodyError>>),
    Boxed(UnsyncBoxBody<Bytes, BodyError>),
}

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The client sent nothing for too long.
    #[error("the request body stalled")]
    RequestStalled,
    /// The upstream sent nothing for too long.
    #[error("the reply body stalled")]
    ReplyStalled,
    /// The client hung up or broke the framing.
    #[error("the request body broke off")]
    Broken(#[source] hyper::Error),
    /// The upstream hung up or broke the framing.
    #[error("the reply body broke off")]
    ReplyBroken(#[source] std::io::Error),
    /// From a body that a library user brought.
    #[error("the body failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Body {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// A body of which at most `capacity` frames wait to be taken.
    #[must_use]
    pub fn channel(capacity: usize) -> (mpsc::Sender<Result<Frame<Bytes>, BodyError>>, Self) {
        let (sender, receiver) = mpsc::channel(capacity);
        (sender, Self(Kind::Channel(receiver)))
    }

    /// Any other body.
    pub fn boxed<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let body = body.map_err(|error| BodyError::Other(error.into()));
        Self(Kind::Boxed(body.boxed_unsync()))
    }

    /// `first`, then this body: puts back what was taken of it.
    pub(super) fn after(self, first: Frame<Bytes>) -> Self {
        if first.data_ref().is_some_and(Bytes::is_empty) {
            return self;
        }
        let whole = Rejoined {
            first: Some(first),
            rest: self,
        };
        Self(Kind::Boxed(whole.boxed_unsync()))
    }

    pub(super) const fn stated(length: u64) -> Self {
        Self(Kind::Stated(length))
    }

    pub(super) fn request(inner: hyper::body::Incoming, watch: &Arc<Watch>) -> Self {
        use http_body::Body as _;
        if inner.is_end_stream() {
            return Self::empty();
        }
        watch.body_held();
        Self(Kind::Request(Upload {
            inner,
            watch: Arc::clone(watch),
            ended: false,
        }))
    }

    pub(super) fn reply(download: Download, watch: Option<Arc<Watch>>) -> Self {
        Self(Kind::Reply(Reply { download, watch }))
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Full((!bytes.is_empty()).then_some(bytes)))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.0 {
            Kind::Empty | Kind::Stated(_) => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Request(upload) => upload.poll_frame(cx),
            Kind::Reply(reply) => reply.poll_frame(cx),
            Kind::Channel(receiver) => receiver.poll_recv(cx),
            Kind::Boxed(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Full(bytes) => bytes.is_none(),
            Kind::Stated(_) | Kind::Channel(_) => false,
            Kind::Request(upload) => upload.inner.is_end_stream(),
            Kind::Reply(reply) => reply.download.is_end_stream(),
            Kind::Boxed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Kind::Stated(length) => SizeHint::with_exact(*length),
            Kind::Request(upload) => upload.inner.size_hint(),
            Kind::Reply(reply) => reply.download.size_hint(),
            Kind::Channel(_) => SizeHint::default(),
            Kind::Boxed(body) => body.size_hint(),
        }
    }
}

/// A frame that was taken of a body, then the rest of it.
struct Rejoined {
    first: Option<Frame<Bytes>>,
    rest: Body,
}

impl http_body::Body for Rejoined {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(first))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let first = self.first.as_ref().and_then(Frame::data_ref);
        let first = first.map_or(0, |data| data.len() as u64);
        let rest = self.rest.size_hint();
        let mut whole = SizeHint::new();
        whole.set_lower(rest.lower().saturating_add(first));
        if let Some(upper) = rest.upper() {
            whole.set_upper(upper.saturating_add(first));
        }
        whole
    }
}

/// A request's body on its way from the client.
#[derive(Debug)]
struct Upload {
    inner: hyper::body::Incoming,
    watch: Arc<Watch>,
    ended: bool,
}

impl Upload {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        use http_body::Body as _;
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(frame) => {
                self.watch.body_moved();
                self.ended = frame.is_none();
                Poll::Ready(frame.map(|frame| {
                    frame.map(clean_trailers).map_err(|error| {
                        self.watch.body_failed(BodyFate::Broken);
                        BodyError::Broken(error)
                    })
                }))
            }
            Poll::Pending if self.watch.body_waits(cx) => {
                metrics().proxy.timeouts.body_stall.inc();
                self.watch.body_failed(BodyFate::Stalled);
                Poll::Ready(Some(Err(BodyError::RequestStalled)))
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        use http_body::Body as _;
        if !self.ended && !self.inner.is_end_stream() {
            self.watch.body_left_unread();
        }
        self.watch.body_released();
    }
}

/// A reply's body on its way from the upstream.
#[derive(Debug)]
struct Reply {
    download: Download,
    /// `None` where a stall is no fault: event streams.
    watch: Option<Arc<Watch>>,
}

impl Reply {
    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let polled = self.download.poll_frame(cx);
        if let Some(watch) = &self.watch {
            if polled.is_pending() {
                if watch.reply_waits(cx) {
                    metrics().proxy.timeouts.reply_stall.inc();
                    return Poll::Ready(Some(Err(BodyError::ReplyStalled)));
                }
            } else {
                watch.reply_moved();
            }
        }
        let frame = ready!(polled);
        Poll::Ready(frame.map(|frame| frame.map(clean_trailers).map_err(BodyError::ReplyBroken)))
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(watch) = &self.watch {
            watch.reply_moved();
        }
    }
}

/// Trailers obey the same rules as headers: what a client may not say in its
/// head it may not say in its tail.
fn clean_trailers(frame: Frame<Bytes>) -> Frame<Bytes> {
    if frame.is_data() {
        return frame;
    }
    let trailers: HeaderMap = frame.into_trailers().unwrap_or_default();
    Frame::trailers(headers::clean_trailers(trailers))
}
