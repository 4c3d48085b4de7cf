//! Addresses and networks as text, letter for letter as their `Display` writes them.
//!
//! Every request names an address, every allowed sign-up several, and for IPv4 the
//! formatter costs up to ten times what there is to write. IPv6, with its rules of what
//! is left out, is left to it.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

/// The longest of IPv4 has so many bytes.
const ROOM: usize = 18;

/// Writes an address.
///
/// # Errors
/// If `into` takes no more.
pub(crate) fn write(into: &mut impl fmt::Write, ip: IpAddr) -> fmt::Result {
    let IpAddr::V4(v4) = ip else {
        return write!(into, "{ip}");
    };
    for (at, octet) in v4.octets().into_iter().enumerate() {
        if at > 0 {
            into.write_char('.')?;
        }
        write_number(into, octet)?;
    }
    Ok(())
}

/// An address.
pub(crate) fn address(ip: IpAddr) -> String {
    let mut text = String::with_capacity(ROOM);
    write(&mut text, ip).expect(ROOM_FOR_ALL);
    text
}

/// A network, with its length.
pub(crate) fn network(network: IpNet) -> String {
    let mut text = address(network.addr());
    text.push('/');
    write_number(&mut text, network.prefix_len()).expect(ROOM_FOR_ALL);
    text
}

const ROOM_FOR_ALL: &str = "a string takes any text";

fn write_number(into: &mut impl fmt::Write, number: u8) -> fmt::Result {
    let digit = |value: u8| char::from(b'0' + value % 10);
    if number >= 100 {
        into.write_char(digit(number / 100))?;
    }
    if number >= 10 {
        into.write_char(digit(number / 10))?;
    }
    into.write_char(digit(number))
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
