//! Whose report weighs something, and how often.
//!
//! A report is a word against somebody by somebody. What new and remote
//! accounts say weighs nothing: whoever makes many accounts could report with
//! them, and a server that nobody knows can report whomever it likes. Pure.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::mastodon::webhook::Account;
use crate::secret::KeyedHash;

const DAY: i64 = 86_400;

/// Reporters remembered.
const REPORTERS: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");
/// An account this old may speak.
const GROWN: i64 = 7 * DAY;
/// An account older than this is part of no wave.
const NEW: i64 = 7 * DAY;
/// Reports of one account that count, a day.
const A_DAY: u32 = 3;

/// How often each reporter was heard.
#[derive(Debug)]
pub(super) struct Reporters(LruCache<KeyedHash, (i64, u32)>);

impl Default for Reporters {
    fn default() -> Self {
        Self(LruCache::new(REPORTERS))
    }
}

impl Reporters {
    /// Whether a report by `by`, known as `hash`, of `target` weighs something.
    pub(super) fn weigh(
        &mut self,
        by: &Account,
        hash: KeyedHash,
        target: &Account,
        now: i64,
    ) -> bool {
        let age = |account: &Account| now - account.created.as_second();
        let speaks = by.local
            && by.confirmed
            && by.approved
            && !by.sanctioned
            && age(by) >= GROWN
            && by.id != target.id;
        if !speaks || !target.local || age(target) > NEW {
            return false;
        }
        let told = self.0.get_or_insert_mut(hash, || (now / DAY, 0));
        if told.0 != now / DAY {
            *told = (now / DAY, 0);
        }
        told.1 += 1;
        told.1 <= A_DAY
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn account(id: i64, days: i64) -> Account {
        Account {
            id,
            username: format!("u{id}"),
            local: true,
            created: Timestamp::from_second(NOW - days * DAY).expect("in range"),
            email: None,
            mail_domain: None,
            ip: None,
            confirmed: true,
            approved: true,
            sanctioned: false,
        }
    }

    fn weighs(by: &Account, target: &Account) -> bool {
        Reporters::default().weigh(by, KeyedHash([1; 16]), target, NOW)
    }

    #[test]
    fn only_old_local_accounts_in_good_standing_speak_and_only_of_new_local_ones() {
        let (old, new) = (account(1, 30), account(2, 1));
        assert!(weighs(&old, &new));
        assert!(!weighs(&account(3, 6), &new), "a new reporter");
        assert!(!weighs(&old, &account(4, 8)), "an old target");
        assert!(!weighs(&old, &old));
        for spoil in [
            |a: &mut Account| a.local = false,
            |a: &mut Account| a.confirmed = false,
            |a: &mut Account| a.approved = false,
            |a: &mut Account| a.sanctioned = true,
        ] {
            let mut by = old.clone();
            spoil(&mut by);
            assert!(!weighs(&by, &new), "{by:?}");
        }
        let mut remote = new;
        remote.local = false;
        assert!(!weighs(&old, &remote));
    }

    #[test]
    fn one_reporter_counts_three_times_a_day() {
        let mut reporters = Reporters::default();
        let old = account(1, 30);
        let count = (10..40)
            .filter(|id| reporters.weigh(&old, KeyedHash([1; 16]), &account(*id, 1), NOW))
            .count();
        assert_eq!(count, 3);
        let another = reporters.weigh(&old, KeyedHash([2; 16]), &account(50, 1), NOW);
        assert!(another);
    }
}
