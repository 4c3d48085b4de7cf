//! The admin listener: `/healthz`, `/readyz` and `/metrics` over HTTP.
//!
//! Loopback by default. It never changes anything and never reads a body.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::admin::{Control, ready};
use crate::telemetry;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers until the process ends.
pub async fn serve(listener: TcpListener, control: Arc<Control>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let control = Arc::clone(&control);
        tokio::spawn(async move {
            let answer = service_fn(|request| {
                let response = answer(&request, &control);
                async move { Ok::<_, Infallible>(response) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .serve_connection(TokioIo::new(stream), answer);
            if let Err(fault) = connection.await {
                tracing::debug!(%fault, "admin listener");
            }
        });
    }
}

fn answer(request: &Request<Incoming>, control: &Control) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
    }
    match request.uri().path() {
        "/healthz" => text(StatusCode::OK, "ok\n"),
        "/readyz" => readiness(control),
        "/metrics" => metrics(control),
        _ => text(StatusCode::NOT_FOUND, "/healthz /readyz /metrics\n"),
    }
}

fn readiness(control: &Control) -> Response<Full<Bytes>> {
    let troubles = ready::troubles(&control.judge);
    if troubles.is_empty() {
        return text(StatusCode::OK, "ready\n");
    }
    let mut lines = String::from("ready, with troubles:\n");
    for trouble in troubles {
        lines.push_str("- ");
        lines.push_str(&trouble);
        lines.push('\n');
    }
    text(StatusCode::OK, lines)
}

fn metrics(control: &Control) -> Response<Full<Bytes>> {
    let now = jiff::Timestamp::now().as_second();
    control.judge.registers().measure(now);
    match telemetry::render() {
        Ok(body) => with_type(StatusCode::OK, OPENMETRICS, body),
        Err(_) => text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "metrics could not be written\n",
        ),
    }
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    with_type(status, "text/plain; charset=utf-8", body)
}

fn with_type(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
