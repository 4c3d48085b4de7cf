//! `X-Forwarded-For`: whoever is not trusted cannot move its address, and
//! nothing to the left of the client's own entry can.
#![no_main]

use std::net::{IpAddr, SocketAddr};

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use tuskgate::attempt::ClientIp;
use tuskgate::proxy::{Peer, TrustedProxies, identify};

fuzz_target!(|data: &[u8]| {
    let lines: Vec<HeaderValue> = data
        .split(|&byte| byte == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let trusted = TrustedProxies::new(
        ["127.0.0.0/8", "10.0.0.0/8", "2001:db8:9::/48"].map(|net| net.parse().expect("a network")),
    );
    let stranger = Peer::Tcp(SocketAddr::new(IpAddr::from([45, 1, 2, 3]), 9));
    assert_eq!(
        identify(stranger, lines.iter(), &trusted),
        identify(stranger, [].iter(), &trusted)
    );
    for peer in [
        Peer::Unix,
        Peer::Tcp(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), 9)),
    ] {
        let found = identify(peer, lines.iter(), &trusted);
        let ClientIp::Known(ip) = found.client else {
            continue;
        };
        assert!(!trusted.trust(Peer::Tcp(SocketAddr::new(ip, 1))));
        let mut more = vec![
            HeaderValue::from_static("6.6.6.6, 127.0.0.1"),
            HeaderValue::from_static("x"),
        ];
        more.extend(lines.iter().cloned());
        assert_eq!(
            identify(peer, more.iter(), &trusted),
            found,
            "an older entry moves the client"
        );
    }
});
