//! Apps and tokens, as Doorkeeper gives them out.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::request::Parts;
use http::{Method, Response};
use serde_json::{Value, json};

use super::params::{Params, text_of};
use super::register::{App, Register, Token};
use super::reply;
use crate::proxy::Body;

pub(super) fn answer(register: &Register, head: &Parts, params: &Params) -> Option<Response<Body>> {
    match (&head.method, head.uri.path()) {
        (&Method::POST, "/api/v1/apps") => Some(create_app(register, params)),
        (&Method::POST, "/oauth/token") => Some(issue(register, head, params)),
        (&Method::GET, "/oauth/token/info") => Some(token_info(register, head, params)),
        (&Method::GET, "/api/v1/apps/verify_credentials") => Some(verify(register, head, params)),
        _ => None,
    }
}

fn create_app(register: &Register, params: &Params) -> Response<Body> {
    let name = params.get("client_name").unwrap_or("").trim();
    let uris: Vec<String> = params
        .list("redirect_uris")
        .iter()
        .flat_map(|uris| uris.split_whitespace())
        .map(str::to_owned)
        .collect();
    let missing = match (name.is_empty(), uris.is_empty()) {
        (true, _) => Some("Name can't be blank"),
        (_, true) => Some("Redirect URI can't be blank"),
        _ => None,
    };
    if let Some(missing) = missing {
        let error = format!("Validation failed: {missing}");
        return reply::json(422, &json!({ "error": error }));
    }
    let scopes = params.get("scopes").unwrap_or("read");
    let app = register.add_app(name, uris, params.get("website"), scopes);
    let mut shown = describe(&app);
    if let Value::Object(fields) = &mut shown {
        fields.insert("client_id".into(), app.client_id.into());
        fields.insert("client_secret".into(), app.client_secret.into());
    }
    reply::json(200, &shown)
}

fn describe(app: &App) -> Value {
    json!({
        "id": app.id.to_string(),
        "name": app.name,
        "website": app.website,
        "scopes": app.scopes.split_whitespace().collect::<Vec<_>>(),
        "redirect_uri": app.redirect_uris.join("\n"),
        "redirect_uris": app.redirect_uris,
        "vapid_key": "stand-in",
    })
}

fn issue(register: &Register, head: &Parts, params: &Params) -> Response<Body> {
    let (id, secret) = basic(head).unwrap_or_else(|| {
        let get = |key| params.get(key).unwrap_or("").to_owned();
        (get("client_id"), get("client_secret"))
    });
    let Some(app) = register.app(&id).filter(|app| app.client_secret == secret) else {
        return refuse(401, "invalid_client", "Client authentication failed");
    };
    let scope = params.get("scope").unwrap_or("read");
    let granted = |user: Option<&str>| {
        let token = register.token(&app.client_id, scope, user);
        reply::json(200, &show(&token))
    };
    match (params.get("grant_type").unwrap_or(""), params.get("code")) {
        ("client_credentials", _) => granted(None),
        ("password", _) => granted(params.get("username")),
        ("authorization_code", Some(code)) if code != "bad" => granted(Some(code)),
        ("authorization_code", _) => refuse(
            400,
            "invalid_grant",
            "The provided authorization grant is invalid",
        ),
        ("", _) => refuse(
            400,
            "invalid_request",
            "Missing required parameter: grant_type.",
        ),
        _ => refuse(
            400,
            "unsupported_grant_type",
            "The grant type is not supported",
        ),
    }
}

fn refuse(status: u16, error: &str, description: &str) -> Response<Body> {
    reply::json(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}

/// The fields of a token reply.
pub(super) fn show(token: &Token) -> Value {
    json!({
        "access_token": token.text,
        "token_type": "Bearer",
        "scope": token.scope,
        "created_at": token.created_at,
    })
}

fn basic(head: &Parts) -> Option<(String, String)> {
    let coded = text_of(&head.headers, "authorization").strip_prefix("Basic ")?;
    let plain = String::from_utf8(BASE64_STANDARD.decode(coded).ok()?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// The token that a request brings, if the stand-in issued it.
pub(super) fn bearer(register: &Register, head: &Parts, params: &Params) -> Option<Token> {
    let header = text_of(&head.headers, "authorization").strip_prefix("Bearer ");
    let text = header.or_else(|| params.get("access_token"))?;
    register.find_token(text)
}

fn token_info(register: &Register, head: &Parts, params: &Params) -> Response<Body> {
    let Some(token) = bearer(register, head, params) else {
        return reply::bad_token();
    };
    reply::json(
        200,
        &json!({
            "resource_owner_id": token.user.map(|_| 1),
            "scope": token.scope.split_whitespace().collect::<Vec<_>>(),
            "expires_in": null,
            "application": { "uid": token.client_id },
            "created_at": token.created_at,
        }),
    )
}

fn verify(register: &Register, head: &Parts, params: &Params) -> Response<Body> {
    let app = bearer(register, head, params).and_then(|token| register.app(&token.client_id));
    match app {
        Some(app) => reply::json(200, &describe(&app)),
        None => reply::bad_token(),
    }
}
