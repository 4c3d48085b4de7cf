//! Which keys of a mail server a sign-up is judged by, of all that its domain
//! publishes.
//!
//! DNS belongs to whoever registered the domain: beside the host that takes the mail
//! they can name hosts and addresses without number, their own, made up, or
//! strangers'. An exchange that has been learned to be shared is left out of it, as a
//! listed provider's is, and hides nobody beside it. Of the rest is kept what was
//! condemned, then what most fresh domains had lately, then what comes first in an
//! order that nobody outside knows.

use std::cmp::Reverse;
use std::sync::Arc;

use super::Servers;
use crate::cluster::{MailKey, SignUp};
use crate::judge::cluster::keys;

#[cfg(test)]
mod tests;

impl Servers {
    /// Whether every exchange is shared, and the keys that are kept.
    pub(super) fn choose(&self, all: &[MailKey], now: i64) -> (bool, Arc<[MailKey]>) {
        let mut own: Vec<MailKey> = Vec::with_capacity(all.len());
        for part in self.own_parts(all, now) {
            own.extend_from_slice(part);
        }
        let shared = own.is_empty();
        if shared {
            own.extend_from_slice(all);
        }
        let kept = keys::keep(own, |key| {
            let history = self.histories.peek(key);
            let condemned = history.is_some_and(|history| history.cluster.is_some());
            let mark = self.met.mark(key);
            (!condemned, Reverse(self.met.times(mark)), mark)
        });
        (shared, kept.into())
    }

    /// Whether every exchange that these keys tell of is shared.
    #[must_use]
    pub fn all_shared(&self, all: &[MailKey], now: i64) -> bool {
        self.own_parts(all, now).next().is_none()
    }

    /// What is nobody's that is shared: of each exchange its names and each address
    /// with its networks. A shared name excuses all its addresses; a shared address
    /// excuses a name of one's own only if there is no other.
    fn own_parts<'a>(
        &'a self,
        all: &'a [MailKey],
        now: i64,
    ) -> impl Iterator<Item = &'a [MailKey]> {
        keys::exchanges(all).flat_map(move |exchange| {
            let (names, addresses) = keys::parts(exchange);
            let mut own = Vec::new();
            if !self.shared(names, now) {
                let addresses = addresses.filter(|address| !self.shared(address, now));
                own.extend(addresses);
                if !own.is_empty() || names.len() == exchange.len() {
                    own.push(names);
                }
            }
            own
        })
    }

    /// Notes what is published by a domain that nobody has met.
    pub(super) fn meet(&mut self, serial: u64, sign_up: &SignUp, all: &[MailKey]) {
        self.met.add(serial, all, sign_up.keys.len(), sign_up.at);
    }
}
