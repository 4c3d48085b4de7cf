//! Who asks for what: the first station of every request.
//!
//! Refuses what is no request for an origin server, finds the client's
//! address, cleans the headers, names the request, and leaves a [`Seen`] for
//! those further in. Everything after this station may believe what it reads.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::HOST;
use http::uri::{InvalidUri, PathAndQuery, Uri};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::Body;
use super::client_ip::{Identified, Peer, TrustedProxies, identify_behind};
use super::fault::{Fault, Shape, answer};
use super::headers::{self, Found, Line, Scheme};
use super::probe::{self, Sender};
use super::request_id::RequestIds;
use super::roster::{Hold, Roster};
use super::watch::Watch;
use crate::attempt::{ClientIp, Unknown};

/// What the proxy knows of a request beyond the request itself; an extension
/// of every request that has passed [`Identify`].
#[derive(Clone, Debug)]
pub struct Seen {
    /// The person behind the proxies.
    pub client: ClientIp,
    /// The other end of the socket.
    pub peer: Peer,
    /// The scheme in which the client came.
    pub scheme: Scheme,
    /// As sent upstream in `X-Request-Id`; at most 255 bytes, perhaps the client's own choice.
    pub request_id: HeaderValue,
    pub(super) connection: Option<ConnectionSeen>,
}

#[derive(Clone, Debug)]
pub(super) struct ConnectionSeen {
    pub(super) watch: Arc<Watch>,
    pub(super) roster: Arc<Roster>,
}

impl Seen {
    /// The client of a request that has passed [`Identify`]; unknown for one that has not.
    #[must_use]
    pub fn client<B>(request: &Request<B>) -> ClientIp {
        let seen = request.extensions().get::<Self>();
        seen.map_or(ClientIp::Unknown(Unknown::Missing), |seen| seen.client)
    }

    /// Has a shutdown wait (up to the grace period) until the hold is dropped:
    /// for a task that must outlive the request. `None` outside our own server.
    #[must_use]
    pub fn hold(&self) -> Option<Hold> {
        self.connection.as_ref().map(|seen| seen.roster.hold())
    }
}

/// Puts [`Identify`] before a service.
#[derive(Clone, Debug)]
pub struct IdentifyLayer {
    trusted: Arc<TrustedProxies>,
    ids: Arc<RequestIds>,
}

impl IdentifyLayer {
    /// Believes `trusted` peers.
    #[must_use]
    pub fn new(trusted: TrustedProxies) -> Self {
        Self {
            trusted: Arc::new(trusted),
            ids: Arc::default(),
        }
    }
}

impl<S> tower_layer::Layer<S> for IdentifyLayer {
    type Service = Identify<S>;

    fn layer(&self, inner: S) -> Identify<S> {
        Identify {
            inner,
            layer: self.clone(),
            peer: Peer::Unix,
            believed: self.trusted.trust(Peer::Unix),
            connection: None,
        }
    }
}

/// Checks, identifies and cleans; see the module.
#[derive(Clone, Debug)]
pub struct Identify<S> {
    inner: S,
    layer: IdentifyLayer,
    peer: Peer,
    /// Whether the peer is believed in what it says of others.
    believed: bool,
    connection: Option<ConnectionSeen>,
}

impl<S: Clone> Identify<S> {
    /// The same for the requests of one connection. Without this the peer is
    /// taken for a unix socket's, hence trusted.
    #[must_use]
    pub fn of_peer(&self, peer: Peer) -> Self {
        Self {
            peer,
            believed: self.layer.trusted.trust(peer),
            ..self.clone()
        }
    }

    pub(super) fn of_connection(&self, peer: Peer, connection: ConnectionSeen) -> Self {
        Self {
            connection: Some(connection),
            ..self.of_peer(peer)
        }
    }

    /// The answer to `doctor`, before anything is cleaned or rewritten.
    fn told(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let nonce = probe::asked(request)?;
        let headers = request.headers();
        let found = Found::look(headers);
        let sender = Sender {
            client: self.identify(headers, &found).client,
            peer: self.peer,
            trusted: self.believed,
            scheme: if self.believed {
                headers::forwarded_scheme(headers, &found)
            } else {
                Scheme::Http
            },
        };
        probe::answer(nonce, headers, sender)
    }

