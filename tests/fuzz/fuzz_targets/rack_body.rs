//! A body under one of the content types: read within the bounds, or refused.
#![no_main]

use http::Request;
use libfuzzer_sys::fuzz_target;
use tuskgate::rack::{self, MAX_BODY, MAX_DEPTH, Params, Value};

const TYPES: &[&str] = &[
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=XX",
    "multipart/form-data; boundary=\"--a'b\"",
    "text/x-json; charset=utf-8",
    "multipart/form-data",
    "text/plain",
    "",
];

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else {
        return;
    };
    let mut request = Request::post("/auth?user[locale]=en");
    let content_type = TYPES[usize::from(*first) % TYPES.len()];
    if !content_type.is_empty() {
        request = request.header("content-type", content_type);
    }
    let head = request.body(()).expect("a request").into_parts().0;
    if let Ok(read) = rack::read(&head, body) {
        assert!(body.len() <= MAX_BODY);
        assert!(depth(&read.params) <= MAX_DEPTH + 1);
    }
});

fn depth(params: &Params) -> usize {
    1 + params
        .iter()
        .map(|(_, value)| depth_of(value))
        .max()
        .unwrap_or(0)
}

fn depth_of(value: &Value) -> usize {
    match value {
        Value::Map(inner) => depth(inner),
        Value::List(items) => 1 + items.iter().map(depth_of).max().unwrap_or(0),
        _ => 0,
    }
}
