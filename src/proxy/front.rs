//! Between hyper's server and the stack: counts, and keeps the watch posted.

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::{Body, BodyError};
use super::watch::Watch;
use crate::telemetry::metrics;

/// The stack as hyper's server calls it, for one connection.
#[derive(Debug)]
pub(super) struct Front<S> {
    /// One connection asks one thing after the other, so that one stack will do.
    stack: RefCell<S>,
    watch: Arc<Watch>,
}

impl<S> Front<S> {
    pub(super) const fn new(stack: S, watch: Arc<Watch>) -> Self {
        Self {
            stack: RefCell::new(stack),
            watch,
        }
    }
}

impl<S> hyper::service::Service<Request<Incoming>> for Front<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Serving<S, S::Future>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        self.watch.exchange_begins();
        let request = request.map(|body| Body::request(body, &self.watch));
        let mut stack = self.stack.borrow_mut();
        // Ours are ready at any time; one that is not is waited for in a copy.
        let step = match stack.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Step::Called {
                future: stack.call(request),
            },
            Poll::Pending => Step::Ready {
                waiting: Some(Box::new((stack.clone(), request))),
            },
        };
        Serving {
            step,
            watch: Arc::clone(&self.watch),
            began: Instant::now(),
            _in_flight: InFlight::new(),
        }
    }
}

pin_project! {
    /// One request being served.
    pub(super) struct Serving<S, F> {
        #[pin]
        step: Step<S, F>,
        watch: Arc<Watch>,
        began: Instant,
        _in_flight: InFlight,
    }
}

pin_project! {
    #[project = StepProj]
    enum Step<S, F> {
        Ready { waiting: Option<Box<(S, Request<Body>)>> },
        Called { #[pin] future: F },
    }
}

impl<S> Future for Serving<S, S::Future>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
{
    type Output = Result<Response<ReplyBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let response = loop {
            match this.step.as_mut().project() {
                StepProj::Ready { waiting } => {
                    let (stack, _) = waiting.as_deref_mut().expect(TAKEN_ONCE);
                    ready!(stack.poll_ready(cx))?;
                    let (mut stack, request) = *waiting.take().expect(TAKEN_ONCE);
                    let future = stack.call(request);
                    this.step.set(Step::Called { future });
                }
                StepProj::Called { future } => break ready!(future.poll(cx))?,
            }
        };
        metrics()
            .proxy
            .answered(response.status(), this.began.elapsed());
        let watch = Arc::clone(this.watch);
        Poll::Ready(Ok(response.map(|inner| ReplyBody { inner, watch })))
    }
}

const TAKEN_ONCE: &str = "the step changes once it is taken";

struct InFlight;

impl InFlight {
    fn new() -> Self {
        metrics().proxy.requests_in_flight.inc();
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics().proxy.requests_in_flight.dec();
    }
}

/// A reply's body; its end, or being dropped, ends the exchange.
#[derive(Debug)]
pub(super) struct ReplyBody {
    inner: Body,
    watch: Arc<Watch>,
}

impl http_body::Body for ReplyBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for ReplyBody {
    fn drop(&mut self) {
        self.watch.replied();
    }
}
