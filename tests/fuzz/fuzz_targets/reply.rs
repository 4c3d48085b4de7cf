//! A reply of the upstream to each door: never a panic, whatever it teaches.
#![no_main]

use http::{HeaderMap, HeaderValue, StatusCode};
use libfuzzer_sys::fuzz_target;
use tuskgate::endpoint::Endpoint;
use tuskgate::mail::address;
use tuskgate::mastodon::ask::{read_app, read_token_info};
use tuskgate::mastodon::reply::{Body, Session, lesson};

const NAMES: &[&str] = &[
    "location",
    "set-cookie",
    "content-type",
    "content-encoding",
    "cookie",
];

fuzz_target!(|data: &[u8]| {
    let Some((&[door, status, names], rest)) = data.split_first_chunk::<3>() else {
        return;
    };
    let endpoint = Endpoint::ALL[usize::from(door) % Endpoint::ALL.len()];
    let status = StatusCode::from_u16(200 + u16::from(status) * 2).expect("a status");
    let mut lines = rest.splitn(5, |&byte| byte == b'\n');
    let mut headers = HeaderMap::new();
    for (index, name) in NAMES.iter().enumerate() {
        if names & (1 << index) != 0
            && let Some(value) = lines
                .next()
                .and_then(|line| HeaderValue::from_bytes(line).ok())
        {
            headers.append(*name, value);
        }
    }
    let body = lines.next().unwrap_or_default();
    let session = Session::of_request(&headers);
    let _ = lesson(endpoint, &session, status, &headers, Body::Whole(body));
    let _ = lesson(endpoint, &session, status, &headers, Body::Cut(body));
    let _ = read_token_info(status, body);
    let _ = read_app(status, body);
    if let Ok(Some(new)) = address::read("carol@good.test") {
        let _ = tuskgate::mastodon::ask::read_edit_page(status, body, &new.exact);
    }
});
