//! A reply as the proxy reads it off the upstream's socket: however the bytes
//! are cut, the same head, body and trailers, and the same rest behind them.
//!
//! The first byte says how the bytes come: in pieces of its lower seven bits,
//! as the answer to a `HEAD` if the highest is set.
#![no_main]
#![allow(
    dead_code,
    reason = "of the proxy's own files only the readers are used"
)]

#[path = "../../../src/address_text.rs"]
mod address_text;
#[path = "../../../src/proxy/upstream/framing.rs"]
mod framing;
#[path = "../../../src/proxy"]
mod proxy {
    pub(crate) mod headers;
}
#[path = "../../../src/proxy/upstream/reply_head.rs"]
mod reply_head;

use bytes::BytesMut;
use framing::{Framing, Step};
use http::header::{CONTENT_LENGTH, COOKIE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use libfuzzer_sys::fuzz_target;
use reply_head::ReplyHead;

/// More than an input has, so that no bound is met in pieces only.
const LONGEST_HEAD: usize = 1 << 16;

/// What was read of one reply.
#[derive(Debug, Default, PartialEq)]
struct Reply {
    head: Option<(StatusCode, HeaderMap, Framing, bool)>,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    over: bool,
    /// What is left of the bytes.
    rest: Vec<u8>,
}

struct Broken;

/// A request's fields, in whose room a reply's are read.
fn asked() -> HeaderMap {
    let mut fields = HeaderMap::new();
    for name in [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, COOKIE, COOKIE] {
        fields.append(name, HeaderValue::from_static("of the request"));
    }
    fields
}

fn read(bytes: &[u8], piece: usize, method: &Method, mut room: HeaderMap) -> Result<Reply, Broken> {
    let (mut reply, mut at_hand, mut framing) = (Reply::default(), BytesMut::new(), None);
    for piece in bytes.chunks(piece) {
        at_hand.extend_from_slice(piece);
        if framing.is_none() {
            let taken = reply_head::take(&mut at_hand, method, LONGEST_HEAD, &mut room);
            if let Some(taken) = taken.map_err(|_| Broken)? {
                framing = Some(taken.framing);
                reply.head = Some(parts(taken, method));
            }
        }
        if let (Some(framing), false) = (&mut framing, reply.over) {
            body(framing, &mut at_hand, &mut reply)?;
        }
    }
    reply.rest = at_hand.to_vec();
    Ok(reply)
}

fn parts(taken: ReplyHead, method: &Method) -> (StatusCode, HeaderMap, Framing, bool) {
    let (head, ()) = taken.head.into_parts();
    assert!(!head.status.is_informational() || head.status == StatusCode::SWITCHING_PROTOCOLS);
    if *method == Method::HEAD {
        assert_eq!(taken.framing, Framing::Length(0));
    }
    if head.headers.contains_key(TRANSFER_ENCODING) {
        // A length beside a coding is how replies are smuggled.
        assert!(matches!(
            taken.framing,
            Framing::Chunked(_) | Framing::Close | Framing::Length(0)
        ));
    }
    assert!(taken.closing || taken.framing != Framing::Close);
    (head.status, head.headers, taken.framing, taken.closing)
}

fn body(framing: &mut Framing, bytes: &mut BytesMut, into: &mut Reply) -> Result<(), Broken> {
    loop {
        match framing.step(bytes).map_err(|_| Broken)? {
            Step::More => return Ok(()),
            Step::Over => {
                into.over = true;
                assert!(framing.may_end());
                return Ok(());
            }
            Step::Frame(frame) => match frame.into_data() {
                Ok(data) => {
                    assert!(!data.is_empty(), "an empty part says nothing");
                    into.body.extend_from_slice(&data);
                }
                Err(frame) => into.trailers = frame.into_trailers().ok(),
            },
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&how, bytes)) = data.split_first() else {
        return;
    };
    let method = if how & 0x80 == 0 {
        Method::GET
    } else {
        Method::HEAD
    };
    let piece = usize::from(how & 0x7f).max(1);
    let whole = read(bytes, bytes.len().max(1), &method, asked());
    let pieces = read(bytes, piece, &method, HeaderMap::new());
    match (whole, pieces) {
        (Ok(whole), Ok(pieces)) => assert_eq!(whole, pieces, "pieces of {piece}"),
        (Err(Broken), Err(Broken)) => {}
        (whole, _) => panic!(
            "broken only if {}",
            if whole.is_ok() { "cut" } else { "whole" }
        ),
    }
});
