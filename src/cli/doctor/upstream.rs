//! From the gate to Mastodon: whether it answers, believes the gate about the
//! client, and knows its own name.
//!
//! Seen from outside, by what Rails answers: a peer it does not trust that brings
//! `X-Forwarded-For` makes every request a 500; a request that does not look like
//! https is redirected; an unknown `Host` is a 403. The `X-RateLimit-*` of the
//! API tell two clients apart, or do not. Reads only.

use std::net::IpAddr;

use http::StatusCode;

use super::fetch::{Get, Place, Reply, get};
use super::patient::{Patient, SOMEBODY, SOMEBODY_ELSE};
use super::report::{Finding, Report};
use super::straight;

const MASTODON: &str = "Mastodon";
const BELIEVED: &str = "client address";
const NAME: &str = "host name";
/// Answered by the API without a token: 401, with the limits' headers.
const API: &str = "/api/v1/apps/verify_credentials";

/// Checks the way from the gate to Mastodon.
pub(super) async fn examine(patient: &Patient, report: &mut Report) {
    let Some(gate) = patient.listener() else {
        let why = "only through a running gate";
        report.add(Finding::not_checked(MASTODON, why, "see above"));
        return;
    };
    let health = ask(patient, &gate, "/health", SOMEBODY).await;
    let straight = straight::health(patient).await;
    let well = judge_health(patient, &health, &straight);
    let answers = matches!(&health, Ok(reply) if reply.status.is_success());
    report.add(well);
    if !answers {
        return;
    }
    if patient.host().is_none() {
        report.add(Finding::not_checked(
            NAME,
            "whether Mastodon knows its name, sees https and tells clients apart",
            "--host NAME, as in LOCAL_DOMAIN",
        ));
        return;
    }
    match ask(patient, &gate, API, SOMEBODY).await {
        Err(why) => report.add(Finding::wrong(NAME, why, "see Mastodon's log")),
        Ok(reply) => {
            let finding = judge_api(patient, &reply, &straight);
            let answered = finding.is_none();
            report
                .add(finding.unwrap_or_else(|| {
                    Finding::ok(NAME, "Mastodon knows its name and sees https")
                }));
            if answered {
                report.add(tell_apart(patient, &gate, &reply).await);
            }
        }
    }
}

async fn ask(patient: &Patient, gate: &Place, path: &str, client: IpAddr) -> Result<Reply, String> {
    let client = client.to_string();
    let request = Get {
        path,
        host: patient.host().unwrap_or("localhost"),
        forwarded_for: Some(&client),
        forwarded_proto: Some("https"),
        from: None,
    };
    get(gate, &request).await
}

fn judge_health(
    patient: &Patient,
    health: &Result<Reply, String>,
    straight: &straight::Health,
) -> Finding {
    let upstream = patient
        .status
        .as_ref()
        .map_or("", |status| &status.upstream);
    match health {
        Err(why) => Finding::wrong(MASTODON, why.as_str(), "see the gate's log"),
        Ok(reply) if reply.status.is_success() => Finding::ok(
            MASTODON,
            format!(
                "answers through the gate in {:.1} ms",
                reply.took.as_secs_f64() * 1000.0
            ),
        ),
        Ok(reply) if matches!(reply.status.as_u16(), 502..=504) => Finding::wrong(
            MASTODON,
            format!("the gate cannot reach it at {upstream} ({})", reply.status),
            "is it running (systemctl status mastodon-web)? Else correct upstream.address",
        ),
        Ok(reply) if reply.status.is_server_error() => not_trusted(reply.status, straight),
        Ok(reply) => Finding::wrong(
            MASTODON,
            format!("/health answered {} through the gate", reply.status),
            "is it Mastodon's web server at upstream.address?",
        ),
    }
}

/// A 500 to a request that names a client, and none to one that does not.
fn not_trusted(status: StatusCode, straight: &straight::Health) -> Finding {
    match straight {
        straight::Health::Well(gate) => Finding::wrong(
            BELIEVED,
            format!(
                "Mastodon answers {status} to a request that names its client, and a good one \
                 without: it does not trust the gate as a proxy"
            ),
            format!(
                "Mastodon's .env.production: TRUSTED_PROXY_IP must contain the gate's address{}; \
                 it replaces the built-in private ranges, so name all your proxies",
                gate.map_or_else(String::new, |gate| format!(" ({gate}, as seen from here)"))
            ),
        ),
        straight::Health::Ill(other) => Finding::wrong(
            MASTODON,
            format!("answers {status} through the gate and {other} without it"),
            "see Mastodon's log; the gate is not the cause",
        ),
        straight::Health::Unseen(why) => Finding::wrong(
            BELIEVED,
            format!("Mastodon answers {status}; whether it does so without the gate: {why}"),
            "if it is well otherwise: Mastodon's .env.production: TRUSTED_PROXY_IP must contain \
             the gate's address",
        ),
    }
}

