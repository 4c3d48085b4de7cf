//! Which TCP ports are open on this machine, as `/proc/net/tcp{,6}` tells (proc(5)).

use std::net::{IpAddr, Ipv6Addr};

/// An open port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listening {
    pub(super) ip: IpAddr,
    pub(super) port: u16,
}

/// All open ports; `None` where there is no such table.
pub(super) fn all() -> Option<Vec<Listening>> {
    let v4 = std::fs::read_to_string("/proc/net/tcp").ok()?;
    // A machine without IPv6 has no second one.
    let v6 = std::fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    Some(v4.lines().chain(v6.lines()).filter_map(read).collect())
}

/// `TCP_LISTEN`.
const LISTEN: &str = "0A";

/// `  0: 0100007F:0BB8 00000000:0000 0A …`
fn read(line: &str) -> Option<Listening> {
    let mut words = line.split_ascii_whitespace();
    let (local, state) = (words.nth(1)?, words.nth(1)?);
    let (ip, port) = local.split_once(':')?;
    (state == LISTEN).then_some(())?;
    Some(Listening {
        ip: address(ip)?,
        port: u16::from_str_radix(port, 16).ok()?,
    })
}

/// Words of 32 bits, each printed as this machine reads it.
fn address(hex: &str) -> Option<IpAddr> {
    let mut bytes = Vec::with_capacity(16);
    for at in (0..hex.len()).step_by(8) {
        let word = u32::from_str_radix(hex.get(at..at + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    if let Ok(v4) = <[u8; 4]>::try_from(bytes.as_slice()) {
        return Some(v4.into());
    }
    let v6 = <[u8; 16]>::try_from(bytes.as_slice()).ok()?;
    Some(Ipv6Addr::from(v6).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn lines_of_the_kernel() {
        let found = |line| read(line).map(|l| (l.ip.to_string(), l.port));
        for (line, expected) in [
            (
                "   0: 0100007F:0BB8 00000000:0000 0A 0 0",
                Some(("127.0.0.1", 3000)),
            ),
            (
                "   1: 00000000:1F90 00000000:0000 0A 0 0",
                Some(("0.0.0.0", 8080)),
            ),
            ("   2: 0100007F:0BB8 0100007F:A0C2 01 0 0", None),
            (
                "   3: 00000000000000000000000001000000:0BB8 0:0 0A",
                Some(("::1", 3000)),
            ),
            ("  sl  local_address rem_address   st", None),
            ("   4: 0100:1 0 0A", None),
        ] {
            let expected = expected.map(|(ip, port)| (ip.to_owned(), port));
            assert_eq!(found(line), expected, "{line}");
        }
    }

    #[test]
    fn a_port_of_our_own_is_found() {
        let ours = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = ours.local_addr().expect("bound").port();
        let all = all().expect("Linux");
        let ip = IpAddr::from([127, 0, 0, 1]);
        assert!(all.contains(&Listening { ip, port }));
    }
}
