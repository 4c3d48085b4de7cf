//! Where the shared store is. A URL may hold a password, so it is a [`Secret`].

use std::path::PathBuf;
use std::time::Duration;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use crate::secret::Secret;

/// Where the shared store is, and how much it may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedSettings {
    /// The server; several seeds of a cluster; the sentinels.
    pub urls: Vec<Secret>,
    /// What the URLs name.
    pub topology: Topology,
    /// What every key begins with, so that several can share a server.
    pub prefix: String,
    /// How long a request waits for its budgets; then its own node decides.
    pub timeout: Duration,
    /// How many keys the limiter may hold in all.
    pub keys: usize,
    /// A certificate authority to trust in place of the system's, as PEM.
    pub ca: Option<PathBuf>,
}

/// What the URLs of a shared store name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Topology {
    /// One server.
    #[default]
    Single,
    /// Nodes of a Redis Cluster; the others are learned from them.
    Cluster,
    /// Sentinels that know the current master under this name. User, password
    /// and database of the first URL are the master's.
    Sentinel(String),
}

impl SharedSettings {
    /// What `config/tuskgate.toml` says for one server at `url`.
    #[must_use]
    pub fn new(url: impl Into<Box<str>>) -> Self {
        Self {
            urls: vec![Secret::new(url)],
            topology: Topology::Single,
            prefix: "tuskgate".to_owned(),
            timeout: Duration::from_millis(30),
            keys: 1_000_000,
            ca: None,
        }
    }

    /// Reads `redis://`, `rediss://` or `unix:` text.
    ///
    /// # Errors
    /// If it is no such address. The text itself is not repeated: it may hold a password.
    pub fn read_url(text: &str) -> Result<Secret, NotAnAddress> {
        let read = text.into_connection_info().map_err(|_| NotAnAddress)?;
        let sound = match read.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                !host.is_empty() && *port != 0
            }
            ConnectionAddr::Unix(path) => path.is_absolute(),
            _ => false,
        };
        // `#insecure` would take any certificate: then there is no point in one.
        let insecure = text.ends_with("#insecure");
        (sound && !insecure)
            .then(|| Secret::new(text))
            .ok_or(NotAnAddress)
    }

    /// The URLs, read.
    pub(super) fn addresses(&self) -> redis::RedisResult<Vec<ConnectionInfo>> {
        let read = |url: &Secret| url.expose().into_connection_info();
        self.urls.iter().map(read).collect()
    }
}

/// The text is no address of a Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the URL of a Redis, such as redis://user:password@host:6379/0")]
pub struct NotAnAddress;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_masked() {
        for text in [
            "redis://127.0.0.1:6379",
            "rediss://gate:hunter2@redis.internal:6380/3",
            "valkey://[::1]:6379",
            "unix:///run/redis/redis.sock?db=2&pass=hunter2",
            "redis+unix:///run/redis/redis.sock",
        ] {
            let url = SharedSettings::read_url(text).expect(text);
            assert!(!format!("{url:?}").contains("hunter2"));
        }
        for text in [
            "",
            "127.0.0.1:6379",
            "http://host",
            "redis://host/x",
            "rediss://host/#insecure",
        ] {
            assert!(SharedSettings::read_url(text).is_err(), "{text}");
        }
    }
}
