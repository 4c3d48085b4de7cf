//! A log line for each request that is no attempt, if `[events] access` asks for it.
//!
//! Guarded requests are on record as events anyway. The query is left out:
//! tokens travel in it.

use std::convert::Infallible;
use std::future::Future;
use std::time::Instant;

use http::{Method, Request, Response};

use crate::attempt::ClientIp;
use crate::proxy::Body;

/// What the line says of a request.
pub(super) struct Line {
    method: Method,
    path: String,
    client: ClientIp,
    began: Instant,
}

impl Line {
    pub(super) fn of(request: &Request<Body>, client: ClientIp) -> Self {
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            client,
            began: Instant::now(),
        }
    }
}

/// The reply of `passed`, once the line is written.
pub(super) async fn logged(
    passed: impl Future<Output = Result<Response<Body>, Infallible>>,
    line: Line,
) -> Response<Body> {
    let Ok(response) = passed.await;
    tracing::info!(
        method = %line.method,
        path = line.path.escape_debug().to_string(),
        client = ?line.client.address(),
        status = response.status().as_u16(),
        ms = line.began.elapsed().as_secs_f64() * 1000.0,
        "access"
    );
    response
}
