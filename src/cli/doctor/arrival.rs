//! What a probe that came through nginx tells, and the setting to mend. Pure.

use std::net::IpAddr;

use super::nginx::NGINX;
use super::patient::SOMEBODY_ELSE;
use super::report::Finding;
use crate::proxy::probe::Sighting;

const SET_FOR: &str = "nginx: proxy_set_header X-Forwarded-For $remote_addr; \
     (include deploy/nginx/tuskgate-proxy.conf, without a proxy_set_header of your own beside it)";
const REAL_IP: &str = "nginx: set_real_ip_from with the networks of that proxy, and \
     real_ip_header X-Forwarded-For; (see deploy/nginx/tuskgate-upstream.conf)";

/// A probe as doctor sent it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    /// The address that nginx saw.
    pub(super) own: Option<IpAddr>,
    /// The `X-Forwarded-For` that was sent.
    pub(super) forged: &'a str,
    pub(super) host: Option<&'a str>,
    /// The address that the gate must see, if the admin named one: then it was
    /// sent as a proxy in front of nginx would send it.
    pub(super) from: Option<IpAddr>,
}

/// A probe that doctor sent itself.
pub(super) fn judge_own(sighting: &Sighting, sent: &Sent<'_>) -> Vec<Finding> {
    let mut findings = vec![address_of_own(sighting, sent)];
    if sighting.trusted && sighting.scheme == "https" {
        findings.push(Finding::warn(
            "scheme",
            "X-Forwarded-Proto arrives as the client wrote it (or nginx always says https)",
            "nginx: proxy_set_header X-Forwarded-Proto $scheme; right as it is only where TLS \
             ends at a proxy in front of nginx",
        ));
    }
    findings.extend(host(sighting, sent.host));
    findings
}

fn address_of_own(sighting: &Sighting, sent: &Sent<'_>) -> Finding {
    if let Some(finding) = untrusted(sighting) {
        return finding;
    }
    let Some(arrived) = &sighting.forwarded_for else {
        return missing();
    };
    if let Some(from) = sent.from {
        return expected(sighting, from);
    }
    if arrived == sent.forged {
        return Finding::wrong(
            NGINX,
            "X-Forwarded-For arrives as the client wrote it: whoever writes none has no \
             address, and everybody else chooses theirs",
            SET_FOR,
        );
    }
    let last = arrived.rsplit(',').next().unwrap_or_default().trim();
    let last: Option<IpAddr> = last.parse().ok();
    if last.is_some() && last == sent.own {
        let how = if arrived.contains(',') {
            "appends"
        } else {
            "sets"
        };
        return Finding::ok(
            NGINX,
            format!("nginx {how} the client's address in X-Forwarded-For"),
        );
    }
    if last == Some(SOMEBODY_ELSE) {
        return Finding::ok(
            NGINX,
            "nginx takes the client's address from a proxy on this machine (set_real_ip_from) \
             and passes it on",
        );
    }
    Finding::wrong(
        NGINX,
        format!(
            "the gate was told {arrived:?}, which is not where the request came from ({})",
            sent.own.map_or_else(String::new, |own| own.to_string())
        ),
        SET_FOR,
    )
}

/// A probe that somebody sent from elsewhere.
pub(super) fn judge_other(
    sighting: &Sighting,
    named: Option<&str>,
    from: Option<IpAddr>,
) -> Vec<Finding> {
    let mut findings = vec![address_of_other(sighting, from)];
    if sighting.trusted && sighting.scheme != "https" {
        findings.push(Finding::wrong(
            "scheme",
            "the gate was not told that the client came over https; Mastodon would redirect for ever",
            "nginx: proxy_set_header X-Forwarded-Proto $scheme;",
        ));
    }
    findings.extend(host(sighting, named));
    findings
}

fn address_of_other(sighting: &Sighting, from: Option<IpAddr>) -> Finding {
    if let Some(finding) = untrusted(sighting) {
        return finding;
    }
    if sighting.forwarded_for.is_none() {
        return missing();
    }
    if let Some(from) = from {
        return expected(sighting, from);
    }
    match sighting.client {
        Some(ip) => Finding::ok(
            NGINX,
            format!(
                "the gate saw {ip}: that must be the public address of the machine that ran curl, \
                 not a CDN's or another proxy's (if it is: set_real_ip_from; --from ADDRESS has \
                 doctor compare)"
            ),
        ),
        None => Finding::wrong(
            NGINX,
            format!("the gate saw no client: {}", why(sighting)),
            format!(
                "{REAL_IP}\nor Docker's bridge hides it: nginx must see the client's address itself"
            ),
        ),
    }
}

fn expected(sighting: &Sighting, from: IpAddr) -> Finding {
    if sighting.client == Some(from) {
        return Finding::ok(NGINX, format!("the gate saw {from}"));
    }
    let saw = sighting
        .client
        .map_or_else(|| why(sighting), |ip| ip.to_string());
    Finding::wrong(
        NGINX,
        format!("the gate should have seen {from} and saw another: {saw}"),
        REAL_IP,
    )
}

fn untrusted(sighting: &Sighting) -> Option<Finding> {
    let peer = sighting.peer.filter(|_| !sighting.trusted)?;
    Some(Finding::wrong(
        NGINX,
        format!(
            "nginx reaches the gate from {peer}, which is not trusted: everybody would be {peer}"
        ),
        format!("listen.trusted-proxies = [\"{peer}\"]"),
    ))
}

fn missing() -> Finding {
    Finding::wrong(
        NGINX,
        "no X-Forwarded-For arrives: everybody is one client, and rules by address abstain",
        SET_FOR,
    )
}

fn why(sighting: &Sighting) -> String {
    let why = sighting.unknown.clone().unwrap_or_default();
    let told = sighting.forwarded_for.as_deref().unwrap_or("nothing");
    format!("{why} (X-Forwarded-For: {told})")
}

/// Mastodon answers 403 to a name that is not its own.
fn host(sighting: &Sighting, named: Option<&str>) -> Option<Finding> {
    let named = named?;
    let arrived = sighting.host.split(':').next().unwrap_or_default();
    let same = arrived.eq_ignore_ascii_case(named) || sighting.host.eq_ignore_ascii_case(named);
    (!same).then(|| {
        Finding::wrong(
            "host name",
            format!("Host arrives as {:?} and not as {named:?}", sighting.host),
            "nginx: proxy_set_header Host $host;",
        )
    })
}

#[cfg(test)]
mod tests;
