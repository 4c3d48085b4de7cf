//! One client connection, from its first byte to its last.
//!
//! HTTP state (buffers, parser, the service's future) exists only while the
//! client speaks: before its first byte and after a quiet while the connection
//! is *parked*, a socket and a waker, so that ten thousand idle clients cost
//! little more than the kernel's part.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::server::conn::http1::{Builder, UpgradeableConnection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, ReadBuf};

use super::client_io::ClientIo;
use super::front::Front;
use super::roster::Roster;
use super::stack::Stack;
use super::watch::{Overdue, Watch};
use crate::telemetry::metrics;

/// Serves one connection until it ends or becomes a tunnel.
pub(super) struct Connection<S: Stack> {
    state: State<S>,
    stack: S,
    builder: Arc<Builder>,
    watch: Arc<Watch>,
    roster: Arc<Roster>,
    told_to_end: bool,
}

/// A socket without HTTP state.
struct Parked {
    io: ClientIo,
    _count: CountParked,
}

impl Parked {
    fn new(io: ClientIo) -> Self {
        metrics().proxy.connections_parked.inc();
        Self {
            io,
            _count: CountParked,
        }
    }
}

struct CountParked;

impl Drop for CountParked {
    fn drop(&mut self) {
        metrics().proxy.connections_parked.dec();
    }
}

type Live<S> = UpgradeableConnection<TokioIo<ClientIo>, Front<S>>;

enum State<S: Stack> {
    Parked(Parked),
    Live(Box<Live<S>>),
    Lingering(ClientIo),
    Over,
}

impl<S: Stack> Connection<S> {
    pub(super) fn new(
        io: ClientIo,
        stack: S,
        builder: Arc<Builder>,
        watch: Arc<Watch>,
        roster: Arc<Roster>,
    ) -> Self {
        Self {
            state: State::Parked(Parked::new(io)),
            stack,
            builder,
            watch,
            roster,
            told_to_end: false,
        }
    }

    fn poll_parked(&mut self, mut parked: Parked, cx: &mut Context<'_>) -> Poll<State<S>> {
        if self.roster.draining() {
            return Poll::Ready(State::Over);
        }
        match parked.io.poll_spoken(cx) {
            Poll::Ready(Ok(true)) => {
                let Parked { io, _count } = parked;
                self.watch.park(false);
                let front = Front::new(self.stack.clone(), Arc::clone(&self.watch));
                let served = self.builder.serve_connection(TokioIo::new(io), front);
                Poll::Ready(State::Live(Box::new(served.with_upgrades())))
            }
            Poll::Ready(Ok(false) | Err(_)) => Poll::Ready(State::Over),
            Poll::Pending if self.watch.overdue().is_some() => {
                metrics().proxy.timeouts.idle.inc();
                Poll::Ready(State::Over)
            }
            Poll::Pending => {
                self.state = State::Parked(parked);
                Poll::Pending
            }
        }
    }

    fn poll_live(&mut self, mut live: Box<Live<S>>, cx: &mut Context<'_>) -> Poll<State<S>> {
        if self.roster.draining() && !self.told_to_end {
            self.told_to_end = true;
            Pin::new(&mut *live).graceful_shutdown();
        }
        match Pin::new(&mut *live).poll(cx) {
            Poll::Ready(ended) => {
                let malformed = ended.as_ref().is_err_and(hyper::Error::is_parse);
                if let Err(error) = ended {
                    note_end(&error);
                }
                Poll::Ready(if malformed || self.watch.unread() {
                    self.linger(*live)
                } else {
                    State::Over
                })
            }
            Poll::Pending => {
                if let Some(overdue) = self.watch.overdue() {
                    return Poll::Ready(cut_off(*live, overdue));
                }
                if self.watch.may_park() {
                    return Poll::Ready(self.park(*live));
                }
                self.state = State::Live(live);
                Poll::Pending
            }
        }
    }

    /// Keeps the socket until the client, too, has ended.
    fn linger(&self, live: Live<S>) -> State<S> {
        let Some(parts) = live.into_parts() else {
            return State::Over; // a tunnel now
        };
        self.watch.linger();
        State::Lingering(parts.io.into_inner())
    }

    fn poll_lingering(&mut self, mut io: ClientIo, cx: &mut Context<'_>) -> Poll<State<S>> {
        let mut scrap = [0; 4096];
        loop {
            let mut scrap = ReadBuf::new(&mut scrap);
            match Pin::new(&mut io).poll_read(cx, &mut scrap) {
                Poll::Ready(Ok(()))
                    if !scrap.filled().is_empty() && self.watch.overdue().is_none() => {}
                Poll::Ready(_) => return Poll::Ready(State::Over),
                Poll::Pending if self.watch.overdue().is_some() => {
                    return Poll::Ready(State::Over);
                }
                Poll::Pending => {
                    self.state = State::Lingering(io);
                    return Poll::Pending;
                }
            }
        }
    }

    /// Drops the HTTP state of a quiet connection. Bytes that have come since
    /// are the next head's beginning and will be read again.
    fn park(&self, live: Live<S>) -> State<S> {
        let Some(parts) = live.into_parts() else {
            return State::Over;
        };
        self.watch.park(true);
        State::Parked(Parked::new(parts.io.into_inner().after(parts.read_buf)))
    }
}

/// Ends a connection whose client is overdue, with a last word where a request
/// had begun.
fn cut_off<S: Stack>(live: Live<S>, overdue: Overdue) -> State<S> {
    let timeouts = &metrics().proxy.timeouts;
    match overdue {
        Overdue::Idle => timeouts.idle.inc(),
        Overdue::Taking => timeouts.body_stall.inc(),
        Overdue::Head => {
            timeouts.head.inc();
            if let Some(parts) = live.into_parts() {
                parts.io.into_inner().say(TOO_SLOW);
            }
            return State::Over;
        }
        Overdue::Lingering => 0,
    };
    State::Over
}

const TOO_SLOW: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

fn note_end(error: &hyper::Error) {
    if error.is_parse() {
        metrics().proxy.requests_malformed.inc();
    }
    tracing::debug!(%error, "a client's connection ended");
}

// Nothing in it is pinned in place: hyper boxes what is.
impl<S: Stack> Unpin for Connection<S> {}

impl<S: Stack> Future for Connection<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.watch.woken_by(cx);
        loop {
            let polled = match std::mem::replace(&mut this.state, State::Over) {
                State::Parked(parked) => this.poll_parked(parked, cx),
                State::Live(live) => this.poll_live(live, cx),
                State::Lingering(io) => this.poll_lingering(io, cx),
                State::Over => return Poll::Ready(()),
            };
            match polled {
                Poll::Ready(next) => this.state = next,
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
