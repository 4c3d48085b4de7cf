use proptest::prelude::*;

use super::*;
use crate::mailbox::{Domain, EmailAddress};
use crate::mastodon::reply::wire;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            let value = HeaderValue::from_str(value).expect("a value");
            (HeaderName::from_static(name), value)
        })
        .collect()
}

fn behalf() -> Behalf {
    Behalf::of(&headers(&[
        ("host", "mastodon.test"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "198.51.100.1"),
        ("accept-encoding", "gzip"),
    ]))
    .expect("one host")
}

fn address(exact: &str) -> EmailAddress {
    let domain = exact.rsplit('@').next().expect("a domain");
    EmailAddress {
        exact: Secret::new(exact),
        canonical: Secret::new(exact),
        domains: vec![Domain::new(domain).expect("a domain")],
    }
}

fn compare(page: &str, new: &str) -> Current {
    read_edit_page(StatusCode::OK, page.as_bytes(), &address(new).exact)
}

#[test]
fn a_token_is_asked_about_as_it_was_recorded() {
    let recorded = wire::last("token-info");
    let token = Secret::new("bj6tN-_1aEGYNnIhuY2LS2Cv6fXHlpxgEdm1KxmTnu4");
    let request = token_info(&behalf(), &token).expect("a plain token");
    assert_eq!(request.method().as_str(), recorded.method);
    assert_eq!(request.uri(), recorded.target.as_str());
    assert_eq!(
        request.headers()[AUTHORIZATION],
        recorded.asked[AUTHORIZATION]
    );
    assert_eq!(request.headers()[HOST], recorded.asked[HOST]);
    assert_eq!(request.headers()[FORWARDED_PROTO], "https");
    assert_eq!(request.headers()[FORWARDED_FOR], "192.0.2.7");
    assert_eq!(request.headers().len(), 5, "nothing else goes along");
    assert!(!format!("{request:?}").contains("bj6tN"));
    assert_eq!(
        read_token_info(recorded.status, recorded.body.as_bytes()),
        TokenApp::App(ClientId::new("M_XaKkWlIkh_WWmSFhvDSAQC9HeDoUDlrAo5mPUh5oo"))
    );
}

#[test]
fn an_app_is_asked_for_as_it_was_recorded() {
    let recorded = wire::last("apps-verify-credentials");
    let request = app(&behalf(), &Secret::new("t")).expect("a plain token");
    assert_eq!(request.uri(), recorded.target.as_str());
    let known = read_app(recorded.status, recorded.body.as_bytes()).expect("an app");
    assert_eq!(known.name.as_str(), "Test App");
    assert_eq!(known.website.as_deref(), Some("https://app.example"));
    assert!(known.redirect_uris.is_empty());
    for refused in [
        "apps-verify-credentials-bad-token",
        "apps-verify-credentials-no-token",
    ] {
        let refused = wire::last(refused);
        assert_eq!(read_app(refused.status, refused.body.as_bytes()), None);
        assert_eq!(
            read_token_info(refused.status, refused.body.as_bytes()),
            TokenApp::Nobody
        );
    }
    let today =
        br#"{"id":"1","name":"x","website":null,"scopes":["read"],"redirect_uris":["a:b"]}"#;
    let known = read_app(StatusCode::OK, today).expect("an app");
    assert_eq!(known.redirect_uris, ["a:b"]);
    assert_eq!(known.website, None);
}

#[test]
fn what_cannot_be_a_token_is_not_asked_about() {
    let long = "a".repeat(LONGEST_BEARER + 1);
    for odd in [
        "",
        " ",
        "a b",
        "a\r\nHost: x",
        "\u{e9}",
        "a\0",
        long.as_str(),
    ] {
        assert!(
            token_info(&behalf(), &Secret::new(odd)).is_none(),
            "{odd:?}"
        );
    }
}

#[test]
fn odd_answers_are_unclear() {
    for body in [
        "",
        "{}",
        "[]",
        r#"{"application":null}"#,
        r#"{"application":{"uid":null}}"#,
    ] {
        let told = read_token_info(StatusCode::OK, body.as_bytes());
        assert_eq!(told, TokenApp::Unclear, "{body}");
    }
    for status in [301, 403, 404, 429, 500, 503] {
        let status = StatusCode::from_u16(status).expect("a status");
        assert_eq!(read_token_info(status, b"{}"), TokenApp::Unclear);
    }
}

