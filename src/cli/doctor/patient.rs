//! What is examined: the configuration, the running gate if there is one, and
//! what the admin said about the way to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http::Uri;

use super::fetch::Place;
use crate::admin::ask::{Answer, Ask, ProbeStep, Status};
use crate::admin::socket;
use crate::config::Settings;
use crate::proxy::probe::Sighting;

/// A client that is nobody's: a documentation address (RFC 5737).
pub(super) const SOMEBODY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 77));
/// Another one.
pub(super) const SOMEBODY_ELSE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 77));

/// The set-up under examination.
#[derive(Debug)]
pub(super) struct Patient {
    pub(super) settings: Settings,
    /// What the running gate says of itself.
    pub(super) status: Option<Status>,
    pub(super) url: Option<Uri>,
    host: Option<String>,
    /// The client address that the gate must see through nginx.
    pub(super) from: Option<IpAddr>,
    pub(super) wait: Duration,
}

impl Patient {
    pub(super) const fn new(
        settings: Settings,
        url: Option<Uri>,
        host: Option<String>,
        from: Option<IpAddr>,
        wait: Duration,
    ) -> Self {
        Self {
            settings,
            status: None,
            url,
            host,
            from,
            wait,
        }
    }

    /// The server's name, if anybody said it.
    pub(super) fn host(&self) -> Option<&str> {
        let of_url = || self.url.as_ref()?.host();
        self.host.as_deref().or_else(of_url)
    }

    /// Where the gate listens, as seen from this machine.
    pub(super) fn listener(&self) -> Option<Place> {
        let listen = self.status.as_ref()?.listen.first()?;
        if let Some(path) = listen.strip_prefix("unix:") {
            return Some(Place::Unix(path.into()));
        }
        let mut address: SocketAddr = listen.parse().ok()?;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        Some(Place::Tcp(address))
    }

    /// Asks the running gate.
    pub(super) async fn ask(&self, ask: &Ask) -> std::io::Result<Answer> {
        socket::ask(&self.settings.admin.socket, ask).await
    }

    /// Has the running gate take a step of a probe.
    pub(super) async fn probe(&self, step: ProbeStep) -> Result<(String, Vec<Sighting>), String> {
        match self.ask(&Ask::Probe { step }).await {
            Ok(Answer::Probe(nonce, seen)) => Ok((nonce, seen)),
            Ok(Answer::Fault(why)) => Err(why),
            Ok(other) => Err(format!("an odd answer: {other:?}")),
            Err(fault) => Err(fault.to_string()),
        }
    }
}
