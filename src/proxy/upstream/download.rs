//! A reply's body on its way from the upstream.
//!
//! Polled by the client's own connection, so that back-pressure is that
//! client's. When the body has ended the connection is kept for another
//! request; dropped before, it is closed, which is how a request is cancelled
//! in HTTP/1.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::framing::{Framing, Step};
use super::origin_pool::Origin;
use super::sending::{Progress, Upload};
use super::wire::Wire;

/// A connection on which a reply is coming in.
#[derive(Debug)]
pub(in crate::proxy) struct Download {
    wire: Option<Box<Wire>>,
    framing: Framing,
    /// The rest of a request whose reply came early.
    upload: Option<Box<Upload>>,
    closing: bool,
    /// Why the reply broke off, told on the next poll.
    broken: Option<io::Error>,
    origin: Arc<Origin>,
}

impl Download {
    pub(super) const fn new(
        wire: Box<Wire>,
        framing: Framing,
        upload: Option<Box<Upload>>,
        closing: bool,
        origin: Arc<Origin>,
    ) -> Self {
        Self {
            wire: Some(wire),
            framing,
            upload,
            closing,
            broken: None,
            origin,
        }
    }

    /// The connection is kept if nothing was due but the head.
    pub(super) fn settle(&mut self) -> bool {
        let over = matches!(self.framing, Framing::Over | Framing::Length(0));
        if over {
            self.framing = Framing::Over;
            self.part();
        }
        over
    }

    pub(in crate::proxy) fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(error) = self.broken.take() {
            return Poll::Ready(Some(Err(error)));
        }
        let Some(wire) = &mut self.wire else {
            return Poll::Ready(None);
        };
        if let Some(upload) = &mut self.upload {
            match upload.poll(wire, cx) {
                Progress::Waits => {}
                Progress::Done => self.upload = None,
                // The reply may still be read; the connection is not kept.
                Progress::Broken | Progress::Shut => {
                    self.upload = None;
                    self.closing = true;
                }
            }
        } else if matches!(wire.poll_flush(cx), Poll::Ready(Err(_))) {
            self.closing = true;
        }
        let frame = ready!(next(wire, &mut self.framing, cx));
        if let Err(error) = frame {
            // hyper drops what it has not written yet when a body fails. So it is
            // made to wait once, and sends what came before.
            self.wire = None;
            self.broken = Some(error);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.framing == Framing::Over {
            self.part();
        }
        Poll::Ready(frame.transpose())
    }

    /// The reply has ended: the connection is free, or of no more use.
    fn part(&mut self) {
        if let Some(wire) = self.wire.take()
            && !self.closing
            && self.upload.is_none()
            && wire.unsent.is_empty()
        {
            self.origin.keep(wire);
        }
    }

    pub(in crate::proxy) fn is_end_stream(&self) -> bool {
        self.wire.is_none() && self.broken.is_none()
    }

    pub(in crate::proxy) fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Length(left) => SizeHint::with_exact(left),
            Framing::Over => SizeHint::with_exact(0),
            Framing::Chunked(_) | Framing::Close => SizeHint::default(),
        }
    }
}

/// The next part of a body, or `None` at its end.
fn next(
    wire: &mut Wire,
    framing: &mut Framing,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Option<Frame<Bytes>>>> {
    loop {
        match framing.step(&mut wire.unread) {
            Ok(Step::Frame(frame)) => return Poll::Ready(Ok(Some(frame))),
            Ok(Step::Over) => return Poll::Ready(Ok(None)),
            Ok(Step::More) => {}
            Err(_) => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
        }
        if ready!(wire.poll_more(cx))? == 0 {
            if !framing.may_end() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            *framing = Framing::Over;
            return Poll::Ready(Ok(None));
        }
    }
}
