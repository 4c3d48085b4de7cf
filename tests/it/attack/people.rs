//! How people of the attack test sign up: by an app in each of the three
//! encodings, or by the web form in the two that browsers send.

use serde_json::Value;

use super::super::support::caller::{Caller, Encoding};
use super::addresses::{address, honest_mail};
use super::{BEHIND_ONE_ADDRESS, OOB};

/// A client id and its secret.
pub(super) struct App {
    id: String,
    secret: String,
}

pub(super) fn credentials(made: &Value) -> App {
    let text = |key: &str| made[key].as_str().unwrap_or_default().to_owned();
    App {
        id: text("client_id"),
        secret: text("client_secret"),
    }
}

pub(super) fn client_credentials(app: &App) -> [(&str, &str); 4] {
    [
        ("grant_type", "client_credentials"),
        ("client_id", &app.id),
        ("client_secret", &app.secret),
        ("scope", "read write"),
    ]
}

pub(super) fn person<'a>(name: &'a str, email: &'a str) -> [(&'static str, &'a str); 5] {
    [
        ("username", name),
        ("email", email),
        ("password", "correct-horse-battery"),
        ("agreement", "true"),
        ("locale", "en"),
    ]
}

/// One person: by an app in each of the three encodings, or by the web form in
/// the two that browsers send.
pub(super) fn honest_sign_up(caller: &mut Caller, n: usize) -> Result<(), String> {
    let from = if n < BEHIND_ONE_ADDRESS {
        address(5, 999)
    } else {
        address(5, n)
    };
    caller.become_other(from);
    let name = format!("person{n}");
    let email = format!("first.last{n}@{}", honest_mail(n).0);
    match n % 5 {
        form @ (0 | 1) => web_sign_up(caller, &name, &email, Encoding::ALL[form]),
        form => app_sign_up(caller, n, &person(&name, &email), Encoding::ALL[form - 2]),
    }
}

/// Known clients and an unknown one, as an installation registers itself.
const CLIENTS: [(&str, &str, &str); 4] = [
    (
        "Tusky",
        "oauth2redirect://com.keylesspalace.tusky/",
        "https://tusky.app",
    ),
    (
        "Mastodon for Android",
        "mastodon-android-auth://callback",
        "https://app.joinmastodon.org/android",
    ),
    (
        "Mastodon for iOS",
        "mastodon://joinmastodon.org/oauth",
        "https://app.joinmastodon.org/ios",
    ),
    ("Weekend project", OOB, "https://weekend.example"),
];

/// Small apps, each of its own name: a number behind one name would be one look.
const SMALL_APPS: [&str; 10] = [
    "Anchor", "Birch", "Comet", "Dune", "Ember", "Fjord", "Gull", "Heron", "Iris", "Juniper",
];

fn app_sign_up(
    caller: &mut Caller,
    n: usize,
    person: &[(&str, &str)],
    encoding: Encoding,
) -> Result<(), String> {
    let (name, redirect, website) = CLIENTS[n % CLIENTS.len()];
    // A small app has a few people, not a quarter of all.
    let name = if redirect == OOB {
        format!("{} {name}", SMALL_APPS[n / 20 % SMALL_APPS.len()])
    } else {
        name.to_owned()
    };
    let fields = [
        ("client_name", name.as_str()),
        ("redirect_uris", redirect),
        ("website", website),
        ("scopes", "read write follow push"),
    ];
    let app = credentials(&expect(
        caller,
        "/api/v1/apps",
        encoding,
        &fields,
        None,
        200,
    )?);
    let token = expect(
        caller,
        "/oauth/token",
        encoding,
        &client_credentials(&app),
        None,
        200,
    )?;
    expect(
        caller,
        "/api/v1/accounts",
        encoding,
        person,
        token["access_token"].as_str(),
        200,
    )?;
    Ok(())
}

/// The form with its CSRF token and cookie, then the form sent.
pub(super) fn web_sign_up(
    caller: &mut Caller,
    name: &str,
    email: &str,
    encoding: Encoding,
) -> Result<(), String> {
    let page = caller
        .get("/auth/sign_up")
        .map_err(|fault| fault.to_string())?
        .text();
    let token = page
        .split("name=\"authenticity_token\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .ok_or("a page without a form")?
        .to_owned();
    let fields = [
        ("authenticity_token", token.as_str()),
        ("user[account_attributes][username]", name),
        ("user[email]", email),
        ("user[password]", "correct-horse-battery"),
        ("user[password_confirmation]", "correct-horse-battery"),
        ("user[website]", ""),
        ("user[confirm_password]", ""),
        ("user[agreement]", "0"),
        ("user[agreement]", "1"),
    ];
    expect(caller, "/auth", encoding, &fields, None, 302)?;
    Ok(())
}

fn expect(
    caller: &mut Caller,
    target: &str,
    encoding: Encoding,
    fields: &[(&str, &str)],
    bearer: Option<&str>,
    status: u16,
) -> Result<Value, String> {
    let answer = caller
        .post(target, encoding, fields, bearer)
        .map_err(|fault| format!("{target}: {fault}"))?;
    if answer.status == status {
        Ok(answer.json())
    } else {
        Err(format!(
            "{target} as {encoding:?}: {} {}",
            answer.status,
            answer.text()
        ))
    }
}
