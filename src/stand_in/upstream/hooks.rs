//! What a proxy must carry, on demand, under `/stand-in/`.
//!
//! `echo` sends the body back as it comes; `upload` counts it; `events` is an
//! endless event stream; `upgrade` echoes after a 101; `silent` never answers;
//! `die` hangs up within a body; `trailers` ends with trailers; `status/N`
//! answers with a status, `sized/N` with N bytes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRAILER, UPGRADE};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;

use super::record::Recorded;
use super::reply;
use crate::proxy::Body;

pub(super) async fn answer(recorded: Arc<Recorded>, request: Request<Incoming>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let hook = path.strip_prefix("/stand-in/").unwrap_or("");
    let (hook, argument) = hook.split_once('/').unwrap_or((hook, ""));
    let number = argument.parse::<u64>().unwrap_or(0);
    match hook {
        "echo" => echo(&recorded, request),
        "upload" => match recorded.whole(request.into_body()).await {
            Ok(_) => reply::text(200, &recorded.received().to_string()),
            Err(_) => reply::text(400, "broke off"),
        },
        "events" => events(),
        "upgrade" => upgrade(request),
        "silent" => std::future::pending().await,
        "die" => die(),
        "trailers" => trailers(),
        "status" => bare(number),
        "sized" => sized(number),
        _ => reply::text(404, "no such hook"),
    }
}

fn echo(recorded: &Arc<Recorded>, request: Request<Incoming>) -> Response<Body> {
    let kind = request.headers().get(CONTENT_TYPE).cloned();
    let recorded = Arc::clone(recorded);
    let body = request.into_body().map_frame(move |frame| {
        if let Some(part) = frame.data_ref() {
            recorded.note(part);
        }
        if let Some(trailers) = frame.trailers_ref() {
            recorded.note_trailers(trailers.clone());
        }
        frame
    });
    let mut response = Response::new(Body::boxed(body));
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}

/// An event at once and then every 50 ms, for as long as somebody listens.
fn events() -> Response<Body> {
    let (sender, body) = Body::channel(1);
    tokio::spawn(async move {
        for count in 0_u64.. {
            let event = Bytes::from(format!("event: update\ndata: {count}\n\n"));
            if sender.send(Ok(Frame::data(event))).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn upgrade(mut request: Request<Incoming>) -> Response<Body> {
    let protocol = request.headers().get(UPGRADE).cloned();
    let Some(protocol) = protocol else {
        return reply::text(426, "upgrade required");
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else {
            return;
        };
        let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
        // Ends when the other side does, however that goes.
        let _ = tokio::io::copy(&mut from, &mut to).await;
        let _ = tokio::io::AsyncWriteExt::shutdown(&mut to).await;
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, protocol);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    response
}

/// Promises more than it sends.
fn die() -> Response<Body> {
    let (sender, body) = Body::channel(1); // the part is taken before the error can follow
    tokio::spawn(async move {
        let part = Frame::data(Bytes::from_static(b"the first half"));
        // Nobody there means that it need not die.
        let _ = sender.send(Ok(part)).await;
        let dead = std::io::Error::other("as asked");
        let _ = sender
            .send(Err(crate::proxy::BodyError::Other(dead.into())))
            .await;
    });
    Response::new(body)
}

fn trailers() -> Response<Body> {
    let (sender, body) = Body::channel(3);
    tokio::spawn(async move {
        let mut trailers = HeaderMap::new();
        trailers.insert("x-checksum", HeaderValue::from_static("abc"));
        trailers.insert("x-undeclared", HeaderValue::from_static("no"));
        for frame in [
            Frame::data(Bytes::from_static(b"body")),
            Frame::trailers(trailers),
        ] {
            // A reader that left needs no trailers.
            let _ = sender.send(Ok(frame)).await;
        }
    });
    let mut response = Response::new(body);
    let declared = HeaderValue::from_static("x-checksum");
    response.headers_mut().insert(TRAILER, declared);
    response
}

fn bare(status: u64) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    let status = u16::try_from(status).ok();
    *response.status_mut() = status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::BAD_REQUEST);
    response
}

/// N bytes that tell their place, in parts, so that no reply is held in memory.
fn sized(length: u64) -> Response<Body> {
    let (sender, body) = Body::channel(1);
    tokio::spawn(async move {
        let mut at = 0;
        while at < length {
            let part: Vec<u8> = (at..length.min(at + PART)).map(byte_at).collect();
            at += part.len() as u64;
            if sender.send(Ok(Frame::data(part.into()))).await.is_err() {
                return;
            }
        }
    });
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

const PART: u64 = 32 * 1024;

fn byte_at(place: u64) -> u8 {
    (place % 251) as u8
}
