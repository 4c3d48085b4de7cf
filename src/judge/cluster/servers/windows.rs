//! What came through one key in each window: sign-ups, domains, client networks, apps.
//!
//! Counted when it is asked for, out of the latest sign-ups of the key and of all:
//! nothing is kept for it. So it is exact up to as many as are kept of one key, and
//! says so where there were more.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Servers;
use crate::judge::cluster::history::History;
use crate::judge::cluster::latest::{ENTRIES, Entry};
use crate::judge::cluster::tuning::seconds;

/// Distinct client networks and apps within a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// Client networks (IPv4 /32, IPv6 /64).
    pub networks: u32,
    /// Apps; a sign-up on the web site has none.
    pub apps: u32,
    /// Everything about this window is a lower bound: it holds more than is kept.
    pub at_least: bool,
}

impl Servers {
    /// Sign-ups, distinct domains and fresh ones in each window; then the rest of it.
    pub(super) fn windows(&self, history: &History, now: i64) -> [((u32, u32, u32), Within); 4] {
        let full = history.entries.len() >= ENTRIES;
        let oldest = history.entries.iter().next().map_or(now, |entry| entry.at);
        self.tuning.windows.map(|window| {
            let from = now - seconds(window.span);
            let entries = history.entries.iter();
            let within: Vec<_> = entries.filter(|entry| entry.at >= from).collect();
            let domains: BTreeSet<_> = within.iter().map(|e| &e.domain).collect();
            let fresh = within.iter().filter(|entry| entry.first >= from);
            let fresh: BTreeSet<_> = fresh.map(|entry| &entry.domain).collect();
            let mut rest = self.clients(&within);
            rest.at_least |= full && oldest >= from;
            let sizes = [within.len(), domains.len(), fresh.len()];
            let [all, domains, fresh] = sizes.map(|size| size as u32);
            ((all, domains, fresh), rest)
        })
    }

    fn clients(&self, within: &[&Entry]) -> Within {
        let known = within.iter().map(|entry| self.sign_ups.peek(&entry.serial));
        let known: Vec<_> = known.flatten().collect();
        let networks: BTreeSet<_> = known.iter().filter_map(|one| one.client).collect();
        let apps: BTreeSet<_> = known
            .iter()
            .filter_map(|one| one.client_id.as_ref())
            .collect();
        Within {
            networks: networks.len() as u32,
            apps: apps.len() as u32,
            at_least: known.len() < within.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::ClientId;
    use crate::cluster::{MailKey, SignUp};
    use crate::judge::cluster::tuning::Tuning;
    use crate::mailbox::Domain;

    const T0: i64 = 1_545_000_000;

    /// One domain, so that nobody is condemned.
    fn register(count: i64, every: i64) -> Servers {
        let mut register = Servers::new(Tuning::default());
        let host = Domain::new("mx.village.example").expect("a domain");
        for number in 0..count {
            let [high, low] = u16::try_from(number % 7).expect("small").to_be_bytes();
            register.enter(SignUp {
                at: T0 + number * every,
                domain: Domain::new("village.example").expect("a domain"),
                keys: [MailKey::Host(host.clone())].into(),
                client: Some(format!("45.9.{high}.{low}/32").parse().expect("a network")),
                client_id: (number % 2 == 0).then(|| ClientId::new(&(number % 3).to_string())),
                username: None,
                account: None,
            });
        }
        register
    }

    fn windows(register: &Servers, now: i64) -> [((u32, u32, u32), Within); 4] {
        let host = Domain::new("mx.village.example").expect("a domain");
        let history = register.histories.peek(&MailKey::Host(host));
        register.windows(history.expect("known"), now)
    }

    #[test]
    fn networks_and_apps_of_each_window_are_exact() {
        let register = register(48, 3600);
        let now = T0 + 48 * 3600;
        let within = |networks, apps| Within {
            networks,
            apps,
            at_least: false,
        };
        let [short, hour, day, week] = windows(&register, now);
        assert_eq!(short, ((0, 0, 0), within(0, 0)));
        assert_eq!(hour, ((1, 1, 0), within(1, 0)));
        assert_eq!(day, ((24, 1, 0), within(7, 3)));
        assert_eq!(week, ((48, 1, 1), within(7, 3)));
    }

    #[test]
    fn a_window_that_holds_more_than_is_kept_says_so() {
        let register = register(ENTRIES as i64 + 40, 60);
        let now = T0 + (ENTRIES as i64 + 40) * 60;
        let at_least = windows(&register, now).map(|(_, within)| within.at_least);
        assert_eq!(at_least, [false, false, true, true]);
    }
}
