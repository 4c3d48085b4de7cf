//! Answering 401 to a contained token, as Doorkeeper does to a revoked one.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Request, Response, StatusCode};

use crate::judge::Judge;
use crate::proxy::Body;

const TEXT: &str = r#"{"error":"The access token was revoked"}"#;
const CHALLENGE: &str = r#"Bearer realm="Doorkeeper", error="invalid_token", error_description="The access token was revoked""#;

/// The refusal, if the request carries a contained token.
pub(super) fn refuse(judge: &Judge, request: &Request<Body>) -> Option<Response<Body>> {
    let header = request
        .headers()
        .get_all(AUTHORIZATION)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.to_owned());
    let query = request.uri().query().unwrap_or_default();
    let parameters = query
        .split(['&', ';'])
        .filter_map(|pair| pair.split_once('='))
        .filter(|(key, _)| matches!(decode(key).as_str(), "access_token" | "bearer_token"))
        .map(|(_, token)| decode(token));
    let contained = header
        .chain(parameters)
        .any(|token| judge.contained(&token));
    contained.then(answer)
}

fn answer() -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from_static(TEXT.as_bytes())));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    headers.insert(CONTENT_TYPE, json);
    headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
    response
}

/// Percent escapes and `+` undone; what is no escape stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escape = after.split_at_checked(2).and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        match (first, escape) {
            (b'%', Some((byte, after))) => {
                bytes.push(byte);
                rest = after;
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        for (text, plain) in [
            ("a%62c", "abc"),
            ("a+b", "a b"),
            ("%zz%4", "%zz%4"),
            ("", ""),
        ] {
            assert_eq!(decode(text), plain);
        }
    }
}
