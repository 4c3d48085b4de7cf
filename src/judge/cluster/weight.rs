//! What each thing in the registers weighs, in bytes, counted high.

use crate::cluster::{MailKey, SeenDomain, SignUp};
use crate::judge::cluster::bounded::Weigh;
use crate::judge::cluster::history::History;
use crate::judge::cluster::servers::Report;
use crate::mailbox::Domain;

/// A reference-counted text: two counts, the bytes, rounding.
const fn text(length: usize) -> usize {
    24 + length
}

/// A name and what stands around it.
pub(super) fn name(domain: &Domain) -> usize {
    text(domain.as_str().len())
}

fn keys(keys: &[MailKey]) -> usize {
    16 + keys.iter().map(Weigh::weight).sum::<usize>()
}

impl Weigh for u64 {
    fn weight(&self) -> usize {
        size_of::<Self>()
    }
}

impl Weigh for String {
    fn weight(&self) -> usize {
        size_of::<Self>() + text(self.capacity())
    }
}

impl Weigh for Domain {
    fn weight(&self) -> usize {
        size_of::<Self>() + name(self)
    }
}

impl Weigh for MailKey {
    fn weight(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Host(host) | Self::Registrable(host) => name(host),
                Self::Address(_) | Self::Network(_) | Self::Range(_) => 0,
            }
    }
}

impl Weigh for History {
    fn weight(&self) -> usize {
        let unrelated = self.unrelated.capacity() * size_of::<(Domain, i64, bool)>();
        let others = self.unrelated.iter().map(|(domain, _, _)| name(domain));
        let reports = self.reports.capacity() * size_of::<Report>();
        let fixed = size_of::<Self>() + unrelated + reports;
        fixed + self.entries.weight() + others.sum::<usize>()
    }

    fn activity(&self) -> u64 {
        self.total
    }

    /// What was condemned is not forgiven because others came.
    fn held(&self) -> bool {
        self.cluster.is_some()
    }
}

impl Weigh for SeenDomain {
    fn weight(&self) -> usize {
        size_of::<Self>() + keys(&self.keys)
    }

    fn activity(&self) -> u64 {
        u64::from(self.accounts)
    }
}

impl Weigh for SignUp {
    fn weight(&self) -> usize {
        let username = self
            .username
            .as_ref()
            .map_or(0, |name| text(name.capacity()));
        let app = self
            .client_id
            .as_ref()
            .map_or(0, |id| text(id.as_str().len()));
        size_of::<Self>() + name(&self.domain) + keys(&self.keys) + username + app
    }
}
