//! When DNS does not answer: an attacker's name server is no way in, and a dead
//! resolver of our own is no way to close the server.

use std::time::Duration;

use tuskgate::admin::ready::troubles;
use tuskgate::ban::Scopes;
use tuskgate::endpoint::Endpoint;
use tuskgate::mail::dns::DnsSettings;
use tuskgate::stand_in::dns::Behaviour;
use tuskgate::verdict::Rule;

use crate::support::doors::Door;
use crate::support::judged::{ANA, BAD_SERVER, House, Plan, wait_until};

fn patient(timeout: u64) -> DnsSettings {
    DnsSettings {
        timeout: Duration::from_millis(timeout),
        ..DnsSettings::default()
    }
}

/// What the rule said of the newest event.
fn said(house: &House) -> (String, String) {
    let event = house.last_event();
    let said = event
        .verdicts
        .into_iter()
        .find(|said| said.rule == Rule::MailServer)
        .expect("a word of mail-server");
    (said.verdict, said.fact)
}

#[test]
fn a_domain_that_alone_stalls_is_asked_to_come_back() {
    let mut plan = Plan {
        dns: patient(1500),
        ..Plan::default()
    };
    plan.zone.behave("stalling.example", Behaviour::Stall);
    let house = plan.build();
    for endpoint in [
        Endpoint::ApiSignUp,
        Endpoint::SignUp,
        Endpoint::ApiEmailChange,
    ] {
        let (reached, answer) = Door::of(endpoint).tries(&house, ANA, "x@stalling.example");
        assert!(!reached, "{endpoint:?}");
        assert_eq!(answer.status, 422, "{endpoint:?}");
        let after = answer
            .header("retry-after")
            .and_then(|text| text.parse().ok());
        assert!(after.is_some_and(|after: u64| (30..=120).contains(&after)));
        assert_eq!(said(&house).0, "refuse");
        let (reached, _) = Door::of(endpoint).tries(&house, ANA, "ana@good.example");
        assert!(reached, "others pass at {endpoint:?}");
    }
    let (_, answer) = Door::of(Endpoint::ApiSignUp).tries(&house, ANA, "x@stalling.example");
    assert_eq!(
        answer.json()["details"]["email"][0]["error"],
        "ERR_TRY_AGAIN"
    );
    assert!(troubles(&house.judge).is_empty());
}

/// The look-up goes on in the background, and the retry is judged by it.
#[test]
fn the_retry_is_judged_by_what_was_found_meanwhile() {
    let mut plan = Plan {
        dns: patient(500),
        ..Plan::default()
    };
    // Later than the deadline, however busy the machine.
    let late = Behaviour::Delay(Duration::from_secs(4));
    for (domain, server) in [
        ("slow.example", "mx.good.example"),
        ("slow-bot.example", "mail.bot.example"),
    ] {
        plan.zone.mx(domain, 10, server).behave(domain, late);
    }
    let house = plan.build();
    house.ban_network(BAD_SERVER, Scopes::MAIL);
    let mut person = house.person(ANA);
    for (email, status) in [("x@slow.example", 302), ("y@slow-bot.example", 422)] {
        let first = person.web_sign_up("first", email);
        assert_eq!(first.status, 422, "{email}");
        assert!(first.header("retry-after").is_some(), "{email}: try again");
        let mut last = None;
        wait_until("the retry is judged by the answer", || {
            let retry = person.web_sign_up("again", email);
            let judged = retry.header("retry-after").is_none();
            last = judged.then_some(retry.status);
            judged
        });
        assert_eq!(last, Some(status), "{email}");
    }
}

/// Only while names that no attacker owns are not answered for either does a
/// lapse pass; and then it is said aloud.
#[test]
fn a_dead_resolver_refuses_nobody_and_is_seen() {
    let mut plan = Plan {
        dns: patient(300),
        ..Plan::default()
    };
    plan.zone.behave_always(Behaviour::Stall);
    let house = plan.build();
    let (reached, answer) = Door::of(Endpoint::SignUp).tries(&house, ANA, "ana@good.example");
    assert!(reached, "{}", answer.text());
    assert_eq!(said(&house).0, "abstain");
    let seen = troubles(&house.judge).join("\n");
    assert!(seen.contains("resolver"), "{seen}");
    let metrics = tuskgate::telemetry::render().expect("metrics");
    let counted = "tuskgate_decisions_total{rule=\"mail-server\",mode=\"enforce\",verdict=\"abstain\",reason=\"resolver-down\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    assert!(metrics.contains("tuskgate_dns_resolver_down 1"));
}

/// Fifty MX hosts are no way around the look at each of them.
#[test]
fn a_domain_with_too_many_hosts_is_no_pass() {
    let mut plan = Plan::default();
    for n in 0..50 {
        plan.zone
            .mx("many.example", 10, &format!("mx{n}.many.example"));
    }
    let house = plan.build();
    let (reached, answer) = Door::of(Endpoint::SignUp).tries(&house, ANA, "x@many.example");
    assert!(!reached);
    assert_eq!(answer.status, 422);
    assert!(
        said(&house).1.contains("too many mail hosts"),
        "{}",
        said(&house).1
    );
}
