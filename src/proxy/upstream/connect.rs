//! Opening connections to the upstream.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

use super::wire::Wire;
use crate::proxy::clock::Clock;
use crate::proxy::fault::Fault;
use crate::proxy::origin::{Address, Names};
use crate::proxy::stream::Stream;
use crate::telemetry::metrics;
use crate::telemetry::trouble::{self, Trouble};

/// What is connected to.
#[derive(Debug)]
pub(super) struct Target {
    way: Way,
    complained: AtomicU64,
}

#[derive(Debug)]
enum Way {
    Socket(SocketAddr),
    Names(Names),
    Unix(PathBuf),
}

impl Target {
    pub(super) fn new(address: &Address) -> Self {
        Self {
            way: match address {
                Address::Socket(socket) => Way::Socket(*socket),
                Address::Name { host, port } => Way::Names(Names::new(host, *port)),
                Address::Unix(path) => Way::Unix(path.clone()),
            },
            complained: AtomicU64::new(0),
        }
    }

    /// A connection.
    pub(super) async fn connect(
        &self,
        clock: &Clock,
        within: Duration,
    ) -> Result<Box<Wire>, Fault> {
        let stream = self.open(clock, within).await.map_err(|error| {
            self.complain(clock.now(), &error);
            Fault::Unreachable
        })?;
        metrics().proxy.upstream_connects.inc();
        if self.complained.swap(0, Relaxed) != 0 {
            trouble::clear(Trouble::UpstreamDown);
        }
        Ok(Box::new(Wire::new(stream)))
    }

    /// Logged once in a while: every request meets the same trouble.
    fn complain(&self, now: u64, error: &io::Error) {
        let text = format!(
            "the upstream takes no connections ({error}): is Mastodon up, and upstream.address right?"
        );
        trouble::raise(Trouble::UpstreamDown, text);
        let last = self.complained.load(Relaxed);
        if last == 0 || now >= last + COMPLAIN_EVERY {
            self.complained.store(now, Relaxed);
            tracing::warn!(%error, "the upstream takes no connections");
        }
    }

    async fn open(&self, clock: &Clock, within: Duration) -> io::Result<Stream> {
        match &self.way {
            Way::Socket(socket) => open_first(&[*socket], within).await,
            Way::Unix(path) => {
                let stream = timely(within, UnixStream::connect(path)).await?;
                Ok(Stream::Unix(stream))
            }
            Way::Names(names) => {
                let known = names.current(clock, within).await;
                match open_first(&known, within).await {
                    Ok(stream) => Ok(stream),
                    Err(error) => {
                        // Containers move: perhaps the name has new addresses.
                        let anew = names.look_up(clock, within).await;
                        if anew == known {
                            return Err(error);
                        }
                        open_first(&anew, within).await
                    }
                }
            }
        }
    }
}

/// In milliseconds.
const COMPLAIN_EVERY: u64 = 5000;

async fn open_first(sockets: &[SocketAddr], within: Duration) -> io::Result<Stream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
    for socket in sockets {
        match timely(within, TcpStream::connect(socket)).await {
            Ok(tcp) => {
                tcp.set_nodelay(true)?;
                return Ok(Stream::Tcp(tcp));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn timely<T>(
    within: Duration,
    opening: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    match tokio::time::timeout(within, opening).await {
        Ok(opened) => opened,
        Err(_) => {
            metrics().proxy.timeouts.connect.inc();
            Err(io::ErrorKind::TimedOut.into())
        }
    }
}
