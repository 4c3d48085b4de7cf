//! Several nodes on one real Redis or Valkey: what they admit together, and
//! what they do when it fails them.

pub(crate) mod bans;
mod bound;
mod by_hand;
mod cluster;
mod contained;
mod counting;
mod gates;
mod newcomers;
mod outbox;
mod processes;
mod register;
mod sentinel;
mod transfer;
mod trimmed;
mod ways;

use std::path::Path;
use std::time::Duration;

use tuskgate::secret::{HashKey, Purpose};
use tuskgate::store::limiter::Charge;
use tuskgate::store::{SharedSettings, Store, StoreSettings};
use tuskgate::verdict::Mode;

use crate::support::until;

/// A gate's store, with its folder.
pub(crate) struct Node {
    pub(crate) store: Store,
    folder: tempfile::TempDir,
}

impl Node {
    /// A node that shares what is at `url`, under the key that all tests use.
    pub(crate) async fn join(url: &str, timeout: Duration) -> Self {
        let node = Self::start(SharedSettings {
            timeout,
            ..settings(url)
        });
        until("the shared store is in use", || node.store.is_shared()).await;
        node
    }

    pub(crate) fn start(settings: SharedSettings) -> Self {
        Self::under_key("07", settings)
    }

    pub(crate) fn under_key(byte: &str, settings: SharedSettings) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("key"), byte.repeat(32)).expect("a key");
        let store = open(folder.path());
        store.share(settings, &tokio::runtime::Handle::current());
        Self { store, folder }
    }

    /// Leaves; its folder stays.
    pub(crate) fn leave(self) -> tempfile::TempDir {
        self.folder
    }

    /// Comes back with the folder it left.
    pub(crate) async fn come_back(folder: tempfile::TempDir, url: &str) -> Self {
        let store = open(folder.path());
        store.share(settings(url), &tokio::runtime::Handle::current());
        let node = Self { store, folder };
        until("the shared store is in use", || node.store.is_shared()).await;
        node
    }
}

/// A time-out that a busy test machine keeps.
pub(crate) fn settings(url: &str) -> SharedSettings {
    SharedSettings {
        timeout: Duration::from_secs(1),
        ..SharedSettings::new(url)
    }
}

fn open(path: &Path) -> Store {
    let mut settings = StoreSettings::new(path);
    settings.limiter_slots = 4096;
    Store::open(&settings).expect("the store opens")
}

/// Waits until everything is on the disk and in the shared store; one flush gives
/// up after a second, which a busy test machine may need.
pub(crate) async fn flushed(store: &Store) {
    let begun = std::time::Instant::now();
    while let Err(fault) = store.flush().await {
        assert!(
            matches!(fault, tuskgate::store::StoreError::Unsent { .. }),
            "{fault}"
        );
        assert!(begun.elapsed() < Duration::from_secs(60), "{fault}");
    }
}

pub(crate) fn micros() -> u64 {
    jiff::Timestamp::now().as_microsecond().unsigned_abs()
}

pub(crate) fn charge(limit: &'static str, name: &str, quota: &str) -> Charge {
    let key = HashKey::new(&[7; 32]);
    Charge {
        limit,
        key: key.hash(Purpose::Limit, &[limit.as_bytes(), name.as_bytes()]),
        quota: quota.parse().expect("a quota"),
        wider: None,
        mode: Mode::Enforce,
    }
}

/// How many of `count` tries pass, kept; and how many of those the shared store decided.
pub(crate) async fn take(node: &Node, charges: &[Charge], count: usize) -> (usize, usize) {
    let mut passed = (0, 0);
    for _ in 0..count {
        if let Ok(held) = node.store.reserve(charges, micros()).await {
            passed.0 += 1;
            passed.1 += usize::from(held.is_shared());
            node.store.settle(held, |_| false);
        }
    }
    passed
}
