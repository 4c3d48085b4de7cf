//! A request that the gate reads, asked of both Rails over connections that
//! are kept: they must read the same. `TUSKGATE_RAILS` names their ports.
//!
//! The input: a line `VERB TARGET`, a line with the content type, the body.
#![no_main]
#![allow(
    dead_code,
    reason = "parts of the black-box tests, of which some are used"
)]

use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

use http::Request;
use jiff::Timestamp;
use libfuzzer_sys::{Corpus, fuzz_target};
use tuskgate::attempt::{ClientIp, Unknown};
use tuskgate::mastodon::attempt;
use tuskgate::mastodon::endpoint::guarded_path;

#[path = "../../it/support/caller.rs"]
mod caller;
#[path = "../../it/differential/compare.rs"]
mod compare;
#[path = "../../it/differential/lane.rs"]
mod lane;
#[path = "../../it/differential/recorder.rs"]
mod recorder;
mod support {
    pub(crate) use crate::caller;

    /// As in the black-box tests.
    pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
}

use compare::{Echo, Outcome, compare};
use lane::{Lane, Reply};
use recorder::Heard;

static RAILS: Mutex<Vec<Lane>> = Mutex::new(Vec::new());

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some(heard) = heard(data) else {
        return Corpus::Reject;
    };
    let Some(path) = guarded_path(&heard.head.method, heard.head.uri.path()) else {
        return Corpus::Keep;
    };
    let client = ClientIp::Unknown(Unknown::Missing);
    let Ok(reading) = attempt::read(
        path,
        &heard.head,
        &heard.body,
        client,
        Timestamp::UNIX_EPOCH,
    ) else {
        return Corpus::Keep;
    };
    // Puma lets a kept connection time out over these.
    let sure = !heard
        .target
        .iter()
        .any(|byte| b"\"<>\\^`{|}".contains(byte));
    let mut rails = RAILS.lock().expect("one thread");
    if rails.is_empty() {
        let ports = std::env::var("TUSKGATE_RAILS").expect("TUSKGATE_RAILS=PORT,PORT");
        rails.extend(ports.split(',').map(|port| {
            Lane::new(SocketAddr::new(
                IpAddr::from([127, 0, 0, 1]),
                port.parse().expect("a port"),
            ))
        }));
    }
    for lane in rails.iter_mut() {
        let told = match lane.exchange(&heard.wire, sure) {
            Ok(Reply::Answer(answer)) => answer.header("x-test-reached").map(|_| answer.json()),
            Ok(Reply::Nothing) => None,
            Err(fault) => panic!("Rails does not answer: {fault}"),
        };
        if let Outcome::Differs(fault) = compare(&heard, Some(&reading), &Echo { told }) {
            panic!("{fault}: {}", heard.wire.escape_ascii());
        }
    }
    Corpus::Keep
});

fn heard(data: &[u8]) -> Option<Heard> {
    let mut parts = data.splitn(3, |&byte| byte == b'\n');
    let (first, content_type, body) = (parts.next()?, parts.next()?, parts.next()?);
    let mut words = first.split(|&byte| byte == b' ');
    let (verb, target) = (words.next()?, words.next()?);
    // A HEAD has no body to tell in; hyper cuts a fragment.
    if !matches!(verb, b"POST" | b"PUT" | b"PATCH")
        || !target.starts_with(b"/")
        || target.contains(&b'#')
    {
        return None;
    }
    let mut request = Request::builder().method(verb).uri(target);
    let mut wire = [
        verb,
        b" ",
        target,
        b" HTTP/1.1\r\nHost: mastodon.test\r\nX-Test-Echo: 1\r\n",
    ]
    .concat();
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
        wire.extend([b"Content-Type: ", content_type, b"\r\n"].concat());
    }
    wire.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
    wire.extend(body);
    let head = request
        .header("content-length", body.len())
        .body(())
        .ok()?
        .into_parts()
        .0;
    Some(Heard {
        wire,
        head,
        target: target.to_vec(),
        body: body.to_vec(),
    })
}
