//! Who is asking: the address of the person behind the proxies.
//!
//! The rightmost address of `X-Forwarded-For` plus the socket's peer that is
//! not a trusted proxy's own, as Rails' `RemoteIp` reads it, but stricter: an
//! entry that is no address ends the walk instead of being skipped. The only
//! file that reads forwarding headers for an address; `Forwarded`, `Client-Ip`
//! and `X-Real-Ip` are not read at all (Rails believes them in ways that let a
//! client choose its address; `headers` drops them).
//!
//! # Deployment caveat
//!
//! All of this rests on the last proxy before the gate *appending* the address
//! of its peer to `X-Forwarded-For` (nginx: `$proxy_add_x_forwarded_for`) or
//! replacing the header, and on `listen.trusted-proxies` naming that proxy and
//! no more. A proxy that passes the header on untouched lets every client
//! choose its address. A range that is too wide (a whole private network with
//! other tenants in it) lets those tenants do so. A proxy that is missing from
//! the list makes all its clients one client, which the gate reports instead of
//! judging by. A peer on a unix socket counts as trusted: whoever may connect
//! to the socket may name any address, so its file mode is the guard.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderValue;
use ipnet::IpNet;

use crate::attempt::{ClientIp, Unknown};

/// The other end of the socket: not necessarily the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A tcp peer.
    Tcp(SocketAddr),
    /// A process of this machine that may open the socket's file.
    Unix,
}

/// The peers that are believed, folded for comparison.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Box<[IpNet]>);

impl TrustedProxies {
    /// These networks, whether IPv4-mapped or not.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> Self {
        Self(networks.into_iter().map(fold_network).collect())
    }

    /// Whether `peer` is one of them.
    #[must_use]
    pub fn trust(&self, peer: Peer) -> bool {
        match peer {
            Peer::Tcp(socket) => self.contain(fold(socket.ip())),
            Peer::Unix => true,
        }
    }

    fn contain(&self, ip: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&ip))
    }
}

/// Who is asking, and which address the upstream is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identified {
    /// The client, or why there is none.
    pub client: ClientIp,
    /// The best known address: the client's, else the last proxy's. `None`
    /// only behind a unix socket without a usable header.
    pub forward: Option<IpAddr>,
}

/// Identifies the client from its peer and the lines of `X-Forwarded-For`.
///
/// The lines are read only if `peer` is trusted. They may hold anything; the
/// walk ends at the first entry that is not a trusted proxy's.
pub fn identify<'a>(
    peer: Peer,
    lines: impl DoubleEndedIterator<Item = &'a HeaderValue>,
    trusted: &TrustedProxies,
) -> Identified {
    let trusted = trusted.trust(peer).then_some(trusted);
    identify_behind(peer, lines, trusted)
}

/// The same for a peer of whom it is known: `None` if it is not believed in what it
/// says of others. On a connection it always is, or never.
pub(super) fn identify_behind<'a>(
    peer: Peer,
    lines: impl DoubleEndedIterator<Item = &'a HeaderValue>,
    trusted: Option<&TrustedProxies>,
) -> Identified {
    let mut nearest = match peer {
        Peer::Tcp(socket) => Some(fold(socket.ip())),
        Peer::Unix => None,
    };
    let Some(trusted) = trusted else {
        return found(nearest);
    };
    let entries = lines
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|entry| !entry.is_empty());
    for entry in entries {
        let Some(ip) = read_entry(entry) else {
            return Identified {
                client: ClientIp::Unknown(Unknown::Missing),
                forward: nearest,
            };
        };
        nearest = Some(ip);
        if !trusted.contain(ip) {
            return found(nearest);
        }
    }
    Identified {
        client: ClientIp::Unknown(nearest.map_or(Unknown::Missing, Unknown::TrustedProxy)),
        forward: nearest,
    }
}

fn found(ip: Option<IpAddr>) -> Identified {
    let client = match ip {
        Some(ip) if is_public(ip) => ClientIp::Known(ip),
        Some(ip) => ClientIp::Unknown(Unknown::Private(ip)),
        None => ClientIp::Unknown(Unknown::Missing),
    };
    Identified {
        client,
        forward: ip,
    }
}

/// Reads `1.2.3.4`, `1.2.3.4:55`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:55`.
fn read_entry(entry: &[u8]) -> Option<IpAddr> {
    if let Some(v4) = read_v4(entry) {
        return Some(v4.into());
    }
    let text = std::str::from_utf8(entry).ok()?;
    if let Ok(ip) = text.parse() {
        return Some(fold(ip));
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().ok().map(|ip| fold(ip.into()));
    }
    text.parse::<SocketAddr>()
        .ok()
        .map(|socket| fold(socket.ip()))
}

/// What most entries are, as the standard library reads it, at a third of what its
/// parser for both families takes.
fn read_v4(text: &[u8]) -> Option<Ipv4Addr> {
    let (mut octets, mut at) = ([0; 3], 0);
    let (mut octet, mut digits) = (0_u16, 0);
    for &byte in text {
        if byte == b'.' && digits > 0 {
            *octets.get_mut(at)? = u8::try_from(octet).ok()?;
            (at, octet, digits) = (at + 1, 0, 0);
            continue;
        }
        // With a zero before it, it might be octal to somebody.
        if !byte.is_ascii_digit() || digits == 3 || (digits > 0 && octet == 0) {
            return None;
        }
        (octet, digits) = (octet * 10 + u16::from(byte - b'0'), digits + 1);
    }
    let [first, second, third] = octets;
    let fourth = u8::try_from(octet).ok()?;
    (at == 3 && digits > 0).then(|| Ipv4Addr::new(first, second, third, fourth))
}

/// IPv4-mapped IPv6 as the IPv4 address that it is.
fn fold(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

fn fold_network(network: IpNet) -> IpNet {
    match (fold(network.network()), network.prefix_len()) {
        (IpAddr::V4(v4), length @ 96..) if matches!(network, IpNet::V6(_)) => {
            IpNet::new_assert(v4.into(), length - 96).trunc()
        }
        _ => network.trunc(),
    }
}

/// Whether an address can stand for one client of a public server.
///
/// Not public: private, loopback, link-local, shared (100.64/10), multicast
/// and reserved addresses. Documentation ranges (RFC 5737, RFC 3849) count as
/// public: they never occur in the wild, and examples are written in them.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match fold(ip) {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

const fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || a == 0
        || a >= 224
        || (a == 100 && b & 0b1100_0000 == 64)
        || (a == 198 && b & 0b1111_1110 == 18)
        || (a == 192 && b == 0 && c == 0))
}

const fn is_public_v6(ip: Ipv6Addr) -> bool {
    let first = ip.segments()[0];
    !(ip.is_loopback()
        || ip.is_unspecified()
        || first & 0xfe00 == 0xfc00 // unique local
        || first & 0xff80 == 0xfe80 // link-local and the old site-local
        || first & 0xff00 == 0xff00) // multicast
}

#[cfg(test)]
mod tests;
