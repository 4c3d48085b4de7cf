//! What cannot be told, and whose fault it is.

use super::*;
use crate::support::ports::Port;

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
async fn a_stalling_domain_lapses_alone_and_is_judged_by_the_late_answer() {
    let mut zone = Zone::new();
    zone.mx("slow.test", 10, "mx.test")
        .ip("mx.test", ip("192.0.2.1"))
        .behave("slow.test", Behaviour::Delay(LATE));
    let (_dns, resolver) = start(&zone).await;
    let begun = Instant::now();
    assert_eq!(
        lapse(&resolver, "slow.test").await,
        (LapseCause::Deadline, false)
    );
    assert!(begun.elapsed() < LATE, "it was waited for");
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
    let nobody = Port::take();
    let resolver = resolver(&settings(nobody.address()));
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
async fn garbage_for_an_answer_is_a_lapse() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let address = socket.local_addr().expect("bound");
    let babble = tokio::spawn(async move {
        let mut packet = [0; 512];
        let mut seed = 7_u8;
        while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
            // The identity and the question are right, what follows is noise.
            packet[2] |= 0x80;
            packet[6..12].fill(1 + seed % 2);
            packet[length..].fill_with(|| {
                seed = seed.wrapping_mul(73).wrapping_add(41);
                seed
            });
            let _ = socket.send_to(&packet, peer).await;
        }
    });
    let resolver = resolver(&settings(address));
    let mut asked = JoinSet::new();
    for n in 0..20 {
        let resolver = resolver.clone();
        asked.spawn(async move { lapse(&resolver, &format!("garbage{n}.test")).await });
    }
    for (cause, down) in asked.join_all().await {
        assert!(down, "{cause}");
    }
    assert!(!babble.is_finished());
    babble.abort();
}
