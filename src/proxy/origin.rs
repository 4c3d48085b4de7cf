//! Where the upstream is: a socket address, a host name or a unix path.
//!
//! A name is resolved by the system's resolver, as Mastodon's own parts do
//! (containers move, and their names follow). All addresses are tried in the
//! resolver's order; when a look-up fails the last known ones stay in use.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::clock::{Clock, millis};

/// The address of an upstream as an admin writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `127.0.0.1:3000`, `[::1]:3000`.
    Socket(SocketAddr),
    /// `web:3000`.
    Name {
        /// What the system's resolver is asked.
        host: Box<str>,
        /// The port.
        port: u16,
    },
    /// `unix:/run/mastodon/puma.sock` or a bare absolute path.
    Unix(PathBuf),
}

impl Address {
    /// `port` of this machine.
    #[must_use]
    pub const fn loopback(port: u16) -> Self {
        Self::Socket(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if let Some(path) = text.strip_prefix("unix:").or(text.strip_prefix("unix://")) {
            return path
                .starts_with('/')
                .then(|| Self::Unix(path.into()))
                .ok_or(NotAnAddress);
        }
        if text.starts_with('/') {
            return Ok(Self::Unix(text.into()));
        }
        if let Ok(socket) = text.parse() {
            return Ok(Self::Socket(socket));
        }
        let (host, port) = text.rsplit_once(':').ok_or(NotAnAddress)?;
        let port = port.parse().map_err(|_| NotAnAddress)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if host.is_empty() || host.len() > 253 || !host.bytes().all(plain) {
            return Err(NotAnAddress);
        }
        Ok(Self::Name {
            host: host.into(),
            port,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(socket) => socket.fmt(f),
            Self::Name { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The text is no address of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an upstream is \"host:port\" such as \"127.0.0.1:3000\", or a path such as \"unix:/run/puma.sock\""
)]
pub struct NotAnAddress;

/// How old the addresses of a name may be before they are looked up again.
const FRESH: Duration = Duration::from_secs(10);

/// The addresses behind a name, remembered.
#[derive(Debug)]
pub(super) struct Names {
    host: Box<str>,
    port: u16,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    sockets: Arc<[SocketAddr]>,
    looked_up: Option<u64>,
}

impl Names {
    pub(super) fn new(host: &str, port: u16) -> Self {
        let known = Known {
            sockets: Arc::new([]),
            looked_up: None,
        };
        Self {
            host: host.into(),
            port,
            known: Mutex::new(known),
        }
    }

    /// The addresses, looked up again if older than ten seconds.
    pub(super) async fn current(&self, clock: &Clock, within: Duration) -> Arc<[SocketAddr]> {
        let (sockets, looked_up) = {
            let known = self.known.lock();
            (Arc::clone(&known.sockets), known.looked_up)
        };
        let fresh = looked_up.is_some_and(|at| clock.now() < at + millis(FRESH));
        if fresh && !sockets.is_empty() {
            return sockets;
        }
        self.look_up(clock, within).await
    }

    /// Asks the resolver now. Old addresses stay if it fails.
    pub(super) async fn look_up(&self, clock: &Clock, within: Duration) -> Arc<[SocketAddr]> {
        // Noted before the answer, so that others meanwhile use what is known.
        self.known.lock().looked_up = Some(clock.now());
        let asked = tokio::net::lookup_host((&*self.host, self.port));
        let answer = tokio::time::timeout(within, asked).await;
        let mut known = self.known.lock();
        match answer {
            Ok(Ok(found)) => {
                let found: Arc<[SocketAddr]> = found.take(MOST_ADDRESSES).collect();
                if !found.is_empty() {
                    known.sockets = found;
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(host = &*self.host, %error, "the upstream's name does not resolve");
            }
            Err(_) => {
                tracing::warn!(
                    host = &*self.host,
                    "resolving the upstream's name took too long"
                );
            }
        }
        Arc::clone(&known.sockets)
    }
}

/// Enough for any round-robin name; bounds how long a dead upstream is tried.
const MOST_ADDRESSES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for text in [
            "127.0.0.1:3000",
            "[::1]:3000",
            "web:3000",
            "mastodon_web.internal:80",
            "unix:/run/puma.sock",
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), text);
        }
        for text in [
            "",
            "web",
            "web:",
            ":3000",
            "web:99999",
            "unix:puma",
            "a b:1",
        ] {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text}");
        }
        assert_eq!("/a".parse(), Ok(Address::Unix("/a".into())));
    }
}
