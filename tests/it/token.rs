//! `rate`: what each budget counts, who pays, and what is given back.

use tuskgate::judge::limit::Limit;
use tuskgate::verdict::{Mode, Rule};

use crate::support::actor::{Actor, json};
use crate::support::judged::{ANA, Credential, House, Person, Plan, wait_until};

/// One of many client addresses, each in a /24 of its own.
fn address(number: usize) -> String {
    format!("45.{}.{}.{}", number / 200, number % 200, 1 + number % 250)
}

fn ask(house: &House, from: &str, app: &Credential) -> u16 {
    let mut person = house.person(from);
    person.ask_token(app, "client_credentials", "read").status
}

/// Apps that existed before the gate did are asked of the upstream itself.
fn around(house: &House) -> Person {
    Person::new(house.stage.mastodon.address(), ANA)
}

fn tokens_issued(house: &House) -> usize {
    house.reached("/oauth/token")
}

/// 2018 in small: many apps of one name, each address asking once.
#[test]
fn one_name_over_many_apps_and_addresses_has_one_budget() {
    let limits = [
        (Limit::TokenPerApp, "30/1h"),
        (Limit::TokenPerName, "12/1h"),
    ];
    // Of the limit alone: ten apps of one look are a burst as well.
    let plan = Plan::default().with_limits(&limits);
    let house = plan.with_mode(Rule::AppCluster, Mode::Off).build();
    let names = ["AaA", "aaa", "AAA", " AaA", "\u{410}a\u{410}"];
    let apps: Vec<_> = (0..10)
        .map(|n| house.person(&address(n)).app(names[n % names.len()]))
        .collect();
    let admitted = (0..60).filter(|n| ask(&house, &address(n + 20), &apps[n % 10]) == 200);
    assert_eq!(admitted.count(), 12);
    assert_eq!(
        tokens_issued(&house),
        12,
        "the others never reached the upstream"
    );
    let honest = house.person(ANA).app("Weekend project");
    assert_eq!(ask(&house, ANA, &honest), 200);
}

/// A name that a listed client has, with its redirect URI, has no shared budget.
#[test]
fn a_known_client_has_no_shared_name() {
    let limits = [(Limit::TokenPerName, "2/1h"), (Limit::TokenPerApp, "5/1h")];
    let house = Plan::default().with_limits(&limits).build();
    for (redirect, admitted) in [
        ("oauth2redirect://com.keylesspalace.tusky/", 6),
        ("https://not-tusky.example/cb", 2),
    ] {
        let count = (0..6)
            .filter(|&n| {
                let app = house.person(&address(n)).app_at("Tusky", redirect);
                ask(&house, &address(n), &app) == 200
            })
            .count();
        assert_eq!(count, admitted, "{redirect}");
    }
}

#[test]
fn one_app_has_a_budget_of_its_own_wherever_it_is_asked_from() {
    let limits = [(Limit::TokenPerApp, "4/1h")];
    let house = Plan::default().with_limits(&limits).build();
    let (app, other) = (house.person(ANA).app("One"), house.person(ANA).app("Two"));
    let statuses: Vec<_> = (0..7).map(|n| ask(&house, &address(n), &app)).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429, 429, 429]);
    assert_eq!(ask(&house, ANA, &other), 200);
}

/// Somebody who knows a `client_id`, which is public, cannot spend its budget.
#[test]
fn a_wrong_secret_spends_no_app_budget() {
    let limits = [
        (Limit::TokenPerApp, "3/1h"),
        (Limit::TokenPerName, "3/1h"),
        (Limit::TokenPerNetwork, "40/1h"),
    ];
    let house = Plan::default().with_limits(&limits).build();
    let app = house.person(ANA).app("Victim");
    let wrong = Credential {
        secret: "guessed".into(),
        ..app.clone()
    };
    for n in 0..20 {
        assert_eq!(ask(&house, &address(n), &wrong), 401);
    }
    for n in 0..3 {
        assert_eq!(ask(&house, &address(100 + n), &app), 200, "{n}");
    }
    assert_eq!(ask(&house, &address(200), &app), 429);
}

/// A right secret with a bad code comes to nothing and is given back; the
/// client's own network keeps its charge.
#[test]
fn what_comes_to_nothing_is_given_back_but_to_the_network() {
    let limits = [
        (Limit::CodePerApp, "2/1h"),
        (Limit::TokenPerNetwork, "5/1h"),
        (Limit::TokenPerWideNetwork, "100/1h"),
    ];
    let house = Plan::default().with_limits(&limits).build();
    let app = house.person(ANA).app("Fresh");
    let login = |from: &str, code: &str| {
        let mut person = house.person(from);
        person.ask_token(&app, "authorization_code", code).status
    };
    for n in 0..5 {
        let status = login("45.1.1.1", "bad");
        assert_eq!(status, 400, "{n}");
        settled(&house);
    }
    assert_eq!(login("45.1.1.1", "bad"), 429, "its own network has paid");
    assert_eq!(login("45.2.2.2", "good-1"), 200);
    assert_eq!(login("45.3.3.3", "good-2"), 200);
    assert_eq!(login("45.4.4.4", "good-3"), 429, "now the app has");
}

