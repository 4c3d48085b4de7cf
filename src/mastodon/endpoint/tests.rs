use http::Method;

use super::*;
use crate::endpoint::Endpoint as Door;

fn door(verb: &str, path: &str) -> Option<Door> {
    let method = Method::from_bytes(verb.as_bytes()).expect("a verb");
    endpoint(guarded_path(&method, path)?, &method)
}

/// Every path that reaches a door on some version.
const ROUTED: &[(&str, &str, Door)] = &[
    // Row 1 and 2; suffixes as routed by 4.1.
    ("POST", "/auth", Door::SignUp),
    ("POST", "/auth/", Door::SignUp),
    ("POST", "//auth", Door::SignUp),
    ("POST", "/auth//", Door::SignUp),
    ("POST", "///auth///", Door::SignUp),
    ("POST", "/auth.json", Door::SignUp),
    ("POST", "/auth.html", Door::SignUp),
    ("POST", "/auth.xml", Door::SignUp),
    ("POST", "/auth.foo", Door::SignUp),
    ("POST", "/auth.json/", Door::SignUp),
    ("POST", "/auth.%6a", Door::SignUp),
    ("PUT", "/auth", Door::EmailChange),
    ("PATCH", "//auth.json", Door::EmailChange),
    // Row 3.
    ("GET", "/auth/sign_up", Door::SignUpForm),
    ("HEAD", "/auth/sign_up.html", Door::SignUpForm),
    ("GET", "/invite/AbCd2345", Door::SignUpForm),
    ("GET", "/invite//AbCd2345.json/", Door::SignUpForm),
    // Row 5, 6, 19.
    ("PUT", "/auth/setup", Door::EmailSetup),
    ("PATCH", "/auth/setup.json", Door::EmailSetup),
    ("POST", "/auth/confirmation", Door::ConfirmationResend),
    ("POST", "/auth/confirmation.json", Door::ConfirmationResend),
    ("POST", "/auth//sign_in/", Door::SignIn),
    ("POST", "/auth/sign_in.json", Door::SignIn),
    // Row 8, 9, 10, 24.
    ("POST", "/api/v1/accounts", Door::ApiSignUp),
    ("POST", "/api/v1/accounts/", Door::ApiSignUp),
    ("POST", "/api/v1/accounts//", Door::ApiSignUp),
    ("POST", "//api/v1/accounts", Door::ApiSignUp),
    ("POST", "/api//v1/accounts", Door::ApiSignUp),
    ("POST", "/api/v1//accounts", Door::ApiSignUp),
    ("POST", "///api///v1///accounts///", Door::ApiSignUp),
    ("POST", "/api/v1/emails/confirmations", Door::ApiEmailChange),
    (
        "POST",
        "/api/v1/emails//confirmations/",
        Door::ApiEmailChange,
    ),
    ("POST", "/api/v1/apps", Door::AppCreate),
    ("POST", "/api/v1/apps/", Door::AppCreate),
    ("POST", "//api/v1/apps", Door::AppCreate),
    ("POST", "/api/v1//apps", Door::AppCreate),
    (
        "POST",
        "/api/v1/accounts/12/email_subscriptions",
        Door::Subscription,
    ),
    // Row 11, 12.
    ("POST", "/settings/applications", Door::AppSettings),
    ("POST", "/settings/applications.json", Door::AppSettings),
    ("POST", "/oauth/applications", Door::AppSettings),
    ("POST", "/oauth/applications.json/", Door::AppSettings),
    ("PATCH", "/oauth//applications/12.json", Door::AppSettings),
    ("PUT", "/settings/applications/new", Door::AppSettings),
    ("PUT", "/settings/applications/12", Door::AppSettings),
    (
        "PATCH",
        "/settings//applications/12.json/",
        Door::AppSettings,
    ),
    ("GET", "/settings/applications/12", Door::AppToken),
    ("HEAD", "/settings/applications/12.html", Door::AppToken),
    // Row 13.
    ("POST", "/oauth/token", Door::Token),
    ("POST", "/oauth/token/", Door::Token),
    ("POST", "/oauth/token//", Door::Token),
    ("POST", "//oauth//token//", Door::Token),
    ("POST", "/oauth/token.json", Door::Token),
    ("POST", "/oauth/token.xyz", Door::Token),
    ("POST", "/oauth/token.json/", Door::Token),
    ("POST", "/oauth/token.%6a", Door::Token),
    ("POST", "/oauth/token.a%2Fb", Door::Token),
    ("POST", "/oauth/token.json;x=1", Door::Token),
    ("POST", "/oauth/token.%ff", Door::Token),
    // Row 14.
    ("GET", "/oauth/authorize", Door::Authorize),
    ("HEAD", "/oauth/authorize", Door::Authorize),
    ("POST", "/oauth/authorize", Door::Authorize),
    ("GET", "//oauth/authorize.json", Door::Authorize),
    // Row 22.
    ("POST", "/invites", Door::InviteCreate),
    ("POST", "/invites.json", Door::InviteCreate),
    ("POST", "/admin/invites", Door::InviteCreate),
    ("POST", "/admin/invites.json", Door::InviteCreate),
];

