use super::*;

fn map(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().expect("a name");
        headers.append(name, value.parse().expect("a value"));
    }
    headers
}

fn cleaned(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = map(lines);
    let found = Found::look(&headers);
    clean_request(&mut headers, &found).expect("plain coding");
    headers
}

#[test]
fn what_rails_would_believe_is_dropped() {
    for name in [
        "forwarded",
        "client-ip",
        "x-real-ip",
        "proxy",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-scheme",
        "x-forwarded-ssl",
        "x_forwarded_for",
        "x-forwarded_for",
        "content_type",
        "x_anything",
    ] {
        let left = cleaned(&[(name, "a"), (name, "b"), ("cookie", "c")]);
        assert_eq!(left, map(&[("cookie", "c")]), "{name}");
    }
}

#[test]
fn hop_by_hop_fields_are_dropped_with_those_named() {
    let left = cleaned(&[
        ("connection", "keep-alive, X-Hop"),
        ("connection", "close, host, content-length"),
        ("keep-alive", "timeout=5"),
        ("proxy-connection", "keep-alive"),
        ("proxy-authorization", "Basic x"),
        ("te", "gzip"),
        ("upgrade", "websocket"),
        ("x-hop", "gone"),
        ("host", "example.com"),
        ("content-length", "3"),
        ("expect", "100-continue"),
        ("cookie", "a"),
        ("cookie", "b"),
    ]);
    let kept = [
        ("host", "example.com"),
        ("content-length", "3"),
        ("cookie", "a"),
        ("cookie", "b"),
    ];
    assert_eq!(left, map(&kept));
}

#[test]
fn an_upgrade_that_is_meant_passes_unless_it_is_http_again() {
    let asked = [("connection", "Upgrade"), ("upgrade", "websocket")];
    let expected = [("upgrade", "websocket"), ("connection", "upgrade")];
    assert_eq!(cleaned(&asked), map(&expected));
    for protocol in ["h2c", "HTTP/2.0", "websocket, h2c", "TLS/1.3"] {
        let left = cleaned(&[("connection", "upgrade"), ("upgrade", protocol)]);
        assert!(left.is_empty(), "{protocol}: {left:?}");
    }
}

#[test]
fn only_the_wish_for_trailers_is_passed_on() {
    let left = cleaned(&[("te", "gzip;q=1, trailers"), ("connection", "TE")]);
    assert_eq!(left, map(&[("te", "trailers"), ("connection", "te")]));
}

#[test]
fn one_plain_chunked_is_the_only_coding() {
    let left = cleaned(&[("transfer-encoding", "CHUNKED"), ("content-length", "9")]);
    assert_eq!(left, map(&[("transfer-encoding", "chunked")]));
    for lines in [
        &[("transfer-encoding", "gzip, chunked")][..],
        &[
            ("transfer-encoding", "chunked"),
            ("transfer-encoding", "chunked"),
        ],
        &[("transfer-encoding", "identity")],
    ] {
        let mut headers = map(lines);
        let found = Found::look(&headers);
        assert_eq!(
            clean_request(&mut headers, &found),
            Err(OddCoding),
            "{lines:?}"
        );
    }
}

fn noted(reply: &HeaderMap) -> ReplyFound {
    let mut found = ReplyFound::default();
    for (name, value) in reply {
        found.note(name, value);
    }
    found
}

#[test]
fn a_reply_loses_its_hop_and_its_double_framing() {
    let mut reply = map(&[
        ("connection", "close, X-Hop"),
        ("x-hop", "gone"),
        ("keep-alive", "timeout=20"),
        ("upgrade", "h2c"),
        ("transfer-encoding", "chunked"),
        ("content-length", "5"),
        ("set-cookie", "a"),
        ("set-cookie", "b"),
        ("trailer", "x-sum"),
    ]);
    let found = noted(&reply);
    assert!(clean_reply(&mut reply, found, false));
    let kept = [
        ("set-cookie", "a"),
        ("set-cookie", "b"),
        ("trailer", "x-sum"),
    ];
    assert_eq!(reply, map(&kept));
    let found = noted(&reply);
    assert!(!clean_reply(&mut reply, found, false));
}

#[test]
fn trailers_cannot_say_what_headers_may_not() {
    let trailers = map(&[
        ("x-forwarded-for", "6.6.6.6"),
        ("x_sum", "1"),
        ("client-ip", "6.6.6.6"),
        ("x-sum", "1"),
    ]);
    assert_eq!(clean_trailers(trailers), map(&[("x-sum", "1")]));
}

#[test]
fn the_upstream_is_told_one_canonical_address() {
    let ip: IpAddr = "203.0.113.5".parse().expect("an address");
    for lines in [
        &[][..],
        &[("x-forwarded-for", "203.0.113.5")],
        &[("x-forwarded-for", " 203.0.113.5")],
        &[("x-forwarded-for", "6.6.6.6, 203.0.113.5")],
        &[
            ("x-forwarded-for", "203.0.113.5"),
            ("x-forwarded-for", "203.0.113.5"),
        ],
        &[("x-forwarded-for", "203.0.113.5:99")],
    ] {
        let mut headers = map(lines);
        let found = Found::look(&headers);
        set_forwarded_for(&mut headers, &found, Some(ip));
        assert_eq!(
            headers,
            map(&[("x-forwarded-for", "203.0.113.5")]),
            "{lines:?}"
        );
        let found = Found::look(&headers);
        set_forwarded_for(&mut headers, &found, None);
        assert!(headers.is_empty());
    }
}

#[test]
fn the_scheme_is_the_first_that_a_trusted_proxy_names() {
    for (said, scheme, word) in [
        (&["https"][..], Scheme::Https, "https"),
        (&["HTTPS"], Scheme::Https, "https"),
        (&["https, http"], Scheme::Https, "https"),
        (&["http, https"], Scheme::Http, "http"),
        (&["http", "https"], Scheme::Http, "http"),
        (&["ftp"], Scheme::Http, "http"),
        (&[""], Scheme::Http, "http"),
        (&[], Scheme::Http, "http"),
    ] {
        let lines: Vec<_> = said
            .iter()
            .map(|said| ("x-forwarded-proto", *said))
            .collect();
        let mut headers = map(&lines);
        let found = Found::look(&headers);
        assert_eq!(forwarded_scheme(&headers, &found), scheme, "{said:?}");
        set_scheme(&mut headers, &found, scheme);
        assert_eq!(headers, map(&[("x-forwarded-proto", word)]), "{said:?}");
    }
}

#[test]
fn addresses_are_written_as_std_writes_them() {
    for text in [
        "0.0.0.0",
        "9.10.99.100",
        "203.0.113.255",
        "::",
        "2001:db8::1",
        "::ffff:1.2.3.4",
    ] {
        let ip: IpAddr = text.parse().expect("an address");
        assert_eq!(AddressText::of(ip).as_bytes(), ip.to_string().as_bytes());
    }
}

#[test]
fn an_underscore_is_found_wherever_it_stands() {
    for length in 1..40 {
        let mut name = vec![b'a'; length];
        assert!(!holds_underscore(&name), "{length}");
        for at in 0..length {
            name[at] = b'_';
            assert!(holds_underscore(&name), "{at} of {length}");
            name[at] = b'a';
        }
    }
    assert!(!holds_underscore(b""));
}