/// Logins through an app that is long known are never refused by a shared budget.
#[test]
fn a_login_through_an_established_app_is_not_counted() {
    let limits = [(Limit::CodePerApp, "1/1h"), (Limit::TokenTotal, "1/1h")];
    let house = Plan::default().with_limits(&limits).build();
    let app = around(&house).app("Old friend");
    let import = tuskgate::app::App {
        client_id: tuskgate::app::ClientId::new(&app.id),
        name: tuskgate::app::AppName::new("Old friend"),
        redirect_uris: Vec::new(),
        website: None,
        creator: None,
        created: crate::support::judged::now(),
        source: tuskgate::app::AppSource::Import,
        credential: None,
    };
    let store = house.judge.store().clone();
    house.block(async move {
        let ask = tuskgate::admin::ask::Ask::ImportApps { apps: vec![import] };
        tuskgate::admin::answer::from_store(ask, &store).await
    });
    for n in 0..6 {
        let mut person = house.person(&address(n));
        let answer = person.ask_token(&app, "authorization_code", &format!("code-{n}"));
        assert_eq!(answer.status, 200, "{n}: {}", answer.text());
        settled(&house);
    }
}

/// An app that the gate does not know pays once its secret has proven right.
#[test]
fn an_unknown_app_is_counted_once_it_is_proven() {
    let limits = [(Limit::TokenPerApp, "3/1h"), (Limit::TokenPerName, "3/1h")];
    let house = Plan::default().with_limits(&limits).build();
    let app = around(&house).app("Older than the gate");
    let mut admitted = 0;
    for n in 0..12 {
        admitted += usize::from(ask(&house, &address(n), &app) == 200);
        settled(&house);
    }
    assert_eq!(admitted, 3);
}

/// An upstream that does not say what an app is called does not switch its budget off.
#[test]
fn an_app_that_stays_nameless_is_counted_too() {
    let actor = Actor::new(|asked| match asked.path() {
        "/oauth/token" => json("200 OK", "{\"access_token\":\"t\"}"),
        _ => json("500 Internal Server Error", "{}"),
    });
    let plan = Plan {
        upstream: Some(actor.address),
        ..Plan::default().with_limits(&[(Limit::TokenPerApp, "3/1h")])
    };
    let house = plan.build();
    let app = Credential {
        id: "nameless".into(),
        secret: "right".into(),
    };
    let mut admitted = 0;
    for n in 0..10 {
        admitted += usize::from(ask(&house, &address(n), &app) == 200);
        settled(&house);
    }
    assert_eq!(admitted, 3);
}

/// Apps of one name that the gate has not seen come to be share their budget as well.
#[test]
fn unknown_apps_of_one_name_share_its_budget() {
    let limits = [(Limit::TokenPerName, "4/1h")];
    let house = Plan::default().with_limits(&limits).build();
    let apps: Vec<_> = (0..4).map(|_| around(&house).app("AaA")).collect();
    for (n, app) in apps.iter().enumerate() {
        assert_eq!(ask(&house, &address(n), app), 200, "unproven");
        settled(&house);
    }
    let later = (0..12).filter(|&n| ask(&house, &address(50 + n), &apps[n % 4]) == 200);
    assert!(later.count() <= 4);
}

/// In any span W a limit N/P admits at most N + ⌈N·W/P⌉, counted at the upstream.
#[test]
fn a_limit_holds_its_bound_at_the_upstream() {
    let limits = [(Limit::TokenPerApp, "5/2s")];
    let house = Plan::default().with_limits(&limits).build();
    let app = house.person(ANA).app("Eager");
    let began = std::time::Instant::now();
    let (mut asked, mut admitted) = (0, 0);
    // Until it has refilled as much as it holds, asked for more than it gives.
    wait_until("it refills", || {
        admitted += usize::from(ask(&house, &address(asked), &app) == 200);
        asked += 1;
        admitted > 10 && asked > 2 * admitted
    });
    let span = began.elapsed().as_secs_f64();
    let bound = 5 + (2.5 * span).ceil() as usize;
    assert_eq!(tokens_issued(&house), admitted);
    assert!(admitted <= bound, "{admitted} in {span} s");
}

