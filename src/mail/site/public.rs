//! Which addresses are public: where a request of ours may go when a stranger
//! chose the name. By the IANA special-purpose registries (RFC 6890 and its
//! updates), and in doubt no: networks for documentation and benchmarks,
//! protocol assignments, and everything that embeds an IPv4 address (mapped,
//! translated, 6to4, Teredo) are refused as well.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const V4: [([u8; 4], u8); 16] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 31, 196, 0], 24),
    ([192, 52, 193, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 3),
];

/// Within 2000::/3, outside of which nothing is public.
const V6: [([u16; 2], u8); 4] = [
    ([0x2001, 0], 23), // Teredo, benchmarks, ORCHID and the rest of the protocol assignments
    ([0x2001, 0xdb8], 32), // documentation
    ([0x2002, 0], 16), // 6to4
    ([0x3fff, 0], 20), // documentation
];

/// Whether `ip` is a public unicast address.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        // Not read as the IPv4 address it may stand for: nobody needs such a name.
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let within =
        |(octets, len): &([u8; 4], u8)| Ipv4Net::new_assert((*octets).into(), *len).contains(&ip);
    !V4.iter().any(within)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let within = |([a, b], len): &([u16; 2], u8)| {
        Ipv6Net::new_assert([*a, *b, 0, 0, 0, 0, 0, 0].into(), *len).contains(&ip)
    };
    ip.segments()[0] & 0xe000 == 0x2000 && !V6.iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (ip, public) in [
            ("8.8.8.8", true),
            ("45.9.9.9", true),
            ("172.32.0.1", true),
            ("100.128.0.1", true),
            ("2a01:4f8::1", true),
            ("2606:4700::1111", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.100.0.1", false),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("169.254.169.254", false),
            ("172.31.255.255", false),
            ("192.0.0.8", false),
            ("192.168.1.1", false),
            ("198.19.0.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:8.8.8.8", false),
            ("::7f00:1", false),
            ("64:ff9b::7f00:1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("3fff::1", false),
            ("fc00::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(ip.parse().expect("an address")), public, "{ip}");
        }
    }
}
