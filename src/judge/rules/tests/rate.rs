//! `rate`: which dimensions an attempt draws on, and what is given back.

use ipnet::IpNet;
use jiff::SignedDuration;

use super::{app, attempt, key, now, word};
use crate::app::{App, AppName, AppSource, ClientId, Credential, NewApp};
use crate::attempt::{Attempt, ClientIp, Grant, Unknown};
use crate::endpoint::Endpoint;
use crate::event::Outcome;
use crate::judge::app_sight::AppSight;
use crate::judge::limit::Limit;
use crate::judge::policy::Limits;
use crate::judge::rules::address::Mailbox;
use crate::judge::rules::rate::{self, Asked, Dimension, Keep};
use crate::secret::Secret;

fn limits() -> Limits {
    let all = Limit::ALL.map(|limit| (limit, limit.default_budget()));
    all.into_iter().collect()
}

struct Case {
    attempt: Attempt,
    app: AppSight,
    proven: bool,
    servers: Option<Vec<IpNet>>,
}

impl Case {
    fn at(endpoint: Endpoint, email: Option<&str>) -> Self {
        Self {
            attempt: attempt(endpoint, email),
            app: AppSight::None,
            proven: false,
            servers: None,
        }
    }

    fn through(self, app: App, proven: bool) -> Self {
        let app = AppSight::Known(app.into());
        Self {
            app,
            proven,
            ..self
        }
    }

    fn grant(mut self, grant: Grant) -> Self {
        self.attempt.grant = Some(grant);
        self
    }

    fn dimensions(&self) -> Vec<Dimension> {
        let asked = Asked {
            attempt: &self.attempt,
            mailbox: Mailbox::of(&self.attempt, &key()),
            app: &self.app,
            proven: self.proven,
            own_servers: self.servers.as_deref(),
        };
        rate::dimensions(&asked, &limits(), &key())
    }

    fn names(&self) -> Vec<&'static str> {
        let all = self.dimensions();
        all.iter().map(|dimension| dimension.limit.name()).collect()
    }
}

/// One app of a listed web client serves all its users, once it is old enough
/// not to have been made for an attack; its name alone gives nothing.
#[test]
fn an_established_web_client_has_the_budget_of_its_users() {
    let elk = |uri: &str, age: SignedDuration| App {
        name: AppName::new("Elk"),
        redirect_uris: vec![uri.into()],
        created: now() - age,
        source: AppSource::Learn,
        ..app("e", "Elk")
    };
    let burst = |app: App| {
        let case = Case::at(Endpoint::ApiSignUp, Some("ana@gmail.com")).through(app, true);
        let all = case.dimensions();
        let own = all.iter().find(|d| d.limit == Limit::SignUpPerApp);
        own.expect("counted by app").charge.quota.burst().get()
    };
    let one = Limit::SignUpPerApp.default_budget().quota.burst().get();
    let (day, hour) = (
        SignedDuration::from_hours(25),
        SignedDuration::from_hours(1),
    );
    assert_eq!(burst(elk("https://elk.zone/cb", day)), 10 * one);
    assert_eq!(burst(elk("https://elk.zone/cb", hour)), one);
    assert_eq!(burst(elk("https://evil.example/cb", day)), one);
    assert_eq!(burst(tusky()), one, "an installation is an installation");
}

const TUSKY: &str = "oauth2redirect://com.keylesspalace.tusky/";

fn tusky() -> App {
    App {
        redirect_uris: vec![TUSKY.into()],
        website: None,
        ..app("t", "Tusky")
    }
}

fn old(app: App) -> App {
    App {
        created: now() - SignedDuration::from_hours(25),
        ..app
    }
}

