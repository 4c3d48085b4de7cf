//! Addresses and networks as text, letter for letter as their `Display` writes them.
//!
//! Every allowed sign-up writes some, and for IPv4 the formatter costs ten times what
//! there is to write. IPv6, with its rules of what is left out, is left to it.

use std::net::IpAddr;

use ipnet::IpNet;

/// The longest of IPv4 has so many bytes.
const ROOM: usize = 18;

/// An address.
pub(super) fn address(ip: IpAddr) -> String {
    let IpAddr::V4(v4) = ip else {
        return ip.to_string();
    };
    let mut text = String::with_capacity(ROOM);
    let [first, rest @ ..] = v4.octets();
    push(&mut text, first);
    for octet in rest {
        text.push('.');
        push(&mut text, octet);
    }
    text
}

/// A network, with its length.
pub(super) fn network(network: IpNet) -> String {
    let mut text = address(network.addr());
    text.push('/');
    push(&mut text, network.prefix_len());
    text
}

fn push(text: &mut String, number: u8) {
    let digit = |value: u8| char::from(b'0' + value % 10);
    if number >= 100 {
        text.push(digit(number / 100));
    }
    if number >= 10 {
        text.push(digit(number / 10));
    }
    text.push(digit(number));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_octet_is_written_as_display_does() {
        for octet in 0..=u8::MAX {
            let ip = IpAddr::from([octet, 0, 255, octet]);
            assert_eq!(address(ip), ip.to_string());
        }
    }

    proptest! {
        #[test]
        fn any_network_of_ipv4(bits: u32, length in 0..=32_u8) {
            let ip = IpAddr::from(bits.to_be_bytes());
            let net = IpNet::new(ip, length).expect("a network");
            prop_assert_eq!(address(ip), ip.to_string());
            prop_assert_eq!(network(net), net.to_string());
        }

        /// Half of the bits are gone in half of them, so that zeros are left out.
        #[test]
        fn any_network_of_ipv6(bits: u128, gone: u128, length in 0..=128_u8) {
            for bits in [bits, bits & gone, bits & gone >> 64, bits >> (length % 128)] {
                let ip = IpAddr::from(bits.to_be_bytes());
                let net = IpNet::new(ip, length).expect("a network");
                prop_assert_eq!(address(ip), ip.to_string());
                prop_assert_eq!(network(net), net.to_string());
            }
        }
    }
}
