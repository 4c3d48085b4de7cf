//! From a client through nginx to the gate: sends or awaits a probe at the URL
//! that people use, and reads what arrived.
//!
//! Over `http://` doctor sends it itself, with a forged `X-Forwarded-For`: what
//! a client claims must not arrive as it is. There is no TLS in this program, so
//! over `https://` it tells the admin what to run elsewhere, and waits.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use http::Uri;
use tokio::net::lookup_host;

use super::arrival::{self, Sent};
use super::fetch::{Get, Place, Reply, get};
use super::patient::{Patient, SOMEBODY, SOMEBODY_ELSE};
use super::report::{Finding, Report};
use crate::admin::ask::ProbeStep;
use crate::proxy::probe::{PREFIX, Sighting};

pub(super) const NGINX: &str = "nginx";
/// Where doctor comes from on loopback: not where nginx comes from.
const OWN: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77));
const POLL: Duration = Duration::from_millis(300);

/// Checks the way from a client to the gate.
pub(super) async fn examine(patient: &Patient, report: &mut Report) {
    let Some(url) = &patient.url else {
        report.add(Finding::not_checked(
            NGINX,
            "whether the client's address arrives through nginx",
            "say where people reach the server: --url https://NAME, \
             or --url http://127.0.0.1:PORT --host NAME",
        ));
        return;
    };
    if patient.status.is_none() {
        let why = "only with a running gate";
        report.add(Finding::not_checked(NGINX, why, "see above"));
        return;
    }
    let nonce = match patient.probe(ProbeStep::Arm).await {
        Ok((nonce, _)) => nonce,
        Err(why) => {
            let seen = format!("the gate arms no probe: {why}");
            report.add(Finding::wrong(
                NGINX,
                seen,
                "restart the gate with this version",
            ));
            return;
        }
    };
    if url.scheme_str() == Some("https") {
        wait(patient, url, &nonce, report).await;
    } else {
        send(patient, url, &nonce, report).await;
    }
    // It would end by itself.
    let _ = patient.probe(ProbeStep::End(nonce)).await;
}

/// Over plain HTTP, by doctor itself.
async fn send(patient: &Patient, url: &Uri, nonce: &str, report: &mut Report) {
    let place = match place(url).await {
        Ok(place) => place,
        Err(why) => {
            report.add(Finding::wrong(NGINX, why, "correct --url"));
            return;
        }
    };
    let loopback = matches!(place, Place::Tcp(SocketAddr::V4(to)) if to.ip().is_loopback());
    let forged = match patient.from {
        Some(from) => from.to_string(),
        None => format!("{SOMEBODY}, {SOMEBODY_ELSE}"),
    };
    let path = format!("{PREFIX}{nonce}");
    let request = Get {
        path: &path,
        host: patient.host().unwrap_or("localhost"),
        forwarded_for: Some(&forged),
        forwarded_proto: Some("https"),
        from: loopback.then_some(OWN),
    };
    match get(&place, &request).await {
        Err(why) => report.add(Finding::wrong(
            NGINX,
            why,
            "is nginx running, and --url right?",
        )),
        Ok(reply) => match serde_json::from_slice::<Sighting>(&reply.body) {
            Ok(sighting) => {
                let sent = Sent {
                    own: reply.own,
                    forged: &forged,
                    host: patient.host(),
                    from: patient.from,
                };
                for finding in arrival::judge_own(&sighting, &sent) {
                    report.add(finding);
                }
            }
            Err(_) => report.add(not_arrived(&reply, url)),
        },
    }
}

fn not_arrived(reply: &Reply, url: &Uri) -> Finding {
    let to = reply.header("location").unwrap_or_default();
    if reply.status.is_redirection() && to.starts_with("https://") {
        return Finding::not_checked(
            NGINX,
            format!("{url} only redirects to {to}"),
            "use the https:// URL",
        );
    }
    if matches!(reply.status.as_u16(), 502..=504) {
        return Finding::wrong(
            NGINX,
            format!(
                "nginx answered {}: it does not reach the gate",
                reply.status
            ),
            "the address in deploy/nginx/tuskgate-upstream.conf must be listen.address, \
             and a unix socket open to nginx's user",
        );
    }
    Finding::wrong(
        NGINX,
        format!("the request did not come to the gate: {}", reply.status),
        "every location that went to Mastodon must go to the gate: include \
         deploy/nginx/tuskgate-proxy.conf there; with several server blocks, --host says which",
    )
}

async fn place(url: &Uri) -> Result<Place, String> {
    let host = url.host().unwrap_or_default();
    let port = url.port_u16().unwrap_or(80);
    let bare = host.trim_matches(['[', ']']);
    if let Ok(ip) = bare.parse::<IpAddr>() {
        return Ok(Place::Tcp((ip, port).into()));
    }
    let found = lookup_host((bare, port)).await;
    let first = found.ok().and_then(|mut all| all.next());
    first
        .map(Place::Tcp)
        .ok_or_else(|| format!("the host of --url, {bare}, has no address"))
}

/// Over TLS, by somebody else.
async fn wait(patient: &Patient, url: &Uri, nonce: &str, report: &mut Report) {
    let authority = url.authority().map_or("", http::uri::Authority::as_str);
    remark!(
        "Within {} seconds, from another machine (not through a VPN that ends here):\n\n  \
         curl -s https://{authority}{PREFIX}{nonce}\n",
        patient.wait.as_secs()
    );
    let begun = Instant::now();
    loop {
        match patient.probe(ProbeStep::Seen(nonce.to_owned())).await {
            Ok((_, seen)) => {
                if let Some(sighting) = seen.first() {
                    for finding in arrival::judge_other(sighting, patient.host(), patient.from) {
                        report.add(finding);
                    }
                    return;
                }
            }
            Err(why) => {
                report.add(Finding::wrong(NGINX, why, "run doctor again"));
                return;
            }
        }
        if begun.elapsed() >= patient.wait {
            report.add(Finding::warn(
                NGINX,
                format!("no request came in {} seconds", patient.wait.as_secs()),
                "nobody ran the command (more time: --wait 5m); or it was answered by somebody \
                 else: then nginx does not send every location to the gate",
            ));
            return;
        }
        tokio::time::sleep(POLL).await;
    }
}
