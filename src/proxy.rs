//! The reverse proxy: from a client's socket to Mastodon and back.
//!
//! HTTP/1.1 on both sides (RFC 9110, RFC 9112) over hyper's low-level
//! connections; one worker thread per core, each with its own listener,
//! runtime and upstream pool. Bodies stream both ways with back-pressure.
//! What it does to a message, and no more: hop-by-hop fields go, what names
//! the client is checked and rewritten, the framing may change. It never
//! decodes, normalises or buffers.
//!
//! It does not terminate TLS, cache, compress, or speak HTTP/2.

pub use self::body::{Body, BodyError};
pub use self::client_ip::{Identified, Peer, TrustedProxies, identify, is_public};
pub use self::fault::{Fault, Shape, Source, answer};
pub use self::headers::Scheme;
pub use self::identify::{Identify, IdentifyLayer, Identifying, Seen};
pub use self::listen::{ListenError, Listener, SOCKET_MODE};
pub use self::origin::{Address, NotAnAddress};
pub use self::roster::Hold;
pub use self::serve::{ServeError, serve};
pub use self::settings::{PoolSettings, ProxySettings, Timeouts};
pub use self::stack::Stack;
pub use self::upstream::Upstream;

mod body;
mod client_io;
mod client_ip;
mod clock;
mod connection;
mod counted;
mod fault;
mod front;
pub mod gate;
mod headers;
mod identify;
mod listen;
mod origin;
pub mod probe;
mod request_id;
mod roster;
mod serve;
mod settings;
mod stack;
mod stream;
mod tunnel;
mod upstream;
mod watch;
mod worker;

/// How a drain went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Connections and tasks that ended by themselves.
    pub drained: usize,
    /// Those cut off when the grace period was over.
    pub cut: usize,
}
