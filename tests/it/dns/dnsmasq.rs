//! A real name server and forwarder, from Debian's package dnsmasq-base.

use super::*;
use crate::support::dnsmasq::Dnsmasq;

/// A real dnsmasq that knows a few names and asks `upstream` for all others.
struct Forwarder {
    dnsmasq: Dnsmasq,
    _folder: tempfile::TempDir,
}

impl Forwarder {
    fn start(upstream: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let lines = format!(
            "server={}#{}\nlocal=/real.test/\n\
             mx-host=real.test,b.real.test,20\nmx-host=real.test,a.real.test,10\n\
             host-record=a.real.test,192.0.2.1,2001:db8::1\n\
             host-record=b.real.test,192.0.2.2\nhost-record=implicit.real.test,192.0.2.3\n\
             dns-rr=null.real.test,15,000000\ntxt-record=nodata.real.test,hello\n\
             mx-host=alias.real.test,c.real.test,10\ncname=c.real.test,b.real.test\n",
            upstream.ip(),
            upstream.port()
        );
        Self {
            dnsmasq: Dnsmasq::start(folder.path(), &lines),
            _folder: folder,
        }
    }

    const fn address(&self) -> SocketAddr {
        self.dnsmasq.address()
    }
}

#[tokio::test]
async fn a_real_name_server_is_read_alike() {
    let upstream = StandInDns::start(Zone::new()).await.expect("a free port");
    let dnsmasq = Forwarder::start(upstream.address());
    // What is read is the point here, not how fast on a busy machine.
    let resolver = resolver(&DnsSettings {
        timeout: 10 * SECOND,
        ..settings(dnsmasq.address())
    });
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
        .behave("slow.test", Behaviour::Delay(LATE));
    let upstream = StandInDns::start(zone).await.expect("a free port");
    let dnsmasq = Forwarder::start(upstream.address());
    let resolver = resolver(&settings(dnsmasq.address()));
    assert_eq!(
        lapse(&resolver, "slow.test").await,
        (LapseCause::Deadline, false)
    );
    assert_eq!(
        lapse(&resolver, "fifty.test").await,
        (LapseCause::TooManyHosts, false)
    );
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