/// What is wrong with an answer of the API, if anything.
fn judge_api(patient: &Patient, reply: &Reply, straight: &straight::Health) -> Option<Finding> {
    let host = patient.host().unwrap_or_default();
    if let Some(reference) = reply.header("x-tuskgate-reference") {
        return Some(Finding::warn(
            NAME,
            format!("the gate refused doctor's request ({})", reply.status),
            format!("tuskgate explain {reference}: is {SOMEBODY} banned?"),
        ));
    }
    let location = reply.header("location").unwrap_or_default();
    match reply.status {
        StatusCode::FORBIDDEN => Some(Finding::wrong(
            NAME,
            format!("Mastodon answers 403 to the name {host}"),
            "is it spelt like LOCAL_DOMAIN? Else Mastodon's .env.production: WEB_DOMAIN or \
             ALTERNATE_DOMAINS must contain it",
        )),
        status if status.is_redirection() && location.starts_with("https://") => {
            Some(Finding::wrong(
                "scheme",
                format!(
                    "Mastodon redirects to {location}: it is not told that the client came over https"
                ),
                "X-Forwarded-Proto does not arrive: nginx: proxy_set_header X-Forwarded-Proto \
                 $scheme; and listen.trusted-proxies must name nginx",
            ))
        }
        status if status.is_redirection() => Some(Finding::warn(
            NAME,
            format!("Mastodon redirects an API request to {location:?}"),
            "is --host the server's own name?",
        )),
        status if status.is_server_error() => Some(not_trusted(status, straight)),
        _ => None,
    }
}

/// Two clients, one after the other: each has a limit of its own, or not.
async fn tell_apart(patient: &Patient, gate: &Place, first: &Reply) -> Finding {
    let other = ask(patient, gate, API, SOMEBODY_ELSE).await;
    let again = ask(patient, gate, API, SOMEBODY).await;
    let left = |reply: &Reply| reply.header("x-ratelimit-remaining")?.parse::<i64>().ok();
    let (before, after) = match (&other, &again) {
        (Ok(_), Ok(again)) => (left(first), left(again)),
        _ => (None, None),
    };
    judge_left(before, after)
}

/// `before` and `after` are what one client had left, with another's request between.
fn judge_left(before: Option<i64>, after: Option<i64>) -> Finding {
    match before.zip(after).map(|(before, after)| before - after) {
        Some(1) => Finding::ok(BELIEVED, "Mastodon counts two clients apart"),
        Some(2..) => Finding::wrong(
            BELIEVED,
            "Mastodon counts two clients as one: it takes the gate for the client",
            "Mastodon's .env.production: TRUSTED_PROXY_IP must contain the gate's address \
             (it replaces the built-in private ranges)",
        ),
        Some(_) | None => Finding::not_checked(
            BELIEVED,
            "Mastodon's answers do not show how it counts clients",
            "look at the IP addresses in Mastodon's moderation view of new accounts",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    #[test]
    fn how_two_clients_are_counted() {
        for (before, after, level) in [
            (Some(299), Some(298), Level::Ok),
            (Some(299), Some(297), Level::Wrong),
            (Some(299), Some(250), Level::Wrong),
            // A new window began between the two.
            (Some(3), Some(299), Level::NotChecked),
            (None, None, Level::NotChecked),
        ] {
            assert_eq!(
                judge_left(before, after).level,
                level,
                "{before:?} {after:?}"
            );
        }
    }

    #[test]
    fn a_500_is_laid_at_the_right_door() {
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let gate = Some(IpAddr::from([10, 0, 0, 5]));
        let found = not_trusted(status, &straight::Health::Well(gate));
        let mend = found.mend.expect("a setting");
        assert!(
            mend.contains("TRUSTED_PROXY_IP") && mend.contains("10.0.0.5"),
            "{mend}"
        );
        let found = not_trusted(status, &straight::Health::Ill("500".into()));
        assert!(!found.mend.expect("a way").contains("TRUSTED_PROXY_IP"));
    }
}
