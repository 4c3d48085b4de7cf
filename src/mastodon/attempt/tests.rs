use http::Request;

use super::*;
use crate::attempt::{Grant, Unknown};
use crate::endpoint::Endpoint as Door;
use crate::mastodon::endpoint::guarded_path;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

struct Ask<'a>(&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);

impl Ask<'_> {
    fn read(&self) -> Result<Reading, Fault> {
        let Self(verb, target, headers, body) = *self;
        let mut request = Request::builder().method(verb).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let head = request.body(()).expect("a request").into_parts().0;
        let path = guarded_path(&head.method, head.uri.path()).expect("a guarded path");
        let client = ClientIp::Unknown(Unknown::Missing);
        super::read(path, &head, body.as_bytes(), client, Timestamp::UNIX_EPOCH)
    }

    fn attempt(&self) -> Attempt {
        match self.read() {
            Ok(Reading::Attempt(attempt)) => *attempt,
            other => panic!("{} {}: {other:?}", self.0, self.1),
        }
    }

    fn fault(&self) -> Fault {
        match self.read() {
            Err(fault) => fault,
            Ok(reading) => panic!("{} {} {}: {reading:?}", self.0, self.1, self.3),
        }
    }
}

fn form<'a>(target: &'a str, body: &'a str) -> Ask<'a> {
    Ask("POST", target, &[("content-type", FORM)], body)
}

fn json<'a>(target: &'a str, body: &'a str) -> Ask<'a> {
    Ask("POST", target, &[("content-type", JSON)], body)
}

fn email(attempt: &Attempt) -> Option<&str> {
    attempt.email.as_ref().map(|email| email.exact.expose())
}

#[test]
fn the_address_at_each_door() {
    let web = "user[email]=A%40b.test&email=top%40b.test";
    let put = "_method=put&user[email]=A%40b.test";
    let api = r#"{"email":"A@b.test","user":{"email":"web@b.test"}}"#;
    for (ask, door) in [
        (form("/auth", web), Door::SignUp),
        (form("/auth.json", put), Door::EmailChange),
        (form("/auth/setup", put), Door::EmailSetup),
        (form("/auth/confirmation", web), Door::ConfirmationResend),
        (form("/auth/sign_in", web), Door::SignIn),
        (json("/api/v1/accounts", api), Door::ApiSignUp),
        (
            json("/api/v1/emails/confirmations", api),
            Door::ApiEmailChange,
        ),
        (
            json("/api/v1/accounts/1/email_subscriptions", api),
            Door::Subscription,
        ),
    ] {
        let attempt = ask.attempt();
        assert_eq!(attempt.endpoint, door);
        assert_eq!(email(&attempt), Some("a@b.test"), "{door:?}");
    }
}

