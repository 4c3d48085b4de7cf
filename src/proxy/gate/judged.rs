//! A request at a door, from its body to its answer.

use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response};
use jiff::Timestamp;

use crate::attempt::{Attempt, ClientIp};
use crate::endpoint::Endpoint;
use crate::mastodon::attempt::{self, Fault, Reading};
use crate::mastodon::endpoint::{self, GuardedPath};
use crate::proxy::counted::begin_counted;
use crate::proxy::gate::asking::Upstream;
use crate::proxy::gate::body::{Unread, Whole};
use crate::proxy::gate::forward::Admitted;
use crate::proxy::gate::{Inner, Shared, answer, forward, record};
use crate::proxy::{Body, Seen};
use crate::telemetry::metrics;
use crate::verdict::{Mode, Rule, Unreadable};

/// Reads, judges, then forwards or refuses.
///
/// No `async fn`, which would have room for what it is given twice: as it comes, and
/// as it is used. A future is as large as the largest of its ways, and is moved whole;
/// so each way on is boxed, too.
pub(super) fn call<S: Inner>(
    mut inner: S,
    shared: Arc<Shared>,
    path: GuardedPath,
    client: ClientIp,
    request: Request<Body>,
) -> impl Future<Output = Response<Body>> + Send {
    let (head, body) = request.into_parts();
    async move {
        let started = std::time::Instant::now();
        let whole = match shared.held.read(body).await {
            Ok(whole) => whole,
            Err(unread) => {
                return Box::pin(refuse_unread(inner, &shared, path, client, head, unread)).await;
            }
        };
        let at = Timestamp::now();
        let read = attempt::read(path, &head, &whole.bytes, client, at);
        let response = match read {
            Ok(Reading::Attempt(attempt)) if shared.judge.guards(attempt.endpoint) => {
                judge(inner, &shared, attempt, head, whole).await
            }
            Ok(Reading::Open | Reading::Attempt(_)) => {
                Box::pin(forward::untouched(&mut inner, head, whole)).await
            }
            Err(fault) => {
                let met = Met { path, client, at };
                Box::pin(not_read(inner, &shared, met, head, whole, fault)).await
            }
        };
        metrics().judge.observe_latency(started.elapsed());
        response
    }
}

/// Where, by whom and when.
struct Met {
    path: GuardedPath,
    client: ClientIp,
    at: Timestamp,
}

/// What cannot be read is refused, unless the account has that odd address
/// already or nothing is to be refused here.
async fn not_read<S: Inner>(
    mut inner: S,
    shared: &Shared,
    met: Met,
    head: Parts,
    whole: Whole,
    fault: Fault,
) -> Response<Body> {
    let Met { path, client, at } = met;
    if !has_it_already(&inner, shared, &head, &fault, client, at).await {
        let guarded = guards(shared, path, &head, fault.endpoint);
        let mode = unreadable_mode(shared, guarded);
        if let Some(refusal) = unreadable(shared, client, &head, &fault, mode, at) {
            return refusal;
        }
    }
    forward::untouched(&mut inner, head, whole).await
}

/// A body that is not held cannot be judged: refused, unless nothing is to be
/// refused at this door. Then it streams on, unread.
async fn refuse_unread<S: Inner>(
    mut inner: S,
    shared: &Shared,
    path: GuardedPath,
    client: ClientIp,
    head: Parts,
    unread: Unread,
) -> Response<Body> {
    let endpoint = endpoint::endpoint(path, &head.method).unwrap_or(path.usual());
    let guarded = guards(shared, path, &head, Some(endpoint));
    let mode = unreadable_mode(shared, guarded);
    let body = match unread {
        Unread::Broken => return answer::broken(),
        Unread::Full(_) if mode == Mode::Enforce => return answer::full(),
        Unread::Full(body) => body,
        Unread::TooLarge(body) => {
            let fault = Fault {
                unreadable: Unreadable::TooLarge,
                endpoint: Some(endpoint),
                fact: "the body is over the bound for a guarded request".into(),
                address: None,
            };
            let now = Timestamp::now();
            match unreadable(shared, client, &head, &fault, mode, now) {
                Some(refusal) => return refusal,
                None => body,
            }
        }
    };
    forward::streamed(&mut inner, head, body).await
}

/// What cannot be read cannot be judged: refused, unless the rule only observes.
fn unreadable(
    shared: &Shared,
    client: ClientIp,
    head: &Parts,
    fault: &Fault,
    mode: Mode,
    at: Timestamp,
) -> Option<Response<Body>> {
    if mode == Mode::Off {
        return None;
    }
    let refusal = record::unreadable(shared, client, head, fault, mode, at);
    (mode == Mode::Enforce).then_some(refusal)
}

/// Whether any door that an unreadable request may be for is guarded: a verb
/// hidden in a body that nobody could read must not pick an unguarded one.
fn guards(shared: &Shared, path: GuardedPath, head: &Parts, likeliest: Option<Endpoint>) -> bool {
    let hidden: &[Method] = match head.method {
        Method::POST => &[Method::GET, Method::POST, Method::PUT],
        _ => &[],
    };
    let hidden = hidden
        .iter()
        .filter_map(|verb| endpoint::endpoint(path, verb));
    likeliest
        .into_iter()
        .chain(hidden)
        .any(|endpoint| shared.judge.guards(endpoint))
}

fn unreadable_mode(shared: &Shared, guarded: bool) -> Mode {
    match guarded {
        true => shared.judge.policy().mode(Rule::Unreadable),
        false => Mode::Off,
    }
}

/// Row 2's form always carries the account's address: somebody with an old, odd
/// one may still change a password.
async fn has_it_already<S: Inner>(
    inner: &S,
    shared: &Shared,
    head: &Parts,
    fault: &Fault,
    client: ClientIp,
    at: Timestamp,
) -> bool {
    match (fault.endpoint, &fault.address) {
        (Some(Endpoint::EmailChange), Some(address)) => {
            let asking = Upstream::new(inner.clone(), shared, &head.headers);
            asking.has_address(address, client, at).await == Some(true)
        }
        _ => false,
    }
}

/// Judges and forwards, from where it first waits in a task of its own, so that
/// a client who hangs up can neither leak a reservation nor switch learning off.
fn judge<S: Inner>(
    inner: S,
    shared: &Arc<Shared>,
    attempt: Box<Attempt>,
    head: Parts,
    whole: Whole,
) -> impl Future<Output = Response<Body>> + Send {
    let (answer, received) = tokio::sync::oneshot::channel();
    let shared = Arc::clone(shared);
    let hold = head.extensions.get::<Seen>().and_then(Seen::hold);
    let judging = Box::pin(async move {
        let _hold = hold;
        let asking = Upstream::new(inner.clone(), &shared, &head.headers);
        let judgement = shared.judge.judge(&attempt, &asking).await;
        let event = record::judged(&shared, &attempt, &judgement);
        if judgement.decision.refusal().is_some() {
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
    async move {
        let mut judging = Some(judging);
        std::future::poll_fn(|cx| {
            if let Some(judging) = judging.take() {
                begin_counted(cx, judging);
            }
            std::task::Poll::Ready(())
        })
        .await;
        // Nobody answers if judging panicked, which is counted.
        received.await.unwrap_or_else(|_| answer::failed())
    }
}