    fn identify(&self, headers: &HeaderMap, found: &Found) -> Identified {
        let peer = self.peer;
        let trusted = self.believed.then_some(&*self.layer.trusted);
        match &found.forwarded_for {
            Line::None => identify_behind(peer, [].iter(), trusted),
            Line::One(line) => identify_behind(peer, [line].into_iter(), trusted),
            Line::Many => {
                let lines = headers.get_all(headers::X_FORWARDED_FOR);
                identify_behind(peer, lines.iter(), trusted)
            }
        }
    }

    fn ready_request(&self, request: &mut Request<Body>) -> Result<(), Fault> {
        let mut found = Found::look(request.headers());
        check_target(request, &found)?;
        let Identified { client, forward } = self.identify(request.headers(), &found);
        let scheme = if self.believed {
            headers::forwarded_scheme(request.headers(), &found)
        } else {
            Scheme::Http
        };
        let fields = request.headers_mut();
        headers::clean_request(fields, &found).map_err(|_odd| Fault::Coding)?;
        if found.names_others() {
            found = Found::look(fields);
        }
        headers::set_forwarded_for(fields, &found, forward);
        headers::set_scheme(fields, &found, scheme);
        let request_id = self.layer.ids.settle(fields, &found);
        request.extensions_mut().insert(Seen {
            client,
            peer: self.peer,
            scheme,
            request_id,
            connection: self.connection.clone(),
        });
        Ok(())
    }
}

impl<S> Service<Request<Body>> for Identify<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Identifying<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if probe::is_armed()
            && let Some(told) = self.told(&request)
        {
            let response = Some(Box::new(told));
            return Identifying {
                step: Step::Refused { response },
            };
        }
        let step = match self.ready_request(&mut request) {
            Ok(()) => Step::Inner {
                future: self.inner.call(request),
            },
            Err(fault) => {
                fault.count();
                let shape = Shape::fitting(request.uri().path(), request.headers());
                Step::Refused {
                    response: Some(Box::new(answer(fault, shape))),
                }
            }
        };
        Identifying { step }
    }
}

pin_project! {
    /// The answer of [`Identify`]: its own, or the inner service's unboxed.
    #[derive(Debug)]
    pub struct Identifying<F> {
        #[pin]
        step: Step<F>,
    }
}

pin_project! {
    #[project = StepProj]
    #[derive(Debug)]
    enum Step<F> {
        Refused { response: Option<Box<Response<Body>>> },
        Inner { #[pin] future: F },
    }
}

impl<F, E> Future for Identifying<F>
where
    F: Future<Output = Result<Response<Body>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.project().step.project() {
            StepProj::Inner { future } => future.poll(cx),
            StepProj::Refused { response } => Poll::Ready(Ok(*response
                .take()
                .expect("a future is not polled after its end"))),
        }
    }
}

/// Only origin-form passes, `OPTIONS *`, and absolute-form that names the same
/// authority as `Host`, which is cut to origin-form (RFC 9112 §3.2).
fn check_target(request: &mut Request<Body>, found: &Found) -> Result<(), Fault> {
    if request.method() == Method::CONNECT {
        return Err(Fault::Method);
    }
    if found.hosts != 1 {
        return Err(Fault::Host);
    }
    let uri = request.uri();
    if let Some(authority) = uri.authority() {
        let named = authority.as_str().as_bytes();
        let web = matches!(uri.scheme_str(), Some("http" | "https"));
        let host = request.headers().get(HOST);
        if !web || !host.is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(named)) {
            return Err(Fault::Target);
        }
        let target = origin_form(uri).map_err(|_| Fault::Target)?;
        *request.uri_mut() = Uri::from(target);
        return Ok(());
    }
    let star = request.method() == Method::OPTIONS && uri.path() == "*";
    if star || uri.path().starts_with('/') {
        Ok(())
    } else {
        Err(Fault::Target)
    }
}

/// The path and query of an absolute-form target; an empty path is `/`
/// (RFC 9112 §3.2.1), also where a query follows it.
fn origin_form(uri: &Uri) -> Result<PathAndQuery, InvalidUri> {
    match uri.path_and_query() {
        None => Ok(PathAndQuery::from_static("/")),
        Some(target) if target.as_str().starts_with('/') => Ok(target.clone()),
        Some(target) => format!("/{}", target.as_str()).parse(),
    }
}

#[cfg(test)]
mod tests;
