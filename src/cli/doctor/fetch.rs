//! One GET, over TCP or a unix socket, from an address of choice.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, UnixStream};

/// How long one fetch may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest body read.
const LONGEST: usize = 64 * 1024;

/// Where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// What to ask for.
#[derive(Clone, Debug)]
pub(super) struct Get<'a> {
    pub(super) path: &'a str,
    pub(super) host: &'a str,
    pub(super) forwarded_for: Option<&'a str>,
    pub(super) forwarded_proto: Option<&'a str>,
    /// The address to come from, on this machine.
    pub(super) from: Option<IpAddr>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// The address that the other end saw; none over a unix socket.
    pub(super) own: Option<IpAddr>,
    pub(super) took: Duration,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Fetches.
///
/// # Errors
/// In words fit for a report: cannot connect, broke off, took too long.
pub(super) async fn get(place: &Place, get: &Get<'_>) -> Result<Reply, String> {
    let fetching = fetch(place, get);
    tokio::time::timeout(PATIENCE, fetching)
        .await
        .unwrap_or_else(|_| Err(format!("{place} has not answered in {PATIENCE:?}")))
}

async fn fetch(place: &Place, get: &Get<'_>) -> Result<Reply, String> {
    let unreachable = |fault: io::Error| format!("{place} takes no connection: {fault}");
    match place {
        Place::Tcp(address) => {
            let socket = match address {
                SocketAddr::V4(_) => TcpSocket::new_v4(),
                SocketAddr::V6(_) => TcpSocket::new_v6(),
            };
            let socket = socket.map_err(unreachable)?;
            if let Some(from) = get.from {
                socket.bind((from, 0).into()).map_err(unreachable)?;
            }
            let stream = socket.connect(*address).await.map_err(unreachable)?;
            let own = stream.local_addr().ok().map(|own| own.ip());
            exchange(stream, own, get).await
        }
        Place::Unix(path) => {
            let stream = UnixStream::connect(path).await.map_err(unreachable)?;
            exchange(stream, None, get).await
        }
    }
    .map_err(|fault| match fault {
        Odd::Words(words) => words,
        Odd::Broken(fault) => format!("{place} broke off: {fault}"),
    })
}

enum Odd {
    Words(String),
    Broken(String),
}

impl From<String> for Odd {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<io::Error> for Odd {
    fn from(fault: io::Error) -> Self {
        Self::Broken(fault.to_string())
    }
}

impl From<hyper::Error> for Odd {
    fn from(fault: hyper::Error) -> Self {
        Self::Broken(fault.to_string())
    }
}

async fn exchange<S>(stream: S, own: Option<IpAddr>, get: &Get<'_>) -> Result<Reply, Odd>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let begun = Instant::now();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        // How it ends is told to the sender.
        let _ = connection.await;
    });
    let response = sender.send_request(request(get)?).await?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, LONGEST).collect().await;
    Ok(Reply {
        status: head.status,
        headers: head.headers,
        // A longer or broken body is none: only probes are read.
        body: body.map(|body| body.to_bytes()).unwrap_or_default(),
        own,
        took: begun.elapsed(),
    })
}

fn request(get: &Get<'_>) -> Result<Request<Empty<Bytes>>, Odd> {
    let mut request = Request::builder()
        .uri(get.path)
        .header("host", get.host)
        .header(
            "user-agent",
            concat!("tuskgate-doctor/", env!("CARGO_PKG_VERSION")),
        )
        .header("accept", "application/json");
    for (name, value) in [
        ("x-forwarded-for", get.forwarded_for),
        ("x-forwarded-proto", get.forwarded_proto),
    ] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    let request = request.body(Empty::new());
    request.map_err(|fault| Odd::Words(format!("no such request can be made: {fault}")))
}