#[test]
fn sign_ups_are_counted_by_network_mailbox_app_domain_and_server() {
    for (limit, emails, from_one_network) in [
        (
            Limit::SignUpPerNetwork,
            ["a@good.example", "b@good.example", "c@good.example"],
            true,
        ),
        (
            Limit::SignUpPerMailbox,
            ["a.a@good.example", "aa+1@good.example", "AA@good.example"],
            false,
        ),
        (
            Limit::SignUpPerMailDomain,
            ["a@good.example", "b@good.example", "c@good.example"],
            false,
        ),
        (
            Limit::SignUpPerMailServer,
            ["a@good.example", "b@two.example", "c@three.example"],
            false,
        ),
        (
            Limit::SignUpPerApp,
            ["a@good.example", "b@two.example", "c@three.example"],
            false,
        ),
        (
            Limit::SignUpTotal,
            ["a@good.example", "b@two.example", "c@three.example"],
            false,
        ),
    ] {
        let mut plan = Plan::default().with_limits(&[(limit, "2/1h")]);
        plan.zone
            .mx("two.example", 5, "mx.good.example")
            .mx("three.example", 5, "mx.good.example");
        let house = plan.build();
        let app = house.person(ANA).app("One");
        let token = house.person(ANA).token(&app);
        let statuses: Vec<_> = emails
            .iter()
            .enumerate()
            .map(|(n, email)| {
                let from = if from_one_network {
                    ANA.to_owned()
                } else {
                    address(n)
                };
                let mut person = house.person(&from);
                person.sign_up(&token, &format!("user{n}"), email).status
            })
            .collect();
        assert_eq!(statuses, [200, 200, 429], "{limit}");
    }
}

/// At a shared provider neither the domain nor the server has a budget.
#[test]
fn a_shared_provider_has_no_budget() {
    let limits = [
        (Limit::SignUpPerMailDomain, "1/1h"),
        (Limit::SignUpPerMailServer, "1/1h"),
    ];
    let mut plan = Plan::default().with_limits(&limits);
    plan.zone
        .mx("gmail.com", 5, "gmail-smtp-in.l.google.com")
        .ip("gmail-smtp-in.l.google.com", [142, 250, 1, 27]);
    let house = plan.build();
    for n in 0..4 {
        let answer = house
            .person(&address(n))
            .web_sign_up(&format!("user{n}"), &format!("user{n}@gmail.com"));
        assert_eq!(answer.status, 302, "{n}: {}", answer.text());
    }
}

/// One address of a carrier or a university: the defaults hold 200 people an
/// hour, each with an app, a token for it, an account and a login, some twice.
#[test]
fn two_hundred_people_behind_one_address_all_pass() {
    // An hour in a few seconds: to the breaker that would be a rush, and on a
    // machine slow enough for it to look it would cut the limits to a third.
    let mut plan = Plan::default().with_mode(Rule::Wave, Mode::Off);
    plan.zone
        .mx("gmail.com", 5, "gmail-smtp-in.l.google.com")
        .ip("gmail-smtp-in.l.google.com", [142, 250, 1, 27])
        .mx("outlook.com", 5, "outlook-com.olc.protection.outlook.com")
        .ip("outlook-com.olc.protection.outlook.com", [52, 101, 8, 1])
        .mx("uni.example", 5, "mx.uni.example")
        .ip("mx.uni.example", [192, 0, 2, 77]);
    let house = plan.build();
    let clients = [
        ("Tusky", "oauth2redirect://com.keylesspalace.tusky/"),
        ("Mastodon for Android", "mastodon-android-auth://callback"),
        ("Mastodon for iOS", "mastodon://joinmastodon.org/oauth"),
    ];
    let domains = ["gmail.com", "gmail.com", "outlook.com", "uni.example"];
    let mut person = house.person(ANA);
    for n in 0..200 {
        let (name, redirect) = clients[n % clients.len()];
        let (name, mail) = match n % 20 {
            0 => (format!("My own client {}", n / 40), "uni.example"),
            _ => (name.to_owned(), domains[n % domains.len()]),
        };
        let app = person.app_at(&name, redirect);
        let token = person.token(&app);
        let email = format!("person{n}@{mail}");
        if n % 2 == 0 {
            let odd = person.sign_up(&token, "", &email);
            assert_eq!(odd.status, 422, "Mastodon's own: {}", odd.text());
        }
        let made = person.sign_up(&token, &format!("person{n}"), &email);
        assert_eq!(made.status, 200, "person {n}: {}", made.text());
        let login = person.ask_token(&app, "authorization_code", &format!("code{n}"));
        assert_eq!(login.status, 200, "person {n}: {}", login.text());
    }
    assert_eq!(house.stage.mastodon.accounts(), 200);
}

/// Waits until every reply so far has been settled and learned from.
fn settled(house: &House) {
    wait_until("every reply is settled", || {
        let events = house.events();
        events
            .iter()
            .all(|event| !event.admitted || event.outcome.is_some())
    });
}