/// What the router knows under no version, or what is no door.
const UNROUTED: &[(&str, &str)] = &[
    ("POST", ""),
    ("POST", "/"),
    ("POST", "//"),
    ("POST", "*"),
    ("POST", "auth"),
    ("POST", "/auth."),
    ("POST", "/auth.json.json"),
    ("POST", "/.json"),
    ("POST", "/auth/.json"),
    ("POST", "/AUTH"),
    ("POST", "/Auth"),
    ("POST", "/%61uth"),
    ("POST", "/auth;x"),
    ("POST", "/auth%2F"),
    ("POST", "/auth%00"),
    ("POST", "/./auth"),
    ("POST", "/x/../auth"),
    ("POST", "/en/auth"),
    ("GET", "/auth"),
    ("GET", "/auth/setup"),
    ("GET", "/auth/edit"),
    ("DELETE", "/auth"),
    ("GET", "/auth/confirmation"),
    ("GET", "/auth/sign_in"),
    ("PUT", "/auth/sign_in"),
    ("POST", "/auth/password"),
    ("POST", "/auth/auth/saml/callback"),
    ("POST", "/api/v1/accounts.json"),
    ("POST", "/api/v1/accounts.JSON"),
    ("POST", "/api/v1/accounts.html"),
    ("POST", "/api/v1/accounts."),
    ("POST", "/api/v1/accounts.json/"),
    ("POST", "/api/v1/accounts/.json"),
    ("POST", "/api/v1/%61ccounts"),
    ("POST", "/%61pi/v1/accounts"),
    ("POST", "/api%2Fv1/accounts"),
    ("POST", "/api/v1%2Faccounts"),
    ("POST", "/api/v1/accounts%2F"),
    ("POST", "/api/v1/accounts%2Ejson"),
    ("POST", "/api/v1/accounts%00"),
    ("POST", "/api/v1/accounts%20"),
    ("POST", "/api/v1/accounts%0a"),
    ("POST", "/api/v1/accounts%3Fx=1"),
    ("POST", "/api/v1/accounts%23"),
    ("POST", "/api/v1/%2561ccounts"),
    ("POST", "/API/v1/accounts"),
    ("POST", "/api/V1/accounts"),
    ("POST", "/api/v1/Accounts"),
    ("POST", "/api/v1/accounts;x=1"),
    ("POST", "/api/v1;x=1/accounts"),
    ("POST", "/api/v1/./accounts"),
    ("POST", "/api/v1/accounts/."),
    ("POST", "/api/v1/x/../accounts"),
    ("POST", "/api/v1/%2e/accounts"),
    ("POST", "/x/..//api/v1/accounts"),
    ("POST", "/api\\v1\\accounts"),
    ("POST", "/api/v1/accounts/1"),
    ("POST", "/api/v1/accounts/new"),
    ("POST", "/api/v1/accounts/1/follow"),
    ("POST", "/api/v1/accounts/1.2/email_subscriptions"),
    ("POST", "/api/v1/accounts/1/email_subscriptions.json"),
    ("POST", "/api/v1/accounts/1/email_subscriptions/2"),
    ("POST", "/api/v2/accounts"),
    ("POST", "/api/v1/accounts/%"),
    ("POST", "/api/v1/accounts%ff"),
    ("GET", "/api/v1/accounts"),
    ("PUT", "/api/v1/accounts"),
    ("POST", "/api/v1/emails/confirmations.json"),
    ("POST", "/api/v1/emails"),
    ("POST", "/api/v1/apps.json"),
    ("POST", "/api/v1/apps.html"),
    ("POST", "/api/v1/%61pps"),
    ("POST", "/API/v1/apps"),
    ("POST", "/api/v1/apps;x"),
    ("POST", "/api/v1/./apps"),
    ("GET", "/api/v1/apps/verify_credentials"),
    ("GET", "/api/v1/timelines/home"),
    ("POST", "/oauth/token."),
    ("POST", "/oauth/token.a.b"),
    ("POST", "/oauth/token%2ejson"),
    ("POST", "/oauth/tok%65n"),
    ("POST", "/oauth/%74oken"),
    ("POST", "/%6fauth/token"),
    ("POST", "/OAuth/token"),
    ("POST", "/oauth/Token"),
    ("POST", "/oauth/token;x=1"),
    ("POST", "/oauth/./token"),
    ("POST", "/oauth/x/../token"),
    ("POST", "/oauth/token%00"),
    ("POST", "/oauth/token%2F"),
    ("POST", "/oauth/token/info/../"),
    ("GET", "/oauth/token"),
    ("PUT", "/oauth/token"),
    ("GET", "/oauth/token/info"),
    ("POST", "/oauth/revoke"),
    ("DELETE", "/oauth/authorize"),
    ("GET", "/oauth/authorize/native"),
    ("GET", "/settings/applications"),
    ("GET", "/settings/applications/new"),
    ("GET", "/oauth/applications"),
    ("GET", "/oauth/applications/12"),
    ("DELETE", "/settings/applications/12"),
    ("POST", "/settings/applications/12/regenerate"),
    ("POST", "/settings/applications.json/12"),
    ("GET", "/invite"),
    ("GET", "/invites"),
    ("POST", "/inbox"),
    ("POST", "/users/alice/inbox"),
    ("POST", "/media"),
];

