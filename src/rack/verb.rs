//! `Rack::MethodOverride`: a POST that is taken for another verb.
//!
//! Only a POST on the wire can change. The form field `_method` (urlencoded or
//! multipart, never JSON, never the query) comes before the header
//! `X-HTTP-Method-Override`; a field that names no verb still hides the header.

use http::Method;
use http::header::HeaderName;
use http::request::Parts;

use super::body::{Body, Kind};
use super::{Fault, Value, header};

const HEADER: HeaderName = HeaderName::from_static("x-http-method-override");
const VERBS: [&str; 9] = [
    "GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "LINK", "UNLINK",
];

/// The verb that the router will see.
pub(super) fn after_override(head: &Parts, body: &Body) -> Result<Method, Fault> {
    if head.method != Method::POST {
        return Ok(head.method.clone());
    }
    let header = header::only(&head.headers, &HEADER)?;
    let field = match body.kind {
        Kind::Form => body.params.get("_method"),
        Kind::Empty | Kind::Json => None,
    };
    let wanted = match field {
        None | Some(Value::Null) => header.unwrap_or_default(),
        Some(Value::Text(text)) => text,
        Some(_) => return Err(Fault::malformed("_method is not a word")),
    };
    if wanted.is_empty() {
        return Ok(Method::POST);
    }
    if !wanted.is_ascii() {
        // Ruby's upcase knows all of Unicode: a long s becomes an S.
        return Err(Fault::malformed("_method is not ASCII"));
    }
    let wanted = wanted.to_ascii_uppercase();
    let verb = VERBS.iter().find(|verb| **verb == wanted);
    Ok(verb
        .and_then(|verb| Method::from_bytes(verb.as_bytes()).ok())
        .unwrap_or(Method::POST))
}
