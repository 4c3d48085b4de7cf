//! The gate's own door: whether it takes the client's address from whoever
//! stands before it on this machine.

use super::fetch::{Get, get};
use super::patient::{Patient, SOMEBODY};
use super::report::{Finding, Report};
use crate::admin::ask::ProbeStep;
use crate::proxy::probe::{PREFIX, Sighting};

const LISTENER: &str = "listener";
const TRUST: &str = "trusted proxies";

/// Sends a probe straight to the gate's listener.
pub(super) async fn examine(patient: &Patient, report: &mut Report) {
    let Some(place) = patient.listener() else {
        let why = "where the gate listens is not known";
        report.add(Finding::not_checked(LISTENER, why, "see above"));
        return;
    };
    let nonce = match patient.probe(ProbeStep::Arm).await {
        Ok((nonce, _)) => nonce,
        Err(why) => {
            let seen = format!("the gate arms no probe: {why}");
            report.add(Finding::wrong(
                LISTENER,
                seen,
                "restart the gate with this version",
            ));
            return;
        }
    };
    let claimed = SOMEBODY.to_string();
    let path = format!("{PREFIX}{nonce}");
    let request = Get {
        path: &path,
        host: patient.host().unwrap_or("localhost"),
        forwarded_for: Some(&claimed),
        forwarded_proto: Some("https"),
        from: None,
    };
    match get(&place, &request).await {
        Err(why) => report.add(Finding::wrong(
            LISTENER,
            why,
            "see the gate's log; for a unix socket run doctor as root or as nginx's user",
        )),
        Ok(reply) => {
            report.add(Finding::ok(LISTENER, format!("{place} answers")));
            report.add(match serde_json::from_slice(&reply.body) {
                Ok(sighting) => judge(&sighting),
                Err(_) => Finding::wrong(
                    TRUST,
                    format!(
                        "a probe sent to {place} was not answered by the gate: {}",
                        reply.status
                    ),
                    "is it the gate that listens there?",
                ),
            });
        }
    }
    // It would end by itself.
    let _ = patient.probe(ProbeStep::End(nonce)).await;
}

fn judge(sighting: &Sighting) -> Finding {
    let from = sighting.peer.map_or_else(
        || "a unix socket".to_owned(),
        |peer| format!("{peer} (this machine)"),
    );
    if sighting.client == Some(SOMEBODY) {
        return Finding::ok(TRUST, format!("X-Forwarded-For is taken from {from}"));
    }
    if !sighting.trusted {
        return Finding::warn(
            TRUST,
            format!("X-Forwarded-For is not taken from {from}: not in listen.trusted-proxies"),
            "right if nginx is on another machine: check that with --url;\n\
             if nginx is on this one, add 127.0.0.0/8 and ::1 to listen.trusted-proxies",
        );
    }
    let saw = sighting.unknown.clone().unwrap_or_default();
    Finding::wrong(
        TRUST,
        format!("a client at {SOMEBODY} was not recognised: {saw}"),
        "listen.trusted-proxies must name your proxies alone, not the addresses of clients",
    )
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    fn seen(client: Option<&str>, trusted: bool) -> Sighting {
        Sighting {
            client: client.map(|ip| ip.parse().expect("an address")),
            unknown: client.is_none().then(|| "a reason".into()),
            peer: Some([127, 0, 0, 1].into()),
            trusted,
            forwarded_for: None,
            scheme: "http".into(),
            host: "localhost".into(),
        }
    }

    #[test]
    fn table() {
        for (sighting, level) in [
            (seen(Some("192.0.2.77"), true), Level::Ok),
            (seen(None, false), Level::Warn),
            (seen(Some("127.0.0.1"), false), Level::Warn),
            (seen(None, true), Level::Wrong),
        ] {
            assert_eq!(judge(&sighting).level, level, "{sighting:?}");
        }
    }
}
