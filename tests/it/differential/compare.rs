//! What the gate read of a forwarded request, held against what one Rails says
//! that it read of the same bytes.

use serde_json::Value;
use tuskgate::attempt::{Attempt, Grant};
use tuskgate::endpoint::Endpoint;
use tuskgate::mastodon::attempt::Reading;
use tuskgate::rack::{Params, Value as Ours};

use super::recorder::Heard;

/// The actions behind the doors: nothing else at Mastodon makes an account, an
/// app, a token or a changed address (SECURITY.md, "Doors").
fn actions(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::SignUp => &["Auth::RegistrationsController#create"],
        Endpoint::EmailChange => &["Auth::RegistrationsController#update"],
        Endpoint::SignUpForm => &["Auth::RegistrationsController#new"],
        Endpoint::EmailSetup => &["Auth::SetupController#update"],
        Endpoint::ConfirmationResend => &["Auth::ConfirmationsController#create"],
        Endpoint::ApiSignUp => &["Api::V1::AccountsController#create"],
        Endpoint::ApiEmailChange => &["Api::V1::Emails::ConfirmationsController#create"],
        Endpoint::AppCreate => &["Api::V1::AppsController#create"],
        Endpoint::AppSettings => &[
            "Settings::ApplicationsController#create",
            "Settings::ApplicationsController#update",
            "Doorkeeper::ApplicationsController#create",
            "Doorkeeper::ApplicationsController#update",
        ],
        Endpoint::AppToken => &["Settings::ApplicationsController#show"],
        Endpoint::Token => &["Oauth::TokensController#create"],
        Endpoint::Authorize => &[
            "Oauth::AuthorizationsController#new",
            "Oauth::AuthorizationsController#create",
        ],
        Endpoint::SignIn => &["Auth::SessionsController#create"],
        Endpoint::InviteCreate => &[
            "InvitesController#create",
            "Admin::InvitesController#create",
        ],
        Endpoint::Subscription => &["Api::V1::Accounts::EmailSubscriptionsController#create"],
        other => panic!("a door without an action: {other:?}"),
    }
}

/// How a comparison ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Both read the same.
    Equal,
    /// Rails reached no guarded action: nothing can come to be.
    Harmless,
    /// A way around the gate, or a reading that differs.
    Differs(String),
}

/// What Rails told.
pub(crate) struct Echo {
    /// Nothing if no action was reached.
    pub(crate) told: Option<Value>,
}

/// Holds `reading` (`None`: no door) against `echo`.
pub(crate) fn compare(heard: &Heard, reading: Option<&Reading>, echo: &Echo) -> Outcome {
    let Some(told) = &echo.told else {
        return Outcome::Harmless;
    };
    let action = told["action"].as_str().unwrap_or_default();
    let guarded = Endpoint::ALL
        .iter()
        .any(|door| actions(*door).contains(&action));
    let attempt = match reading {
        Some(Reading::Attempt(attempt)) => attempt,
        Some(Reading::Open) | None if guarded => {
            return Outcome::Differs(format!("let pass unread, reached {action}"));
        }
        Some(Reading::Open) | None => return Outcome::Equal,
    };
    if !guarded {
        return Outcome::Harmless;
    }
    if !actions(attempt.endpoint).contains(&action) {
        return Outcome::Differs(format!(
            "judged as {:?}, reached {action}",
            attempt.endpoint
        ));
    }
    if !told["fault"].is_null() {
        // The parameters cannot be had: the action ends in an error page.
        return Outcome::Harmless;
    }
    let faults = [
        parameters(heard, told),
        mailbox(attempt, told),
        fields(attempt, told),
        credentials(attempt, told),
        digest(heard, told),
        client(heard, told),
    ];
    match faults.into_iter().flatten().next() {
        Some(fault) => Outcome::Differs(fault),
        None => Outcome::Equal,
    }
}

/// All parameters, but those that Rails takes from the path.
fn parameters(heard: &Heard, told: &Value) -> Option<String> {
    let ours = match tuskgate::rack::read(&heard.head, &heard.body) {
        Ok(read) => read.params,
        Err(fault) => return Some(format!("unreadable after all: {fault}")),
    };
    let path = [
        "controller",
        "action",
        "format",
        "id",
        "account_id",
        "invite_code",
    ];
    let theirs = &told["typed"][1];
    let mut missing: Vec<&str> = ours.iter().map(|(key, _)| key).collect();
    for pair in theirs.as_array().into_iter().flatten() {
        let key = pair[0].as_str().unwrap_or_default();
        missing.retain(|ours| *ours != key);
        let equal = ours.get(key).is_some_and(|value| same(value, &pair[1]));
        if !equal && !path.contains(&key) {
            return Some(format!("parameter {key:?}: Rails has {}", pair[1]));
        }
    }
    missing.retain(|key| !path.contains(key));
    (!missing.is_empty()).then(|| format!("parameters {missing:?} are not at Rails: {theirs}"))
}

