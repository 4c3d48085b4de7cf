//! What is remembered of domains: findings until their TTL and a while beyond,
//! lapses until their next try.
//!
//! Least recently used domains go first. Serving stale follows RFC 8767 in
//! spirit: a known mail server is not forgotten because its name server
//! fails. "Nowhere" and null MX are never served stale, because they refuse people.
//! The clock is a parameter.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;
use parking_lot::Mutex;

use crate::mailbox::Domain;

use super::settings::Bounds;
use super::{DnsSettings, Finding, LapseCause};

/// The lives of what is remembered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lives {
    pub(super) fresh: Bounds,
    pub(super) negative: Bounds,
    pub(super) stale: Duration,
    pub(super) retry: Bounds,
}

impl From<&DnsSettings> for Lives {
    fn from(settings: &DnsSettings) -> Self {
        Self {
            fresh: settings.fresh,
            negative: settings.negative,
            stale: settings.stale,
            retry: settings.retry,
        }
    }
}

/// What the cache says of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// Within its TTL.
    Fresh(Finding),
    /// Beyond it; whether it is time to look again.
    Stale { finding: Finding, look: bool },
    /// Lapsed lately; not to be asked for yet.
    Lapsed(LapseCause),
    /// Nothing of use.
    Nothing,
}

#[derive(Debug, Default)]
struct Entry {
    found: Option<Found>,
    lapsed: Option<Lapsed>,
}

#[derive(Debug)]
struct Found {
    finding: Finding,
    fresh_until: Instant,
    stale_until: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Lapsed {
    cause: LapseCause,
    next_try: Instant,
    wait: Duration,
}

/// The lock is held for one look-up in the maps, never across an await.
#[derive(Debug)]
pub(super) struct Cache {
    entries: Mutex<Entries>,
    lives: Lives,
}

/// Two generations: a domain that is asked for again moves to the second, so
/// that a stream of domains used once cannot push out those that people use.
#[derive(Debug)]
struct Entries {
    once: LruCache<Domain, Entry>,
    again: LruCache<Domain, Entry>,
}

impl Entries {
    fn recall(&mut self, domain: &Domain) -> Option<&mut Entry> {
        // A domain is in one of the two only.
        if self.again.contains(domain) {
            return self.again.get_mut(domain);
        }
        let known = self
            .once
            .peek(domain)
            .is_some_and(|entry| entry.found.is_some());
        if known && let Some((domain, entry)) = self.once.pop_entry(domain) {
            // Whoever is pushed out of the second generation begins anew.
            if let Some((out, old)) = self.again.push(domain, entry) {
                self.once.put(out, old);
            }
        }
        self.held(domain)
    }

    fn held(&mut self, domain: &Domain) -> Option<&mut Entry> {
        match self.again.contains(domain) {
            true => self.again.get_mut(domain),
            false => self.once.get_mut(domain),
        }
    }
}

impl Cache {
    pub(super) fn new(remembered: NonZeroUsize, lives: Lives) -> Self {
        let half = NonZeroUsize::new(remembered.get().div_ceil(2)).unwrap_or(remembered);
        Self {
            entries: Mutex::new(Entries {
                once: LruCache::new(half),
                again: LruCache::new(half),
            }),
            lives,
        }
    }

    pub(super) fn recall(&self, domain: &Domain, now: Instant) -> Recall {
        let mut entries = self.entries.lock();
        let Some(entry) = entries.recall(domain) else {
            return Recall::Nothing;
        };
        let resting = entry.lapsed.filter(|lapsed| now < lapsed.next_try);
        match (&entry.found, resting) {
            (Some(found), _) if now < found.fresh_until => Recall::Fresh(found.finding.clone()),
            (Some(found), resting) if now < found.stale_until => Recall::Stale {
                finding: found.finding.clone(),
                look: resting.is_none(),
            },
            (_, Some(lapsed)) => Recall::Lapsed(lapsed.cause),
            (_, None) => Recall::Nothing,
        }
    }

    pub(super) fn found(&self, domain: Domain, finding: Finding, ttl: Duration, now: Instant) {
        let (bounds, stale) = match finding {
            Finding::Server(_) => (self.lives.fresh, self.lives.stale),
            Finding::Null | Finding::Nowhere => (self.lives.negative, Duration::ZERO),
        };
        let fresh_until = now + bounds.clamp(ttl);
        let found = Some(Found {
            finding,
            fresh_until,
            stale_until: fresh_until + stale,
        });
        let entry = Entry {
            found,
            lapsed: None,
        };
        let mut entries = self.entries.lock();
        match entries.held(&domain) {
            Some(held) => *held = entry,
            None => {
                entries.once.put(domain, entry);
            }
        }
    }