#[test]
fn dimensions_of_sign_ups() {
    let email = Some("a.b+c@own.example");
    let own = Case {
        servers: Some(vec!["192.0.2.25/32".parse().expect("a network")]),
        ..Case::at(Endpoint::SignUp, email)
    };
    let network = ["sign-up-per-network", "sign-up-per-wide-network"];
    let with = |more: &[&'static str]| [&network[..], more].concat();
    assert_eq!(
        own.names(),
        with(&[
            "sign-up-per-mailbox",
            "sign-up-per-mail-domain",
            "sign-up-per-mail-server",
            "sign-up-total",
        ])
    );
    let shared = Case::at(Endpoint::SignUp, email);
    assert_eq!(
        shared.names(),
        with(&["sign-up-per-mailbox", "sign-up-total"])
    );
    let api = |app, proven| Case::at(Endpoint::ApiSignUp, email).through(app, proven);
    let named = with(&[
        "sign-up-per-mailbox",
        "sign-up-per-app",
        "sign-up-per-name",
        "sign-up-total",
    ]);
    assert_eq!(api(app("x", "AaA"), true).names(), named);
    let listed = with(&["sign-up-per-mailbox", "sign-up-per-app", "sign-up-total"]);
    assert_eq!(api(tusky(), true).names(), listed);
    let unproven = with(&["sign-up-per-mailbox", "sign-up-total"]);
    assert_eq!(api(app("x", "AaA"), false).names(), unproven);
    let unresolved = Case {
        app: AppSight::Unresolved,
        ..Case::at(Endpoint::ApiSignUp, email)
    };
    assert_eq!(unresolved.names(), listed, "such share one bucket");
}

#[test]
fn dimensions_of_tokens() {
    let case = |app, proven, grant| {
        Case::at(Endpoint::Token, None)
            .through(app, proven)
            .grant(grant)
            .names()
    };
    let network = ["token-per-network", "token-per-wide-network"];
    let with = |more: &[&'static str]| [&network[..], more].concat();
    for grant in [Grant::ClientCredentials, Grant::Password, Grant::Other] {
        assert_eq!(
            case(app("x", "AaA"), true, grant),
            with(&["token-per-app", "token-per-name", "token-total"])
        );
        assert_eq!(
            case(tusky(), true, grant),
            with(&["token-per-app", "token-total"])
        );
        assert_eq!(case(app("x", "AaA"), false, grant), with(&["token-total"]));
    }
    let login = Grant::AuthorizationCode;
    assert_eq!(
        case(app("x", "AaA"), true, login),
        with(&["code-per-app", "token-total"])
    );
    for established in [
        tusky(),
        old(app("x", "AaA")),
        App {
            source: AppSource::Import,
            ..app("x", "AaA")
        },
    ] {
        assert_eq!(case(established, true, login), with(&[]));
    }
}

#[test]
fn dimensions_of_apps_and_invites() {
    let create = |name: &str, uri: &str| {
        let mut case = Case::at(Endpoint::AppCreate, None);
        case.attempt.new_app = Some(NewApp {
            name: AppName::new(name),
            redirect_uris: vec![uri.into()],
            website: None,
        });
        case.names()
    };
    let network = ["app-per-network", "app-per-wide-network"];
    let with = |more: &[&'static str]| [&network[..], more].concat();
    assert_eq!(create("AaA", "x:y"), with(&["app-per-name", "app-total"]));
    assert_eq!(create("Tusky", TUSKY), with(&["app-total"]));
    assert_eq!(create("Tusky", "x:y"), with(&["app-per-name", "app-total"]));
    let invites = Case::at(Endpoint::InviteCreate, None);
    assert_eq!(invites.names(), ["invite-per-network"]);
    for door in [
        Endpoint::SignIn,
        Endpoint::Authorize,
        Endpoint::ConfirmationResend,
    ] {
        assert!(Case::at(door, Some("a@own.example")).names().is_empty());
    }
}

#[test]
fn a_client_that_stands_for_nobody_has_no_network_budget() {
    let mut case = Case::at(Endpoint::SignUp, None);
    case.attempt.client = ClientIp::Unknown(Unknown::Missing);
    assert_eq!(case.names(), ["sign-up-total"]);
    let unknown = rate::pass(case.attempt.client);
    assert_eq!(word(&unknown), "client unknown");
    let looks = |client| rate::look_up(client, &limits(), &key());
    let bucket = |charges: Vec<crate::store::limiter::Charge>| charges.first().map(|c| c.key);
    let nobody = bucket(looks(case.attempt.client));
    assert_eq!(
        nobody,
        bucket(looks(ClientIp::Unknown(Unknown::Private(
            [10, 0, 0, 1].into()
        ))))
    );
    assert_ne!(
        nobody,
        bucket(looks(ClientIp::Known([203, 0, 113, 7].into())))
    );
}

/// Two attempts share a budget exactly if they are alike in its dimension.
#[test]
fn keys_are_shared_by_what_is_alike() {
    let same = |limit: Limit, one: &Case, other: &Case| {
        let key = |case: &Case| {
            let all = case.dimensions();
            let found = all.into_iter().find(|dimension| dimension.limit == limit);
            found.expect("the dimension").charge.key
        };
        key(one) == key(other)
    };
    let at = |client: &str| {
        let mut case = Case::at(Endpoint::SignUp, Some("a@own.example"));
        case.attempt.client = ClientIp::Known(client.parse().expect("an address"));
        case
    };
    let narrow = Limit::SignUpPerNetwork;
    let wide = Limit::SignUpPerWideNetwork;
    assert!(!same(narrow, &at("203.0.113.7"), &at("203.0.113.8")));
    assert!(same(wide, &at("203.0.113.7"), &at("203.0.113.8")));
    assert!(!same(wide, &at("203.0.113.7"), &at("203.0.114.7")));
    assert!(same(narrow, &at("2001:db8::1"), &at("2001:db8::ffff:1")));
    assert!(!same(narrow, &at("2001:db8::1"), &at("2001:db8:0:1::1")));
    assert!(same(wide, &at("2001:db8::1"), &at("2001:db8:0:1::1")));
    let mail = |email| Case::at(Endpoint::SignUp, Some(email));
    let mailbox = Limit::SignUpPerMailbox;
    assert!(same(
        mailbox,
        &mail("a.b@own.example"),
        &mail("ab+x@own.example")
    ));
    assert!(!same(
        mailbox,
        &mail("a.b@own.example"),
        &mail("a.c@own.example")
    ));
    let through = |id: &str, name: &str| {
        Case::at(Endpoint::Token, None)
            .through(app(id, name), true)
            .grant(Grant::ClientCredentials)
    };
    assert!(same(
        Limit::TokenPerName,
        &through("x", "AaA"),
        &through("y", "aaa")
    ));
    assert!(!same(
        Limit::TokenPerApp,
        &through("x", "AaA"),
        &through("y", "aaa")
    ));
    assert!(!same(
        Limit::TokenPerName,
        &through("x", "AaA"),
        &through("y", "BbB")
    ));
}

/// What came to nothing is given back everywhere but at the client's own network.
#[test]
fn settling() {
    for limit in Limit::ALL {
        assert_eq!(rate::settle(limit, Outcome::Create), Keep::Yes, "{limit}");
        assert_eq!(rate::settle(limit, Outcome::Unclear), Keep::Yes, "{limit}");
        let kept = rate::settle(limit, Outcome::Fail) == Keep::Yes;
        let stays = limit.name().ends_with("-network") || limit == Limit::SignUpPerInvite;
        assert_eq!(kept, stays, "{limit}");
    }
}

#[test]
fn a_credential_is_the_pair() {
    let with = |id: &str, secret: Option<&str>| {
        let mut attempt = attempt(Endpoint::Token, None);
        attempt.credential = Some(Credential {
            client_id: ClientId::new(id),
            client_secret: secret.map(Secret::new),
        });
        rate::credential_hash(&attempt, &key())
    };
    assert!(with("a", None).is_none());
    assert_eq!(with("a", Some("s")), with("a", Some("s")));
    assert_ne!(with("a", Some("s")), with("a", Some("t")));
    assert_ne!(with("a", Some("bs")), with("ab", Some("s")));
}
