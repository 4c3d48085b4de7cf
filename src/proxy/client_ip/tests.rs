use proptest::prelude::*;

use super::*;

fn trusted(networks: &[&str]) -> TrustedProxies {
    TrustedProxies::new(networks.iter().map(|net| net.parse().expect("a network")))
}

fn peer(ip: &str) -> Peer {
    Peer::Tcp(SocketAddr::new(ip.parse().expect("an address"), 4711))
}

fn lines(chain: &[&str]) -> Vec<HeaderValue> {
    chain
        .iter()
        .map(|line| HeaderValue::from_bytes(line.as_bytes()).expect("a header value"))
        .collect()
}

fn asked_by(from: Peer, chain: &[&str]) -> Identified {
    let trusted = trusted(&["127.0.0.0/8", "::1/128", "10.0.0.0/8", "2001:db8:ffff::/48"]);
    identify(from, lines(chain).iter(), &trusted)
}

fn known(ip: &str) -> ClientIp {
    ClientIp::Known(ip.parse().expect("an address"))
}

#[test]
fn the_rightmost_untrusted_address_is_the_client() {
    let nginx = peer("127.0.0.1");
    for (chain, client) in [
        (&["203.0.113.5"][..], "203.0.113.5"),
        (&["6.6.6.6, 203.0.113.5"], "203.0.113.5"),
        (&["6.6.6.6,203.0.113.5"], "203.0.113.5"),
        (&["6.6.6.6", "203.0.113.5"], "203.0.113.5"),
        (&["203.0.113.5, 10.1.2.3"], "203.0.113.5"),
        (&["203.0.113.5, 10.1.2.3", "127.0.0.9"], "203.0.113.5"),
        (&["unknown, 203.0.113.5"], "203.0.113.5"),
        (&["203.0.113.5:1234"], "203.0.113.5"),
        (&["::ffff:203.0.113.5"], "203.0.113.5"),
        (&["[::ffff:203.0.113.5]:80"], "203.0.113.5"),
        (&["2001:DB8:0:0::1"], "2001:db8::1"),
        (&["[2001:db8::1]"], "2001:db8::1"),
        (&["[2001:db8::1]:55"], "2001:db8::1"),
        (&["2001:db8::1, 2001:db8:ffff::9"], "2001:db8::1"),
        (&["203.0.113.5, , "], "203.0.113.5"),
    ] {
        assert_eq!(asked_by(nginx, chain).client, known(client), "{chain:?}");
        assert_eq!(
            asked_by(Peer::Unix, chain).client,
            known(client),
            "{chain:?}"
        );
    }
}

#[test]
fn what_cannot_stand_for_one_client_is_unknown() {
    let nginx = peer("127.0.0.1");
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    for (from, chain, why, forward) in [
        (
            nginx,
            &[][..],
            Unknown::TrustedProxy(ip("127.0.0.1")),
            "127.0.0.1",
        ),
        (
            nginx,
            &["10.1.1.1"],
            Unknown::TrustedProxy(ip("10.1.1.1")),
            "10.1.1.1",
        ),
        (
            nginx,
            &["192.168.1.7"],
            Unknown::Private(ip("192.168.1.7")),
            "192.168.1.7",
        ),
        (
            nginx,
            &["100.64.3.4"],
            Unknown::Private(ip("100.64.3.4")),
            "100.64.3.4",
        ),
        (
            nginx,
            &["fd00::1"],
            Unknown::Private(ip("fd00::1")),
            "fd00::1",
        ),
        (
            nginx,
            &["203.0.113.5, unknown"],
            Unknown::Missing,
            "127.0.0.1",
        ),
        (nginx, &["203.0.113.0/24"], Unknown::Missing, "127.0.0.1"),
        (
            nginx,
            &["203.0.113.5, x, 10.0.0.1"],
            Unknown::Missing,
            "10.0.0.1",
        ),
        (nginx, &["045.10.0.1"], Unknown::Missing, "127.0.0.1"),
        (
            nginx,
            &["45.10.0.1 45.10.0.2"],
            Unknown::Missing,
            "127.0.0.1",
        ),
        (
            peer("192.168.1.1"),
            &["203.0.113.5"],
            Unknown::Private(ip("192.168.1.1")),
            "192.168.1.1",
        ),
    ] {
        let found = asked_by(from, chain);
        assert_eq!(found.client, ClientIp::Unknown(why), "{chain:?}");
        assert_eq!(found.forward, Some(ip(forward)), "{chain:?}");
    }
    let nobody = asked_by(Peer::Unix, &[]);
    assert_eq!(nobody.client, ClientIp::Unknown(Unknown::Missing));
    assert_eq!(nobody.forward, None);
}

