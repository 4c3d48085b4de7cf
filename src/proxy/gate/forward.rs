//! Sending an admitted request on, byte for byte, and reading the reply along
//! the way.
//!
//! The reply streams to the client unchanged while a bounded copy is kept to
//! learn from. It is read to its end even when the client has left, so that
//! an attacker cannot switch learning off by hanging up.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT_ENCODING, TRAILER};
use http::request::Parts;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::sync::{mpsc, oneshot};

use crate::attempt::Attempt;
use crate::event::{Event, EventId, Outcome};
use crate::judge::Judgement;
use crate::mastodon::reply::{self, Session};
use crate::proxy::gate::asking::Upstream;
use crate::proxy::gate::body::Whole;
use crate::proxy::gate::{Inner, Shared};
use crate::proxy::{Body, BodyError, Fault};
use crate::telemetry::metrics;
use crate::verdict::Rule;

/// Frames that may wait for a slow client.
const WAITING: usize = 16;

type Sender = mpsc::Sender<Result<Frame<Bytes>, BodyError>>;

/// How much of a reply is read for a client who has left.
const READ_ON: usize = 1 << 20;

/// Sends on what is no attempt after all.
pub(super) async fn untouched<S: Inner>(
    inner: &mut S,
    head: Parts,
    whole: Whole,
) -> Response<Body> {
    call(inner, head, whole.bytes).await
}

/// Sends on what is not held, as it comes.
pub(super) async fn streamed<S: Inner>(inner: &mut S, head: Parts, body: Body) -> Response<Body> {
    let Ok(response) = inner.call(Request::from_parts(head, body)).await;
    response
}

async fn call<S: Inner>(inner: &mut S, mut head: Parts, bytes: Bytes) -> Response<Body> {
    head.headers.remove(TRAILER);
    let request = Request::from_parts(head, Body::from(bytes));
    let Ok(response) = inner.call(request).await;
    response
}

/// An admitted attempt on its way.
pub(super) struct Admitted {
    pub(super) attempt: Box<Attempt>,
    pub(super) judgement: Judgement,
    pub(super) event: Event,
    pub(super) head: Parts,
    pub(super) whole: Whole,
}

/// Sends an admitted attempt on, answers the client, and learns.
pub(super) async fn learning<S: Inner>(
    mut inner: S,
    shared: Arc<Shared>,
    admitted: Admitted,
    answer: oneshot::Sender<Response<Body>>,
) {
    let Admitted {
        attempt,
        judgement,
        event,
        mut head,
        whole,
    } = admitted;
    // A compressed reply teaches nothing, and these replies are small.
    head.headers.remove(ACCEPT_ENCODING);
    let headers_sent = head.headers.clone();
    let session = Session::of_request(&headers_sent);
    let response = call(&mut inner, head, whole.bytes.clone()).await;
    // Of any other fault the upstream may have heard: that is unclear, below.
    if response.extensions().get() == Some(&Fault::Unreachable) {
        unreached(&shared, &attempt, judgement, event.id);
        let _ = answer.send(response);
        return;
    }
    let (parts, body) = response.into_parts();
    let (sender, channel) = Body::channel(WAITING);
    let (status, headers) = (parts.status, parts.headers.clone());
    // The client may have left: the reply is read all the same.
    let _ = answer.send(Response::from_parts(parts, channel));
    let kept = pump(body, sender).await;
    drop(whole);

    let body = match kept.whole {
        true => reply::Body::Whole(&kept.bytes),
        false => reply::Body::Cut(&kept.bytes),
    };
    let lesson = reply::lesson(attempt.endpoint, &session, status, &headers, body);
    metrics().judge.came_of(attempt.endpoint, lesson.outcome);
    let let_in = lesson.outcome != Outcome::Fail;
    if let_in && shared.judge.asks(Rule::MailServer, attempt.endpoint) {
        shared.judge.look_again_later(&attempt, &event);
    }
    let unnamed = lesson
        .token
        .clone()
        .filter(|_| judgement.app.app().is_none());
    let client_id = judgement.app.client_id().cloned();
    shared.judge.settle(&attempt, judgement, &lesson).await;
    if let Some((token, client_id)) = unnamed.zip(client_id) {
        let asking = Upstream::new(inner, &shared, &headers_sent);
        asking
            .learn_name(&client_id, &token, attempt.client, attempt.at)
            .await;
    }
    // Last: whoever sees the outcome may rely on all that it taught.
    shared.judge.store().outcome(event.id, lesson.outcome);
}

/// The upstream never heard of it, so nothing is kept of it.
fn unreached(shared: &Shared, attempt: &Attempt, judgement: Judgement, id: EventId) {
    shared.judge.registers().withdraw(&judgement.counted);
    if let Some(reserved) = judgement.reserved {
        shared.judge.forget(reserved);
    }
    metrics().judge.came_of(attempt.endpoint, Outcome::Fail);
    shared.judge.store().outcome(id, Outcome::Fail);
}

/// What was kept of a reply.
struct Kept {
    bytes: BytesMut,
    whole: bool,
}

/// Moves the reply to the client frame by frame and keeps a bounded copy.
async fn pump(mut body: Body, client: Sender) -> Kept {
    let mut kept = Kept {
        bytes: BytesMut::new(),
        whole: true,
    };
    let mut client = Some(client);
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        if let Some(chunk) = frame.as_ref().ok().and_then(Frame::data_ref) {
            read += chunk.len();
            kept.keep(chunk);
        }
        let broken = frame.is_err();
        if let Some(open) = client.take() {
            client = open.send(frame).await.ok().map(|()| open);
        }
        if broken || (client.is_none() && read > READ_ON) {
            kept.whole = false;
            break;
        }
    }
    kept
}

impl Kept {
    fn keep(&mut self, chunk: &Bytes) {
        let room = reply::BOUND.saturating_sub(self.bytes.len());
        match chunk.get(..room) {
            Some(head) if head.len() < chunk.len() => {
                self.bytes.extend_from_slice(head);
                self.whole = false;
            }
            _ => self.bytes.extend_from_slice(chunk),
        }
    }
}