    /// Remembers a lapse beside what was found before. While the resolver itself is
    /// down the wait does not grow, so that its return is noticed at once.
    pub(super) fn lapsed(
        &self,
        domain: Domain,
        cause: LapseCause,
        resolver_down: bool,
        now: Instant,
    ) {
        let mut entries = self.entries.lock();
        if entries.held(&domain).is_none() {
            entries.once.put(domain.clone(), Entry::default());
        }
        let Some(entry) = entries.held(&domain) else {
            return;
        };
        let wait = match entry.lapsed {
            Some(before) if !resolver_down => before.wait.saturating_mul(2),
            Some(_) | None => Duration::ZERO,
        };
        let wait = self.lives.retry.clamp(wait);
        entry.lapsed = Some(Lapsed {
            cause,
            next_try: now + wait,
            wait,
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::MailServer;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn cache(size: usize) -> Cache {
        let settings = DnsSettings::default();
        Cache::new(
            NonZeroUsize::new(size).expect("not zero"),
            Lives::from(&settings),
        )
    }

    fn domain(name: &str) -> Domain {
        Domain::new(name).expect("a domain")
    }

    fn server() -> Finding {
        Finding::Server(Arc::new(MailServer {
            hosts: Vec::new(),
            implicit: false,
        }))
    }

    #[test]
    fn a_server_is_fresh_then_stale_then_forgotten() {
        let (cache, now, a) = (cache(4), Instant::now(), domain("a.test"));
        cache.found(a.clone(), server(), 60 * SECOND, now);
        assert_eq!(cache.recall(&a, now + 59 * SECOND), Recall::Fresh(server()));
        let stale = |look| Recall::Stale {
            finding: server(),
            look,
        };
        assert_eq!(cache.recall(&a, now + 60 * SECOND), stale(true));
        cache.lapsed(a.clone(), LapseCause::Deadline, false, now + 60 * SECOND);
        assert_eq!(cache.recall(&a, now + 60 * SECOND), stale(false));
        assert_eq!(cache.recall(&a, now + 61 * SECOND), stale(true));
        assert_eq!(cache.recall(&a, now + 660 * SECOND), Recall::Nothing);
    }

    #[test]
    fn ttls_are_clamped() {
        let (cache, now, a) = (cache(4), Instant::now(), domain("a.test"));
        cache.found(a.clone(), server(), Duration::ZERO, now);
        assert_eq!(cache.recall(&a, now + 9 * SECOND), Recall::Fresh(server()));
        cache.found(a.clone(), server(), Duration::MAX, now);
        assert_ne!(
            cache.recall(&a, now + 3600 * SECOND),
            Recall::Fresh(server())
        );
    }

    #[test]
    fn a_refusing_finding_is_never_stale() {
        let (cache, now, a) = (cache(4), Instant::now(), domain("a.test"));
        cache.found(a.clone(), Finding::Nowhere, 60 * SECOND, now);
        assert_eq!(
            cache.recall(&a, now + 59 * SECOND),
            Recall::Fresh(Finding::Nowhere)
        );
        assert_eq!(cache.recall(&a, now + 60 * SECOND), Recall::Nothing);
    }

    #[test]
    fn lapses_wait_twice_as_long_each_time_up_to_five_minutes() {
        let (cache, mut now, a) = (cache(4), Instant::now(), domain("a.test"));
        for wait in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            cache.lapsed(a.clone(), LapseCause::Failure, false, now);
            now += wait * SECOND;
            assert_eq!(
                cache.recall(&a, now - Duration::from_millis(1)),
                Recall::Lapsed(LapseCause::Failure)
            );
            assert_eq!(cache.recall(&a, now), Recall::Nothing);
        }
        cache.lapsed(a.clone(), LapseCause::Failure, true, now);
        assert_eq!(cache.recall(&a, now + SECOND), Recall::Nothing);
    }

    #[test]
    fn the_least_recently_used_domain_goes_first() {
        let (cache, now) = (cache(4), Instant::now());
        for name in ["a.test", "b.test"] {
            cache.found(domain(name), server(), 60 * SECOND, now);
        }
        cache.lapsed(domain("c.test"), LapseCause::Deadline, false, now);
        assert_eq!(cache.recall(&domain("a.test"), now), Recall::Nothing);
        assert_eq!(
            cache.recall(&domain("b.test"), now),
            Recall::Fresh(server())
        );
    }

    #[test]
    fn domains_used_once_do_not_push_out_what_people_use() {
        let (cache, now) = (cache(8), Instant::now());
        let provider = domain("provider.test");
        cache.found(provider.clone(), server(), 60 * SECOND, now);
        assert_eq!(cache.recall(&provider, now), Recall::Fresh(server()));
        for number in 0..1000 {
            let bot = domain(&format!("b{number}.test"));
            match number % 2 {
                0 => cache.found(bot, server(), 60 * SECOND, now),
                _ => cache.lapsed(bot, LapseCause::Deadline, false, now),
            }
        }
        assert_eq!(cache.recall(&provider, now), Recall::Fresh(server()));
        let held = cache.entries.lock();
        assert!(held.once.len() + held.again.len() <= 8);
    }
}
