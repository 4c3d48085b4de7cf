//! Sending an admitted request on, byte for byte, and learning from the reply.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, TRAILER};
use http::request::Parts;
use http::{Request, Response};
use tokio::sync::oneshot;

use crate::attempt::Attempt;
use crate::event::{Event, EventId, Outcome};
use crate::judge::Judgement;
use crate::mastodon::reply::{self, Session};
use crate::proxy::gate::asking::Upstream;
use crate::proxy::gate::body::Whole;
use crate::proxy::gate::{Inner, Shared, along};
use crate::proxy::{Body, Fault};
use crate::telemetry::metrics;
use crate::verdict::Rule;

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
    pub(super) event: Arc<Event>,
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
    let asked = Session::of_request(&head.headers);
    // Only for who has to ask what the app is called.
    let nameless = judgement.app.app().is_none();
    let headers_sent = nameless.then(|| head.headers.clone());
    let response = call(&mut inner, head, whole.bytes.clone()).await;
    // Of any other fault the upstream may have heard: that is unclear, below.
    if response.extensions().get() == Some(&Fault::Unreachable) {
        unreached(&shared, &attempt, judgement, event.id);
        let _ = answer.send(response);
        return;
    }
    let lesson = along::pass_on(response, answer, |status, headers, body| {
        reply::lesson(attempt.endpoint, &asked, status, headers, body)
    })
    .await;
    drop(whole);

    metrics().judge.came_of(attempt.endpoint, lesson.outcome);
    let let_in = lesson.outcome != Outcome::Fail;
    if let_in && shared.judge.asks(Rule::MailServer, attempt.endpoint) {
        shared.judge.look_again_later(&attempt, &event);
    }
    let client_id = headers_sent
        .as_ref()
        .and_then(|_| judgement.app.client_id().cloned());
    shared.judge.settle(&attempt, judgement, &lesson).await;
    if let (Some(token), Some(client_id), Some(headers)) = (lesson.token, client_id, &headers_sent)
    {
        let asking = Upstream::new(inner, &shared, headers);
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
