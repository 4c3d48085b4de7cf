//! A verb and a path: no panic, and the slashes that the router squeezes change nothing.
#![no_main]

use http::{Method, Uri};
use libfuzzer_sys::fuzz_target;
use tuskgate::mastodon::endpoint::{endpoint, guarded_path};

const VERBS: &[Method] = &[
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::GET,
    Method::HEAD,
    Method::DELETE,
];

fuzz_target!(|data: &[u8]| {
    let Some((first, path)) = data.split_first() else {
        return;
    };
    let method = &VERBS[usize::from(*first) % VERBS.len()];
    let mut target = b"/".to_vec();
    target.extend(path);
    let Ok(uri) = Uri::try_from(target.as_slice()) else {
        return;
    };
    let path = uri.path();
    let found = guarded_path(method, path);
    for same in [
        format!("/{path}"),
        format!("{path}/"),
        path.replace('/', "//"),
    ] {
        assert_eq!(found, guarded_path(method, &same), "{path} and {same}");
    }
    if let Some(found) = found {
        for verb in VERBS {
            let _ = endpoint(found, verb);
        }
        assert_eq!(
            guarded_path(&Method::POST, path),
            Some(found),
            "an override may make any verb of a POST"
        );
    }
});
