//! The last station: Mastodon itself.
//!
//! Sends a request on a kept or a fresh connection, streams the reply back and
//! keeps the connection when the reply's body has ended. What may be sent
//! again is RFC 9110 §9.2.2's idempotent methods without a body, once, and
//! only when a *kept* connection turned out to be dead; anything else only if
//! hyper proves that it never left.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, UPGRADE};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use tower_service::Service;

use self::origin_pool::Origin;
use self::spare::Spare;
use super::fault::{Fault, Shape, answer};
use super::identify::Seen;
use super::settings::ProxySettings;
use super::watch::{BodyFate, Pace, Watch};
use super::{Body, headers, tunnel};
use crate::telemetry::metrics;

pub(super) use self::origin_pool::Lease;

mod connect;
mod origin_pool;
mod spare;

/// The upstream of one worker. Cheap to clone; always ready.
#[derive(Clone, Debug)]
pub struct Upstream {
    origins: Arc<Origins>,
}

#[derive(Debug)]
struct Origins {
    web: Arc<Origin>,
    streaming: Option<Arc<Origin>>,
}

impl Upstream {
    /// An upstream with a pool of its own.
    ///
    /// Time-outs by phase need a [`Seen`] from our own server; elsewhere only
    /// `connect` applies, and pooled connections age on use.
    #[must_use]
    pub fn new(settings: &ProxySettings) -> Self {
        Self::paced(settings, &Arc::new(Pace::new(&settings.timeouts)))
    }

    pub(super) fn paced(settings: &ProxySettings, pace: &Arc<Pace>) -> Self {
        let origin = |address| Arc::new(Origin::new(address, settings, pace));
        Self {
            origins: Arc::new(Origins {
                web: origin(&settings.upstream),
                streaming: settings.streaming.as_ref().map(origin),
            }),
        }
    }

    /// Closes connections that have lain unused for too long.
    pub(super) fn sweep(&self) {
        self.origins.web.sweep();
        if let Some(streaming) = &self.origins.streaming {
            streaming.sweep();
        }
    }
}

impl Origins {
    fn of(&self, path: &str) -> &Arc<Origin> {
        match (&self.streaming, path.strip_prefix("/api/v1/streaming")) {
            (Some(streaming), Some(rest)) if rest.is_empty() || rest.starts_with('/') => streaming,
            _ => &self.web,
        }
    }
}

impl Service<Request<Body>> for Upstream {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    /// Dropping the future cancels the request upstream.
    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let origin = Arc::clone(self.origins.of(request.uri().path()));
        let shape = Shape::fitting(request.uri().path(), request.headers());
        let seen = request.extensions_mut().remove::<Seen>();
        Box::pin(async move {
            let exchanged = exchange(&origin, request, seen).await;
            Ok(exchanged.unwrap_or_else(|fault| {
                fault.count();
                answer(fault, shape)
            }))
        })
    }
}

async fn exchange(
    origin: &Arc<Origin>,
    mut request: Request<Body>,
    seen: Option<Seen>,
) -> Result<Response<Body>, Fault> {
    let connection = seen.and_then(|seen| seen.connection);
    let watch = connection.as_ref().map(|seen| &seen.watch);
    // The upstream always speaks 1.1 with us, whatever the client speaks.
    *request.version_mut() = Version::HTTP_11;
    let upgrade = request
        .headers()
        .contains_key(UPGRADE)
        .then(|| hyper::upgrade::on(&mut request));
    let (reply, lease) = send(origin, request, watch.map(|watch| &**watch)).await?;
    if reply.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(passed_on(reply, lease, watch));
    }
    let upgrade = upgrade.ok_or(Fault::Broken)?; // nobody asked for it
    if let Some(watch) = watch {
        watch.tunnel_begins();
    }
    Ok(tunnel::open(upgrade, reply))
}