#[test]
fn routed_paths_reach_their_door() {
    for (verb, path, expected) in ROUTED {
        assert_eq!(door(verb, path), Some(*expected), "{verb} {path}");
    }
}

#[test]
fn unrouted_paths_reach_none() {
    for (verb, path) in UNROUTED {
        assert_eq!(door(verb, path), None, "{verb} {path}");
    }
}

#[test]
fn every_door_is_in_the_table() {
    for expected in Door::ALL {
        assert!(
            ROUTED.iter().any(|(_, _, door)| *door == expected),
            "{expected:?}"
        );
    }
}

/// A POST may become any verb, so it is held on every guarded path.
#[test]
fn a_post_is_held_wherever_another_verb_would_be() {
    for (verb, path, expected) in ROUTED {
        let method = Method::from_bytes(verb.as_bytes()).expect("a verb");
        let held = guarded_path(&Method::POST, path).expect("a guarded path");
        assert_eq!(endpoint(held, &method), Some(*expected), "{verb} {path}");
    }
}

/// Only POST can change its verb, so what reaches no door is not held.
#[test]
fn other_verbs_are_held_only_at_their_doors() {
    for verb in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "LINK"] {
        let method = Method::from_bytes(verb.as_bytes()).expect("a verb");
        for (_, path, _) in ROUTED {
            let held = guarded_path(&method, path);
            assert!(held.is_none_or(|path| endpoint(path, &method).is_some()));
        }
    }
}

#[test]
fn invite_codes() {
    for (path, code) in [
        ("/invite/AbCd2345", Some("AbCd2345")),
        ("//invite//AbCd2345.json/", Some("AbCd2345")),
        ("/invite/a%62", Some("a%62")),
        ("/auth/sign_up", None),
        ("/invite", None),
    ] {
        assert_eq!(invite_code(path), code, "{path}");
    }
}
