//! Past the gate: how Mastodon answers doctor itself, and who else could go that way.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use tokio::net::lookup_host;

use super::fetch::{Get, Place, get};
use super::listening::{self, Listening};
use super::patient::Patient;
use super::report::{Finding, Report};
use crate::config::UpstreamAddress;

const BYPASS: &str = "way around";

/// How `/health` goes without the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Well; from which address doctor came, which is the gate's where both
    /// are on one machine.
    Well(Option<IpAddr>),
    /// Not well, in words.
    Ill(String),
    /// Not to be had from here, in words.
    Unseen(String),
}

/// Asks Mastodon itself, without naming a client.
pub(super) async fn health(patient: &Patient) -> Health {
    let place = match &patient.settings.upstream.address {
        UpstreamAddress::Unix(path) => Place::Unix(path.clone()),
        address => match addresses(address).await.first() {
            Some(address) => Place::Tcp(*address),
            None => return Health::Unseen("its name has no address here".into()),
        },
    };
    let request = Get {
        path: "/health",
        host: patient.host().unwrap_or("localhost"),
        forwarded_for: None,
        forwarded_proto: Some("https"),
        from: None,
    };
    match get(&place, &request).await {
        Ok(reply) if reply.status.is_success() => Health::Well(reply.own),
        Ok(reply) => Health::Ill(reply.status.to_string()),
        Err(why) => Health::Unseen(why),
    }
}

async fn addresses(address: &UpstreamAddress) -> Vec<SocketAddr> {
    match address {
        UpstreamAddress::Tcp(address) => vec![*address],
        UpstreamAddress::Name(name, port) => match lookup_host((name.as_str(), *port)).await {
            Ok(found) => found.collect(),
            Err(_) => Vec::new(),
        },
        UpstreamAddress::Unix(_) => Vec::new(),
    }
}

/// Looks for a door of Mastodon's that is open to others than the gate.
pub(super) async fn examine(patient: &Patient, report: &mut Report) {
    let upstream = &patient.settings.upstream.address;
    if matches!(upstream, UpstreamAddress::Unix(_)) {
        let seen = "Mastodon listens on a unix socket";
        report.add(Finding::ok(BYPASS, seen));
        return;
    }
    let found = addresses(upstream).await;
    let here: Vec<_> = found
        .iter()
        .filter(|address| is_here(address.ip()))
        .collect();
    let (Some(address), Some(open)) = (here.first(), listening::all()) else {
        report.add(Finding::not_checked(
            BYPASS,
            "Mastodon is on another machine or in another container",
            "see that its port is open to the gate alone: not published in compose, or behind \
             a firewall",
        ));
        return;
    };
    report.add(judge(address.port(), &open));
}

/// Whether an address is this machine's own.
fn is_here(ip: IpAddr) -> bool {
    // A socket can only be bound to an address of one's own; nothing is sent.
    UdpSocket::bind((ip, 0)).is_ok()
}

fn judge(port: u16, open: &[Listening]) -> Finding {
    let of_port = open.iter().filter(|listening| listening.port == port);
    if of_port.clone().next().is_none() {
        return Finding::not_checked(
            BYPASS,
            format!("nobody listens on port {port} (upstream.address) now"),
            "start Mastodon",
        );
    }
    let wide: Vec<_> = of_port
        .filter(|listening| !listening.ip.to_canonical().is_loopback())
        .map(|listening| SocketAddr::from((listening.ip, port)).to_string())
        .collect();
    if wide.is_empty() {
        return Finding::ok(
            BYPASS,
            format!("port {port} of Mastodon is open on loopback only"),
        );
    }
    Finding::warn(
        BYPASS,
        format!(
            "Mastodon listens on {}: whoever reaches that is past the gate",
            wide.join(" and ")
        ),
        "BIND=127.0.0.1 for mastodon-web; in compose 127.0.0.1:3000:3000 or no published port; \
         or a firewall that closes it",
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    #[test]
    fn only_loopback_is_closed() {
        let on = |ip: &str, port| Listening {
            ip: ip.parse().expect("an address"),
            port,
        };
        for (open, level) in [
            (vec![on("127.0.0.1", 3000), on("0.0.0.0", 443)], Level::Ok),
            (
                vec![on("::1", 3000), on("::ffff:127.0.0.1", 3000)],
                Level::Ok,
            ),
            (vec![on("0.0.0.0", 3000)], Level::Warn),
            (
                vec![on("127.0.0.1", 3000), on("10.0.0.2", 3000)],
                Level::Warn,
            ),
            (vec![on("::", 3000)], Level::Warn),
            (vec![on("0.0.0.0", 443)], Level::NotChecked),
        ] {
            assert_eq!(judge(3000, &open).level, level, "{open:?}");
        }
    }
}