#[test]
fn without_one_host_nothing_is_asked() {
    assert!(Behalf::of(&HeaderMap::new()).is_none());
    let mut two = headers(&[("host", "a")]);
    two.append(HOST, HeaderValue::from_static("b"));
    assert!(Behalf::of(&two).is_none());
}

#[test]
fn the_edit_page_is_asked_for_with_the_requests_own_cookies() {
    let mut theirs = headers(&[("cookie", "_session_id=a"), ("authorization", "Bearer x")]);
    theirs.append(COOKIE, HeaderValue::from_static("_mastodon_session=b"));
    let request = edit_page(&behalf(), &theirs).expect("cookies");
    assert_eq!(request.uri(), "/auth/edit");
    assert_eq!(request.headers().get_all(COOKIE).iter().count(), 2);
    assert!(!request.headers().contains_key(AUTHORIZATION));
    assert!(edit_page(&behalf(), &HeaderMap::new()).is_none());
}

#[test]
fn the_current_address_is_found_however_it_is_written() {
    for page in [
        r#"<form><input class="string email" type="email" value="Alice@Good.test " name="user[email]" id="user_email"></form>"#,
        r"<INPUT NAME='user[email]' VALUE='alice@good.test'>",
        "<input\n name=user[email]\n value=alice@good.test\n/>",
        r#"<input name="user&#91;email&#x5D;" value="alice&#64;good.test" required>"#,
        r#"<input type="text" name="x" value="user[email]"><input name="user[email]"><input name="user[email]" value="alice@good.test">"#,
        r#"a < b <inputs name="user[email]" value="no@no.no"> <input disabled value="alice@good.test" name="user[email]"/>"#,
    ] {
        assert_eq!(
            compare(page, "alice@good.test"),
            Current::Unchanged,
            "{page}"
        );
        assert_eq!(compare(page, "bob@good.test"), Current::Changed, "{page}");
    }
    let quoted = r#"<input name="user[email]" value="o&#39;neil&amp;co@good.test">"#;
    assert_eq!(compare(quoted, "o'neil&co@good.test"), Current::Unchanged);
}

#[test]
fn a_page_that_does_not_tell_is_unknown() {
    for page in [
        "",
        "<",
        "<input",
        "<input name=\"user[email]\"",
        r#"<input name="user[email]">"#,
        r#"<input name="user[email]" value="">"#,
        r#"<input name="user[email_x]" value="alice@good.test">"#,
        r#"<input name="user[email]x" value="alice@good.test">"#,
        r#"&lt;input name="user[email]" value="alice@good.test"&gt;"#,
    ] {
        assert_eq!(compare(page, "alice@good.test"), Current::Unknown, "{page}");
    }
    let page = r#"<input name="user[email]" value="alice@good.test">"#;
    let redirected = read_edit_page(
        StatusCode::FOUND,
        page.as_bytes(),
        &address("alice@good.test").exact,
    );
    assert_eq!(redirected, Current::Unknown);
    let far = format!("{}{page}", " ".repeat(BOUND));
    assert_eq!(compare(&far, "alice@good.test"), Current::Unknown);
}

proptest! {
    #[test]
    fn no_reply_panics(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_ne!(read_token_info(StatusCode::OK, &body), TokenApp::Nobody);
        prop_assert!(read_app(StatusCode::OK, &body).is_none());
        let told = read_edit_page(StatusCode::OK, &body, &address("alice@good.test").exact);
        prop_assert_ne!(told, Current::Unchanged);
    }

    #[test]
    fn no_soup_of_tags_panics(soup in "(<input|<|>|'|\"|=| |/|&#|;|x|é|name|value|user\\[email\\]|&amp){0,60}") {
        let told = read_edit_page(StatusCode::OK, soup.as_bytes(), &address("alice@good.test").exact);
        prop_assert_ne!(told, Current::Unchanged);
    }

    #[test]
    fn any_escaped_address_is_read_back(local in "[a-z0-9!#$%&'*+/=?^_`{|}~.\"<>-]{1,20}") {
        let escaped: String = local.chars().map(|c| match c {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            '"' => "&quot;".to_owned(),
            '\'' => "&#39;".to_owned(),
            other => other.to_string(),
        }).collect();
        let page = format!(r#"<p>x</p><input type="email" value="{escaped}@good.test" name="user[email]">"#);
        prop_assert_eq!(compare(&page, &format!("{local}@good.test")), Current::Unchanged);
    }
}
