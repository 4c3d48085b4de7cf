//! Who tries what: a guarded request, already read.
//!
//! An [`Attempt`] holds exactly what Rails would see, or it does not exist:
//! `mastodon::attempt` builds one or says why it cannot.

use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use jiff::Timestamp;

use crate::app::{Credential, NewApp};
use crate::endpoint::Endpoint;
use crate::mailbox::EmailAddress;
use crate::secret::Secret;

/// A guarded request, read.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When the gate read it.
    pub at: Timestamp,
    /// The door.
    pub endpoint: Endpoint,
    /// Who is asking.
    pub client: ClientIp,
    /// The address that would enter or change; `None` if the parameter is
    /// absent, null or not a scalar (Rails then ignores it).
    pub email: Option<EmailAddress>,
    /// The user name asked for.
    pub username: Option<String>,
    /// The client credential that Doorkeeper will use (Basic before parameters).
    pub credential: Option<Credential>,
    /// The bearer token that Doorkeeper will use (header, then `access_token`, then `bearer_token`).
    pub bearer: Option<Secret>,
    /// `grant_type` at `POST /oauth/token`.
    pub grant: Option<Grant>,
    /// The app asked for at the doors that create or change one.
    pub new_app: Option<NewApp>,
    /// `invite_code`.
    pub invite: Option<Secret>,
}

impl Attempt {
    /// One of which nothing is known but who knocks where, and when.
    #[must_use]
    pub const fn blank(at: Timestamp, endpoint: Endpoint, client: ClientIp) -> Self {
        Self {
            at,
            endpoint,
            client,
            email: None,
            username: None,
            credential: None,
            bearer: None,
            grant: None,
            new_app: None,
            invite: None,
        }
    }

    /// The user name, unless somebody has typed an address in its place: the
    /// local part of one is not ours to keep, and Mastodon takes no such name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let name = self.username.as_deref();
        name.filter(|name| !name.contains(['@', '＠']))
    }
}

/// What kind of token is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grant {
    /// `authorization_code`: somebody logs in.
    AuthorizationCode,
    /// `client_credentials`: an app asks for itself.
    ClientCredentials,
    /// `password`: before Mastodon 4.4.
    Password,
    /// Anything else; Doorkeeper will refuse it.
    Other,
}

impl Grant {
    /// Reads `grant_type`.
    #[must_use]
    pub fn read(text: &str) -> Self {
        match text {
            "authorization_code" => Self::AuthorizationCode,
            "client_credentials" => Self::ClientCredentials,
            "password" => Self::Password,
            _ => Self::Other,
        }
    }
}

/// The address of the person behind the proxies, or why there is none.
///
/// Not to be confused with the socket's peer, which is `proxy::Peer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientIp {
    /// A public address: IPv4-mapped folded to IPv4.
    Known(IpAddr),
    /// Rules keyed by the client's address abstain, loudly.
    Unknown(Unknown),
}

/// Why the client's address cannot be trusted to stand for one client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unknown {
    /// A trusted peer (or a unix socket) sent no usable `X-Forwarded-For`.
    Missing,
    /// The address is private, loopback, link-local or otherwise not public.
    Private(IpAddr),
    /// Every address in the chain is a trusted proxy's own.
    TrustedProxy(IpAddr),
}

impl ClientIp {
    /// The public address, if known.
    #[must_use]
    pub const fn known(self) -> Option<IpAddr> {
        match self {
            Self::Known(ip) => Some(ip),
            Self::Unknown(_) => None,
        }
    }

    /// The best address there is, for forwarding and for the record.
    #[must_use]
    pub const fn address(self) -> Option<IpAddr> {
        match self {
            Self::Known(ip) | Self::Unknown(Unknown::Private(ip) | Unknown::TrustedProxy(ip)) => {
                Some(ip)
            }
            Self::Unknown(Unknown::Missing) => None,
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no client address came with the request"),
            Self::Private(ip) => write!(f, "the client address {ip} is private"),
            Self::TrustedProxy(ip) => write!(f, "the client address {ip} is a trusted proxy's own"),
        }
    }
}

/// The network that stands for one subscriber: IPv4 /32, IPv6 /64.
#[must_use]
pub fn narrow_network(ip: IpAddr) -> IpNet {
    network_around(ip, 32, 64)
}

/// The network that stands for one site: IPv4 /24, IPv6 /48.
#[must_use]
pub fn wide_network(ip: IpAddr) -> IpNet {
    network_around(ip, 24, 48)
}

/// The network of so many bits (at most 32, and 128) that an address lies in.
pub(crate) fn network_around(ip: IpAddr, v4: u8, v6: u8) -> IpNet {
    match ip {
        IpAddr::V4(ip) => Ipv4Net::new_assert(ip, v4).trunc().into(),
        IpAddr::V6(ip) => Ipv6Net::new_assert(ip, v6).trunc().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_typed_as_a_user_name_is_no_name() {
        let nobody = ClientIp::Unknown(Unknown::Missing);
        let mut attempt = Attempt::blank(Timestamp::UNIX_EPOCH, Endpoint::SignUp, nobody);
        assert_eq!(attempt.name(), None);
        for (typed, name) in [
            ("anna", Some("anna")),
            ("", Some("")),
            ("anna_1", Some("anna_1")),
            ("anna@gmail.com", None),
            ("@anna", None),
            ("anna＠gmail.com", None),
        ] {
            attempt.username = Some(typed.to_owned());
            assert_eq!(attempt.name(), name, "{typed}");
        }
    }
}