#[test]
fn mapped_peers_and_networks_are_folded() {
    let from = asked_by(peer("::ffff:127.0.0.1"), &["203.0.113.5"]);
    assert_eq!(from.client, known("203.0.113.5"));
    assert!(trusted(&["::ffff:10.0.0.0/104"]).trust(peer("10.9.9.9")));
    assert!(!trusted(&["::ffff:10.0.0.0/104"]).trust(peer("11.9.9.9")));
    assert!(!trusted(&["::/0"]).trust(peer("203.0.113.5")));
}

#[test]
fn public_is_what_one_client_may_own() {
    for ip in [
        "1.1.1.1",
        "203.0.113.5",
        "100.128.0.1",
        "2001:db8::1",
        "2a00::1",
        "198.20.0.1",
    ] {
        assert!(is_public(ip.parse().expect(ip)), "{ip}");
    }
    for ip in [
        "0.0.0.0",
        "10.1.1.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "169.254.1.1",
        "172.16.0.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::ffff:10.0.0.1",
    ] {
        assert!(!is_public(ip.parse().expect(ip)), "{ip}");
    }
}

proptest! {
    /// Whatever an untrusted peer writes, it stays who it is.
    #[test]
    fn no_header_moves_an_untrusted_peer(
        chain in prop::collection::vec("[ -~]{0,60}", 0..4),
        octets in any::<[u8; 4]>(),
    ) {
        let ip = IpAddr::from(octets);
        prop_assume!(!trusted(&["127.0.0.0/8", "10.0.0.0/8"]).contain(ip));
        let from = Peer::Tcp(SocketAddr::new(ip, 1));
        let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
        prop_assert_eq!(asked_by(from, &chain), asked_by(from, &[]));
        prop_assert_eq!(asked_by(from, &chain).client.address(), Some(ip));
    }

    /// Nor does it reach past the address that a trusted proxy appends.
    #[test]
    fn what_stands_left_of_the_appended_address_is_not_read(claim in "[ -~]{0,80}") {
        let chain = format!("{claim}, 203.0.113.5");
        let found = asked_by(peer("127.0.0.1"), &[&chain]);
        prop_assert_eq!(found.client, known("203.0.113.5"));
    }

    #[test]
    fn ipv4_is_read_as_by_the_standard_library(text in "[0-9]{0,4}(\\.([0-9]{1,3}|[0-9a+ ]{0,2})){2,4}") {
        prop_assert_eq!(read_v4(text.as_bytes()), text.parse().ok(), "{}", text);
    }

    /// The canonical text of an address reads as that address, in every spelling.
    #[test]
    fn the_canonical_form_round_trips(bits in any::<u128>(), v4 in any::<bool>(), port in any::<u16>()) {
        let ip = if v4 { IpAddr::from((bits as u32).to_be_bytes()) } else { Ipv6Addr::from(bits).into() };
        let ip = fold(ip);
        let socket = SocketAddr::new(ip, port).to_string();
        prop_assert_eq!(read_entry(ip.to_string().as_bytes()), Some(ip));
        prop_assert_eq!(read_entry(socket.as_bytes()), Some(ip));
    }
}
