//! Headers beside the content type.

use proptest::prelude::*;
use proptest::sample::select;

const HARMLESS: &[(&str, &str)] = &[
    ("Accept", "application/json"),
    ("Accept", "*/*"),
    ("Authorization", "Bearer abc"),
    ("AUTHORIZATION", "bearer abc"),
    ("Authorization", "Basic YzpzZWNyZXQ="),
    ("Cookie", "_mastodon_session=x"),
    ("User-Agent", "x"),
    ("X-CSRF-Token", "t"),
    ("Origin", "http://mastodon.test"),
    ("X-HTTP-Method-Override", "PUT"),
    ("x-http-method-override", "patch"),
];

const ODD: &[(&str, &str)] = &[
    ("X-HTTP-Method-Override", "GET"),
    ("X-HTTP-Method-Override", "x"),
    ("X-HTTP-Method-Override", ""),
    ("X-HTTP-Method-Override", " put "),
    ("X_HTTP_Method_Override", "PUT"),
    ("X-HTTP-Method_Override", "PUT"),
    ("X-Method-Override", "PUT"),
    ("Authorization", "Bearer  abc"),
    ("Authorization", "Bearer\tabc"),
    ("Authorization", "Token abc"),
    ("Authorization", ""),
    ("Authorization", "Bearer abc, Bearer def"),
    ("Authorization", "basic YzpzZWNyZXQ="),
    ("Authorization", "Basic Yw=="),
    ("Authorization", "Basic Yzpz\u{e4}"),
    ("Authorization", "Basic  YzpzZWNyZXQ="),
    ("Authorization", "Basic OnNlY3JldA=="),
    ("X-HTTP-Authorization", "Bearer zzz"),
    ("X_HTTP_AUTHORIZATION", "Bearer zzz"),
    ("Redirect-X-HTTP-Authorization", "Bearer zzz"),
    ("Content_Type", "application/json"),
    ("Content-Type", "application/json"),
    ("Content_Length", "3"),
    ("Transfer_Encoding", "chunked"),
    ("Content-Encoding", "gzip"),
    ("Content-Encoding", "identity"),
    ("Accept", "garbage"),
    ("Accept", "text/html"),
    ("X-Forwarded-For", "6.6.6.6"),
    ("X_Forwarded_For", "6.6.6.6"),
    ("Forwarded", "for=6.6.6.6;host=x"),
    ("Client-Ip", "6.6.6.6"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Original-URL", "/auth"),
    ("X-Rewrite-URL", "/auth"),
    ("Script-Name", "/x"),
    ("X-Script-Name", "/auth"),
    ("Query-String", "email=z"),
    ("Path-Info", "/auth"),
    ("Request-Method", "GET"),
    ("Expect", "100-continue"),
    ("Connection", "X-Test-Echo"),
    ("Connection", "Content-Type"),
    ("Connection", "Authorization"),
    ("Connection", "X-HTTP-Method-Override"),
    ("TE", "trailers"),
    ("Upgrade", "websocket"),
    ("Trailer", "Content-Type"),
    ("Range", "bytes=0-1"),
    ("If-None-Match", "*"),
    ("X-Requested-With", "XMLHttpRequest"),
    ("Action-Dispatch", "x"),
];

pub(super) fn extra() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let one = prop_oneof![2 => select(HARMLESS), 1 => select(ODD)]
        .prop_map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    prop_oneof![2 => Just(Vec::new()), 2 => prop::collection::vec(one, 1..3)]
}
