//! Where clients knock: tcp and unix sockets, bound before the workers start.
//!
//! Each worker gets a tcp listener of its own on the same address
//! (`SO_REUSEPORT`: the kernel spreads connections over them); unix and
//! inherited sockets have one queue, of which each worker gets a handle.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};

use super::client_ip::Peer;
use super::stream::Stream;

/// A bound socket.
#[derive(Debug)]
pub struct Listener(Bound);

#[derive(Debug)]
enum Bound {
    /// Bound by us: further sockets can be bound beside it.
    Tcp(std::net::TcpListener),
    Inherited(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener, Option<SocketFile>),
}

/// Why a listener could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address could not be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// Which.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is a file at the path that is no socket, or a live process behind it.
    #[error("cannot listen on {path}: {why}")]
    Occupied {
        /// Which.
        path: PathBuf,
        /// By what.
        why: &'static str,
    },
}

/// Who may connect to a unix socket by default: its owner and group.
pub const SOCKET_MODE: u32 = 0o660;

impl Listener {
    /// Listens on a tcp address; port 0 takes a free one.
    ///
    /// # Errors
    /// [`ListenError::Bind`], also when another process listens there already,
    /// even one that would share the address.
    pub fn tcp(address: SocketAddr) -> Result<Self, ListenError> {
        let bound = || {
            if address.port() != 0 {
                // Without the sharing option first, so that two gates by
                // mistake do not halve each other's clients.
                drop(socket(address, false)?);
            }
            listening(socket(address, true)?)
        };
        bound().map(|tcp| Self(Bound::Tcp(tcp))).map_err(|source| {
            let address = address.to_string();
            ListenError::Bind { address, source }
        })
    }

    /// Listens on a unix path, replacing a socket that nobody serves any more.
    /// Every process with write access to the file is trusted to name clients.
    ///
    /// # Errors
    /// [`ListenError::Occupied`] if something else is there, else [`ListenError::Bind`].
    pub fn unix(path: &Path, mode: u32) -> Result<Self, ListenError> {
        make_way(path)?;
        let bound = || {
            let unix = std::os::unix::net::UnixListener::bind(path)?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
            unix.set_nonblocking(true)?;
            Ok(unix)
        };
        let unix = bound().map_err(|source| ListenError::Bind {
            address: format!("unix:{}", path.display()),
            source,
        })?;
        Ok(Self(Bound::Unix(unix, Some(SocketFile(path.into())))))
    }

    /// Takes over a tcp socket that is listening already (socket activation).
    ///
    /// # Errors
    /// If it cannot be made non-blocking.
    pub fn inherited(tcp: std::net::TcpListener) -> io::Result<Self> {
        tcp.set_nonblocking(true)?;
        Ok(Self(Bound::Inherited(tcp)))
    }

    /// The tcp address, with the port that was free.
    #[must_use]
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.0 {
            Bound::Tcp(tcp) | Bound::Inherited(tcp) => tcp.local_addr().ok(),
            Bound::Unix(..) => None,
        }
    }

    /// One more handle, for a worker.
    pub(super) fn share(&self) -> io::Result<Share> {
        Ok(match &self.0 {
            Bound::Tcp(tcp) => Share::Tcp(listening(socket(tcp.local_addr()?, true)?)?),
            Bound::Inherited(tcp) => Share::Tcp(tcp.try_clone()?),
            Bound::Unix(unix, _) => Share::Unix(unix.try_clone()?),
        })
    }

    /// A handle for the last worker, so that no queue is left without one.
    pub(super) fn into_share(self) -> (Share, Option<SocketFile>) {
        match self.0 {
            Bound::Tcp(tcp) | Bound::Inherited(tcp) => (Share::Tcp(tcp), None),
            Bound::Unix(unix, file) => (Share::Unix(unix), file),
        }
    }
}

fn socket(address: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listening(socket: Socket) -> io::Result<std::net::TcpListener> {
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// As many as the kernel allows (`net.core.somaxconn`, 4096 by default).
const BACKLOG: i32 = 4096;

fn make_way(path: &Path) -> Result<(), ListenError> {
    let occupied = |why| ListenError::Occupied {
        path: path.into(),
        why,
    };
    let Ok(there) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !there.file_type().is_socket() {
        return Err(occupied("a file that is no socket is there"));
    }
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(occupied("another process serves it"));
    }
    std::fs::remove_file(path).map_err(|source| ListenError::Bind {
        address: format!("unix:{}", path.display()),
        source,
    })
}

/// A socket's file, removed with its listener.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If somebody was faster, so much the better.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A worker's handle of a listener, not yet on its runtime.
#[derive(Debug)]
pub(super) enum Share {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

impl Share {
    /// Puts the handle on the runtime of the calling worker.
    pub(super) fn attach(self) -> io::Result<Door> {
        Ok(match self {
            Self::Tcp(tcp) => Door::Tcp(tokio::net::TcpListener::from_std(tcp)?),
            Self::Unix(unix) => Door::Unix(tokio::net::UnixListener::from_std(unix)?),
        })
    }
}

/// A listener on its worker's runtime.
#[derive(Debug)]
pub(super) enum Door {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
}

impl Door {
    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(door) => {
                let (tcp, address) = door.accept().await?;
                tcp.set_nodelay(true)?;
                Ok((Stream::Tcp(tcp), Peer::Tcp(address)))
            }
            Self::Unix(door) => {
                let (unix, _unnamed) = door.accept().await?;
                Ok((Stream::Unix(unix), Peer::Unix))
            }
        }
    }
}