/// Typed equality: a text is no number.
fn same(ours: &Ours, typed: &Value) -> bool {
    let text = typed[1].as_str();
    match ours {
        Ours::Null => typed[0] == "null",
        Ours::Text(ours) => typed[0] == "text" && text == Some(ours),
        Ours::Number(ours) => typed[0] == "number" && text == Some(ours),
        Ours::Bool(ours) => typed[0] == "bool" && typed[1] == *ours,
        Ours::List(ours) => {
            let theirs = typed[1].as_array().map_or(&[][..], Vec::as_slice);
            typed[0] == "list"
                && ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| same(ours, theirs))
        }
        Ours::Map(ours) => typed[0] == "map" && same_map(ours, &typed[1]),
    }
}

fn same_map(ours: &Params, pairs: &Value) -> bool {
    let pairs = pairs.as_array().map_or(&[][..], Vec::as_slice);
    ours.iter().count() == pairs.len()
        && pairs.iter().all(|pair| {
            let key = pair[0].as_str().unwrap_or_default();
            ours.get(key).is_some_and(|ours| same(ours, &pair[1]))
        })
}

/// The address that would be stored, and the domain that would be judged.
fn mailbox(attempt: &Attempt, told: &Value) -> Option<String> {
    let theirs = &told["mailbox"];
    let stored = theirs["stored"].as_str().unwrap_or_default();
    let looked_up = matches!(
        attempt.endpoint,
        Endpoint::SignIn | Endpoint::ConfirmationResend
    );
    let Some(ours) = &attempt.email else {
        let missed = !stored.is_empty() && !looked_up;
        return missed.then(|| format!("no address to the gate, {theirs} to Rails"));
    };
    if ours.exact.expose() != stored {
        return Some(format!(
            "address {:?} to the gate, {theirs} to Rails",
            ours.exact.expose()
        ));
    }
    let domain = theirs["domain"].as_str()?;
    let judged = ours.domains.iter().any(|ours| ours.as_str() == domain);
    (!judged).then(|| format!("domain {:?} to the gate, {theirs} to Rails", ours.domains))
}

/// The parameters that strong parameters let through, as far as the gate judges by them.
fn fields(attempt: &Attempt, told: &Value) -> Option<String> {
    let permitted = |key: &str| pair(&told["permitted"][1], key);
    let text = |key: &str| {
        permitted(key)
            .and_then(|typed| typed[1].as_str())
            .unwrap_or_default()
    };
    let mut pairs: Vec<(&str, String, String)> = Vec::new();
    match attempt.endpoint {
        Endpoint::SignUp => {
            let account =
                permitted("account_attributes").map_or(Value::Null, |typed| typed[1].clone());
            let username = pair(&account, "username")
                .and_then(|typed| typed[1].as_str())
                .unwrap_or_default();
            pairs.push((
                "username",
                attempt.username.clone().unwrap_or_default(),
                username.to_owned(),
            ));
            pairs.push((
                "invite_code",
                invite(attempt),
                text("invite_code").to_owned(),
            ));
        }
        Endpoint::ApiSignUp => {
            pairs.push((
                "username",
                attempt.username.clone().unwrap_or_default(),
                text("username").to_owned(),
            ));
            pairs.push((
                "invite_code",
                invite(attempt),
                text("invite_code").to_owned(),
            ));
        }
        Endpoint::AppCreate => apps(
            attempt,
            permitted("redirect_uris"),
            text("client_name"),
            text("website"),
            &mut pairs,
        ),
        Endpoint::AppSettings => apps(
            attempt,
            permitted("redirect_uri"),
            text("name"),
            text("website"),
            &mut pairs,
        ),
        Endpoint::Token => {
            let grant = permitted("grant_type")
                .and_then(|typed| typed[1].as_str())
                .map(Grant::read);
            pairs.push((
                "grant_type",
                format!("{:?}", attempt.grant),
                format!("{grant:?}"),
            ));
        }
        _ => {}
    }
    pairs
        .into_iter()
        .find(|(_, ours, theirs)| ours != theirs)
        .map(|(key, ours, theirs)| format!("{key}: {ours:?} to the gate, {theirs:?} to Rails"))
}

