//! Look-ups of mail servers on the wire: against the stand-in name server, which
//! can be made to behave as an attacker's does, and against a real dnsmasq.

mod dnsmasq;
mod lapse;
mod memory;

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::proto::rr::rdata::MX;
use hickory_resolver::proto::rr::{Name, RData};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tuskgate::mail::dns::{Bounds, DnsSettings, Finding, LapseCause, MailServer, Resolver};
use tuskgate::mailbox::Domain;
use tuskgate::stand_in::dns::{Behaviour, RecordType, StandInDns, Zone};

use crate::support::found as until;

const SECOND: Duration = Duration::from_secs(1);
/// The deadline of a look-up. What answers at all does so in a few milliseconds,
/// or in some hundred on a busy machine.
const DEADLINE: Duration = Duration::from_secs(2);
/// Later than the deadline, however busy the machine, but within one try of what
/// goes on in the background.
const LATE: Duration = Duration::from_secs(4);

fn domain(name: &str) -> Domain {
    Domain::new(name).expect("a domain")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// As in production, but quick to try again.
fn settings(server: SocketAddr) -> DnsSettings {
    DnsSettings {
        servers: vec![server],
        timeout: DEADLINE,
        background: 30 * SECOND,
        retry: Bounds::new(Duration::from_millis(50), SECOND),
        control_fresh: Duration::from_millis(50),
        ..DnsSettings::default()
    }
}

async fn start(zone: &Zone) -> (StandInDns, Resolver) {
    let dns = StandInDns::start(zone.clone()).await.expect("a free port");
    let resolver = resolver(&settings(dns.address()));
    (dns, resolver)
}

fn resolver(settings: &DnsSettings) -> Resolver {
    Resolver::new(settings, Handle::current()).expect("servers are given")
}

async fn server(resolver: &Resolver, name: &str) -> MailServer {
    match resolver.look(&domain(name)).await {
        Ok(Finding::Server(server)) => server.as_ref().clone(),
        other => panic!("{name}: {other:?}"),
    }
}

fn ips(server: &MailServer) -> Vec<IpAddr> {
    let all = server.hosts.iter().flat_map(|host| host.ips.clone());
    all.collect()
}

async fn lapse(resolver: &Resolver, name: &str) -> (LapseCause, bool) {
    match resolver.look(&domain(name)).await {
        Err(lapse) => (lapse.cause, lapse.resolver_down),
        Ok(finding) => panic!("{name}: {finding:?}"),
    }
}

#[tokio::test]
async fn the_banned_address_of_2018_is_found_behind_its_mx() {
    let mut zone = Zone::new();
    zone.mx("fresh-domain.test", 10, "mx.other-name.test")
        .ip("mx.other-name.test", ip("198.51.100.18"));
    let (_dns, resolver) = start(&zone).await;
    let found = server(&resolver, "fresh-domain.test").await;
    assert_eq!(ips(&found), [ip("198.51.100.18")]);
}

#[tokio::test]
async fn all_mx_hosts_come_by_preference_with_both_families() {
    let mut zone = Zone::new();
    zone.mx("a.test", 30, "c.mx.test")
        .mx("a.test", 10, "A.mx.test")
        .mx("a.test", 20, "b.mx.test")
        .ip("a.test", ip("192.0.2.99"))
        .ip("a.mx.test", ip("192.0.2.1"))
        .ip("a.mx.test", ip("2001:db8::1"))
        .ip("b.mx.test", ip("2001:db8::2"))
        .ip("b.mx.test", ip("10.0.0.2"))
        .ip("b.mx.test", ip("::ffff:192.0.2.200"))
        .ip("c.mx.test", ip("127.0.0.3"));
    let (dns, resolver) = start(&zone).await;
    let found = server(&resolver, "a.test").await;
    let hosts: Vec<_> = found
        .hosts
        .iter()
        .map(|host| (host.preference, host.name.as_str(), host.ips.clone()))
        .collect();
    assert_eq!(
        hosts,
        [
            (10, "a.mx.test", vec![ip("192.0.2.1"), ip("2001:db8::1")]),
            (
                20,
                "b.mx.test",
                vec![ip("10.0.0.2"), ip("192.0.2.200"), ip("2001:db8::2")]
            ),
            (30, "c.mx.test", vec![ip("127.0.0.3")]),
        ]
    );
    assert!(!found.implicit);
    assert_eq!(dns.asked("a.test", RecordType::A), 0);
}

#[tokio::test]
async fn the_domain_itself_is_the_host_only_without_mx() {
    let mut zone = Zone::new();
    zone.ip("a.test", ip("192.0.2.1"))
        .ip("a.test", ip("2001:db8::1"))
        .ip("b.test", ip("192.0.2.2"))
        .mx("b.test", 10, "gone.test");
    let (_dns, resolver) = start(&zone).await;
    let found = server(&resolver, "a.test").await;
    assert!(found.implicit);
    assert_eq!(found.hosts.len(), 1);
    assert_eq!(found.hosts[0].name, domain("a.test"));
    assert_eq!(ips(&found), [ip("192.0.2.1"), ip("2001:db8::1")]);
    let nowhere = resolver.look(&domain("b.test")).await;
    assert_eq!(nowhere, Ok(Finding::Nowhere));
}

#[tokio::test]
async fn what_takes_no_mail_is_told_apart() {
    let mut zone = Zone::new();
    zone.null_mx("null.test")
        .ip("null.test", ip("192.0.2.1"))
        .empty("nodata.test")
        .mx("empty-host.test", 10, "nodata.test");
    let (_dns, resolver) = start(&zone).await;
    for (name, finding) in [
        ("null.test", Finding::Null),
        ("nodata.test", Finding::Nowhere),
        ("empty-host.test", Finding::Nowhere),
        ("no-such-name.test", Finding::Nowhere),
    ] {
        assert_eq!(resolver.look(&domain(name)).await, Ok(finding), "{name}");
    }
}

#[tokio::test]
async fn aliases_are_followed() {
    let mut zone = Zone::new();
    zone.cname("a.test", "b.test")
        .mx("b.test", 10, "mx.test")
        .cname("mx.test", "real-mx.test")
        .ip("real-mx.test", ip("192.0.2.1"))
        .cname("loop.test", "loop.test");
    let (_dns, resolver) = start(&zone).await;
    assert_eq!(ips(&server(&resolver, "a.test").await), [ip("192.0.2.1")]);
    assert_eq!(
        resolver.look(&domain("loop.test")).await,
        Ok(Finding::Nowhere)
    );
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_again_over_tcp() {
    let mut zone = Zone::new();
    zone.mx("a.test", 10, "mx.test")
        .ip("mx.test", ip("192.0.2.1"))
        .behave("a.test", Behaviour::Truncate);
    let (dns, resolver) = start(&zone).await;
    assert_eq!(ips(&server(&resolver, "a.test").await), [ip("192.0.2.1")]);
    assert_eq!(dns.asked("a.test", RecordType::MX), 2);
}

#[tokio::test]
async fn odd_exchange_names_do_no_harm() {
    let odd = Name::from_labels([&b"a b\xff"[..], b"bad", b"test"]).expect("a name");
    let name = Name::from_ascii("a.test.").expect("a name");
    let mut zone = Zone::new();
    zone.record(&odd, RData::from(ip("192.0.2.1")))
        .record(&name, RData::MX(MX::new(10, odd.clone())))
        .mx("a.test", 20, "192.0.2.77")
        .mx("a.test", 30, ".");
    let (_dns, resolver) = start(&zone).await;
    let found = server(&resolver, "a.test").await;
    assert_eq!(found.hosts[0].name, domain("a_b_.bad.test"));
    assert_eq!(ips(&found), [ip("192.0.2.1"), ip("192.0.2.77")]);
}

#[tokio::test]
async fn no_name_but_the_one_asked_for_goes_out() {
    let (dns, resolver) = start(&Zone::new()).await;
    for name in ["no-such-name.test", "single"] {
        let found = resolver.look(&domain(name)).await;
        assert_eq!(found, Ok(Finding::Nowhere));
    }
    assert_eq!(dns.names(), ["no-such-name.test", "single"]);
}
