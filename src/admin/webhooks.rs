//! The webhook listener: where Mastodon's Sidekiq tells what came to be.
//!
//! It has an address of its own, because a container must reach it, and answers
//! nothing but `POST /webhooks`. Signature first, then meaning: an unsigned body
//! is never parsed. Bounded in bytes, in time and in connections; one request
//! for each connection. Mastodon tries again for two days on 401, 408, 429 and
//! 5xx and never after another 4xx, so each answer is chosen by whether trying
//! again could help.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::judge::Judge;
use crate::judge::hear::Reception;
use crate::mastodon::webhook::{self, News};
use crate::secret::{Purpose, Secret};
use crate::telemetry::metrics;
use crate::telemetry::trouble::{Trouble, raise};

/// The one path.
pub const PATH: &str = "/webhooks";

/// Connections at once, each with one body of at most [`webhook::BOUND`].
const CONNECTIONS: usize = 16;

/// How long a connection may last, from being accepted to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Who listens.
#[derive(Debug)]
pub struct Ear {
    judge: Arc<Judge>,
    secrets: Vec<Secret>,
    patience: Duration,
}

impl Ear {
    /// Hears for `judge` what is signed with one of `secrets`.
    #[must_use]
    pub const fn new(judge: Arc<Judge>, secrets: Vec<Secret>) -> Self {
        Self {
            judge,
            secrets,
            patience: PATIENCE,
        }
    }

    /// The same, with less patience.
    #[must_use]
    pub const fn patient_for(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

/// Answers until the process ends.
pub async fn serve(listener: TcpListener, ear: Arc<Ear>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let ear = Arc::clone(&ear);
        tokio::spawn(async move {
            // Who is too slow is cut off wherever it is.
            let done = tokio::time::timeout(ear.patience, converse(stream, &ear)).await;
            match done {
                Ok(Ok(())) => {}
                Ok(Err(fault)) => tracing::debug!(%fault, "webhook listener"),
                Err(_) => metrics().hooks.came("unknown", "too-slow"),
            }
            drop(place);
        });
    }
}

async fn converse(stream: TcpStream, ear: &Ear) -> hyper::Result<()> {
    let service = service_fn(|request| async {
        let (status, word) = answer(request, ear).await;
        let mut response = Response::new(Full::new(Bytes::from_static(word.as_bytes())));
        *response.status_mut() = status;
        Ok::<_, Infallible>(response)
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(16 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

type Answer = (StatusCode, &'static str);

async fn answer(request: Request<Incoming>, ear: &Ear) -> Answer {
    if request.uri().path() != PATH {
        return (StatusCode::NOT_FOUND, "");
    }
    if request.method() != Method::POST {
        return (StatusCode::METHOD_NOT_ALLOWED, "");
    }
    let (head, body) = request.into_parts();
    if body.size_hint().lower() > webhook::BOUND as u64 {
        return refuse(ear, StatusCode::PAYLOAD_TOO_LARGE, "too-large");
    }
    let body = match Limited::new(body, webhook::BOUND).collect().await {
        Ok(body) => body.to_bytes(),
        Err(fault) if fault.is::<http_body_util::LengthLimitError>() => {
            return refuse(ear, StatusCode::PAYLOAD_TOO_LARGE, "too-large");
        }
        Err(_) => return refuse(ear, StatusCode::BAD_REQUEST, "broken"),
    };
    let mut signatures = head.headers.get_all(webhook::SIGNATURE).iter();
    let signed = match (signatures.next(), signatures.next()) {
        (Some(one), None) => webhook::is_signed(&ear.secrets, &body, one.as_bytes()),
        _ => false,
    };
    if signed {
        return take(ear, &body).await;
    }
    trouble(
        "webhooks come that are not signed with webhooks.secret: copy the signing secret from Mastodon's /admin/webhooks",
    );
    // Mastodon tries again: the secret may be mended by then.
    refuse(ear, StatusCode::UNAUTHORIZED, "unsigned")
}

async fn take(ear: &Ear, body: &[u8]) -> Answer {
    let hook = match webhook::read(body) {
        Ok(hook) => hook,
        Err(fault) => {
            trouble(&format!("{fault}; is Mastodon newer than this gate?"));
            return refuse(ear, StatusCode::UNPROCESSABLE_ENTITY, "unreadable");
        }
    };
    let hash = ear.judge.store().key().hash(Purpose::Once, &[body]);
    let event = match &hook.news {
        News::Account(stage, _) => stage.name(),
        News::Report { .. } => "report-created",
        News::Other => "other",
    };
    let (status, result) = match ear.judge.hear(&hook, hash, Timestamp::now()).await {
        Ok(Reception::Taken) => (StatusCode::OK, "taken"),
        // A delivery whose answer was lost comes again: that is well.
        Ok(Reception::Again) => (StatusCode::OK, "again"),
        Ok(Reception::TooOld) => (StatusCode::GONE, "too-old"),
        Ok(Reception::TooEarly) => {
            trouble("webhooks come from the future: the clocks of Mastodon and the gate differ");
            (StatusCode::SERVICE_UNAVAILABLE, "too-early")
        }
        Err(fault) => {
            tracing::error!(%fault, "a webhook is taken but not on the disk");
            (StatusCode::INTERNAL_SERVER_ERROR, "not-kept")
        }
    };
    metrics().hooks.came(event, result);
    if matches!(status, StatusCode::GONE) {
        ear.judge.heard_in_vain();
    }
    (status, result)
}

fn refuse(ear: &Ear, status: StatusCode, word: &'static str) -> Answer {
    ear.judge.heard_in_vain();
    metrics().hooks.came("unknown", word);
    (status, word)
}

fn trouble(text: &str) {
    if raise(Trouble::Webhook, text) {
        tracing::warn!("{text}");
    }
}
