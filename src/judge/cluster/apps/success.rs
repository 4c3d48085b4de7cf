//! Which apps have brought people whose accounts confirmed: over weeks, from
//! unrelated mail servers.
//!
//! An app that was made in a burst stays on the burst's ration for a month.
//! This is how an honest one gets off it sooner. It takes confirmed accounts of
//! some age behind several servers, which a bot farm on one server has not, and
//! it excuses one `client_id`, never a look.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::app::ClientId;

const DAY: i64 = 86_400;

/// Apps remembered.
const APPS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");
/// Origins remembered of one.
const ORIGINS: usize = 8;

/// So many confirmed accounts…
const ACCOUNTS: u32 = 5;
/// …from so many unrelated mail servers…
const SERVERS: usize = 3;
/// …over this long make a known client.
const AGE: i64 = 7 * DAY;

/// The register of successes.
#[derive(Clone, Debug)]
pub(super) struct Successes(LruCache<ClientId, Success>);

#[derive(Clone, Debug, Default)]
struct Success {
    first: i64,
    accounts: u32,
    servers: Vec<u64>,
}

impl Default for Successes {
    fn default() -> Self {
        Self(LruCache::new(APPS))
    }
}

impl Successes {
    /// An account that came through the app, made at `made`, has confirmed; `server` stands for
    /// its mail server, so that one farm is one.
    pub(super) fn add(&mut self, app: &ClientId, server: u64, made: i64) {
        let success = self.0.get_or_insert_mut_ref(app, Success::default);
        if success.accounts == 0 || made < success.first {
            success.first = made;
        }
        success.accounts = success.accounts.saturating_add(1);
        if success.servers.len() < ORIGINS && !success.servers.contains(&server) {
            success.servers.push(server);
        }
    }

    /// Whether this app has proved itself by `now`.
    pub(super) fn proven(&self, app: &ClientId, now: i64) -> bool {
        self.0.peek(app).is_some_and(|success| {
            success.accounts >= ACCOUNTS
                && success.servers.len() >= SERVERS
                && now - success.first >= AGE
        })
    }
}
