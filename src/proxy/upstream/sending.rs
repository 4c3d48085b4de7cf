//! Writing a request for the upstream: its head, and its body frame by frame.
//!
//! The framing may change on the way, never the bytes: a body whose length
//! nobody knows is chunked anew. What has come of the body when the head is
//! written leaves with it, in one system call and one packet: a form posted
//! wakes the upstream once.

use std::io::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Method, Request};
use http_body::{Body as _, Frame};

use super::wire::Wire;
use crate::proxy::{Body, BodyError};

/// A request body on its way.
#[derive(Debug)]
pub(super) struct Upload {
    body: Body,
    coding: Coding,
    /// The trailers that the head declared; others are dropped.
    declared: Vec<HeaderName>,
    stage: Stage,
    /// The frame that leaves with the head, to be put back if neither does.
    first: Option<Frame<Bytes>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The head has not been offered to the socket yet.
    Head,
    Body,
    /// All is written, if not sent.
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    /// So many bytes are still due.
    Length(u64),
    Chunked,
}

/// How far an upload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// All of it has left.
    Done,
    /// The socket or the client has to be waited for.
    Waits,
    /// The body broke off or is not what the head said.
    Broken,
    /// The socket takes no more.
    Shut,
}

/// Writes the head of `request` into `out`; the body to follow, if it has one.
pub(super) fn write_head(out: &mut Vec<u8>, request: &mut Request<Body>) -> Option<Box<Upload>> {
    let coding = settle_coding(request);
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    out.reserve(HEAD);
    for part in [request.method().as_str(), " ", target, " HTTP/1.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    if let Some(Coding::Length(length)) = coding
        && !request.headers().contains_key(CONTENT_LENGTH)
    {
        // Writing to memory cannot fail.
        let _ = write!(out, "content-length: {length}\r\n");
    }
    write_fields(out, request.headers());
    out.extend_from_slice(b"\r\n");
    let coding = coding?;
    let declared = match coding {
        Coding::Chunked => declared(request.headers()),
        Coding::Length(_) => Vec::new(),
    };
    let body = std::mem::take(request.body_mut());
    Some(Box::new(Upload {
        body,
        coding,
        declared,
        stage: Stage::Head,
        first: None,
    }))
}

/// More than most heads take.
const HEAD: usize = 2 << 10;

fn write_fields(out: &mut Vec<u8>, fields: &HeaderMap) {
    for (name, value) in fields {
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// How the body is sent; `None` where there is none. What the head says of
/// it is believed, because `identify` and hyper's server have checked it.
fn settle_coding(request: &mut Request<Body>) -> Option<Coding> {
    if request.body().is_end_stream() {
        request.headers_mut().remove(TRANSFER_ENCODING);
        return None;
    }
    let headers = request.headers();
    if headers.contains_key(TRANSFER_ENCODING) {
        request.headers_mut().remove(CONTENT_LENGTH);
        return Some(Coding::Chunked);
    }
    let stated = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok());
    if let Some(length) = stated.and_then(|text| text.parse().ok()) {
        return Some(Coding::Length(length));
    }
    request.headers_mut().remove(CONTENT_LENGTH);
    if let Some(length) = request.body().size_hint().exact() {
        return Some(Coding::Length(length));
    }
    // Nobody's GET has a body of unknown length: a client's own chunks say so in the head.
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let chunked = http::HeaderValue::from_static("chunked");
    request.headers_mut().insert(TRANSFER_ENCODING, chunked);
    Some(Coding::Chunked)
}

fn declared(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(TRAILER)
        .iter()
        .flat_map(|line| line.as_bytes().split(|&byte| byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect()
}

impl Upload {
    /// The body again, for one of which nothing has left.
    pub(super) fn into_body(self) -> Body {
        match self.first {
            Some(first) => self.body.after(first),
            None => self.body,
        }
    }

    /// Writes as much as the client gives and the socket takes.
    pub(super) fn poll(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Progress {
        if self.stage == Stage::Head {
            self.stage = Stage::Body;
            let polled = Pin::new(&mut self.body).poll_frame(cx);
            if let Poll::Ready(Some(Ok(frame))) = &polled {
                self.first = Some(again(frame));
            }
            if let Poll::Ready(frame) = polled
                && !self.take(frame, &mut wire.unsent)
            {
                return Progress::Broken;
            }
        }
        loop {
            match wire.poll_flush(cx) {
                Poll::Ready(Ok(())) => self.first = None,
                Poll::Ready(Err(_)) => return Progress::Shut,
                Poll::Pending => return Progress::Waits,
            }
            if self.stage == Stage::Over {
                return Progress::Done;
            }
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                return Progress::Waits;
            };
            if !self.take(frame, &mut wire.unsent) {
                return Progress::Broken;
            }
        }
    }

    /// Takes what the client gave; `false` if it broke off or is not what the
    /// head said.
    fn take(&mut self, frame: Option<Result<Frame<Bytes>, BodyError>>, out: &mut Vec<u8>) -> bool {
        match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => self.write(out, &data),
            Some(Ok(Err(tail))) => self.end(out, Some(tail)),
            Some(Err(_)) => false,
            None => self.end(out, None),
        }
    }

    /// `false` if it is more than the head promised.
    fn write(&mut self, out: &mut Vec<u8>, data: &Bytes) -> bool {
        match &mut self.coding {
            Coding::Length(left) => {
                let Some(rest) = left.checked_sub(data.len() as u64) else {
                    return false;
                };
                *left = rest;
                out.extend_from_slice(data);
            }
            Coding::Chunked if data.is_empty() => {} // would read as the end
            Coding::Chunked => {
                let _ = write!(out, "{:x}\r\n", data.len());
                out.extend_from_slice(data);
                out.extend_from_slice(b"\r\n");
            }
        }
        true
    }

    /// `false` if it is less than the head promised.
    fn end(&mut self, out: &mut Vec<u8>, tail: Option<Frame<Bytes>>) -> bool {
        self.stage = Stage::Over;
        if let Coding::Length(left) = self.coding {
            return left == 0;
        }
        out.extend_from_slice(b"0\r\n");
        let trailers = tail.and_then(|tail| tail.into_trailers().ok());
        let mut trailers = trailers.unwrap_or_default();
        let undeclared: Vec<HeaderName> = trailers
            .keys()
            .filter(|name| !self.declared.contains(name))
            .cloned()
            .collect();
        for name in undeclared {
            trailers.remove(name);
        }
        write_fields(out, &trailers);
        out.extend_from_slice(b"\r\n");
        true
    }
}

/// The same frame once more.
fn again(frame: &Frame<Bytes>) -> Frame<Bytes> {
    match frame.data_ref() {
        Some(data) => Frame::data(data.clone()),
        None => Frame::trailers(frame.trailers_ref().cloned().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::proxy::stream::Stream;

    fn head_of(request: http::request::Builder, body: Body) -> (String, Option<Coding>) {
        let mut request = request.body(body).expect("a request");
        let mut out = Vec::new();
        let upload = write_head(&mut out, &mut request);
        let text = String::from_utf8(out).expect("text");
        (text, upload.map(|upload| upload.coding))
    }

    #[test]
    fn a_head_is_written_as_it_came() {
        let request = Request::get("/a%20b?c=d")
            .header("host", "x")
            .header("odd", "1");
        let (text, coding) = head_of(request.header("odd", "2"), Body::empty());
        assert_eq!(
            text,
            "GET /a%20b?c=d HTTP/1.1\r\nhost: x\r\nodd: 1\r\nodd: 2\r\n\r\n"
        );
        assert_eq!(coding, None);
        let star = Request::options("*").header("host", "x");
        assert!(
            head_of(star, Body::empty())
                .0
                .starts_with("OPTIONS * HTTP/1.1\r\n")
        );
    }

    #[test]
    fn bodies_are_framed_by_what_is_known() {
        let full = || Body::from("four".to_owned());
        let unknown = || Body::channel(1).1;
        let post = || Request::post("/");
        let stated = head_of(post().header("content-length", "4"), full());
        assert_eq!(stated.1, Some(Coding::Length(4)));
        let (text, coding) = head_of(post(), full());
        assert!(text.contains("content-length: 4\r\n"), "{text}");
        assert_eq!(coding, Some(Coding::Length(4)));
        let (text, coding) = head_of(post(), unknown());
        assert!(text.contains("transfer-encoding: chunked\r\n"), "{text}");
        assert_eq!(coding, Some(Coding::Chunked));
        let both = post()
            .header("transfer-encoding", "chunked")
            .header("content-length", "4");
        let (text, coding) = head_of(both, full());
        assert!(!text.contains("content-length"), "{text}");
        assert_eq!(coding, Some(Coding::Chunked));
        assert_eq!(head_of(Request::get("/"), unknown()).1, None);
        let none = head_of(post().header("transfer-encoding", "chunked"), Body::empty());
        assert_eq!((none.0.contains("chunked"), none.1), (false, None));
    }

    /// A connection whose upstream has just cut it off.
    async fn dead() -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (far, _) = far.expect("accepted");
        far.set_zero_linger().expect("a tcp socket");
        drop(far);
        let near = near.expect("connected");
        near.readable().await.expect("it hears of its end");
        Wire::new(Stream::Tcp(near))
    }

    /// What a body says of its length, and all its frames.
    async fn all_of(mut body: Body) -> (Option<u64>, Vec<String>) {
        let length = body.size_hint().exact();
        let mut frames = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            frames.push(format!("{:?}", frame.expect("it does not break")));
        }
        (length, frames)
    }

    #[tokio::test]
    async fn what_was_to_leave_with_the_head_is_put_back_if_nothing_leaves() {
        let full = || Body::from("four".to_owned());
        let chunks = || Body::from("four".to_owned()).after(Frame::data(Bytes::from("one")));
        let tail = || {
            let mut trailers = HeaderMap::new();
            trailers.insert("digest", http::HeaderValue::from_static("abc"));
            Body::empty().after(Frame::trailers(trailers))
        };
        for body in [full as fn() -> Body, chunks, tail] {
            let mut wire = dead().await;
            let mut request = Request::post("/").body(body()).expect("a request");
            let upload = write_head(&mut wire.unsent, &mut request);
            let mut upload = upload.expect("there is a body");
            let progress = poll_fn(|cx| match upload.poll(&mut wire, cx) {
                Progress::Waits => Poll::Pending,
                other => Poll::Ready(other),
            });
            assert_eq!((progress.await, wire.sent), (Progress::Shut, 0));
            assert_eq!(all_of(upload.into_body()).await, all_of(body()).await);
        }
    }
}