/// The reply as the client gets it, its body still to come.
fn passed_on(
    reply: Response<Incoming>,
    mut lease: Lease,
    watch: Option<&Arc<Watch>>,
) -> Response<Body> {
    let (mut head, body) = reply.into_parts();
    let closing =
        headers::clean_reply(&mut head.headers, false) || head.version != Version::HTTP_11;
    if closing {
        lease.give_up();
    }
    head.version = Version::HTTP_11; // ours, not the upstream's
    let body = if body.is_end_stream() {
        lease.give_back();
        match stated_length(&head) {
            Some(length) => Body::stated(length),
            None => Body::empty(),
        }
    } else {
        let endless = head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let watch = watch.filter(|_| !endless).cloned();
        Body::reply(body, Some(lease), watch)
    };
    Response::from_parts(head, body)
}

/// A 304 may state the length that its 200 would have; hyper would drop it.
fn stated_length(head: &http::response::Parts) -> Option<u64> {
    if head.status != StatusCode::NOT_MODIFIED {
        return None;
    }
    let length = head.headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    length.parse().ok()
}

async fn send(
    origin: &Arc<Origin>,
    mut request: Request<Body>,
    watch: Option<&Watch>,
) -> Result<(Response<Incoming>, Lease), Fault> {
    if let Some(kept) = origin.take() {
        metrics().proxy.upstream_reuses.inc();
        let spare = replayable(&request).then(|| Spare::of(&request));
        match once(origin, kept, request, watch).await {
            Ok(reply) => return Ok(reply),
            Err(Failure::Unsent(unsent)) => request = *unsent,
            Err(Failure::Cut) => request = spare.ok_or(Fault::Broken)?.request()?,
            Err(Failure::Fault(fault)) => return Err(fault),
        }
        metrics().proxy.upstream_retries.inc();
    }
    let fresh = origin.connect().await?;
    once(origin, fresh, request, watch)
        .await
        .map_err(|failure| match failure {
            Failure::Unsent(_) | Failure::Cut => Fault::Broken,
            Failure::Fault(fault) => fault,
        })
}

/// Why one try failed.
enum Failure {
    /// The request never left.
    Unsent(Box<Request<Body>>),
    /// The connection ended before a reply.
    Cut,
    /// Nothing that another connection could mend.
    Fault(Fault),
}

async fn once(
    origin: &Arc<Origin>,
    mut sender: SendRequest<Body>,
    request: Request<Body>,
    watch: Option<&Watch>,
) -> Result<(Response<Incoming>, Lease), Failure> {
    if let Some(watch) = watch {
        watch.head_awaited();
    }
    let mut sent = pin!(sender.try_send_request(request));
    let outcome = std::future::poll_fn(|cx| match sent.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
        Poll::Pending if watch.is_some_and(|watch| watch.head_waits(cx)) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await;
    if let Some(watch) = watch {
        watch.head_came();
    }
    match outcome {
        Some(Ok(reply)) => Ok((reply, Lease::new(sender, Arc::clone(origin)))),
        Some(Err(mut error)) => Err(match error.take_message() {
            Some(request) => Failure::Unsent(Box::new(request)),
            None => failure(error.error(), watch),
        }),
        None => {
            metrics().proxy.timeouts.reply_head.inc();
            Err(Failure::Fault(Fault::Silent))
        }
    }
}

fn failure(error: &hyper::Error, watch: Option<&Watch>) -> Failure {
    match watch.map_or(BodyFate::Fine, Watch::body_fate) {
        BodyFate::Stalled => return Failure::Fault(Fault::BodyStall),
        BodyFate::Broken => return Failure::Fault(Fault::BodyBroken),
        BodyFate::Fine => {}
    }
    tracing::debug!(%error, "no reply from the upstream");
    if error.is_parse() || error.is_user() {
        Failure::Fault(Fault::Broken)
    } else {
        Failure::Cut
    }
}

/// Whether sending it twice does no more than sending it once, and we still
/// have all of it.
fn replayable(request: &Request<Body>) -> bool {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    );
    idempotent && request.body().is_end_stream() && !request.headers().contains_key(UPGRADE)
}
