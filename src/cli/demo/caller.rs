//! How bots and people reach the gate: HTTP/1.1 over a few kept connections
//! from loopback, as nginx would, with each sender's address in
//! `X-Forwarded-For`. The peer is a trusted one; the addresses are made up.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;

use super::cast::Format;
use super::format::encode;

/// The name under which everybody knows the server.
pub(super) const SERVER: &str = "social.example";
/// The longest answer read.
const LONGEST: usize = 256 * 1024;
/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client of one server.
#[derive(Debug)]
pub(super) struct Caller {
    to: SocketAddr,
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A request to be sent.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) path: &'a str,
    /// `None` reads the page.
    pub(super) fields: Option<(Format, &'a [(&'a str, &'a str)])>,
    pub(super) bearer: Option<&'a str>,
    /// `None` says nothing of where it comes from.
    pub(super) from: Option<IpAddr>,
}

impl Answer {
    /// A text field of a JSON answer.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        let value: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        value.get(key)?.as_str().map(str::to_owned)
    }

    /// The reference, if it was the gate that refused.
    pub(super) fn reference(&self) -> Option<&str> {
        self.headers.get("x-tuskgate-reference")?.to_str().ok()
    }
}

impl Caller {
    pub(super) const fn new(to: SocketAddr) -> Self {
        Self {
            to,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Sends and waits for the whole answer.
    pub(super) async fn send(&self, call: &Call<'_>) -> anyhow::Result<Answer> {
        tokio::time::timeout(PATIENCE, self.exchange(request(call)?))
            .await
            .unwrap_or_else(|_| Err(anyhow::anyhow!("no answer in {PATIENCE:?}")))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let mut connection = self.connection().await?;
        let response = connection.send_request(request).await?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST).collect().await;
        let body = body.map_err(anyhow::Error::from_boxed)?.to_bytes();
        self.idle.lock().push(connection);
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
        })
    }

    async fn connection(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        loop {
            let Some(mut kept) = self.idle.lock().pop() else {
                return self.connect().await;
            };
            if kept.ready().await.is_ok() {
                return Ok(kept);
            }
        }
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.to).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // How a connection ends is told to whoever uses it.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

fn request(call: &Call<'_>) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut request = Request::new(Full::default());
    if let Some((format, fields)) = call.fields {
        let (kind, body) = encode(format, fields);
        *request.method_mut() = http::Method::POST;
        request.headers_mut().insert(CONTENT_TYPE, kind);
        *request.body_mut() = Full::new(body.into());
    }
    *request.uri_mut() = call.path.parse()?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_static(SERVER));
    headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
    if let Some(from) = call.from {
        headers.insert("x-forwarded-for", from.to_string().parse()?);
    }
    if let Some(bearer) = call.bearer {
        headers.insert(AUTHORIZATION, format!("Bearer {bearer}").parse()?);
    }
    Ok(request)
}
