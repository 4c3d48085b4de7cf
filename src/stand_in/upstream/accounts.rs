//! Sign-up, change of address, and a few endpoints that a client visits.

use http::request::Parts;
use http::{Method, Response};
use serde_json::json;

use super::oauth::{bearer, show};
use super::params::{Params, text_of};
use super::register::{Register, Taken};
use super::reply;
use crate::proxy::Body;

pub(super) fn answer(register: &Register, head: &Parts, params: &Params) -> Option<Response<Body>> {
    let verb = match params.get("_method") {
        Some(verb) if head.method == Method::POST => {
            Method::from_bytes(verb.to_uppercase().as_bytes()).ok()?
        }
        _ => head.method.clone(),
    };
    Some(match (verb, head.uri.path()) {
        (Method::GET, "/health") => reply::text(200, "OK"),
        (Method::GET, "/auth/sign_up" | "/auth/sign_in") => form("", ""),
        (Method::GET, "/auth/confirmation") => match params.get("confirmation_token") {
            Some(token) if token.starts_with("good") => {
                reply::signed_in(&location(head, "/auth/sign_in"), 0)
            }
            _ => form("", "is invalid"),
        },
        (Method::POST, "/api/v1/accounts") => api_sign_up(register, head, params),
        (Method::POST, "/auth") => web_sign_up(register, head, params),
        (Method::GET, "/auth/edit" | "/auth/setup") => edit(register, head),
        (Method::PUT | Method::PATCH, "/auth" | "/auth/setup") => change(register, head, params),
        (Method::POST, "/api/v1/statuses") => post(register, head, params),
        (Method::GET, path) if path.starts_with("/invite/") => invite(head, path),
        _ => return None,
    })
}

/// Codes that begin with `good` can be used, for as often as one likes.
fn invite(head: &Parts, path: &str) -> Response<Body> {
    let code = path.trim_start_matches("/invite/");
    if text_of(&head.headers, "accept") != "application/json" {
        return form("", "");
    }
    match code.starts_with("good") {
        true => reply::json(200, &json!({ "invite_code": code })),
        false => reply::json(404, &json!({ "error": "Record not found" })),
    }
}

fn api_sign_up(register: &Register, head: &Parts, params: &Params) -> Response<Body> {
    let Some(token) = bearer(register, head, params) else {
        return reply::bad_token();
    };
    let get = |key| params.get(key).unwrap_or("");
    let (email, username) = (get("email"), get("username"));
    let mut details = serde_json::Map::new();
    for (key, value, fault) in [
        ("email", email, "ERR_BLANK"),
        ("username", username, "ERR_BLANK"),
        ("password", get("password"), "ERR_BLANK"),
        ("agreement", get("agreement"), "ERR_ACCEPTED"),
    ] {
        if value.is_empty() {
            details.insert(key.into(), json!([{ "error": fault }]));
        }
    }
    if details.is_empty() {
        match register.add_account(email, username) {
            Ok(_) => {
                let user = register.token(&token.client_id, &token.scope, Some(email));
                return reply::json(200, &show(&user));
            }
            Err(taken) => {
                details.insert(name(taken).into(), json!([{ "error": "ERR_TAKEN" }]));
            }
        }
    }
    reply::json(
        422,
        &json!({ "error": "Validation failed", "details": details }),
    )
}

const fn name(taken: Taken) -> &'static str {
    match taken {
        Taken::Email => "email",
        Taken::Username => "username",
    }
}

fn web_sign_up(register: &Register, head: &Parts, params: &Params) -> Response<Body> {
    let get = |key| params.get(key).unwrap_or("");
    let email = get("user[email]");
    let username = get("user[account_attributes][username]");
    if email.is_empty() || username.is_empty() || get("user[password]").is_empty() {
        return form(email, "can't be blank");
    }
    match register.add_account(email, username) {
        Ok(session) => reply::signed_in(&location(head, "/auth/setup"), session),
        Err(taken) => form(email, &format!("{} has already been taken", name(taken))),
    }
}

fn edit(register: &Register, head: &Parts) -> Response<Body> {
    match session(head).and_then(|session| register.email(session)) {
        Some(email) => form(&email, ""),
        None => reply::signed_in(&location(head, "/auth/sign_in"), 0),
    }
}

fn change(register: &Register, head: &Parts, params: &Params) -> Response<Body> {
    let Some(session) = session(head).filter(|&session| register.email(session).is_some()) else {
        return reply::signed_in(&location(head, "/auth/sign_in"), 0);
    };
    if let Some(email) = params.get("user[email]") {
        register.change_email(session, email);
    }
    let next = match head.uri.path() {
        "/auth" => "/auth/edit",
        setup => setup,
    };
    reply::signed_in(&location(head, next), session)
}

fn post(register: &Register, head: &Parts, params: &Params) -> Response<Body> {
    if bearer(register, head, params).is_none_or(|token| token.user.is_none()) {
        return reply::bad_token();
    }
    let text = params.get("status").unwrap_or("");
    reply::json(200, &json!({ "id": "1", "content": text }))
}

/// Devise's form with one field filled in, and what was wrong.
fn form(email: &str, fault: &str) -> Response<Body> {
    let email = email
        .replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;");
    reply::page(
        200,
        format!(
            "<!DOCTYPE html><html><body><form action=\"/auth\" method=\"post\">\
             <input type=\"hidden\" name=\"authenticity_token\" value=\"stand-in\">\
             <input value=\"{email}\" type=\"email\" name=\"user[email]\" id=\"user_email\">\
             <span class=\"error\">{fault}</span></form></body></html>"
        ),
    )
}

fn location(head: &Parts, path: &str) -> String {
    let scheme = match text_of(&head.headers, "x-forwarded-proto") {
        "https" => "https",
        _ => "http",
    };
    format!("{scheme}://{}{path}", text_of(&head.headers, "host"))
}

fn session(head: &Parts) -> Option<u64> {
    text_of(&head.headers, "cookie")
        .split(';')
        .find_map(|cookie| cookie.trim().strip_prefix("_session_id=stand-in-"))?
        .parse()
        .ok()
}
