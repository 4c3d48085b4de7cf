use super::*;

fn check(method: &str, target: &str, hosts: &[&str]) -> Result<String, Fault> {
    let mut request = Request::builder()
        .method(method)
        .uri(target.parse::<Uri>().expect("a target"))
        .body(Body::empty())
        .expect("a request");
    for host in hosts {
        let host = host.parse().expect("a value");
        request.headers_mut().append(HOST, host);
    }
    let found = Found::look(request.headers());
    check_target(&mut request, &found)?;
    // As it is written on the wire; a `Uri` shows itself with a `/` it may not have.
    let target = request.uri().path_and_query().expect("a path");
    Ok(target.as_str().to_owned())
}

#[test]
fn only_paths_reach_the_upstream() {
    let host = &["example.com"][..];
    for (method, target, kept) in [
        ("GET", "/", "/"),
        ("GET", "/a//b/../c;d?e=%20&f", "/a//b/../c;d?e=%20&f"),
        ("GET", "//evil.example/x", "//evil.example/x"),
        ("OPTIONS", "*", "*"),
        ("GET", "http://example.com/a?b", "/a?b"),
        ("GET", "https://EXAMPLE.com/a", "/a"),
        ("GET", "http://example.com", "/"),
        ("GET", "http://example.com?b", "/?b"),
    ] {
        assert_eq!(check(method, target, host).as_deref(), Ok(kept), "{target}");
    }
    for (method, target, fault) in [
        ("GET", "*", Fault::Target),
        ("GET", "example.com", Fault::Target),
        ("GET", "http://other.example/a", Fault::Target),
        ("GET", "http://example.com:80/a", Fault::Target),
        ("GET", "http://user@example.com/a", Fault::Target),
        ("GET", "ftp://example.com/a", Fault::Target),
        ("CONNECT", "example.com:443", Fault::Method),
    ] {
        assert_eq!(check(method, target, host), Err(fault), "{target}");
    }
}

#[test]
fn exactly_one_host_is_asked_for() {
    for hosts in [&[][..], &["a", "a"], &["a", "b"]] {
        assert_eq!(check("GET", "/", hosts), Err(Fault::Host), "{hosts:?}");
    }
    assert_eq!(check("GET", "/", &[""]).as_deref(), Ok("/"));
}
