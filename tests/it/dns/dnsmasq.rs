//! A real name server and forwarder, from Debian's package dnsmasq-base.

use std::process::{Child, Command, Stdio};

use super::*;

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
    // What is read is the point here, not how fast on a busy machine.
    let resolver = resolver(&DnsSettings {
        timeout: 10 * SECOND,
        ..settings(dnsmasq.address)
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
        .behave("slow.test", Behaviour::Delay(2 * SECOND));
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
