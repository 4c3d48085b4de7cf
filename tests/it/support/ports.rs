//! Ports for real servers that have to be told which one to take.
//!
//! They lie below the range from which the kernel gives ports to outgoing
//! connections, or any connection of a test next door could be given one
//! between the choice and the use. And each is held by a lock on a file, so
//! that no two tests choose the same, whichever process or checkout they run
//! in. A program that is none of ours may still have it: whoever starts a
//! server here starts it again on another port ([`super::process::started`]).

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 10_000;
const COUNT: u32 = 10_000;
/// How far above its own port a node of a cluster speaks to the others.
const BUS: u16 = 10_000;

/// A port of loopback that is this test's alone, until dropped.
#[derive(Debug)]
pub(crate) struct Port {
    address: SocketAddr,
    _lock: File,
}

impl Port {
    /// One on which nobody listens, on TCP or UDP, nor on the one ten thousand
    /// above it.
    pub(crate) fn take() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = folder();
        // Processes that run at once begin far from each other.
        let own = std::process::id().wrapping_mul(37);
        let mut all = (0..COUNT).map(|_| {
            let next = own.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            u16::try_from(FIRST + next % COUNT).expect("at most 20000")
        });
        let found = all.find_map(|port| Self::lock(&folder, port));
        found.expect("a free port among ten thousand")
    }

    fn lock(folder: &std::path::Path, port: u16) -> Option<Self> {
        let lock = File::create(folder.join(port.to_string())).expect("a lock file");
        lock.try_lock().ok()?;
        let at = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let free = |port| TcpListener::bind(at(port)).is_ok();
        let address = at(port);
        (free(port) && free(port + BUS) && UdpSocket::bind(address).is_ok()).then_some(Self {
            address,
            _lock: lock,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn number(&self) -> u16 {
        self.address.port()
    }
}

/// Where the locks lie: of one user, because others could not open them.
fn folder() -> PathBuf {
    let user = fs::metadata("/proc/self").expect("it runs on Linux").uid();
    let folder = std::env::temp_dir().join(format!("tuskgate-ports-{user}"));
    fs::create_dir_all(&folder).expect("a folder for locks");
    folder
}
