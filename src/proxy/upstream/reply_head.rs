//! Reading the head of a reply (RFC 9112 §2 to §4, §6.3).
//!
//! `httparse` reads the lines, as strictly as it does by default; this file
//! decides how the body is framed, and refuses what two readers could frame
//! in two ways.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use hyper::ext::ReasonPhrase;

use super::framing::Framing;
use crate::proxy::headers::ReplyFound;

/// The most fields a head may have.
const MOST_FIELDS: usize = 100;

/// A reply's head, and how its body is framed.
#[derive(Debug)]
pub(super) struct ReplyHead {
    pub(super) head: Response<()>,
    pub(super) framing: Framing,
    pub(super) found: ReplyFound,
    /// `text/event-stream`, which has no end and may be silent for long.
    pub(super) endless: bool,
    /// The upstream will close, or its framing leaves no other end.
    pub(super) closing: bool,
}

/// What came is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotHttp;

/// Takes the final head from the front of `bytes`, once it is there wholly.
/// Interim replies (1xx) before it are dropped.
///
/// Its fields get the `room` of those in hand, which are dropped then: a map that
/// has grown to a request's size serves its reply, and hyper reads the next request
/// into it, so that a connection in use makes no map any more.
pub(super) fn take(
    bytes: &mut BytesMut,
    method: &Method,
    longest: usize,
    room: &mut HeaderMap,
) -> Result<Option<ReplyHead>, NotHttp> {
    loop {
        let Some((head, marks)) = take_one(bytes, longest, room)? else {
            return Ok(None);
        };
        if !is_final(head.status()) {
            continue;
        }
        let framing = framing(&head, &marks, method)?;
        let closing = framing == Framing::Close || closes(&head, &marks);
        return Ok(Some(ReplyHead {
            head,
            framing,
            found: marks.found,
            endless: marks.kind == Kind::Events,
            closing,
        }));
    }
}

/// What a head says of itself, noted as its fields are read: to look them up
/// afterwards costs more than to read them.
#[derive(Debug, Default)]
struct Marks {
    found: ReplyFound,
    length: Length,
    kind: Kind,
}

/// What the lines of `Content-Length` say together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Length {
    #[default]
    Unsaid,
    Said(u64),
    Odd,
}

/// What the first line of `Content-Type` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Unsaid,
    Events,
    Other,
}

impl Marks {
    fn note(&mut self, name: &HeaderName, value: &HeaderValue) {
        if *name == CONTENT_LENGTH {
            self.length = self.length.and(length(value.as_bytes()));
        } else if *name == CONTENT_TYPE {
            if self.kind == Kind::Unsaid {
                self.kind = Kind::of(value.as_bytes());
            }
        } else {
            self.found.note(name, value);
        }
    }
}

impl Length {
    fn and(self, said: Option<u64>) -> Self {
        match (self, said) {
            (Self::Unsaid, Some(length)) => Self::Said(length),
            (Self::Said(before), Some(length)) if before == length => self,
            _ => Self::Odd,
        }
    }
}

impl Kind {
    fn of(value: &[u8]) -> Self {
        if value.starts_with(b"text/event-stream") {
            Self::Events
        } else {
            Self::Other
        }
    }
}

fn take_one(
    bytes: &mut BytesMut,
    longest: usize,
    room: &mut HeaderMap,
) -> Result<Option<(Response<()>, Marks)>, NotHttp> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut reply = httparse::Response::new(&mut []);
    let parsed = httparse::ParserConfig::default()
        .parse_response_with_uninit_headers(&mut reply, bytes, &mut fields)
        .map_err(|_| NotHttp)?;
    let length = match parsed {
        httparse::Status::Complete(length) if length <= longest => length,
        httparse::Status::Partial if bytes.len() <= longest => return Ok(None),
        httparse::Status::Complete(_) | httparse::Status::Partial => return Err(NotHttp),
    };
    // A copy, so that the buffer stays whole and is used again; values are its parts.
    let text = Bytes::copy_from_slice(bytes.get(..length).ok_or(NotHttp)?);
    let base = bytes.as_ptr().addr();
    let mut head = Response::new(());
    let status = StatusCode::from_u16(reply.code.ok_or(NotHttp)?).map_err(|_| NotHttp)?;
    *head.status_mut() = status;
    *head.version_mut() = match reply.version {
        Some(0) => Version::HTTP_10,
        _ => Version::HTTP_11,
    };
    keep_reason(&mut head, reply.reason);
    let headers = head.headers_mut();
    // Only the final head ends all chance that the request is sent again.
    if is_final(status) {
        let fits = room.len().max(room.capacity()) <= MOST_ROOM;
        room.clear();
        if fits {
            *headers = std::mem::take(room);
        }
    }
    headers.reserve(reply.headers.len());
    let mut marks = Marks::default();
    for field in &*reply.headers {
        append(headers, &mut marks, field, &text, base)?;
    }
    bytes.advance(length);
    Ok(Some((head, marks)))
}

