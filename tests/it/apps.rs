//! Apps: banned by any mark they carry, allowed by `client_id` alone; learned
//! where they come to be, imported, or asked for.

use tuskgate::admin::answer::from_store;
use tuskgate::admin::ask::{Ask, Target};
use tuskgate::app::{App, AppName, AppSource, ClientId};
use tuskgate::ban::{Effect, Scopes};
use tuskgate::endpoint::Endpoint;
use tuskgate::verdict::Rule;

use crate::support::doors::{DOORS, Door};
use crate::support::judged::{ANA, BEN, Credential, House, OOB, Person, Plan, list};

/// An app as the marks of it that a ban can name.
struct Marks<'a> {
    name: &'a str,
    redirect_uri: &'a str,
    website: &'a str,
}

const HONEST: Marks<'_> = Marks {
    name: "Weekend project",
    redirect_uri: "https://weekend.example/callback",
    website: "https://weekend.example",
};

fn create(person: &mut Person, marks: &Marks<'_>) -> crate::support::caller::Answer {
    person.post(
        "/api/v1/apps",
        &[
            ("client_name", marks.name),
            ("redirect_uris", marks.redirect_uri),
            ("website", marks.website),
            ("scopes", "read write"),
        ],
    )
}

/// Statuses of: a token, a sign-up with one, and the authorisation page.
fn uses(house: &House, app: &Credential, token: &str) -> [u16; 3] {
    let mut person = house.person(BEN);
    let page = format!("/oauth/authorize?response_type=code&client_id={}", app.id);
    [
        person.ask_token(app, "client_credentials", "read").status,
        person.sign_up(token, "ben", "ben@good.example").status,
        person.get(&page).status,
    ]
}

const ADMITTED: [u16; 3] = [200, 200, 404];
const REFUSED: [u16; 3] = [403, 403, 403];

#[test]
fn a_client_id_is_refused_wherever_it_is_used() {
    let house = Plan::default().build();
    let mut person = house.person(ANA);
    let (app, other) = (person.app("Bad"), person.app("Good"));
    let (token, good) = (person.token(&app), person.token(&other));
    house.ban(Target::ClientId(app.id.clone()));
    let before = house.stage.mastodon.asked();
    assert_eq!(uses(&house, &app, &token), REFUSED);
    assert_eq!(house.stage.mastodon.asked(), before, "not even looked up");
    assert_eq!(uses(&house, &other, &good), ADMITTED);
    let basic = format!("Basic {}", base64(&format!("{}:{}", app.id, app.secret)));
    let in_header = house.person(BEN).post_with(
        "/oauth/token",
        &[("Authorization", &basic)],
        &[("grant_type", "client_credentials")],
    );
    assert_eq!(in_header.status, 403);
    assert_eq!(in_header.json()["error"], "access_denied");
}

#[test]
fn creation_is_refused_by_name_redirect_uri_and_website() {
    let house = Plan::default().build();
    house.ban(Target::AppName("AaA".into()));
    house.ban(Target::RedirectUri("https://evil.example/cb".into()));
    house.ban(Target::RedirectUri("evilapp://cb".into()));
    house.ban(Target::Website("spam.example".into()));
    let cases = [
        (HONEST, true),
        (
            Marks {
                name: "AaA",
                ..HONEST
            },
            false,
        ),
        (
            Marks {
                name: " aaA ",
                ..HONEST
            },
            false,
        ),
        (
            Marks {
                name: "\u{410}\u{430}\u{410}",
                ..HONEST
            },
            false,
        ),
        (
            Marks {
                name: "AaAb",
                ..HONEST
            },
            true,
        ),
        (
            Marks {
                redirect_uri: "https://EVIL.example:8443/other",
                ..HONEST
            },
            false,
        ),
        (
            Marks {
                redirect_uri: "https://good.example/cb evilapp://cb",
                ..HONEST
            },
            false,
        ),
        (
            Marks {
                redirect_uri: "https://notevil.example/cb",
                ..HONEST
            },
            true,
        ),
        (
            Marks {
                website: "http://spam.example/about",
                ..HONEST
            },
            false,
        ),
        (
            Marks {
                website: "https://ham.example",
                ..HONEST
            },
            true,
        ),
    ];
    for (number, (marks, admitted)) in cases.iter().enumerate() {
        let before = house.reached("/api/v1/apps");
        let answer = create(&mut house.person(ANA), marks);
        let status = if *admitted { 200 } else { 422 };
        assert_eq!(answer.status, status, "{number}: {}", answer.text());
        assert_eq!(
            house.reached("/api/v1/apps") > before,
            *admitted,
            "{number}"
        );
    }
    let settings = house.person(ANA).post(
        "/settings/applications",
        &[
            ("doorkeeper_application[name]", "AAA"),
            ("doorkeeper_application[redirect_uri]", OOB),
        ],
    );
    assert_eq!(settings.status, 422, "{}", settings.text());
    assert_eq!(house.reached("/settings/applications"), 0);
}

