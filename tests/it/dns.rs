//! Look-ups of mail servers on the wire: against the stand-in name server, which
//! can be made to behave as an attacker's does, and against a real dnsmasq.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hickory_resolver::proto::rr::rdata::MX;
use hickory_resolver::proto::rr::{Name, RData};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tuskgate::mail::dns::{Bounds, DnsSettings, Finding, LapseCause, MailServer, Resolver};
use tuskgate::mailbox::Domain;
use tuskgate::stand_in::dns::{Behaviour, RecordType, StandInDns, Zone};

const SECOND: Duration = Duration::from_secs(1);

fn domain(name: &str) -> Domain {
    Domain::new(name).expect("a domain")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// As in production, but quick to give up and to try again.
fn settings(server: SocketAddr) -> DnsSettings {
    DnsSettings {
        servers: vec![server],
        timeout: Duration::from_millis(400),
        background: 10 * SECOND,
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

/// Asks until the answer is as wanted, for at most ten seconds.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < 10 * SECOND, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
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
            (20, "b.mx.test", vec![ip("10.0.0.2"), ip("2001:db8::2")]),
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
async fn too_many_hosts_or_addresses_are_a_lapse_of_the_domain_alone() {
    let mut zone = Zone::new();
    for n in 0..50_u16 {
        let host = format!("a-rather-long-name-for-host-{n}.mx.test");
        zone.mx("fifty.test", n, &host).ip(&host, [192, 0, 2, 1]);
        if n < 16 {
            zone.mx("sixteen.test", n, &host);
        }
    }
    for n in 0..33 {
        zone.ip("crowded.test", [192, 0, 2, n]);
    }
    let (_dns, resolver) = start(&zone).await;
    assert_eq!(
        lapse(&resolver, "fifty.test").await,
        (LapseCause::TooManyHosts, false)
    );
    assert_eq!(
        lapse(&resolver, "crowded.test").await,
        (LapseCause::TooManyAddresses, false)
    );
    assert_eq!(server(&resolver, "sixteen.test").await.hosts.len(), 16);
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
async fn a_stalling_domain_lapses_alone_and_is_judged_by_the_late_answer() {
    let mut zone = Zone::new();
    zone.mx("slow.test", 10, "mx.test")
        .ip("mx.test", ip("192.0.2.1"))
        .behave("slow.test", Behaviour::Stall);
    let (dns, resolver) = start(&zone).await;
    let begun = Instant::now();
    assert_eq!(
        lapse(&resolver, "slow.test").await,
        (LapseCause::Deadline, false)
    );
    assert!(begun.elapsed() < 2 * SECOND, "took {:?}", begun.elapsed());
    dns.edit(|zone| {
        zone.behave("slow.test", Behaviour::Answer);
    });
    // Nobody waits: what makes it into the cache does so in the background.
    let found = until("the late answer is cached", async || {
        resolver.cached(&domain("slow.test"))
    })
    .await;
    let Finding::Server(found) = found else {
        panic!("{found:?}")
    };
    assert_eq!(ips(&found), [ip("192.0.2.1")]);
}

#[tokio::test]
async fn forty_stalling_domains_do_not_make_the_resolver_look_down() {
    let mut zone = Zone::new();
    for n in 0..40 {
        zone.behave(&format!("stall{n}.test"), Behaviour::Stall);
    }
    let (_dns, resolver) = start(&zone).await;
    let mut asked = JoinSet::new();
    for n in 0..40 {
        let resolver = resolver.clone();
        asked.spawn(async move { lapse(&resolver, &format!("stall{n}.test")).await });
    }
    let lapses = asked.join_all().await;
    assert_eq!(lapses, [(LapseCause::Deadline, false); 40]);
}

#[tokio::test]
async fn a_dead_resolver_is_told_from_a_dead_domain() {
    let mut zone = Zone::new();
    zone.behave_always(Behaviour::Stall);
    let (dns, resolver) = start(&zone).await;
    assert_eq!(
        lapse(&resolver, "a.test").await,
        (LapseCause::Deadline, true)
    );
    dns.edit(|zone| {
        zone.behave_always(Behaviour::ServFail);
    });
    assert_eq!(
        lapse(&resolver, "b.test").await,
        (LapseCause::Failure, true)
    );
    dns.edit(|zone| {
        zone.behave_always(Behaviour::Answer)
            .behave("c.test", Behaviour::ServFail)
            .behave("d.test", Behaviour::Refuse);
    });
    until("the resolver is up again", async || {
        (lapse(&resolver, "c.test").await == (LapseCause::Failure, false)).then_some(())
    })
    .await;
    assert_eq!(
        lapse(&resolver, "d.test").await,
        (LapseCause::Failure, false)
    );
}

#[tokio::test]
async fn no_resolver_at_all_is_down() {
    let gone = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = gone.local_addr().expect("bound");
    drop(gone);
    let resolver = resolver(&settings(address));
    let (cause, down) = lapse(&resolver, "a.test").await;
    assert!(down, "{cause}");
}

#[tokio::test]
async fn a_host_that_cannot_be_looked_up_taints_the_whole_server() {
    let mut zone = Zone::new();
    zone.mx("stall.test", 10, "good.test")
        .mx("stall.test", 20, "hidden.test")
        .mx("half.test", 10, "half-host.test")
        .ip("good.test", ip("192.0.2.1"))
        .ip("half-host.test", ip("192.0.2.2"))
        .behave("hidden.test", Behaviour::Stall)
        .behave_on("half-host.test", RecordType::AAAA, Behaviour::ServFail);
    let (_dns, resolver) = start(&zone).await;
    assert_eq!(
        lapse(&resolver, "stall.test").await,
        (LapseCause::Deadline, false)
    );
    assert_eq!(
        lapse(&resolver, "half.test").await,
        (LapseCause::Failure, false)
    );
}

#[tokio::test]
async fn an_answer_is_kept_for_its_ttl_and_no_longer() {
    let mut zone = Zone::new();
    zone.ttl(1).ip("a.test", ip("192.0.2.1"));
    let dns = StandInDns::start(zone).await.expect("a free port");
    let resolver = resolver(&DnsSettings {
        fresh: Bounds::new(Duration::ZERO, 60 * SECOND),
        stale: Duration::ZERO,
        ..settings(dns.address())
    });
    for _ in 0..3 {
        assert_eq!(ips(&server(&resolver, "a.test").await), [ip("192.0.2.1")]);
    }
    assert_eq!(dns.asked("a.test", RecordType::MX), 1);
    let mut other = Zone::new();
    other.ip("a.test", ip("192.0.2.2"));
    dns.edit(|zone| {
        zone.change_after("a.test", 0, &other);
    });
    let begun = Instant::now();
    until("the new address is seen", async || {
        (ips(&server(&resolver, "a.test").await) == [ip("192.0.2.2")]).then_some(())
    })
    .await;
    assert!(begun.elapsed() < 3 * SECOND);
    assert_eq!(dns.asked("a.test", RecordType::MX), 2);
}

#[tokio::test]
async fn a_stale_answer_is_served_while_a_new_one_is_fetched() {
    let mut zone = Zone::new();
    zone.ttl(1).ip("a.test", ip("192.0.2.1"));
    let dns = StandInDns::start(zone).await.expect("a free port");
    let resolver = resolver(&DnsSettings {
        fresh: Bounds::new(Duration::ZERO, 60 * SECOND),
        stale: 60 * SECOND,
        ..settings(dns.address())
    });
    let _ = server(&resolver, "a.test").await;
    until("it is no longer fresh", async || {
        resolver.cached(&domain("a.test")).is_none().then_some(())
    })
    .await;
    dns.edit(|zone| {
        zone.remove("a.test")
            .ttl(60)
            .ip("a.test", ip("192.0.2.2"))
            .behave("a.test", Behaviour::Stall);
    });
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(ips(&server(&resolver, "a.test").await), [ip("192.0.2.1")]);
    }
    assert!(begun.elapsed() < Duration::from_millis(300));
    dns.edit(|zone| {
        zone.behave("a.test", Behaviour::Answer);
    });
    until("the new address is seen", async || {
        (ips(&server(&resolver, "a.test").await) == [ip("192.0.2.2")]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn many_askers_make_one_look_up() {
    let mut zone = Zone::new();
    zone.mx("a.test", 10, "mx.test")
        .ip("mx.test", ip("192.0.2.1"))
        .behave("a.test", Behaviour::Delay(Duration::from_millis(200)));
    let (dns, resolver) = start(&zone).await;
    let mut askers = JoinSet::new();
    for _ in 0..50 {
        let resolver = resolver.clone();
        askers.spawn(async move { resolver.look(&domain("a.test")).await });
    }
    for found in askers.join_all().await {
        assert!(matches!(found, Ok(Finding::Server(_))), "{found:?}");
    }
    for (name, kind) in [
        ("a.test", RecordType::MX),
        ("mx.test", RecordType::A),
        ("mx.test", RecordType::AAAA),
    ] {
        assert_eq!(dns.asked(name, kind), 1, "{name} {kind}");
    }
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

#[tokio::test]
async fn looking_again_goes_past_the_cache_and_into_it() {
    let mut clean = Zone::new();
    clean.ip("turncoat.test", ip("192.0.2.1"));
    let mut banned = Zone::new();
    banned.ip("turncoat.test", ip("198.51.100.18"));
    // MX, A and AAAA are asked for once each before it turns.
    clean.change_after("turncoat.test", 3, &banned);
    let (_dns, resolver) = start(&clean).await;
    let name = domain("turncoat.test");
    assert_eq!(
        ips(&server(&resolver, "turncoat.test").await),
        [ip("192.0.2.1")]
    );
    let again = resolver.look_again(&name).await.expect("it answers");
    assert_eq!(Some(again), resolver.cached(&name));
    assert_eq!(
        ips(&server(&resolver, "turncoat.test").await),
        [ip("198.51.100.18")]
    );
}

#[tokio::test]
async fn beyond_the_cap_new_domains_lapse_and_known_ones_do_not() {
    let mut zone = Zone::new();
    zone.ip("known.test", ip("192.0.2.1"))
        .behave("stall1.test", Behaviour::Stall)
        .behave("stall2.test", Behaviour::Stall);
    let dns = StandInDns::start(zone).await.expect("a free port");
    let resolver = resolver(&DnsSettings {
        in_flight: 2,
        in_background: 0,
        ..settings(dns.address())
    });
    let _ = server(&resolver, "known.test").await;
    let mut stalls = JoinSet::new();
    for name in ["stall1.test", "stall2.test"] {
        let resolver = resolver.clone();
        stalls.spawn(async move { lapse(&resolver, name).await });
    }
    until("both are under way", async || {
        let asked = |name| dns.asked(name, RecordType::MX);
        (asked("stall1.test") > 0 && asked("stall2.test") > 0).then_some(())
    })
    .await;
    assert_eq!(
        lapse(&resolver, "third.test").await,
        (LapseCause::TooBusy, false)
    );
    let _ = server(&resolver, "known.test").await;
    assert_eq!(stalls.join_all().await, [(LapseCause::Deadline, false); 2]);
    until("their places are free again", async || {
        resolver.look(&domain("third.test")).await.ok()
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_remembered_and_tried_again() {
    let mut zone = Zone::new();
    zone.ip("a.test", ip("192.0.2.1"))
        .behave("a.test", Behaviour::ServFail);
    let dns = StandInDns::start(zone).await.expect("a free port");
    let resolver = resolver(&DnsSettings {
        retry: Bounds::new(SECOND, SECOND),
        ..settings(dns.address())
    });
    for _ in 0..5 {
        assert_eq!(
            lapse(&resolver, "a.test").await,
            (LapseCause::Failure, false)
        );
    }
    assert_eq!(dns.asked("a.test", RecordType::MX), 1);
    dns.edit(|zone| {
        zone.behave("a.test", Behaviour::Answer);
    });
    until("it is asked for again", async || {
        resolver.look(&domain("a.test")).await.ok()
    })
    .await;
    assert_eq!(dns.asked("a.test", RecordType::MX), 2);
}

#[tokio::test]
async fn callers_may_wait_on_a_runtime_of_their_own() {
    let mut zone = Zone::new();
    zone.ip("a.test", ip("192.0.2.1"))
        .behave("a.test", Behaviour::Delay(Duration::from_millis(50)));
    let (_dns, resolver) = start(&zone).await;
    let caller = tokio::task::spawn_blocking(move || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime")
            .block_on(async { server(&resolver, "a.test").await })
    });
    let found = caller.await.expect("no panic");
    assert_eq!(ips(&found), [ip("192.0.2.1")]);
}

/// A real dnsmasq that knows a few names and asks `upstream` for all others.
struct Dnsmasq {
    process: Child,
    address: SocketAddr,
}

impl Dnsmasq {
    fn start(upstream: SocketAddr) -> Self {
        for _ in 0..8 {
            let free = UdpSocket::bind("127.0.0.1:0").expect("a free port");
            let address = free.local_addr().expect("bound");
            drop(free);
            let mut dnsmasq = Self::spawn(address, upstream);
            // Another process may take the port in between; then dnsmasq ends at once.
            let begun = Instant::now();
            while begun.elapsed() < 5 * SECOND {
                if dnsmasq.process.try_wait().expect("a child").is_some() {
                    break;
                }
                if UdpSocket::bind(address).is_err() {
                    return dnsmasq;
                }
                std::thread::yield_now();
            }
        }
        panic!("dnsmasq does not start");
    }

    fn spawn(address: SocketAddr, upstream: SocketAddr) -> Self {
        let process = Command::new("/usr/sbin/dnsmasq")
            .args([
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--pid-file",
            ])
            .args(["--no-resolv", "--no-hosts", "--bind-interfaces"])
            .args(["--listen-address=127.0.0.1", "--local-ttl=60"])
            .arg(format!("--port={}", address.port()))
            .arg(format!("--server={}#{}", upstream.ip(), upstream.port()))
            .args(["--local=/real.test/", "--mx-host=real.test,b.real.test,20"])
            .args(["--mx-host=real.test,a.real.test,10"])
            .arg("--host-record=a.real.test,192.0.2.1,2001:db8::1")
            .arg("--host-record=b.real.test,192.0.2.2")
            .arg("--host-record=implicit.real.test,192.0.2.3")
            .args(["--dns-rr=null.real.test,15,000000"])
            .args(["--txt-record=nodata.real.test,hello"])
            .args(["--mx-host=alias.real.test,c.real.test,10"])
            .arg("--cname=c.real.test,b.real.test")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("/usr/sbin/dnsmasq is missing: install Debian's package dnsmasq-base");
        Self { process, address }
    }
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_real_name_server_is_read_alike() {
    let upstream = StandInDns::start(Zone::new()).await.expect("a free port");
    let dnsmasq = Dnsmasq::start(upstream.address());
    let resolver = resolver(&settings(dnsmasq.address));
    let found = server(&resolver, "real.test").await;
    let names: Vec<_> = found.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["a.real.test", "b.real.test"]);
    assert_eq!(
        ips(&found),
        [ip("192.0.2.1"), ip("2001:db8::1"), ip("192.0.2.2")]
    );
    let implicit = server(&resolver, "implicit.real.test").await;
    assert!(implicit.implicit);
    assert_eq!(ips(&implicit), [ip("192.0.2.3")]);
    let alias = server(&resolver, "alias.real.test").await;
    assert_eq!(ips(&alias), [ip("192.0.2.2")]);
    for (name, finding) in [
        ("null.real.test", Finding::Null),
        ("nodata.real.test", Finding::Nowhere),
        ("no-such-name.real.test", Finding::Nowhere),
    ] {
        assert_eq!(resolver.look(&domain(name)).await, Ok(finding), "{name}");
    }
}

#[tokio::test]
async fn behind_a_real_forwarder_lapses_are_told_apart_too() {
    let mut zone = Zone::new();
    for n in 0..50_u16 {
        let host = format!("a-rather-long-name-for-host-{n}.mx.test");
        zone.mx("fifty.test", n, &host);
    }
    zone.mx("slow.test", 10, "mx.test")
        .ip("mx.test", ip("192.0.2.1"))
        .behave("slow.test", Behaviour::Stall);
    let upstream = StandInDns::start(zone).await.expect("a free port");
    let dnsmasq = Dnsmasq::start(upstream.address());
    let resolver = resolver(&settings(dnsmasq.address));
    assert_eq!(
        lapse(&resolver, "slow.test").await,
        (LapseCause::Deadline, false)
    );
    assert_eq!(
        lapse(&resolver, "fifty.test").await,
        (LapseCause::TooManyHosts, false)
    );
    upstream.edit(|zone| {
        zone.behave("slow.test", Behaviour::Answer);
    });
    let found = until("the late answer is there", async || {
        resolver.look(&domain("slow.test")).await.ok()
    })
    .await;
    assert!(matches!(found, Finding::Server(_)), "{found:?}");
    // Its way to the world is cut, while dnsmasq itself still answers from its cache.
    upstream.edit(|zone| {
        zone.behave_always(Behaviour::Stall);
    });
    assert_eq!(
        lapse(&resolver, "other.test").await,
        (LapseCause::Deadline, true)
    );
}
