//! A small upstream in Mastodon's shape, on loopback, that remembers what it was asked.
//!
//! It answers the sign-up, OAuth and e-mail endpoints as a running Mastodon 4.1
//! was seen to (status, fields and cookies, not pages), and has hooks under
//! `/stand-in/` for what a proxy must carry: streams, uploads, upgrades,
//! trailers, hang-ups. It reads parameters in its own lenient way, so that a
//! mistake of `rack` cannot hide behind the same mistake here. No passwords are
//! checked beyond their presence, and nothing is kept beyond the process.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use self::record::Log;
use self::register::Register;
use crate::proxy::Body;

pub use self::record::Recorded;

mod accounts;
mod hooks;
mod oauth;
mod params;
mod record;
mod register;
mod reply;

/// A running stand-in; it ends when dropped.
#[derive(Debug)]
pub struct StandIn {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    log: Log,
    register: Register,
}

impl StandIn {
    /// Listens on a free port of loopback and serves on the current runtime.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state)));
        Ok(Self {
            address,
            state,
            accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The last requests, oldest first, at most [`Recorded::KEPT`].
    #[must_use]
    pub fn requests(&self) -> Vec<Arc<Recorded>> {
        self.state.log.all()
    }

    /// How many requests came in all.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.state.log.count()
    }

    /// How many accounts were made.
    #[must_use]
    pub fn accounts(&self) -> usize {
        self.state.register.accounts()
    }

    /// How many apps were made.
    #[must_use]
    pub fn apps(&self) -> usize {
        self.state.register.apps()
    }

    /// How many distinct tokens were issued.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.state.register.tokens()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        // A best effort: only latency depends on it.
        let _ = stream.set_nodelay(true);
        let connection = state.log.connection();
        let state = Arc::clone(&state);
        let service = service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(answer(&state, connection, request).await) }
        });
        connections.spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            if let Err(error) = served.await {
                tracing::debug!(%error, "a connection to the stand-in ended");
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(state: &State, connection: u64, request: Request<Incoming>) -> Response<Body> {
    let recording = state.log.begin(connection, &request);
    if request.uri().path().starts_with("/stand-in/") {
        return hooks::answer(recording, request).await;
    }
    let (head, body) = request.into_parts();
    let Ok(body) = recording.whole(body).await else {
        return reply::text(400, "the body broke off");
    };
    let params = params::read(&head, &body);
    oauth::answer(&state.register, &head, &params)
        .or_else(|| accounts::answer(&state.register, &head, &params))
        .unwrap_or_else(|| reply::text(404, "not found"))
}