#[test]
fn absent_null_and_blank_addresses_are_none() {
    for body in [
        "",
        "user[email]=",
        "user[email]",
        "user[email]=+%00",
        "user[x]=1",
        "email=a%40b.test",
    ] {
        assert_eq!(form("/auth", body).attempt().email, None, "{body}");
    }
    assert_eq!(
        json("/api/v1/accounts", r#"{"email":null}"#)
            .attempt()
            .email,
        None
    );
}

#[test]
fn kinds_that_nobody_sends_are_refused() {
    for (target, body) in [
        ("/api/v1/accounts", r#"{"email":["a@b.test"]}"#),
        ("/api/v1/accounts", r#"{"email":{"x":1}}"#),
        ("/api/v1/accounts", r#"{"email":true}"#),
        ("/api/v1/accounts", r#"{"email(1i)":"a@b.test"}"#),
        ("/api/v1/accounts", r#"{"username":false}"#),
        ("/api/v1/accounts", r#"{"invite_code":1}"#),
        ("/api/v1/accounts", r#"{"access_token":1}"#),
        ("/api/v1/accounts", r#"{"bearer_token":["x"]}"#),
        ("/auth", r#"{"user":null}"#),
        ("/auth", r#"{"user":"x"}"#),
        ("/auth", r#"{"user":[{"email":"a@b.test"}]}"#),
        ("/auth", r#"{"user":{"email(1)":"a@b.test"}}"#),
        ("/auth", r#"{"user":{"account_attributes":[1]}}"#),
        ("/api/v1/apps", r#"{"client_name":["x"]}"#),
        ("/api/v1/apps", r#"{"client_name(1i)":"x"}"#),
        ("/api/v1/apps", r#"{"redirect_uris":{"a":"b"}}"#),
        ("/api/v1/apps", r#"{"redirect_uris":[["b"]]}"#),
        ("/api/v1/apps", r#"{"website":["x"]}"#),
        (
            "/settings/applications",
            r#"{"doorkeeper_application":"x"}"#,
        ),
        (
            "/settings/applications",
            r#"{"doorkeeper_application":{"redirect_uri":["urn:x"]}}"#,
        ),
        ("/oauth/token", r#"{"client_id":1}"#),
        ("/oauth/token", r#"{"client_id":"x","client_secret":["x"]}"#),
        ("/oauth/token", r#"{"grant_type":["password"]}"#),
    ] {
        let fault = json(target, body).fault();
        assert_eq!(fault.unreadable, Unreadable::Malformed, "{target} {body}");
        assert!(fault.endpoint.is_some());
    }
}

#[test]
fn an_address_that_cannot_be_read_is_a_fault_only_where_it_would_enter() {
    let fault = form("/auth", "user[email]=a%40b%40c").fault();
    assert_eq!(fault.unreadable, Unreadable::Address);
    assert_eq!(fault.endpoint, Some(Door::SignUp));
    assert!(!fault.fact.contains("a@b"));
    for target in ["/auth/sign_in", "/auth/confirmation"] {
        assert_eq!(
            form(target, "user[email]=just_a_name").attempt().email,
            None
        );
    }
}

#[test]
fn names_and_invites() {
    let web = "user[account_attributes][username]=carol&user[invite_code]=AbC";
    for ask in [
        form("/auth", web),
        json(
            "/api/v1/accounts",
            r#"{"username":"carol","invite_code":"AbC"}"#,
        ),
    ] {
        let attempt = ask.attempt();
        assert_eq!(attempt.username.as_deref(), Some("carol"));
        assert_eq!(attempt.invite.expect("an invite").expose(), "AbC");
    }
    let number = json("/api/v1/accounts", r#"{"username":3327752}"#).attempt();
    assert_eq!(number.username.as_deref(), Some("3327752"));
    for (target, code) in [
        ("/invite/AbC?invite_code=XyZ", Some("AbC")),
        ("/invite/a%62?invite_code=XyZ", None),
        ("/auth/sign_up?invite_code=XyZ", Some("XyZ")),
        ("/auth/sign_up", None),
    ] {
        let invite = Ask("GET", target, &[], "").attempt().invite;
        assert_eq!(invite.as_ref().map(|code| code.expose()), code, "{target}");
    }
}

#[test]
fn the_bearer_that_doorkeeper_uses() {
    let both = "access_token=p&bearer_token=q";
    for (header, body, expected) in [
        (None, "", None),
        (Some("Bearer t"), both, Some("t")),
        (Some("bearer t"), both, Some("t")),
        (Some("BEARER t"), "", Some("t")),
        (Some("Bearer  t"), "", Some(" t")),
        (Some("Bearer \"t\""), "", Some("\"t\"")),
        (Some("Bearer\tt"), "", None),
        (Some("Bearer"), both, Some("p")),
        (Some("Token t"), both, Some("p")),
        (Some(""), both, Some("p")),
        (Some("Basic dDo="), both, Some("p")),
        (None, "access_token=&bearer_token=q", Some("q")),
        (None, "access_token=+&bearer_token=q", Some("q")),
    ] {
        let headers: Vec<_> = [("content-type", FORM)]
            .into_iter()
            .chain(header.map(|header| ("authorization", header)))
            .collect();
        let attempt = Ask("POST", "/api/v1/accounts", &headers, body).attempt();
        let bearer = attempt.bearer.as_ref().map(|token| token.expose());
        assert_eq!(bearer, expected, "{header:?} {body}");
    }
    let twice = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
    Ask("POST", "/api/v1/accounts", &twice, "").fault();
}

#[test]
fn the_credential_that_doorkeeper_uses() {
    let params = "client_id=p&client_secret=s&grant_type=client_credentials";
    for (header, expected) in [
        (None, ("p", Some("s"))),
        (Some("Basic aWQ6c2VjOnJldA=="), ("id", Some("sec:ret"))),
        (Some("Basic aWQ="), ("id", None)),
        (Some("Basic aWQ6"), ("id", Some(""))),
        (Some("Bearer x"), ("p", Some("s"))),
    ] {
        let headers: Vec<_> = [("content-type", FORM)]
            .into_iter()
            .chain(header.map(|header| ("authorization", header)))
            .collect();
        let attempt = Ask("POST", "/oauth/token", &headers, params).attempt();
        assert_eq!(attempt.grant, Some(Grant::ClientCredentials));
        let found = attempt.credential.expect("a credential");
        let secret = found.client_secret.as_ref().map(|secret| secret.expose());
        assert_eq!((found.client_id.as_str(), secret), expected, "{header:?}");
    }
    for odd in [
        "Basic",
        "Basic ",
        "basic aWQ6cw==",
        "Basic  aWQ6cw==",
        "Basic aWQ6cw",
        "Basic %",
        "Basic OnM=",
        "Basic /w==",
        "Basic\taWQ6cw==",
    ] {
        let headers = [("content-type", FORM), ("authorization", odd)];
        Ask("POST", "/oauth/token", &headers, params).fault();
    }
    assert_eq!(
        form("/oauth/token", "client_id=+").attempt().credential,
        None
    );
    let authorize = Ask("GET", "/oauth/authorize?client_id=p", &[], "").attempt();
    assert_eq!(
        authorize.credential.expect("a client").client_id.as_str(),
        "p"
    );
}

#[test]
fn apps() {
    let text = "client_name=A&redirect_uris=a%3A%2F%2Fb%0Ac%3A%2F%2Fd%00+e%3A%2F%2Ff&website=";
    let own = "doorkeeper_application[name]=A&doorkeeper_application[redirect_uri]=a%3A%2F%2Fb%0D%0Ac%3A%2F%2Fd+e%3A%2F%2Ff";
    for ask in [
        form("/api/v1/apps", text),
        json(
            "/api/v1/apps",
            r#"{"client_name":"A","redirect_uris":["a://b","c://d e://f"],"website":null}"#,
        ),
        form("/settings/applications", own),
        Ask(
            "PATCH",
            "/settings/applications/1",
            &[("content-type", FORM)],
            own,
        ),
    ] {
        let app = ask.attempt().new_app.expect("an app");
        assert_eq!(app.name.as_str(), "A");
        assert_eq!(app.redirect_uris, ["a://b", "c://d", "e://f"]);
        assert_eq!(app.website, None);
    }
    let change = "_method=put&doorkeeper_application[website]=https%3A%2F%2Fx.test";
    let app = form("/settings/applications/1", change)
        .attempt()
        .new_app
        .expect("an app");
    assert_eq!(
        (app.name.as_str(), app.website.as_deref()),
        ("", Some("https://x.test"))
    );
    assert_eq!(form("/api/v1/apps", "scopes=read").attempt().new_app, None);
    let token = Ask("GET", "/settings/applications/1", &[], "").attempt();
    assert_eq!(token.endpoint, Door::AppToken);
}

#[test]
fn an_override_decides_the_door() {
    let open = |ask: Ask<'_>| matches!(ask.read(), Ok(Reading::Open));
    assert!(open(form("/auth", "_method=delete")));
    assert!(open(form(
        "/api/v1/accounts",
        "_method=get&email=a%40b.test"
    )));
    assert!(open(form("/auth/sign_up", "x=1")));
    let header = [("x-http-method-override", "PATCH")];
    let by_header = Ask("POST", "/auth?user[email]=a%40b.test", &header, "").attempt();
    assert_eq!(by_header.endpoint, Door::EmailChange);
    assert_eq!(
        form("/invite/x", "_method=get").attempt().endpoint,
        Door::SignUpForm
    );
    let fault = form("/auth/setup", "a=%zz").fault();
    assert_eq!(fault.endpoint, Some(Door::EmailSetup));
}

#[test]
fn a_get_with_a_body_is_refused() {
    for header in [("content-length", "3"), ("transfer-encoding", "chunked")] {
        let fault = Ask("GET", "/auth/sign_up", &[header], "").fault();
        assert_eq!(fault.unreadable, Unreadable::Malformed);
        assert_eq!(fault.endpoint, Some(Door::SignUpForm));
    }
    Ask("GET", "/auth/sign_up", &[("content-length", "0")], "").attempt();
}

/// All that honest clients send gets to its door.
#[test]
fn the_honest_corpus_is_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rack/vectors.jsonl");
    let file = std::fs::read_to_string(path).expect("the vectors are checked in");
    let mut seen = 0;
    for line in file.lines() {
        let vector: serde_json::Value = serde_json::from_str(line).expect("a vector is JSON");
        if vector["honest"] != true {
            continue;
        }
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let headers = vector["headers"].as_array().expect("headers");
        let headers: Vec<_> = headers
            .iter()
            .map(|pair| (text(&pair[0]), text(&pair[1])))
            .collect();
        let headers: Vec<_> = headers
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        let (verb, target, body) = (
            text(&vector["method"]),
            text(&vector["target"]),
            text(&vector["body"]),
        );
        let reading = Ask(&verb, &target, &headers, &body).read();
        let open = body.contains("_method=delete");
        match reading {
            Ok(Reading::Attempt(_)) => assert!(!open, "{}", vector["name"]),
            Ok(Reading::Open) => assert!(open, "{}", vector["name"]),
            Err(fault) => panic!("{}: {fault}", vector["name"]),
        }
        seen += 1;
    }
    assert!(seen >= 150, "only {seen} honest requests");
}
