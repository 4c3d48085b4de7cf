//! Networks that a feed must not ban: private and reserved ones, and ones so
//! wide that a slip of the pen would shut the Internet out.
//!
//! Ranges are those of the IANA special-purpose registries (RFC 6890) that
//! can reach a gate: private, shared (CGNAT), loopback, link-local, "this
//! network", multicast and class E. Those for documentation and benchmarks
//! are deliberately not among them: they never occur on the Internet, and
//! examples are written with them. A line with a scope of its own is an
//! admin's hand, not a feed's, and passes.

use ipnet::{IpNet, Ipv6Net};

use super::family::Bits;

const V4: [([u8; 4], u8); 9] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 168, 0, 0], 16),
    ([224, 0, 0, 0], 3),
];

const V6: [(u16, u8); 4] = [
    (0x0000, 8), // unspecified, loopback, mapped and translated addresses
    (0xfc00, 7),
    (0xfe80, 9), // link-local and the former site-local
    (0xff00, 8),
];

/// The widest network that a line without a scope may ban.
const WIDEST: (u8, u8) = (8, 16);

/// Whether every address of `net` is private or reserved.
pub(super) fn reserved(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => V4.iter().any(|&(octets, len)| {
            net.prefix_len() >= len && net.addr().to_bits().agrees(u32::from_be_bytes(octets), len)
        }),
        IpNet::V6(net) => V6.iter().any(|&(head, len)| {
            Ipv6Net::new_assert([head, 0, 0, 0, 0, 0, 0, 0].into(), len).contains(net)
        }),
    }
}

/// Whether `net` is wider than a /8 (IPv4) or a /16 (IPv6).
#[must_use]
pub const fn too_wide(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => net.prefix_len() < WIDEST.0,
        IpNet::V6(net) => net.prefix_len() < WIDEST.1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for (net, is_reserved, is_too_wide) in [
            ("10.1.2.3/32", true, false),
            ("224.0.0.0/3", true, true),
            ("0.0.0.0/0", false, true),
            ("8.0.0.0/8", false, false),
            ("8.0.0.0/7", false, true),
            ("203.0.113.0/24", false, false),
            ("::1/128", true, false),
            ("fd00::/8", true, true),
            ("fe80::1/128", true, false),
            ("2000::/3", false, true),
            ("2a00::/16", false, false),
            ("2001:db8::/32", false, false),
        ] {
            let net: IpNet = net.parse().expect("a network");
            assert_eq!(
                (reserved(&net), too_wide(&net)),
                (is_reserved, is_too_wide),
                "{net}"
            );
        }
    }
}
