//! Whether a domain's web site answers: real DNS and real sockets. Loopback is
//! refused like every address that is not public, so the tests that connect use
//! the one way that no configuration has ([`Prober::reaching`]).

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tuskgate::mail::dns::{DnsSettings, Resolver};
use tuskgate::mail::site::{Prober, Site};
use tuskgate::mailbox::Domain;
use tuskgate::stand_in::dns::{StandInDns, Zone};
use tuskgate::verdict::{Mode, Rule};

use super::support::judged::{ANA, Plan, wait_until, zone};
use super::support::ports::Port;
use super::support::{Outcome, PATIENCE};

/// A web server that answers by `Host` and path, and counts who comes.
struct Web {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Web {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                counted.fetch_add(1, Ordering::SeqCst);
                let mut head = [0; 2048];
                let read = stream.read(&mut head).unwrap_or(0);
                let head =
                    String::from_utf8_lossy(head.get(..read).unwrap_or_default()).to_lowercase();
                match answer(&head) {
                    // Held open: it keeps loading with nothing happening.
                    None => silent.push(stream),
                    Some(answer) => {
                        let _ = stream.write_all(answer.as_bytes());
                    }
                }
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(head: &str) -> Option<String> {
    let to = |place: &str| {
        Some(format!(
            "HTTP/1.1 301 Moved\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
        ))
    };
    let host = head.lines().find_map(|line| line.strip_prefix("host: "))?;
    match host.trim() {
        "good.example" => Some("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()),
        "page.example" => Some(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5_000_000))),
        "moved.example" => to("http://good.example/x"),
        "inside.example" => to("http://private.example/"),
        "literal.example" => to("http://127.0.0.1/"),
        "port.example" => to("http://good.example:6379/"),
        "secure.example" => to("https://good.example/"),
        "around.example" => to("/again"),
        "garbage.example" => Some("SSH-2.0-OpenSSH_9.6\r\n".into()),
        "heads.example" => Some(format!(
            "HTTP/1.1 200 OK\r\n{}\r\n",
            "x-y: zzzzzzzzzzzzzzzz\r\n".repeat(50_000)
        )),
        _ => None,
    }
}

const ON_LOOPBACK: [&str; 11] = [
    "good.example",
    "page.example",
    "moved.example",
    "inside.example",
    "literal.example",
    "port.example",
    "secure.example",
    "around.example",
    "garbage.example",
    "heads.example",
    "silent.example",
];

fn web_zone() -> Zone {
    let mut zone = Zone::new();
    for name in ON_LOOPBACK {
        zone.ip(name, Ipv4Addr::LOCALHOST);
    }
    zone.ip("private.example", [10, 0, 0, 1])
        .ip(
            "mapped.example",
            "::ffff:127.0.0.1".parse::<IpAddr>().expect("an address"),
        )
        .ip("six.example", "::1".parse::<IpAddr>().expect("an address"))
        .ip("linked.example", [169, 254, 169, 254])
        .ip("mixed.example", Ipv4Addr::LOCALHOST)
        .ip("mixed.example", [192, 168, 1, 1]);
    zone
}

fn prober(dns: &StandInDns) -> Result<Prober, Box<dyn std::error::Error>> {
    let settings = DnsSettings {
        servers: vec![dns.address()],
        ..DnsSettings::default()
    };
    Ok(Prober::new(Resolver::new(&settings, Handle::current())?))
}

async fn look(prober: &Prober, name: &str) -> Option<Site> {
    prober.look(&Domain::new(name).expect("a domain")).await
}

#[tokio::test]
async fn what_is_not_public_is_never_connected_to() -> Outcome {
    let web = Web::start();
    let dns = StandInDns::start(web_zone()).await?;
    // As configured, but for the ports: loopback is refused.
    let refused = prober(&dns)?.reaching([192, 0, 2, 1].into(), web.port, web.port);
    for name in [
        "good.example",
        "private.example",
        "mapped.example",
        "six.example",
        "linked.example",
    ] {
        assert_eq!(look(&refused, name).await, Some(Site::NotPublic), "{name}");
    }
    let own = prober(&dns)?.reaching(Ipv4Addr::LOCALHOST.into(), web.port, web.port);
    assert_eq!(
        look(&own, "mixed.example").await,
        Some(Site::NotPublic),
        "one is enough"
    );
    assert_eq!(web.asked(), 0);
    for name in ["inside.example", "literal.example", "port.example"] {
        assert_eq!(look(&own, name).await, Some(Site::NotPublic), "{name}");
    }
    assert_eq!(web.asked(), 3, "each once, and no redirect followed there");
    Ok(())
}

#[tokio::test]
async fn what_answers_and_what_does_not() -> Outcome {
    let web = Web::start();
    let nobody = Port::take();
    let closed = nobody.number();
    let dns = StandInDns::start(web_zone()).await?;
    let open = prober(&dns)?
        .reaching(Ipv4Addr::LOCALHOST.into(), web.port, web.port)
        .patient_for(PATIENCE);
    for (name, site) in [
        ("good.example", Site::Answers),
        ("page.example", Site::Answers),
        ("moved.example", Site::Answers),
        ("secure.example", Site::Answers),
        ("garbage.example", Site::Silent),
        ("heads.example", Site::Silent),
        ("nosuch.example", Site::Nowhere),
    ] {
        assert_eq!(look(&open, name).await, Some(site), "{name}");
    }
    let before = web.asked();
    assert_eq!(look(&open, "around.example").await, Some(Site::Answers));
    assert_eq!(web.asked() - before, 4, "the first and three redirects");
    // It is not waited for: it would not have said anything in an hour.
    let hasty = open.patient_for(Duration::from_millis(500));
    assert_eq!(look(&hasty, "silent.example").await, Some(Site::Silent));
    let nothing = prober(&dns)?.reaching(Ipv4Addr::LOCALHOST.into(), closed, closed);
    assert_eq!(look(&nothing, "good.example").await, Some(Site::Closed));
    let only_tls = prober(&dns)?.reaching(Ipv4Addr::LOCALHOST.into(), closed, web.port);
    assert_eq!(look(&only_tls, "good.example").await, Some(Site::Answers));
    Ok(())
}

#[tokio::test]
async fn a_few_at_a_time() -> Outcome {
    let web = Web::start();
    let dns = StandInDns::start(web_zone()).await?;
    // Longer than it takes to ask thirty times.
    let patience = Duration::from_secs(3);
    let prober = prober(&dns)?
        .reaching(Ipv4Addr::LOCALHOST.into(), web.port, web.port)
        .patient_for(patience);
    let looks = (0..30).map(|_| {
        let prober = prober.clone();
        tokio::spawn(async move { look(&prober, "silent.example").await })
    });
    let looks: Vec<_> = looks.collect();
    let mut looked = 0;
    for one in looks {
        looked += usize::from(one.await?.is_some());
    }
    assert_eq!((looked, web.asked()), (4, 4));
    Ok(())
}

#[test]
fn the_sites_of_suspects_are_evidence() {
    let web = Web::start();
    let mut zone = zone();
    for number in 0..10 {
        let name = format!("b{number}.example");
        zone.mx(&name, 10, "mx.bots.example");
        // What is behind them answers none of these names.
        zone.ip(&name, Ipv4Addr::LOCALHOST);
    }
    zone.ip("mx.bots.example", [45, 9, 9, 10]);
    let nobody = Port::take();
    let plan = Plan {
        zone,
        sites: Some([nobody.number(); 2]),
        ..Plan::default()
    };
    let house = plan.with_mode(Rule::MailCluster, Mode::Enforce).build();
    let mut ana = house.person(ANA);
    let admitted = (0..10)
        .filter(|n| {
            ana.web_sign_up(&format!("u{n}"), &format!("u{n}@b{n}.example"))
                .status
                == 302
        })
        .count();
    assert!((3..8).contains(&admitted), "{admitted}");
    let clusters = || house.judge.registers().clusters();
    wait_until("sites were looked at", || {
        clusters()
            .first()
            .is_some_and(|cluster| cluster.sites.looked >= 2)
    });
    let cluster = clusters().remove(0);
    assert_eq!(cluster.sites.dead, cluster.sites.looked);
    assert!(
        cluster.sites.looked as usize <= admitted - 2,
        "not before it was suspicious"
    );
    assert_eq!(web.asked(), 0, "it is not where they lead");
}