/// The fields that a map has room for if it is kept: browsers send half as many. A
/// connection keeps its map while it waits, and a client who sends a hundred fields
/// must not choose how large that is.
const MOST_ROOM: usize = 48;

fn is_final(status: StatusCode) -> bool {
    !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS
}

/// A reason that is not the usual one goes on to the client as it is.
fn keep_reason(head: &mut Response<()>, reason: Option<&str>) {
    if reason != head.status().canonical_reason()
        && let Some(reason) = reason
        && let Ok(reason) = ReasonPhrase::try_from(reason.as_bytes())
    {
        head.extensions_mut().insert(reason);
    }
}

fn append(
    headers: &mut HeaderMap,
    marks: &mut Marks,
    field: &httparse::Header<'_>,
    text: &Bytes,
    base: usize,
) -> Result<(), NotHttp> {
    // To keep alive is what HTTP/1.1 does anyway, and this hop's own matter.
    if field.name.eq_ignore_ascii_case("connection")
        && field.value.eq_ignore_ascii_case(b"keep-alive")
    {
        return Ok(());
    }
    let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| NotHttp)?;
    let from = field.value.as_ptr().addr().wrapping_sub(base);
    let value = match field.value.len() {
        0 => Bytes::new(),
        length => text.slice(from..from + length),
    };
    let value = HeaderValue::from_maybe_shared(value).map_err(|_| NotHttp)?;
    marks.note(&name, &value);
    headers.append(name, value);
    Ok(())
}

fn framing(head: &Response<()>, marks: &Marks, method: &Method) -> Result<Framing, NotHttp> {
    let bare = matches!(
        head.status(),
        StatusCode::SWITCHING_PROTOCOLS | StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if bare || *method == Method::HEAD {
        return Ok(Framing::Length(0));
    }
    if marks.found.transfer_encoding {
        if head.version() == Version::HTTP_10 {
            return Err(NotHttp); // RFC 9112 §6.1
        }
        return Ok(if ends_chunked(head.headers()) {
            Framing::chunked()
        } else {
            Framing::Close
        });
    }
    match marks.length {
        Length::Unsaid => Ok(Framing::Close),
        Length::Said(length) => Ok(Framing::Length(length)),
        Length::Odd => Err(NotHttp),
    }
}

/// Digits only: a sign or a list is read differently by different readers.
fn length(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |length, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        length.checked_mul(10)?.checked_add(digit)
    })
}

