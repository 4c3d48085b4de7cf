//! Live bans and allow entries, over the immutable lists.
//!
//! Small (tens of thousands) and rebuilt whole whenever one changes, which
//! takes milliseconds; readers hold a snapshot. An entry that has run out is
//! as if it were not there: the wider one behind it counts again. Which of a
//! ban and an allow entry wins is the judge's business.

use std::borrow::Borrow;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::HashMap;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::app::ClientId;
use crate::ban::{Ban, Effect, Scopes, Subject};
use crate::lists::apps::{redirect_key, website_subject};
use crate::lists::family::{Address, canonical};
use crate::mailbox::Domain;
use crate::secret::KeyedHash;
use nest::Nest;

mod nest;

/// All live entries.
#[derive(Debug, Default)]
pub struct Overlay {
    bans: Side,
    allows: Side,
    all: Vec<Arc<Ban>>,
}

impl Overlay {
    /// Over `bans`; of two on one subject with one effect, the later in order counts.
    pub fn new(bans: impl IntoIterator<Item = Arc<Ban>>) -> Self {
        let all: Vec<Arc<Ban>> = bans.into_iter().collect();
        let side = |effect| Side::new(all.iter().filter(|ban| ban.effect == effect));
        Self {
            bans: side(Effect::Ban),
            allows: side(Effect::Allow),
            all,
        }
    }

    /// The entries that refuse.
    #[must_use]
    pub const fn bans(&self) -> &Side {
        &self.bans
    }

    /// The entries that silence rules of their dimension.
    #[must_use]
    pub const fn allows(&self) -> &Side {
        &self.allows
    }

    /// Every entry, run out or not, in the order given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Ban>> {
        self.all.iter()
    }
}

/// The entries of one effect. Every look-up gives the most specific one in force at `now`.
#[derive(Debug, Default)]
pub struct Side {
    v4: Nest<u32>,
    v6: Nest<u128>,
    mail_domains: HashMap<Domain, Arc<Ban>>,
    mail_servers: HashMap<Domain, Arc<Ban>>,
    addresses: HashMap<KeyedHash, Arc<Ban>>,
    canonical_addresses: HashMap<KeyedHash, Arc<Ban>>,
    client_ids: HashMap<ClientId, Arc<Ban>>,
    app_names: HashMap<String, Arc<Ban>>,
    redirect_uris: HashMap<String, Arc<Ban>>,
    websites: HashMap<String, Arc<Ban>>,
}

impl Side {
    fn new<'a>(bans: impl Iterator<Item = &'a Arc<Ban>>) -> Self {
        let mut side = Self::default();
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for ban in bans {
            match &ban.subject {
                Subject::Network(net) => match canonical(*net) {
                    IpNet::V4(net) => v4.push((net.network().to_bits(), net.prefix_len(), ban)),
                    IpNet::V6(net) => v6.push((net.network().to_bits(), net.prefix_len(), ban)),
                },
                _ => side.insert(ban),
            }
        }
        side.v4 = Nest::new(v4);
        side.v6 = Nest::new(v6);
        side
    }

    fn insert(&mut self, ban: &Arc<Ban>) {
        let ban = Arc::clone(ban);
        match ban.subject.clone() {
            Subject::Network(_) => None,
            Subject::MailDomain(domain) => self.mail_domains.insert(domain, ban),
            Subject::MailServer(host) => self.mail_servers.insert(host, ban),
            Subject::Address(hash) => self.addresses.insert(hash, ban),
            Subject::CanonicalAddress(hash) => self.canonical_addresses.insert(hash, ban),
            Subject::ClientId(id) => self.client_ids.insert(id, ban),
            Subject::AppName(folded) => self.app_names.insert(folded, ban),
            Subject::RedirectUri(subject) => self.redirect_uris.insert(subject, ban),
            Subject::Website(host) => self.websites.insert(host, ban),
        };
    }

    /// Whether any network is here, run out or not.
    #[must_use]
    pub fn has_networks(&self) -> bool {
        !(self.v4.is_empty() && self.v6.is_empty())
    }

    /// The most specific network around `ip`, whatever its scopes.
    #[must_use]
    pub fn network(&self, ip: IpAddr, now: Timestamp) -> Option<&Ban> {
        self.network_in(ip, now, |_| true)
    }

    /// The most specific network around `ip` whose scopes are `wanted`: a narrow
    /// ban for mail does not hide a wider one for sign-up.
    #[must_use]
    pub fn network_in(
        &self,
        ip: IpAddr,
        now: Timestamp,
        wanted: impl Fn(Scopes) -> bool,
    ) -> Option<&Ban> {
        let counts = |ban: &Ban| ban.in_force(now) && wanted(ban.scopes);
        match Address::new(ip) {
            Address::V4(ip) => self.v4.find(ip, counts),
            Address::V6(ip) => self.v6.find(ip, counts),
        }
    }

    /// The e-mail domain or the nearest parent.
    #[must_use]
    pub fn mail_domain(&self, domain: &Domain, now: Timestamp) -> Option<&Ban> {
        nearest(&self.mail_domains, domain.with_parents(), now)
    }

    /// The mail server's host name or the nearest parent.
    #[must_use]
    pub fn mail_server(&self, host: &Domain, now: Timestamp) -> Option<&Ban> {
        nearest(&self.mail_servers, host.with_parents(), now)
    }

    /// The exact mailbox.
    #[must_use]
    pub fn address(&self, hash: &KeyedHash, now: Timestamp) -> Option<&Ban> {
        nearest(&self.addresses, [hash], now)
    }

    /// The canonical mailbox.
    #[must_use]
    pub fn canonical_address(&self, hash: &KeyedHash, now: Timestamp) -> Option<&Ban> {
        nearest(&self.canonical_addresses, [hash], now)
    }

    /// The app by its `client_id`.
    #[must_use]
    pub fn client_id(&self, id: &ClientId, now: Timestamp) -> Option<&Ban> {
        nearest(&self.client_ids, [id], now)
    }

    /// The app by its name; `folded` is what [`fold`](crate::lists::apps::fold) gives.
    #[must_use]
    pub fn app_name(&self, folded: &str, now: Timestamp) -> Option<&Ban> {
        nearest(&self.app_names, [folded], now)
    }

    /// The app by a redirect URI: its host or the nearest parent, or the whole of one without a host.
    #[must_use]
    pub fn redirect_uri(&self, uri: &str, now: Timestamp) -> Option<&Ban> {
        if self.redirect_uris.is_empty() {
            return None;
        }
        nearest(&self.redirect_uris, redirect_key(uri).subjects(), now)
    }

    /// The app by its website's host or the nearest parent.
    #[must_use]
    pub fn website(&self, url: &str, now: Timestamp) -> Option<&Ban> {
        if self.websites.is_empty() {
            return None;
        }
        let host = website_subject(url)?;
        nearest(&self.websites, super::apps::with_parents(&host), now)
    }
}

fn nearest<'a, 'q, K, Q>(
    map: &'a HashMap<K, Arc<Ban>>,
    keys: impl IntoIterator<Item = &'q Q>,
    now: Timestamp,
) -> Option<&'a Ban>
where
    K: Hash + Eq + Borrow<Q>,
    Q: Hash + Eq + ?Sized + 'q,
{
    if map.is_empty() {
        return None;
    }
    keys.into_iter()
        .filter_map(|key| map.get(key))
        .find(|ban| ban.in_force(now))
        .map(|ban| &**ban)
}

#[cfg(test)]
mod tests;