fn invite(attempt: &Attempt) -> String {
    attempt
        .invite
        .as_ref()
        .map_or_else(String::new, |code| code.expose().to_owned())
}

fn apps(
    attempt: &Attempt,
    redirects: Option<&Value>,
    name: &str,
    website: &str,
    pairs: &mut Vec<(&'static str, String, String)>,
) {
    let app = attempt.new_app.as_ref();
    let texts: Vec<&str> = match redirects {
        Some(typed) if typed[0] == "list" => typed[1]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item[1].as_str())
            .collect(),
        Some(typed) => typed[1].as_str().into_iter().collect(),
        None => Vec::new(),
    };
    let blank = [' ', '\t', '\n', '\u{b}', '\u{c}', '\r', '\0'];
    let theirs: Vec<&str> = texts
        .iter()
        .flat_map(|text| text.split(blank))
        .filter(|uri| !uri.is_empty())
        .collect();
    let ours: Vec<&str> = app
        .iter()
        .flat_map(|app| &app.redirect_uris)
        .map(String::as_str)
        .collect();
    pairs.push((
        "name",
        app.map_or_else(String::new, |app| app.name.as_str().to_owned()),
        name.to_owned(),
    ));
    pairs.push((
        "website",
        app.and_then(|app| app.website.clone()).unwrap_or_default(),
        website.to_owned(),
    ));
    pairs.push(("redirect URIs", format!("{ours:?}"), format!("{theirs:?}")));
}

/// The credential or bearer that Doorkeeper takes.
fn credentials(attempt: &Attempt, told: &Value) -> Option<String> {
    let (ours, theirs) = match attempt.endpoint {
        Endpoint::Token => {
            let ours = attempt.credential.as_ref();
            let secret = ours
                .and_then(|ours| ours.client_secret.as_ref())
                .map(|secret| secret.expose().to_owned());
            let uid = told["client"]["uid"]
                .as_str()
                .filter(|uid| !uid.trim().is_empty());
            (
                ours.map(|ours| (ours.client_id.as_str().to_owned(), secret)),
                uid.map(|uid| {
                    (
                        uid.to_owned(),
                        told["client"]["secret"].as_str().map(str::to_owned),
                    )
                }),
            )
        }
        Endpoint::Authorize => {
            let theirs = pair(&told["typed"][1], "client_id").and_then(|typed| typed[1].as_str());
            let theirs = theirs.filter(|id| !id.trim().is_empty());
            (
                attempt
                    .credential
                    .as_ref()
                    .map(|ours| (ours.client_id.as_str().to_owned(), None)),
                theirs.map(|id| (id.to_owned(), None)),
            )
        }
        Endpoint::ApiSignUp | Endpoint::ApiEmailChange => (
            attempt
                .bearer
                .as_ref()
                .map(|token| (token.expose().to_owned(), None)),
            told["bearer"]
                .as_str()
                .filter(|token| !token.is_empty())
                .map(|token| (token.to_owned(), None)),
        ),
        _ => return None,
    };
    (ours != theirs).then(|| format!("credential {ours:?} to the gate, {theirs:?} to Rails"))
}

/// The body's bytes, as Rails received them.
fn digest(heard: &Heard, told: &Value) -> Option<String> {
    let theirs = &told["body"]["bytes"];
    (*theirs != heard.body.len()).then(|| {
        format!(
            "{} bytes of body to the gate, {theirs} to Rails",
            heard.body.len()
        )
    })
}

/// The client's address and scheme: what the gate says, whatever else was sent.
fn client(heard: &Heard, told: &Value) -> Option<String> {
    let pairs = [
        ("x-forwarded-for", "remote_ip"),
        ("x-forwarded-proto", "scheme"),
    ];
    pairs.into_iter().find_map(|(header, key)| {
        let ours = heard.head.headers.get(header)?.to_str().ok()?;
        (told[key] != ours).then(|| format!("{key}: {ours} by the gate, {} to Rails", told[key]))
    })
}

fn pair<'a>(pairs: &'a Value, key: &str) -> Option<&'a Value> {
    pairs
        .as_array()?
        .iter()
        .find(|pair| pair[0] == key)
        .map(|pair| &pair[1])
}
