//! A request at a door, from its body to its answer.

use std::sync::Arc;

use http::request::Parts;
use http::{Request, Response};
use jiff::Timestamp;

use crate::attempt::{Attempt, ClientIp};
use crate::mastodon::attempt::{self, Fault, Reading};
use crate::mastodon::endpoint::{self, GuardedPath};
use crate::proxy::counted::spawn_counted;
use crate::proxy::gate::asking::Upstream;
use crate::proxy::gate::body::{Unread, Whole};
use crate::proxy::gate::forward::Admitted;
use crate::proxy::gate::{Inner, Shared, answer, forward, record};
use crate::proxy::{Body, Seen};
use crate::telemetry::metrics;
use crate::verdict::{Mode, Rule, Unreadable};

/// Reads, judges, then forwards or refuses.
pub(super) async fn call<S: Inner>(
    mut inner: S,
    shared: Arc<Shared>,
    path: GuardedPath,
    client: ClientIp,
    request: Request<Body>,
) -> Response<Body> {
    let started = std::time::Instant::now();
    let (head, body) = request.into_parts();
    let whole = match shared.held.read(&head.headers, body).await {
        Ok(whole) => whole,
        Err(unread) => return refuse_unread(&shared, path, client, &head, unread),
    };
    let at = Timestamp::now();
    let read = attempt::read(path, &head, &whole.bytes, client, at);
    // Each way on is boxed: a future is as large as the largest of its ways,
    // and is moved whole.
    let response = match read {
        Ok(Reading::Attempt(attempt)) if shared.judge.guards(attempt.endpoint) => {
            judge(inner, &shared, attempt, head, whole).await
        }
        Ok(Reading::Open | Reading::Attempt(_)) => {
            Box::pin(forward::untouched(&mut inner, head, whole)).await
        }
        Err(fault) => Box::pin(unreadable(inner, &shared, client, head, whole, &fault, at)).await,
    };
    metrics().judge.observe_latency(started.elapsed());
    response
}

fn refuse_unread(
    shared: &Shared,
    path: GuardedPath,
    client: ClientIp,
    head: &Parts,
    unread: Unread,
) -> Response<Body> {
    match unread {
        Unread::Full => answer::full(),
        Unread::Broken => answer::broken(),
        Unread::TooLarge => {
            let fault = Fault {
                unreadable: Unreadable::TooLarge,
                endpoint: Some(endpoint::endpoint(path, &head.method).unwrap_or(path.usual())),
                fact: "the body is over the bound for a guarded request".into(),
            };
            record::unreadable(
                shared,
                client,
                head,
                &fault,
                Mode::Enforce,
                Timestamp::now(),
            )
        }
    }
}

/// What cannot be read cannot be judged: refused, unless the rule only observes.
async fn unreadable<S: Inner>(
    mut inner: S,
    shared: &Shared,
    client: ClientIp,
    head: Parts,
    whole: Whole,
    fault: &Fault,
    at: Timestamp,
) -> Response<Body> {
    let mode = shared.judge.policy().mode(Rule::Unreadable);
    let guarded = fault
        .endpoint
        .is_none_or(|endpoint| shared.judge.guards(endpoint));
    if mode == Mode::Off || !guarded {
        return forward::untouched(&mut inner, head, whole).await;
    }
    let refusal = record::unreadable(shared, client, &head, fault, mode, at);
    if mode == Mode::Enforce {
        return refusal;
    }
    forward::untouched(&mut inner, head, whole).await
}

/// Judges and forwards in a task of its own, so that a client who hangs up
/// can neither leak a reservation nor switch learning off.
async fn judge<S: Inner>(
    inner: S,
    shared: &Arc<Shared>,
    attempt: Box<Attempt>,
    head: Parts,
    whole: Whole,
) -> Response<Body> {
    let (answer, received) = tokio::sync::oneshot::channel();
    let shared = Arc::clone(shared);
    let hold = head.extensions.get::<Seen>().and_then(Seen::hold);
    spawn_counted(async move {
        let _hold = hold;
        let asking = Upstream::new(inner.clone(), &shared, &head.headers);
        let judgement = shared.judge.judge(&attempt, &asking).await;
        let event = record::judged(&shared, &attempt, &judgement);
        if judgement.decision.refusal().is_some() {
            if let Some(reserved) = judgement.reserved {
                shared.judge.forget(reserved);
            }
            let refusal = answer::refusal(&attempt, &judgement.decision, event.id, &head);
            // The client may have left; the event is recorded all the same.
            let _ = answer.send(refusal);
            return;
        }
        let admitted = Admitted {
            attempt,
            judgement,
            event,
            head,
            whole,
        };
        Box::pin(forward::learning(inner, shared, admitted, answer)).await;
    });
    // Nobody answers if judging panicked, which is counted.
    received.await.unwrap_or_else(|_| answer::failed())
}
