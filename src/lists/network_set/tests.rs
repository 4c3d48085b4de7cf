use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::*;

fn net(text: &str) -> IpNet {
    text.parse().expect("a network")
}

fn set(nets: &[(&str, Scopes)]) -> NetworkSet {
    let mut builder = NetworkSetBuilder::default();
    for (source, (text, scopes)) in nets.iter().enumerate() {
        builder.add(net(text), *scopes, source);
    }
    builder.build()
}

fn at(set: &NetworkSet, ip: &str) -> Option<(String, usize)> {
    set.find(ip.parse().expect("an address"))
        .map(|found| (found.network.to_string(), found.source))
}

#[test]
fn the_innermost_network_is_found_and_the_outer_goes_on_behind_it() {
    let set = set(&[
        ("20.0.0.0/8", Scopes::DEFAULT),
        ("20.1.0.0/16", Scopes::DEFAULT),
        ("20.1.255.0/24", Scopes::DEFAULT),
        ("255.255.255.255/32", Scopes::DEFAULT),
        ("2a00:1::/32", Scopes::DEFAULT),
    ]);
    let outer = Some(("20.0.0.0/8".into(), 0));
    assert_eq!(at(&set, "20.0.0.0"), outer);
    assert_eq!(at(&set, "20.1.254.255"), Some(("20.1.0.0/16".into(), 1)));
    assert_eq!(at(&set, "20.1.255.7"), Some(("20.1.255.0/24".into(), 2)));
    assert_eq!(at(&set, "20.2.0.0"), outer);
    assert_eq!(at(&set, "::ffff:20.255.255.255"), outer);
    assert_eq!(at(&set, "21.0.0.0"), None);
    assert_eq!(at(&set, "19.255.255.255"), None);
    assert_eq!(
        at(&set, "255.255.255.255"),
        Some(("255.255.255.255/32".into(), 3))
    );
    assert_eq!(at(&set, "2a00:1::9"), Some(("2a00:1::/32".into(), 4)));
    assert_eq!(at(&set, "::20.1.0.0"), None);
}

#[test]
fn a_feed_does_not_weaken_the_entry_around_it() {
    let set = set(&[("20.0.0.0/8", Scopes::ALL), ("20.1.1.1/32", Scopes::MAIL)]);
    let found = set
        .find("20.1.1.1".parse().expect("an address"))
        .expect("listed");
    assert_eq!(found.scopes, Scopes::ALL);
    assert_eq!(found.stated, Scopes::MAIL);
}

#[test]
fn duplicates_join_their_scopes_and_the_first_file_gets_the_credit() {
    let set = set(&[
        ("20.1.1.1/32", Scopes::MAIL),
        ("20.1.1.1/32", Scopes::DEFAULT),
    ]);
    assert_eq!(set.v4.starts.len(), 1);
    let found = set
        .find("20.1.1.1".parse().expect("an address"))
        .expect("listed");
    assert_eq!((found.stated, found.source), (Scopes::DEFAULT, 0));
}

/// What the set must answer, by trying every network.
fn innermost(nets: &[IpNet], ip: IpAddr) -> Option<IpNet> {
    nets.iter()
        .filter(|net| net.contains(&ip))
        .max_by_key(|net| net.prefix_len())
        .copied()
}

fn edges(nets: &[IpNet]) -> impl Iterator<Item = IpAddr> {
    nets.iter().flat_map(|net| match net {
        IpNet::V4(net) => {
            let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
            [
                first.wrapping_sub(1),
                first,
                last,
                last.wrapping_add(1),
                first ^ 5,
            ]
            .map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))
        }
        IpNet::V6(net) => {
            let (first, last) = (net.network().to_bits(), net.broadcast().to_bits());
            [
                first.wrapping_sub(1),
                first,
                last,
                last.wrapping_add(1),
                first ^ 5,
            ]
            .map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
        }
    })
}

fn crowded_v4() -> impl Strategy<Value = IpNet> {
    // Few distinct bits, so that networks nest, touch and repeat.
    (any::<u8>(), 0_u8..=32, any::<bool>()).prop_map(|(bits, len, high)| {
        let bits = u32::from(bits) << if high { 24 } else { 0 };
        Ipv4Net::new_assert(Ipv4Addr::from_bits(bits), len)
            .trunc()
            .into()
    })
}

fn crowded_v6() -> impl Strategy<Value = IpNet> {
    (any::<u8>(), 0_u8..=128, any::<bool>()).prop_map(|(bits, len, high)| {
        let bits = u128::from(bits) << if high { 120 } else { 0 };
        Ipv6Net::new_assert(Ipv6Addr::from_bits(bits), len)
            .trunc()
            .into()
    })
}

proptest! {
    #[test]
    fn agrees_with_trying_every_network(
        nets in prop::collection::vec(prop_oneof![crowded_v4(), crowded_v6()], 0..40),
    ) {
        // Every stated network that is not itself a network of mapped addresses.
        let nets: Vec<_> = nets.into_iter().map(canonical).collect();
        let mut builder = NetworkSetBuilder::default();
        for net in &nets {
            builder.add(*net, Scopes::DEFAULT, 0);
        }
        let set = builder.build();
        for ip in edges(&nets) {
            let ip = ip.to_canonical();
            prop_assert_eq!(set.find(ip).map(|found| found.network), innermost(&nets, ip), "{}", ip);
        }
    }
}
