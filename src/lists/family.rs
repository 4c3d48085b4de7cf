//! The two address families as plain integers, so that sets of networks are
//! sorted arrays of `u32` or `u128` and one algorithm serves both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// An address as an integer; most significant bit first.
pub(super) trait Bits: Copy + Ord {
    /// The last address of the network of length `len` that holds `self`.
    fn last(self, len: u8) -> Self;
    /// The address after this one; `None` after the family's last.
    fn next(self) -> Option<Self>;
    /// Whether `self` and `start` agree in their first `len` bits.
    fn agrees(self, start: Self, len: u8) -> bool;
    /// The network of length `len` that holds `self`.
    fn network(self, len: u8) -> IpNet;
}

impl Bits for u32 {
    fn last(self, len: u8) -> Self {
        self | Self::MAX.checked_shr(len.into()).unwrap_or(0)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn agrees(self, start: Self, len: u8) -> bool {
        (self ^ start)
            .checked_shr(Self::BITS.saturating_sub(len.into()))
            .unwrap_or(0)
            == 0
    }

    fn network(self, len: u8) -> IpNet {
        Ipv4Net::new_assert(Ipv4Addr::from_bits(self), len)
            .trunc()
            .into()
    }
}

impl Bits for u128 {
    fn last(self, len: u8) -> Self {
        self | Self::MAX.checked_shr(len.into()).unwrap_or(0)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn agrees(self, start: Self, len: u8) -> bool {
        (self ^ start)
            .checked_shr(Self::BITS.saturating_sub(len.into()))
            .unwrap_or(0)
            == 0
    }

    fn network(self, len: u8) -> IpNet {
        Ipv6Net::new_assert(Ipv6Addr::from_bits(self), len)
            .trunc()
            .into()
    }
}

/// An address in its family; an IPv4-mapped one is IPv4.
pub(super) enum Address {
    /// IPv4.
    V4(u32),
    /// IPv6.
    V6(u128),
}

impl Address {
    pub(super) fn new(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.to_bits()),
            IpAddr::V6(ip) => Self::V6(ip.to_bits()),
        }
    }
}

/// A network in one spelling: host bits cleared, and a network of IPv4-mapped
/// addresses (`::ffff:a.b.c.d/96` and longer) as the IPv4 network it means.
#[must_use]
pub fn canonical(net: IpNet) -> IpNet {
    let net = net.trunc();
    if let IpNet::V6(v6) = net
        && let Some(len) = v6.prefix_len().checked_sub(96)
        && let Some(v4) = v6.addr().to_ipv4_mapped()
    {
        return Ipv4Net::new_assert(v4, len).into();
    }
    net
}

/// A network as people and feeds write it: an address, or `address/length`, which
/// is 0 to 32 or 0 to 128. Host bits stay. An octet has no leading zero, which
/// some take for octal.
#[must_use]
pub fn read(text: &str) -> Option<IpNet> {
    let Some((ip, len)) = text.split_once('/') else {
        return text.parse::<IpAddr>().ok().map(IpNet::from);
    };
    let ip: IpAddr = ip.parse().ok()?;
    let digits = if ip.is_ipv4() { 2 } else { 3 };
    if len.len() > digits || !len.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    IpNet::new(ip, len.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn edges_of_both_families() {
        assert_eq!(0_u32.last(0), u32::MAX);
        assert_eq!(u32::MAX.last(32), u32::MAX);
        assert!(u32::MAX.agrees(0, 0));
        assert!(!1_u32.agrees(0, 32));
        assert_eq!(0_u128.last(64), u128::from(u64::MAX));
        assert!(u128::MAX.agrees(0, 0));
        assert_eq!(u128::MAX.next(), None);
    }

    #[test]
    fn mapped_networks_are_ipv4() {
        let net = |text: &str| text.parse::<IpNet>().expect("a network");
        assert_eq!(
            canonical(net("::ffff:10.1.2.3/120")).to_string(),
            "10.1.2.0/24"
        );
        assert_eq!(canonical(net("::ffff:0.0.0.0/95")), net("::fffe:0:0/95"));
        assert_eq!(canonical(net("2001:db8::1/32")), net("2001:db8::/32"));
    }

    proptest! {
        #[test]
        fn networks_are_read_as_ipnet_reads_them(v4: u32, v6: u128, len in 0_u8..140) {
            let v4 = format!("{}/{len}", Ipv4Addr::from(v4));
            let v6 = format!("{}/{len}", Ipv6Addr::from(v6));
            prop_assert_eq!(read(&v4), v4.parse().ok());
            prop_assert_eq!(read(&v6), v6.parse().ok());
        }

        #[test]
        fn nothing_is_a_network_that_is_none_to_ipnet(
            text in "[0-9a-f:.]{0,12}/[0-9+-]{0,4}|[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,3}",
        ) {
            if let Some(net) = read(&text) {
                prop_assert_eq!(text.parse(), Ok(net));
            }
        }
    }
}
