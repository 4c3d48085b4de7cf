//! By what a mail server is recognised: name, registrable name, addresses, networks.
//!
//! Only the most-preferred exchanges join: anybody can publish a stranger's
//! host as a backup. A shared provider's exchange has no keys at all, so it can
//! never be condemned, whoever points at it.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;

use crate::attempt::network_around;
use crate::cluster::MailKey;
use crate::mail::dns::MailServer;
use crate::mail::providers;
use crate::mailbox::Domain;

/// Keys of each kind that are kept at most, so that none crowds out the others: host
/// names, registrable names, addresses, networks, ranges.
const SHARES: [usize; 5] = [10, 6, 12, 10, 10];

/// Keys that are kept of one sign-up at most, all kinds together.
pub const MOST: usize = SHARES[0] + SHARES[1] + SHARES[2] + SHARES[3] + SHARES[4];

/// Everything by which `server` could be recognised, exchange by exchange, each
/// beginning with its host; empty if all its most-preferred exchanges are shared
/// providers'. Bounded by what a look-up takes ([`DnsSettings`]); which of it is
/// kept is chosen by the register.
///
/// [`DnsSettings`]: crate::mail::dns::DnsSettings
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
        for ip in &host.ips {
            keys.push(MailKey::Address(*ip));
            keys.push(MailKey::Network(network(*ip)));
            keys.push(MailKey::Range(range(*ip)));
        }
    }
    keys.into()
}

/// The exchanges that [`keys()`] told of.
pub(super) fn exchanges(keys: &[MailKey]) -> impl Iterator<Item = &[MailKey]> {
    keys.chunk_by(|_, next| !matches!(next, MailKey::Host(_)))
}

/// The names of an exchange, and each of its addresses with the networks around it.
pub(super) fn parts(exchange: &[MailKey]) -> (&[MailKey], impl Iterator<Item = &[MailKey]>) {
    let address = |key: &MailKey| matches!(key, MailKey::Address(_));
    let names = exchange.iter().position(address).unwrap_or(exchange.len());
    let (names, addresses) = exchange.split_at(names);
    let addresses = addresses.chunk_by(move |_, next| !address(next));
    (names, addresses)
}

/// Sorted, each once, and no more of each kind than its share: the least by `rank`.
pub(super) fn keep<R: Ord>(mut keys: Vec<MailKey>, rank: impl Fn(&MailKey) -> R) -> Vec<MailKey> {
    keys.sort_unstable();
    keys.dedup();
    if keys.len() > SHARES.into_iter().min().unwrap_or(0) {
        let mut kept = Vec::with_capacity(MOST);
        // Sorted by kind first.
        for kind in keys.chunk_by_mut(|one, next| place(one) == place(next)) {
            let share = kind.first().map_or(0, |key| SHARES[place(key)]);
            if kind.len() > share {
                kind.sort_by_cached_key(&rank);
            }
            kept.extend(kind.iter().take(share).cloned());
        }
        kept.sort_unstable();
        return kept;
    }
    keys
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
    match psl::domain_str(name.as_str())? {
        own if own == name.as_str() => Some(name.clone()),
        own => Domain::new(own).ok(),
    }
}

/// The /24 or /48 around an address.
#[must_use]
pub fn network(ip: IpAddr) -> IpNet {
    network_around(ip, 24, 48)
}

/// The /20 or /40 around an address.
#[must_use]
pub fn range(ip: IpAddr) -> IpNet {
    network_around(ip, 20, 40)
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
        let keys = kept(&MailServer { hosts, implicit });
        keys.iter().map(ToString::to_string).collect()
    }

    /// Where nothing is known of any.
    fn kept(server: &MailServer) -> Vec<MailKey> {
        keep(keys(server).to_vec(), |_| 0)
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
        let server = MailServer {
            hosts: hosts.collect(),
            implicit: false,
        };
        assert_eq!(exchanges(&keys(&server)).count(), 16);
        let keys = kept(&server);
        let of = |kind: usize| keys.iter().filter(|key| place(key) == kind).count();
        assert_eq!([0, 1, 2, 3, 4].map(of), SHARES);
        assert_eq!(keys.len(), MOST);
        assert_eq!(MOST, 48, "what other gates take of one sign-up");
    }

    #[test]
    fn what_ranks_first_is_kept_wherever_it_stands() {
        let real = MailKey::Address([198, 51, 100, 7].into());
        let decoys = (0..500_u32).map(|n| MailKey::Address(std::net::Ipv4Addr::from(n).into()));
        let all: Vec<_> = decoys.chain([real.clone()]).collect();
        let kept = keep(all, |key| *key != real);
        assert!(kept.contains(&real) && kept.is_sorted());
        assert_eq!(kept.len(), SHARES[2]);
    }

    /// What is longer is told to no other gate (`store/shared/tell.rs`).
    #[test]
    fn the_longest_sign_up_can_be_told() {
        let label = "x".repeat(63);
        let name = |n: usize, end: &str| {
            let full = format!("{label}.{label}.{label}.{n:02}{}{end}", "y".repeat(51));
            Domain::new(&full).expect("a domain")
        };
        let hosts = (0..16).map(|n| MxHost {
            name: name(n, ".example"),
            preference: 10,
            ips: (0..32_u128)
                .map(|at| {
                    std::net::Ipv6Addr::from(u128::MAX - ((n as u128 * 32 + at) << 88)).into()
                })
                .collect(),
        });
        let server = MailServer {
            hosts: hosts.collect(),
            implicit: false,
        };
        let sign_up = crate::cluster::SignUp {
            at: i64::MIN,
            domain: name(99, ".example"),
            keys: kept(&server).into(),
            client: Some("ffff:ffff:ffff:ffff::/64".parse().expect("a network")),
            client_id: Some(crate::app::ClientId::new(&"x".repeat(64))),
            username: Some("\u{1}".repeat(64)),
            account: None,
        };
        assert_eq!(sign_up.keys.len(), MOST);
        let told = crate::told::Told::SignUp(u64::MAX, sign_up);
        let text = serde_json::to_string(&told).expect("text");
        assert!(text.len() <= 8192, "{} bytes", text.len());
    }
}
