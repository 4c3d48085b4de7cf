//! A query; the same text as a form body gives the same parameters.
#![no_main]

use http::Request;
use libfuzzer_sys::fuzz_target;
use tuskgate::rack;

fuzz_target!(|data: &[u8]| {
    let mut target = b"/api/v1/accounts?".to_vec();
    target.extend(data);
    let Ok(request) = Request::post(target.as_slice()).body(()) else {
        return;
    };
    let head = request.into_parts().0;
    let Ok(as_query) = rack::read(&head, b"") else {
        return;
    };
    if as_query.params.beginning("_method").next().is_some() {
        return; // means something in a form, and nothing in a query
    }
    let text = head.uri.query().unwrap_or_default().to_owned();
    let form = Request::post("/api/v1/accounts")
        .header("content-type", "application/x-www-form-urlencoded");
    let form = form.body(()).expect("a request").into_parts().0;
    let as_body =
        rack::read(&form, text.as_bytes()).expect("what is read as a query is read as a form");
    assert!(as_query.params == as_body.params);
});
