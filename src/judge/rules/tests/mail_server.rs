//! `mail-server`: names, addresses, shared providers, and lapses.

use std::net::IpAddr;
use std::sync::Arc;

use super::{allow, ban, domain, entry, network, sight, word};
use crate::ban::{Ban, Effect, Scopes, Subject};
use crate::judge::rules::mail_server::{judge, look};
use crate::mail::dns::{Finding, Lapse, LapseCause, MailServer, MxHost};

const GOOD: &str = "192.0.2.25";
const BAD: &str = "45.9.9.9";
const BAD_V6: &str = "2001:db8:bad::25";
const GOOGLE: &str = "142.250.1.27";

fn host(name: &str, preference: u16, ips: &[&str]) -> MxHost {
    let ip = |text: &&str| text.parse::<IpAddr>().expect("an address");
    MxHost {
        name: domain(name),
        preference,
        ips: ips.iter().map(ip).collect(),
    }
}

fn server(hosts: Vec<MxHost>) -> Result<Finding, Lapse> {
    let implicit = false;
    Ok(Finding::Server(Arc::new(MailServer { hosts, implicit })))
}

fn said(answer: Result<Finding, Lapse>, bans: Vec<Ban>) -> &'static str {
    let facts = look(&domain("bot.example"), answer, &sight(bans));
    word(&judge(&[facts]))
}

fn one(name: &str, ip: &str) -> Result<Finding, Lapse> {
    server(vec![host(name, 10, &[ip])])
}

#[test]
fn by_name_and_address() {
    let named = |name: &str| ban(Subject::MailServer(domain(name)));
    let mail = |text: &str| network(text, Scopes::MAIL);
    let backup = || {
        let good = host("mx.good.example", 10, &[GOOD]);
        server(vec![good, host("mx.bad.example", 90, &[GOOD, BAD_V6])])
    };
    for (number, (answer, bans, expected)) in [
        (one("mx.good.example", GOOD), vec![], "pass"),
        (
            one("mx.good.example", GOOD),
            vec![mail("45.9.9.0/28")],
            "pass",
        ),
        (one("mx.bad.example", BAD), vec![mail("45.9.9.9/32")], "ban"),
        (one("mx.bad.example", BAD), vec![mail("45.9.0.0/16")], "ban"),
        (
            one("mx.bad.example", BAD),
            vec![network("45.9.0.0/16", Scopes::DEFAULT)],
            "ban",
        ),
        (
            one("mx.bad.example", BAD),
            vec![network("45.9.0.0/16", Scopes::ALL)],
            "ban",
        ),
        (
            one("mx.a.bad.example", GOOD),
            vec![named("bad.example")],
            "ban",
        ),
        (
            one("mx.a.bad.example", GOOD),
            vec![named("x.bad.example")],
            "pass",
        ),
        (backup(), vec![named("mx.bad.example")], "ban"),
        (backup(), vec![mail("2001:db8:bad::/48")], "ban"),
        (Ok(Finding::Null), vec![], "undeliverable"),
        (Ok(Finding::Nowhere), vec![], "undeliverable"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(said(answer, bans), expected, "{number}");
    }
}

#[test]
fn networks_that_are_not_about_mail_do_not_count() {
    let sign_up = Scopes {
        sign_up: true,
        mail: false,
        all: false,
    };
    let answer = || one("mx.bad.example", BAD);
    assert_eq!(
        said(answer(), vec![network("45.9.9.9/32", sign_up)]),
        "pass"
    );
}

/// Only a ban that says mail and nothing else is meant for a server of many.
#[test]
fn shared_providers() {
    let google = || one("aspmx.l.google.com", GOOGLE);
    let range = |scopes| network("142.250.0.0/15", scopes);
    for (bans, expected) in [
        (vec![range(Scopes::DEFAULT)], "shared provider"),
        (vec![range(Scopes::ALL)], "shared provider"),
        (vec![range(Scopes::MAIL)], "ban"),
        (vec![ban(Subject::MailServer(domain("google.com")))], "ban"),
    ] {
        assert_eq!(said(google(), bans.clone()), expected, "{bans:?}");
    }
    // A name that only looks like the provider's is nobody's.
    let posing = one("aspmx.l.google.com.bot.example", GOOGLE);
    assert_eq!(said(posing, vec![range(Scopes::DEFAULT)]), "ban");
    // A provider's host beside a bad one excuses nothing.
    let beside = server(vec![
        host("aspmx.l.google.com", 10, &[GOOGLE]),
        host("mx.bad.example", 20, &[BAD]),
    ]);
    assert_eq!(
        said(beside, vec![network("45.9.9.9/32", Scopes::DEFAULT)]),
        "ban"
    );
}

#[test]
fn allow_entries_of_the_mail_dimension() {
    let bad = || network("45.9.9.9/32", Scopes::MAIL);
    let network_allow = |scopes| {
        let subject = Subject::Network("45.9.9.9/32".parse().expect("a network"));
        entry(Effect::Allow, subject, scopes)
    };
    let by_domain = || allow(Subject::MailDomain(domain("bot.example")));
    for (bans, expected) in [
        (vec![bad(), by_domain()], "allowed"),
        (
            vec![bad(), allow(Subject::MailServer(domain("mx.bad.example")))],
            "allowed",
        ),
        (vec![bad(), network_allow(Scopes::MAIL)], "allowed"),
        (
            vec![bad(), allow(Subject::MailDomain(domain("other.example")))],
            "ban",
        ),
        (vec![by_domain()], "pass"),
    ] {
        let answer = one("mx.bad.example", BAD);
        assert_eq!(said(answer, bans.clone()), expected, "{bans:?}");
    }
    assert_eq!(said(Ok(Finding::Nowhere), vec![by_domain()]), "allowed");
}

/// Whoever owns a domain can make it lapse, but not our resolver.
#[test]
fn lapses() {
    for cause in [
        LapseCause::Deadline,
        LapseCause::Failure,
        LapseCause::TooManyHosts,
        LapseCause::TooBusy,
    ] {
        let lapse = |resolver_down| {
            Err(Lapse {
                cause,
                resolver_down,
            })
        };
        assert_eq!(said(lapse(false), vec![]), "try again", "{cause}");
        assert_eq!(said(lapse(true), vec![]), "resolver down", "{cause}");
    }
}

/// An address with two readings is refused if either is.
#[test]
fn one_banned_domain_of_two_is_enough() {
    let sight = sight([network("45.9.9.9/32", Scopes::MAIL)]);
    let good = look(&domain("a.example"), one("mx.good.example", GOOD), &sight);
    let bad = look(&domain("b.example"), one("mx.bad.example", BAD), &sight);
    assert_eq!(word(&judge(&[good.clone(), bad.clone()])), "ban");
    assert_eq!(word(&judge(&[bad, good])), "ban");
    assert_eq!(word(&judge(&[])), "pass");
}

/// Anybody can name an allowed host beside a banned one.
#[test]
fn an_allowed_host_excuses_itself_alone() {
    let bans = || {
        vec![
            network("45.9.9.9/32", Scopes::MAIL),
            allow(Subject::MailServer(domain("mx.club.example"))),
        ]
    };
    assert_eq!(said(one("mx.club.example", BAD), bans()), "allowed");
    let both = server(vec![
        host("mx.bot.example", 5, &[BAD]),
        host("mx.club.example", 90, &[GOOD]),
    ]);
    assert_eq!(said(both, bans()), "ban");
}
