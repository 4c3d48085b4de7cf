//! One request on one connection, until the reply's head.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use http::{HeaderMap, Method, Request, Response};

use super::framing::Framing;
use super::reply_head::{self, ReplyHead};
use super::sending::{self, Progress, Upload};
use super::wire::Wire;
use crate::proxy::Body;
use crate::proxy::fault::Fault;
use crate::proxy::headers::ReplyFound;
use crate::proxy::watch::{BodyFate, Watch};
use crate::telemetry::metrics;

/// A reply whose body is still to come.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) head: Response<()>,
    pub(super) framing: Framing,
    pub(super) found: ReplyFound,
    /// An event stream: a stall of it is no fault.
    pub(super) endless: bool,
    /// The connection ends with the body.
    pub(super) closing: bool,
    /// What is left of the request, if the reply came early.
    pub(super) upload: Option<Box<Upload>>,
    pub(super) wire: Box<Wire>,
}

/// Why one try failed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    /// Not a byte of the request left, and it has its body again.
    Unsent,
    /// The connection ended before a reply.
    Cut,
    /// Nothing that another connection could mend.
    Fault(Fault),
}

/// Sends `request` and waits for the reply's head. The body is taken out of
/// the request, and put back if nothing leaves; its fields are gone once there
/// is a reply.
pub(super) async fn exchange(
    mut wire: Box<Wire>,
    request: &mut Request<Body>,
    watch: Option<&Watch>,
    max_head: usize,
) -> Result<Reply, Failure> {
    if let Some(watch) = watch {
        watch.head_awaited();
    }
    let upload = sending::write_head(&mut wire.unsent, request);
    let mut talk = Talk {
        wire: &mut wire,
        upload,
        watch,
        method: request.method().clone(),
        fields: request.headers_mut(),
        max_head,
    };
    let heard = poll_fn(|cx| talk.poll(cx)).await;
    let upload = talk.upload;
    if let Some(watch) = watch {
        watch.head_came();
    }
    match heard {
        Ok(reply) => Ok(Reply {
            head: reply.head,
            framing: reply.framing,
            found: reply.found,
            endless: reply.endless,
            closing: reply.closing,
            upload,
            wire,
        }),
        Err(failure) => {
            if let (Failure::Unsent, Some(upload)) = (failure, upload) {
                *request.body_mut() = upload.into_body();
            }
            Err(failure)
        }
    }
}

struct Talk<'a> {
    wire: &'a mut Wire,
    upload: Option<Box<Upload>>,
    watch: Option<&'a Watch>,
    method: Method,
    /// The request's, up to the reply's head.
    fields: &'a mut HeaderMap,
    max_head: usize,
}

impl Talk<'_> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<ReplyHead, Failure>> {
        if let Err(failure) = self.send(cx) {
            return Poll::Ready(Err(failure));
        }
        loop {
            match self.wire.poll_more(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(self.cut("it hung up"))),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.lost(&error))),
                Poll::Pending if self.watch.is_some_and(|watch| watch.head_waits(cx)) => {
                    metrics().proxy.timeouts.reply_head.inc();
                    return Poll::Ready(Err(Failure::Fault(Fault::Silent)));
                }
                Poll::Pending => return Poll::Pending,
            }
            let unread = &mut self.wire.unread;
            match reply_head::take(unread, &self.method, self.max_head, self.fields) {
                Ok(Some(reply)) => return Poll::Ready(Ok(reply)),
                Ok(None) => {}
                Err(reply_head::NotHttp) => {
                    tracing::debug!("the upstream answered what is not HTTP");
                    return Poll::Ready(Err(Failure::Fault(Fault::Broken)));
                }
            }
        }
    }

    /// Writes on. A socket that takes no more may still hold a reply.
    fn send(&mut self, cx: &mut Context<'_>) -> Result<(), Failure> {
        let Some(upload) = &mut self.upload else {
            return match self.wire.poll_flush(cx) {
                Poll::Ready(Err(error)) if self.wire.sent == 0 => Err(self.lost(&error)),
                _ => Ok(()),
            };
        };
        match upload.poll(self.wire, cx) {
            Progress::Waits => Ok(()),
            Progress::Done => {
                self.upload = None;
                Ok(())
            }
            Progress::Shut if self.wire.sent == 0 => Err(Failure::Unsent),
            Progress::Shut => Ok(()),
            Progress::Broken => Err(Failure::Fault(self.broken_body())),
        }
    }

    fn broken_body(&self) -> Fault {
        match self.watch.map_or(BodyFate::Fine, Watch::body_fate) {
            BodyFate::Stalled => Fault::BodyStall,
            BodyFate::Broken => Fault::BodyBroken,
            BodyFate::Fine => Fault::Broken,
        }
    }

    fn lost(&self, error: &io::Error) -> Failure {
        if self.wire.sent == 0 {
            return Failure::Unsent;
        }
        self.cut(&error.to_string())
    }

    /// A reply that has begun is no dead connection.
    fn cut(&self, why: &str) -> Failure {
        tracing::debug!(why, "no reply from the upstream");
        if self.wire.unread.is_empty() {
            Failure::Cut
        } else {
            Failure::Fault(Fault::Broken)
        }
    }
}
