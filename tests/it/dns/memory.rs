//! What is remembered, for how long, and how many questions it saves.

use super::*;

#[tokio::test]
async fn an_answer_is_kept_for_its_ttl_and_no_longer() {
    let mut zone = Zone::new();
    // Long enough for three looks on a busy machine.
    zone.ttl(4).ip("a.test", ip("192.0.2.1"));
    let dns = StandInDns::start(zone).await.expect("a free port");
    let resolver = resolver(&DnsSettings {
        fresh: Bounds::new(Duration::ZERO, 600 * SECOND),
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
    // Sooner than any other time in these settings but the answer's own.
    until("the new address is seen", async || {
        (ips(&server(&resolver, "a.test").await) == [ip("192.0.2.2")]).then_some(())
    })
    .await;
    assert_eq!(dns.asked("a.test", RecordType::MX), 2);
}

#[tokio::test]
async fn a_stale_answer_is_served_while_a_new_one_is_fetched() {
    let mut zone = Zone::new();
    zone.ttl(1).ip("a.test", ip("192.0.2.1"));
    let dns = StandInDns::start(zone).await.expect("a free port");
    let resolver = resolver(&DnsSettings {
        fresh: Bounds::new(Duration::ZERO, 60 * SECOND),
        stale: 600 * SECOND,
        // Nobody could overlook that it was waited for.
        timeout: 60 * SECOND,
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
    assert!(begun.elapsed() < 30 * SECOND, "it was waited for");
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
    let dns = StandInDns::start(zone).await.expect("a free port");
    let resolver = resolver(&DnsSettings {
        timeout: 20 * SECOND,
        ..settings(dns.address())
    });
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
async fn a_failure_is_remembered_and_tried_again() {
    let mut zone = Zone::new();
    zone.ip("a.test", ip("192.0.2.1"))
        .behave("a.test", Behaviour::ServFail);
    let dns = StandInDns::start(zone).await.expect("a free port");
    let resolver = resolver(&DnsSettings {
        // Long enough for five looks on a busy machine.
        retry: Bounds::new(3 * SECOND, 3 * SECOND),
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

#[tokio::test]
async fn look_ups_are_counted_by_outcome_and_cause() {
    let mut zone = Zone::new();
    zone.ip("counted.test", ip("192.0.2.1"))
        .behave("broken.test", Behaviour::ServFail);
    let (_dns, resolver) = start(&zone).await;
    for _ in 0..2 {
        let _ = server(&resolver, "counted.test").await;
    }
    let _ = lapse(&resolver, "broken.test").await;
    let text = tuskgate::telemetry::render().expect("text");
    for line in [
        "tuskgate_dns_lookups_total{outcome=\"implicit\"}",
        "tuskgate_dns_lookups_total{outcome=\"lapse\"}",
        "tuskgate_dns_lapses_total{cause=\"failure\"}",
        "tuskgate_dns_cache_hits_total",
        "tuskgate_dns_lookup_duration_seconds_count",
        "tuskgate_dns_in_flight",
    ] {
        let value = text
            .lines()
            .find_map(|found| found.strip_prefix(line)?.trim().parse::<f64>().ok());
        assert!(value.is_some(), "{line} is not in:\n{text}");
        assert!(value > Some(0.0) || line.ends_with("in_flight"), "{line}");
    }
    assert!(!text.contains("counted.test"));
}
