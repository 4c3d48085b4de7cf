//! By what a mail server is recognised: name, registrable name, addresses, networks.
//!
//! Only the most-preferred exchanges join: anybody can publish a stranger's
//! host as a backup. A shared provider's exchange has no keys at all, so it can
//! never be condemned, whoever points at it.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use crate::cluster::MailKey;
use crate::mail::dns::MailServer;
use crate::mail::providers;
use crate::mailbox::Domain;

/// Keys of each kind at most, so that none crowds out the others: host names,
/// registrable names, addresses, networks, ranges. Of more the first in order stay.
const SHARES: [usize; 5] = [10, 6, 12, 10, 10];

/// Keys of one mail server at most, all kinds together.
pub const MOST: usize = SHARES[0] + SHARES[1] + SHARES[2] + SHARES[3] + SHARES[4];

/// Addresses of one exchange that are looked at.
const ADDRESSES: usize = 6;

/// The keys of `server`, sorted; empty if all its most-preferred exchanges are shared providers'.
#[must_use]
pub fn keys(server: &MailServer) -> Arc<[MailKey]> {
    let best = server.hosts.iter().map(|host| host.preference).min();
    let own = server
        .hosts
        .iter()
        .filter(|host| Some(host.preference) == best && providers::shared(&host.name).is_none());
    let mut keys = Vec::with_capacity(8);
    for host in own {
        keys.push(MailKey::Host(host.name.clone()));
        keys.extend(registrable(&host.name).map(MailKey::Registrable));
        for ip in host.ips.iter().take(ADDRESSES) {
            keys.push(MailKey::Address(*ip));
            keys.push(MailKey::Network(network(*ip)));
            keys.push(MailKey::Range(range(*ip)));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    let mut left = SHARES;
    keys.retain(|key| {
        let left = &mut left[place(key)];
        let keep = *left > 0;
        *left -= usize::from(keep);
        keep
    });
    keys.into()
}

const fn place(key: &MailKey) -> usize {
    match key {
        MailKey::Host(_) => 0,
        MailKey::Registrable(_) => 1,
        MailKey::Address(_) => 2,
        MailKey::Network(_) => 3,
        MailKey::Range(_) => 4,
    }
}

/// What its owner registered, by the public-suffix list; `None` for a suffix itself.
#[must_use]
pub fn registrable(name: &Domain) -> Option<Domain> {
    psl::domain_str(name.as_str()).and_then(|name| Domain::new(name).ok())
}

/// The /24 or /48 around an address.
#[must_use]
pub fn network(ip: IpAddr) -> IpNet {
    cut(ip, 24, 48)
}

/// The /20 or /40 around an address.
#[must_use]
pub fn range(ip: IpAddr) -> IpNet {
    cut(ip, 20, 40)
}

fn cut(ip: IpAddr, v4: u8, v6: u8) -> IpNet {
    match ip {
        IpAddr::V4(ip) => Ipv4Net::new_assert(ip, v4).trunc().into(),
        IpAddr::V6(ip) => Ipv6Net::new_assert(ip, v6).trunc().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::dns::MxHost;

    fn host(name: &str, preference: u16, ip: &str) -> MxHost {
        MxHost {
            name: Domain::new(name).expect("a domain"),
            preference,
            ips: vec![ip.parse().expect("an address")],
        }
    }

    fn text(hosts: Vec<MxHost>) -> Vec<String> {
        let implicit = false;
        let keys = keys(&MailServer { hosts, implicit });
        keys.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_server_is_known_by_name_registrable_name_address_and_networks() {
        let keys = text(vec![
            host("mx1.bots.co.uk", 10, "198.51.100.7"),
            host("backup.victim.example", 20, "192.0.2.1"),
        ]);
        let expected = [
            "mx1.bots.co.uk",
            "*.bots.co.uk",
            "198.51.100.7",
            "198.51.100.0/24",
            "198.51.96.0/20",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_shared_provider_has_no_keys_and_hides_nobody_beside_it() {
        let google = || host("aspmx.l.google.com", 10, "192.0.2.1");
        assert_eq!(text(vec![google()]), [""; 0]);
        let mixed = text(vec![google(), host("mx.bots.example", 10, "198.51.100.7")]);
        assert!(mixed.contains(&"mx.bots.example".to_owned()));
        assert!(!mixed.contains(&"192.0.2.1".to_owned()));
    }

    /// The most that one domain may publish: all kinds are there, none beyond its share.
    #[test]
    fn no_kind_of_key_crowds_out_another() {
        let hosts = (0..16_u8).map(|number| MxHost {
            name: Domain::new(&format!("mx.bots{number}.example")).expect("a domain"),
            preference: 10,
            // Each address in a range of its own.
            ips: (0..8).map(|at| [198, 51, number * 16, at].into()).collect(),
        });
        let keys = keys(&MailServer {
            hosts: hosts.collect(),
            implicit: false,
        });
        let of = |kind: usize| keys.iter().filter(|key| place(key) == kind).count();
        assert_eq!([0, 1, 2, 3, 4].map(of), SHARES);
        assert_eq!(keys.len(), MOST);
        assert_eq!(MOST, 48, "what other gates take of one sign-up");
    }

    #[test]
    fn of_one_exchange_six_addresses_are_looked_at_and_of_two_all_twelve() {
        let host = |number: u8| MxHost {
            name: Domain::new(&format!("mx{number}.bots.example")).expect("a domain"),
            preference: 10,
            ips: (0..8).map(|at| [198, 51, number, at].into()).collect(),
        };
        let addresses = |hosts: Vec<MxHost>| {
            let implicit = false;
            let keys = keys(&MailServer { hosts, implicit });
            let all = keys.iter().filter(|key| place(key) == 2);
            all.count()
        };
        assert_eq!(addresses(vec![host(1)]), ADDRESSES);
        assert_eq!(addresses(vec![host(1), host(2)]), 2 * ADDRESSES);
        assert_eq!(addresses((1..9).map(host).collect()), SHARES[2]);
    }
}
