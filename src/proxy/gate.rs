//! The gate: the tower layer between the client and Mastodon.
//!
//! What happens to a request, in order:
//!
//! 1. A client banned with scope `all` is refused, whatever it asks.
//! 2. A path that is no door passes: no copy, no box, no look at the body.
//! 3. At a door the body is read whole, within bounds (`body`), and turned
//!    into an attempt as Rails would read it; what cannot be read is refused.
//! 4. The attempt is judged ([`crate::judge`]).
//! 5. Refused: Mastodon's own error shape, with a reference (`answer`).
//!    Admitted: the same bytes go upstream, and the reply is read along the
//!    way to learn what came to be (`forward`).
//! 6. Either way an event is recorded and counted (`record`).
//!
//! # Deployment caveat
//! The gate judges what it sees. A path by which clients reach Mastodon beside
//! it (a published port 3000, a second nginx server block without the
//! snippet) is a way around it; `tuskgate doctor` looks for one.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::attempt::ClientIp;
use crate::judge::Judge;
use crate::mastodon::endpoint::{self, GuardedPath};
use crate::proxy::{Body, Seen, Stack};

mod access;
mod along;
mod answer;
mod asking;
mod body;
mod confirming;
mod contained;
mod forward;
mod function;
mod judged;
mod record;

pub use asking::Upstream as AskUpstream;
pub use body::Bounds;
pub use function::{Function, service};

/// Wraps a service with the gate.
#[derive(Clone, Debug)]
pub struct GateLayer {
    shared: Arc<Shared>,
}

/// The gate around `S`.
#[derive(Clone, Debug)]
pub struct Gate<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// What all gates of a process share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) judge: Arc<Judge>,
    pub(crate) held: body::Held,
    pub(crate) asks: asking::Asks,
    access: Access,
}

/// Whether requests that are no attempts are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// They pass unseen.
    #[default]
    Silent,
    /// One line each, which costs each of them a box.
    Log,
}

impl GateLayer {
    /// A layer that asks `judge` and keeps to `bounds`.
    #[must_use]
    pub fn new(judge: Arc<Judge>, bounds: Bounds, access: Access) -> Self {
        let shared = Shared {
            judge,
            held: body::Held::new(bounds),
            asks: asking::Asks::default(),
            access,
        };
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate {
            inner,
            shared: Arc::clone(&self.shared),
        }
    }
}

/// What a service must be for the gate to stand in front of it.
pub trait Inner: Stack + Sync {}

impl<S: Stack + Sync> Inner for S {}

impl<S: Inner> Service<Request<Body>> for Gate<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = GateFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let client = Seen::client(&request);
        let judge = &self.shared.judge;
        // Costs a look-up in the ban lists and nothing else while it finds nothing.
        if let Some(ip) = client.known()
            && let Some((judged, now)) = judge.banned_everywhere(ip)
        {
            let (head, body) = request.into_parts();
            if let Some(refusal) = record::everywhere(judge, ip, now, judged, &head) {
                return GateFuture::refused(refusal);
            }
            request = Request::from_parts(head, body);
        }
        if judge.contains_tokens()
            && let Some(answer) = contained::refuse(judge, &request)
        {
            return GateFuture::refused(answer);
        }
        match endpoint::guarded_path(request.method(), request.uri().path()) {
            None if endpoint::is_confirmation_link(request.method(), request.uri().path()) => {
                self.call_confirming(client, request)
            }
            None if self.shared.access == Access::Log => self.call_logged(client, request),
            None => GateFuture::Pass {
                inner: self.inner.call(request),
            },
            Some(path) => self.call_judged(path, client, request),
        }
    }
}

impl<S: Inner> Gate<S> {
    fn call_logged(&mut self, client: ClientIp, request: Request<Body>) -> GateFuture<S::Future> {
        let line = access::Line::of(&request, client);
        let passed = self.inner.call(request);
        GateFuture::Judge {
            judging: Box::pin(access::logged(passed, line)),
        }
    }

    fn call_confirming(
        &mut self,
        client: ClientIp,
        request: Request<Body>,
    ) -> GateFuture<S::Future> {
        let shared = Arc::clone(&self.shared);
        let token = confirming::token(request.uri());
        let line = (self.shared.access == Access::Log).then(|| access::Line::of(&request, client));
        let passed = self.inner.call(request);
        GateFuture::Judge {
            judging: Box::pin(async move {
                let response = match line {
                    Some(line) => access::logged(passed, line).await,
                    None => {
                        let Ok(response) = passed.await;
                        response
                    }
                };
                confirming::learn(&shared, client, token, &response);
                response
            }),
        }
    }

    /// Steps 3 to 6, boxed: well under one request in a hundred comes here.
    fn call_judged(
        &self,
        path: GuardedPath,
        client: ClientIp,
        request: Request<Body>,
    ) -> GateFuture<S::Future> {
        let inner = self.inner.clone();
        let shared = Arc::clone(&self.shared);
        GateFuture::Judge {
            judging: Box::pin(judged::call(inner, shared, path, client, request)),
        }
    }
}

pin_project_lite::pin_project! {
    /// The one future of the gate: the inner one unboxed, a ready answer, or judging.
    #[project = Projected]
    #[allow(missing_docs, reason = "the macro takes no docs on fields; each variant says what it holds")]
    pub enum GateFuture<F> {
        /// No door: the inner service's own future.
        Pass {
            #[pin]
            inner: F,
        },
        /// Refused at once.
        Ready {
            answer: Option<Box<Response<Body>>>,
        },
        /// At a door.
        Judge {
            judging: Judging,
        },
    }
}

impl<F> GateFuture<F> {
    fn refused(answer: Response<Body>) -> Self {
        Self::Ready {
            answer: Some(Box::new(answer)),
        }
    }
}

type Judging = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

impl<F> Future for GateFuture<F>
where
    F: Future<Output = Result<Response<Body>, Infallible>>,
{
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projected::Pass { inner } => inner.poll(cx),
            Projected::Ready { answer } => Poll::Ready(Ok(*answer
                .take()
                .expect("a finished future is not polled again"))),
            Projected::Judge { judging } => judging.as_mut().poll(cx).map(Ok),
        }
    }
}
