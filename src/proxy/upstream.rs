//! The last station: Mastodon itself.
//!
//! Sends a request on a kept or a fresh connection, streams the reply back and
//! keeps the connection when the reply's body has ended. What may be sent
//! again is RFC 9110 §9.2.2's idempotent methods without a body, once, and
//! only when a *kept* connection turned out to be dead; anything else only if
//! not a byte of it has left.
//!
//! The client's side of HTTP/1.1 is our own and not hyper's: half of what a
//! request cost was hyper's task and channels for the connection
//! (ARCHITECTURE.md, "Speed").

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{CONTENT_LENGTH, UPGRADE};
use http::{Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use tower_service::Service;

use self::exchange::{Failure, Reply, exchange};
use self::origin_pool::Origin;
use super::fault::{Fault, Shape, answer};
use super::identify::Seen;
use super::settings::ProxySettings;
use super::watch::{Pace, Watch};
use super::{Body, headers, tunnel};
use crate::telemetry::metrics;

pub(super) use self::download::Download;
pub(super) use self::wire::Wire;

mod connect;
mod download;
mod exchange;
mod framing;
mod origin_pool;
mod reply_head;
mod sending;
mod wire;

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
            let answered = serve(&origin, &mut request, seen.as_ref()).await;
            Ok(answered.unwrap_or_else(|fault| {
                fault.count();
                answer(fault, shape)
            }))
        })
    }
}

async fn serve(
    origin: &Arc<Origin>,
    request: &mut Request<Body>,
    seen: Option<&Seen>,
) -> Result<Response<Body>, Fault> {
    let connection = seen.and_then(|seen| seen.connection.as_ref());
    let watch = connection.map(|seen| &seen.watch);
    let upgrade = request
        .headers()
        .contains_key(UPGRADE)
        .then(|| hyper::upgrade::on(&mut *request));
    let replayable = upgrade.is_none() && replayable(request);
    let reply = send(origin, request, replayable, watch.map(|watch| &**watch)).await?;
    if reply.head.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(passed_on(reply, origin, watch));
    }
    let upgrade = upgrade.ok_or(Fault::Broken)?; // nobody asked for it
    if let Some(watch) = watch {
        watch.tunnel_begins();
    }
    Ok(tunnel::open(upgrade, reply.head, reply.found, *reply.wire))
}

/// The reply as the client gets it, its body still to come.
fn passed_on(reply: Reply, origin: &Arc<Origin>, watch: Option<&Arc<Watch>>) -> Response<Body> {
    let (mut head, ()) = reply.head.into_parts();
    let closing = headers::clean_reply(&mut head.headers, reply.found, false) || reply.closing;
    head.version = Version::HTTP_11; // ours, not the upstream's
    let origin = Arc::clone(origin);
    let mut download = Download::new(reply.wire, reply.framing, reply.upload, closing, origin);
    let body = if download.settle() {
        match stated_length(&head) {
            Some(length) => Body::stated(length),
            None => Body::empty(),
        }
    } else {
        Body::reply(download, watch.filter(|_| !reply.endless).cloned())
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
    request: &mut Request<Body>,
    replayable: bool,
    watch: Option<&Watch>,
) -> Result<Reply, Fault> {
    if let Some(kept) = origin.take(!replayable) {
        metrics().proxy.upstream_reuses.inc();
        match exchange(kept, request, watch, origin.max_head()).await {
            Ok(reply) => return Ok(reply),
            Err(Failure::Unsent) => {}
            Err(Failure::Cut) if replayable => {}
            Err(Failure::Cut) => return Err(Fault::Broken),
            Err(Failure::Fault(fault)) => return Err(fault),
        }
        metrics().proxy.upstream_retries.inc();
    }
    // Boxed, because it is rare and larger than all else that is waited for here.
    let fresh = Box::pin(origin.connect()).await?;
    exchange(fresh, request, watch, origin.max_head())
        .await
        .map_err(|failure| match failure {
            Failure::Unsent | Failure::Cut => Fault::Broken,
            Failure::Fault(fault) => fault,
        })
}

/// Whether sending it twice does no more than sending it once, and we still
/// have all of it; for a request that asks for no upgrade.
fn replayable(request: &Request<Body>) -> bool {
    let idempotent = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE | Method::TRACE
    );
    idempotent && request.body().is_end_stream()
}