#[test]
fn an_app_from_before_the_ban_is_refused_by_what_it_called_itself() {
    let house = Plan::default().build();
    let mut person = house.person(ANA);
    let by_name = person.app("AaA");
    let by_uri = person.app_at("Other", "https://evil.example/cb");
    let tokens = [person.token(&by_name), person.token(&by_uri)];
    house.ban(Target::AppName("aaa".into()));
    house.ban(Target::RedirectUri("evil.example".into()));
    for (app, token) in [&by_name, &by_uri].into_iter().zip(&tokens) {
        assert_eq!(uses(&house, app, token), REFUSED);
    }
    let event = house.last_event();
    assert_eq!(
        event.verdicts.first().map(|said| said.rule),
        Some(Rule::AppBan)
    );
}

#[test]
fn lists_of_apps_count_as_bans_do() {
    let (_folder, file) = list("name AaA\nredirect-uri evil.example\nwebsite spam.example\n");
    let mut plan = Plan::default();
    plan.files.apps = vec![file];
    let house = plan.build();
    for marks in [
        Marks {
            name: "aAa",
            ..HONEST
        },
        Marks {
            redirect_uri: "https://evil.example/",
            ..HONEST
        },
        Marks {
            website: "https://spam.example",
            ..HONEST
        },
    ] {
        assert_eq!(create(&mut house.person(ANA), &marks).status, 422);
    }
    assert_eq!(create(&mut house.person(ANA), &HONEST).status, 200);
}

#[test]
fn an_app_is_allowed_by_client_id_and_by_nothing_else() {
    let house = Plan::default().build();
    let mut person = house.person(ANA);
    let (app, twin) = (person.app("AaA"), person.app("AaA"));
    let (token, twins) = (person.token(&app), person.token(&twin));
    house.ban(Target::AppName("AaA".into()));
    house.decide(
        Target::AppName("AaA".into()),
        Effect::Allow,
        Scopes::DEFAULT,
    );
    assert_eq!(
        uses(&house, &app, &token),
        REFUSED,
        "its name excuses nobody"
    );
    house.allow(Target::ClientId(app.id.clone()));
    assert_eq!(uses(&house, &app, &token), ADMITTED);
    assert_eq!(uses(&house, &twin, &twins), REFUSED);
}

/// A ban on an app silences nothing and refuses nothing at doors without apps.
#[test]
fn app_bans_count_at_their_doors_only() {
    let house = Plan::default().build();
    house.ban(Target::ClientId("some-client".into()));
    house.ban(Target::AppName("Weekend project".into()));
    let refused: Vec<_> = DOORS
        .iter()
        .filter(|door| !door.tries(&house, ANA, "ana@good.example").0)
        .map(|door| door.endpoint)
        .collect();
    let expected = [
        Endpoint::AppCreate,
        Endpoint::AppSettings,
        Endpoint::Token,
        Endpoint::Authorize,
    ];
    assert_eq!(refused, expected);
}

#[test]
fn an_imported_app_is_known_by_name_and_established() {
    let house = Plan::default().build();
    let app = App {
        client_id: ClientId::new("imported-client"),
        name: AppName::new("Old friend"),
        redirect_uris: vec!["https://old.example/cb".into()],
        website: None,
        creator: None,
        created: crate::support::judged::now(),
        source: AppSource::Import,
        credential: None,
    };
    let store = house.judge.store().clone();
    house.block(async move { from_store(Ask::ImportApps { apps: vec![app] }, &store).await });
    house.ban(Target::RedirectUri("old.example".into()));
    let page = "/oauth/authorize?client_id=imported-client";
    assert_eq!(house.person(ANA).get(page).status, 403);
    let event = house.last_event();
    assert_eq!(
        event.app_name.map(|name| name.as_str().to_owned()),
        Some("Old friend".into())
    );
}

/// The door of the token knows an app that is older than the gate only by id,
/// until a token of it has shown its name.
#[test]
fn the_name_of_an_unknown_app_is_asked_for() {
    let house = Plan::default().build();
    let mut around = Person::new(house.stage.mastodon.address(), ANA);
    let app = around.app("AaA");
    house.ban(Target::AppName("AaA".into()));
    let mut bot = house.person(BEN);
    assert_eq!(
        bot.ask_token(&app, "client_credentials", "read").status,
        200
    );
    crate::support::judged::wait_until("the name is learned", || {
        house.reached("/api/v1/apps/verify_credentials") == 1
    });
    crate::support::judged::wait_until("the name is refused", || {
        bot.ask_token(&app, "client_credentials", "read").status == 403
    });
    let door = Door::of(Endpoint::Token);
    assert!(door.tries(&house, ANA, "").0, "others pass");
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_STANDARD.encode(text)
}
