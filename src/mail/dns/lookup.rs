//! A domain's mail server, as RFC 5321 §5.1 has senders find it.
//!
//! All MX hosts by preference; the domain itself only where there is no MX at
//! all; a null MX (RFC 7505) is a refusal of mail. Every address of every host
//! is fetched, one host after the other, so that one domain never has more
//! than two questions open. One host that cannot be looked up, or one over a
//! cap, makes the whole a lapse: else a banned host could hide behind a stalled
//! or surplus sibling.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::rr::Name;

use crate::mailbox::Domain;

use super::ask::{Answer, Asker};
use super::{Finding, LapseCause, MailServer, MxHost};

/// How much of one domain's making is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caps {
    pub(super) hosts: usize,
    pub(super) addresses: usize,
}

/// What was found and for how long its owner says that it holds.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) finding: Finding,
    pub(super) ttl: Duration,
}

pub(super) async fn mail_server(
    asker: &Asker,
    domain: &Domain,
    caps: Caps,
) -> Result<Looked, LapseCause> {
    let name = absolute(domain.as_str()).ok_or(LapseCause::Failure)?;
    match asker.mx(&name).await? {
        Answer::NoName(ttl) => Ok(Looked {
            finding: Finding::Nowhere,
            ttl,
        }),
        Answer::Empty(ttl) => {
            let exchanges = vec![(0, name)];
            resolve(asker, exchanges, ttl, caps, true).await
        }
        Answer::Records(records, ttl) => {
            let exchanges = in_order(records);
            if exchanges.is_empty() {
                return Ok(Looked {
                    finding: Finding::Null,
                    ttl,
                });
            }
            if exchanges.len() > caps.hosts {
                return Err(LapseCause::TooManyHosts);
            }
            resolve(asker, exchanges, ttl, caps, false).await
        }
    }
}

async fn resolve(
    asker: &Asker,
    exchanges: Vec<(u16, Name)>,
    mut ttl: Duration,
    caps: Caps,
    implicit: bool,
) -> Result<Looked, LapseCause> {
    let mut hosts = Vec::with_capacity(exchanges.len());
    for (preference, exchange) in exchanges {
        let mut ips: Vec<IpAddr> = literal(&exchange).into_iter().map(IpAddr::V4).collect();
        match asker.addresses(&exchange).await? {
            Answer::Records(found, holds) => {
                // `::ffff:192.0.2.1` is reached as 192.0.2.1, and must meet its bans.
                ips.extend(found.iter().map(IpAddr::to_canonical));
                ttl = ttl.min(holds);
            }
            Answer::Empty(holds) | Answer::NoName(holds) => ttl = ttl.min(holds),
        }
        ips.sort_unstable();
        ips.dedup();
        if ips.len() > caps.addresses {
            return Err(LapseCause::TooManyAddresses);
        }
        hosts.push(MxHost {
            name: comparable(&exchange).ok_or(LapseCause::Failure)?,
            preference,
            ips,
        });
    }
    let finding = if hosts.iter().all(|host| host.ips.is_empty()) {
        Finding::Nowhere
    } else {
        Finding::Server(Arc::new(MailServer { hosts, implicit }))
    };
    Ok(Looked { finding, ttl })
}

/// Each exchange once, most preferred first. The root is no host: it alone is a
/// null MX, beside others it is a mistake that senders skip.
fn in_order(mut records: Vec<(u16, Name)>) -> Vec<(u16, Name)> {
    records.retain(|(_, name)| !name.is_root());
    for (_, name) in &mut records {
        *name = name.to_lowercase();
    }
    records.sort_unstable();
    let mut once: Vec<(u16, Name)> = Vec::with_capacity(records.len());
    for (preference, name) in records {
        if once.iter().all(|(_, seen)| *seen != name) {
            once.push((preference, name));
        }
    }
    once
}

/// `name` as it stands, from the root: no search suffix is ever tried.
pub(super) fn absolute(name: &str) -> Option<Name> {
    let mut name = Name::from_labels(name.split('.').map(str::as_bytes)).ok()?;
    name.set_fqdn(true);
    Some(name)
}

/// The exchange's name for comparison. Its owner may put any octet into it: those
/// outside a host name become `_`, so that the parents, which tell whose
/// it is, still compare.
fn comparable(exchange: &Name) -> Option<Domain> {
    let mut text = String::new();
    for label in exchange.iter() {
        if !text.is_empty() {
            text.push('.');
        }
        text.extend(label.iter().map(|octet| match octet {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(*octet),
            b'A'..=b'Z' => char::from(octet.to_ascii_lowercase()),
            _ => '_',
        }));
    }
    Domain::new(&text).ok()
}

/// An exchange that is an IPv4 address in text: against RFC 1035, yet some senders follow it.
fn literal(exchange: &Name) -> Option<Ipv4Addr> {
    comparable(exchange)?.as_str().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        absolute(text).expect("a name")
    }

    #[test]
    fn exchanges_come_once_and_by_preference() {
        let records = vec![
            (20, name("b.test")),
            (10, name("C.test")),
            (30, name("c.test")),
            (10, name("a.test")),
            (5, Name::root()),
        ];
        assert_eq!(
            in_order(records),
            [
                (10, name("a.test")),
                (10, name("c.test")),
                (20, name("b.test"))
            ]
        );
        assert!(in_order(vec![(0, Name::root())]).is_empty());
    }

    #[test]
    fn odd_exchange_names_keep_their_parents() {
        let odd = Name::from_labels([&b"a b\xff.\0"[..], b"Bad", b"test"]).expect("a name");
        let domain = comparable(&odd).expect("comparable");
        assert_eq!(domain.as_str(), "a_b___.bad.test");
    }

    #[test]
    fn an_address_in_place_of_a_name_is_seen() {
        assert_eq!(
            literal(&name("192.0.2.7")),
            Some(Ipv4Addr::new(192, 0, 2, 7))
        );
        assert_eq!(literal(&name("mx.test")), None);
    }

    #[test]
    fn names_are_absolute() {
        assert!(name("mx.test").is_fqdn());
        assert_eq!(absolute(&"a".repeat(64)), None);
    }

    proptest::proptest! {
        #[test]
        fn any_exchange_is_comparable(labels in proptest::collection::vec(proptest::collection::vec(0_u8.., 1..63), 1..4)) {
            let exchange = Name::from_labels(labels.iter().map(Vec::as_slice)).expect("short enough");
            proptest::prop_assert!(comparable(&exchange).is_some());
            let _ = literal(&exchange);
        }
    }
}