fn ends_chunked(headers: &HeaderMap) -> bool {
    let last = headers.get_all(TRANSFER_ENCODING).iter().next_back();
    let coding = last.and_then(|line| line.as_bytes().rsplit(|&byte| byte == b',').next());
    coding.is_some_and(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

fn closes(head: &Response<()>, marks: &Marks) -> bool {
    let says = |word: &[u8]| {
        let mut words = head
            .headers()
            .get_all(CONNECTION)
            .iter()
            .flat_map(|line| line.as_bytes().split(|&byte| byte == b','));
        words.any(|said| said.trim_ascii().eq_ignore_ascii_case(word))
    };
    head.version() != Version::HTTP_11 || (marks.found.may_close() && says(b"close"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_text(text: &str, method: &Method) -> Result<Option<ReplyHead>, NotHttp> {
        take(&mut BytesMut::from(text), method, 4096, &mut asked())
    }

    /// What a request's fields leave in the map that they are read into.
    fn asked() -> HeaderMap {
        let mut fields = HeaderMap::new();
        for (name, value) in [("host", "a"), ("content-length", "7"), ("accept", "b")] {
            fields.append(name, HeaderValue::from_static(value));
        }
        fields.append("accept", HeaderValue::from_static("c"));
        fields
    }

    fn framing_of(fields: &str) -> Result<Framing, NotHttp> {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        take_text(&text, &Method::GET).map(|reply| reply.expect("a whole head").framing)
    }

    #[test]
    fn bodies_are_framed_as_the_standard_says() {
        for (fields, expected) in [
            ("Content-Length: 5\r\n", Ok(Framing::Length(5))),
            (
                "Content-Length: 5\r\nContent-Length: 5\r\n",
                Ok(Framing::Length(5)),
            ),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", Err(NotHttp)),
            ("Content-Length: +5\r\n", Err(NotHttp)),
            ("Content-Length: 5, 5\r\n", Err(NotHttp)),
            ("Content-Length: \r\n", Err(NotHttp)),
            ("Content-Length: 99999999999999999999\r\n", Err(NotHttp)),
            ("Transfer-Encoding: chunked\r\n", Ok(Framing::chunked())),
            (
                "Transfer-Encoding: gzip, Chunked\r\nContent-Length: 5\r\n",
                Ok(Framing::chunked()),
            ),
            (
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n",
                Ok(Framing::Close),
            ),
            ("", Ok(Framing::Close)),
        ] {
            assert_eq!(framing_of(fields), expected, "{fields}");
        }
    }

    #[test]
    fn some_replies_have_no_body_whatever_they_say() {
        for status in ["204 No Content", "304 Not Modified"] {
            let text = format!("HTTP/1.1 {status}\r\nContent-Length: 5\r\n\r\n");
            let reply = take_text(&text, &Method::GET)
                .expect("http")
                .expect("whole");
            assert_eq!(reply.framing, Framing::Length(0));
        }
        let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let reply = take_text(text, &Method::HEAD)
            .expect("http")
            .expect("whole");
        assert_eq!(reply.framing, Framing::Length(0));
    }

    #[test]
    fn interim_replies_are_dropped_and_the_rest_is_left() {
        let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n\
                    HTTP/1.1 404 Gone Fishing\r\nContent-Length: 2\r\nX-Empty:\r\n\r\nhi";
        let mut bytes = BytesMut::from(text);
        let reply = take(&mut bytes, &Method::GET, 4096, &mut asked())
            .expect("http")
            .expect("whole");
        assert_eq!(reply.head.status(), StatusCode::NOT_FOUND);
        assert_eq!(reply.head.headers().len(), 2);
        assert_eq!(reply.head.headers().get("x-empty").expect("kept"), "");
        let reason = reply.head.extensions().get::<ReasonPhrase>();
        assert_eq!(reason.expect("kept").as_bytes(), b"Gone Fishing");
        assert_eq!(&bytes[..], b"hi");
    }

    #[test]
    fn the_requests_fields_stay_until_the_final_head_is_there() {
        let mut fields = asked();
        let mut bytes = BytesMut::from("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200");
        let so_far = take(&mut bytes, &Method::GET, 4096, &mut fields).expect("http");
        assert!(so_far.is_none());
        assert_eq!(fields, asked());
        bytes.extend_from_slice(b" OK\r\nX-A: b\r\nX-A: c\r\n\r\n");
        let reply = take(&mut bytes, &Method::GET, 4096, &mut fields)
            .expect("http")
            .expect("whole");
        let said: Vec<_> = reply.head.headers().iter().collect();
        let name = HeaderName::from_static("x-a");
        let [b, c] = ["b", "c"].map(HeaderValue::from_static);
        assert_eq!(said, [(&name, &b), (&name, &c)]);
    }

    #[test]
    fn the_room_of_a_huge_request_is_not_kept() {
        for one_name in [false, true] {
            let mut fields = HeaderMap::new();
            for number in 0..100 {
                let name = format!("x-{}", if one_name { 0 } else { number });
                let name = HeaderName::try_from(name).expect("a name");
                fields.append(name, HeaderValue::from_static("a"));
            }
            let mut bytes = BytesMut::from("HTTP/1.1 200 OK\r\nX-A: b\r\n\r\n");
            let reply = take(&mut bytes, &Method::GET, 4096, &mut fields);
            let reply = reply.expect("http").expect("whole");
            assert_eq!(reply.head.headers().len(), 1);
            assert!(reply.head.headers().capacity() <= MOST_ROOM);
            assert!(fields.is_empty());
        }
    }

    #[test]
    fn connections_end_as_the_reply_says() {
        for (text, closing) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close\r\n\r\n",
                true,
            ),
            ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", true),
            ("HTTP/1.1 200 OK\r\n\r\n", true),
        ] {
            let reply = take_text(text, &Method::GET).expect("http").expect("whole");
            assert_eq!(reply.closing, closing, "{text}");
        }
    }

    #[test]
    fn what_is_no_reply_or_too_long_is_refused() {
        assert!(take_text("SSH-2.0-x\r\n", &Method::GET).is_err());
        assert!(take_text("HTTP/1.1 200 OK\r\nA B: c\r\n\r\n", &Method::GET).is_err());
        let long = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(5000));
        assert!(take_text(&long, &Method::GET).is_err());
        assert!(
            take_text("HTTP/1.1 200 OK\r\nA: b\r\n", &Method::GET)
                .expect("so far")
                .is_none()
        );
    }
}
