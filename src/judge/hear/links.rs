//! Confirmation links that were answered as if they worked.
//!
//! Such an answer names nobody. Whoever has one confirmed account may get it
//! for tokens of their own making, so it is counted once a token and a few times
//! a day for each network, and taken for somebody's only where exactly one
//! sign-up came from that network lately. Forgotten at a restart. Pure.

use std::num::NonZeroUsize;

use ipnet::IpNet;
use lru::LruCache;

use crate::mailbox::Domain;
use crate::secret::KeyedHash;

const DAY: i64 = 86_400;

/// Tokens remembered, and networks.
const TOKENS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");
const NETWORKS: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// Links counted a day for one network: a household, not a school.
const A_DAY: u32 = 8;

/// How long after the sign-up a link is taken to be that person's.
const LATELY: i64 = 2 * DAY;

/// What is remembered of links and of who may follow them.
#[derive(Debug)]
pub(super) struct Links {
    tokens: LruCache<KeyedHash, ()>,
    counted: LruCache<IpNet, (i64, u32)>,
    sign_ups: LruCache<IpNet, (i64, Option<Domain>)>,
}

/// What a link is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// Seen before, or too many from there.
    Nothing,
    /// One more, of nobody in particular.
    Count,
    /// Likely of the one sign-up from that network, which had this domain.
    Likely(Domain),
}

impl Default for Links {
    fn default() -> Self {
        Self {
            tokens: LruCache::new(TOKENS),
            counted: LruCache::new(NETWORKS),
            sign_ups: LruCache::new(NETWORKS),
        }
    }
}

impl Links {
    /// Somebody signed up from `network`.
    pub(super) fn signed_up(&mut self, network: IpNet, domain: &Domain, now: i64) {
        let before = self.sign_ups.get(&network);
        let alone = before.is_none_or(|(at, _)| now - at > LATELY);
        let domain = alone.then(|| domain.clone());
        self.sign_ups.put(network, (now, domain));
    }

    /// A link with this token was followed from `network`.
    pub(super) fn followed(&mut self, token: KeyedHash, network: Option<IpNet>, now: i64) -> Worth {
        if self.tokens.put(token, ()).is_some() {
            return Worth::Nothing;
        }
        let Some(network) = network else {
            return Worth::Count;
        };
        let counted = self.counted.get_or_insert_mut(network, || (now / DAY, 0));
        if counted.0 != now / DAY {
            *counted = (now / DAY, 0);
        }
        counted.1 += 1;
        if counted.1 > A_DAY {
            return Worth::Nothing;
        }
        let known = self.sign_ups.get_mut(&network);
        match known {
            Some((at, domain)) if now - *at <= LATELY => {
                domain.take().map_or(Worth::Count, Worth::Likely)
            }
            Some(_) | None => Worth::Count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u8) -> KeyedHash {
        KeyedHash([number; 16])
    }

    fn network(text: &str) -> IpNet {
        text.parse().expect("a network")
    }

    #[test]
    fn only_the_one_sign_up_from_a_network_is_taken_to_confirm_and_once() {
        let mut links = Links::default();
        let (one, two) = (network("203.0.113.7/32"), network("203.0.113.8/32"));
        let domain = Domain::new("a.example").expect("a domain");
        let now = 1_000_000_000;
        links.signed_up(one, &domain, now);
        links.signed_up(two, &domain, now);
        links.signed_up(two, &domain, now + 1);
        let likely = Worth::Likely(domain);
        assert_eq!(links.followed(hash(1), Some(one), now + 9), likely);
        assert_eq!(links.followed(hash(1), Some(one), now + 9), Worth::Nothing);
        assert_eq!(links.followed(hash(2), Some(one), now + 9), Worth::Count);
        assert_eq!(links.followed(hash(3), Some(two), now + 9), Worth::Count);
        assert_eq!(links.followed(hash(4), None, now + 9), Worth::Count);
    }

    #[test]
    fn a_network_counts_a_few_a_day() {
        let mut links = Links::default();
        let one = Some(network("2001:db8::/64"));
        let now = 1_000_000_000;
        let counted = (0..200)
            .filter(|n| links.followed(hash(*n), one, now) != Worth::Nothing)
            .count();
        assert_eq!(counted, A_DAY as usize);
        assert_eq!(links.followed(hash(250), one, now + DAY), Worth::Count);
    }

    #[test]
    fn late_is_nobodys() {
        let mut links = Links::default();
        let one = network("203.0.113.7/32");
        links.signed_up(one, &Domain::new("a.example").expect("a domain"), 0);
        assert_eq!(links.followed(hash(1), Some(one), LATELY + 1), Worth::Count);
    }
}
