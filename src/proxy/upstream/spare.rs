//! A request kept so that it can be sent once more.
//!
//! hyper takes a request's headers for good, and a kept connection may turn
//! out dead at any moment. Nearly every spare is thrown away, so it is made to
//! be cheap to make and not to use: one run of bytes, where a copy of the map
//! would count a reference, allocate a table and undo both.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::proxy::Body;
use crate::proxy::fault::Fault;

/// A request without a body.
#[derive(Debug)]
pub(super) struct Spare {
    method: Method,
    uri: Uri,
    /// For each field its name's and its value's length, as `LENGTHS` bytes, then both.
    fields: Vec<u8>,
}

const LENGTHS: usize = 8;

impl Spare {
    pub(super) fn of(request: &Request<Body>) -> Self {
        let headers = request.headers();
        let mut fields = Vec::with_capacity(ROOM);
        for (name, value) in headers {
            let (name, value) = (name.as_str().as_bytes(), value.as_bytes());
            fields.extend_from_slice(&length(name).to_ne_bytes());
            fields.extend_from_slice(&length(value).to_ne_bytes());
            fields.extend_from_slice(name);
            fields.extend_from_slice(value);
        }
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            fields,
        }
    }

    /// The request again.
    pub(super) fn request(self) -> Result<Request<Body>, Fault> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        // Nothing in it can fail: it was a request before.
        *request.headers_mut() = read(&Bytes::from(self.fields)).ok_or(Fault::Broken)?;
        Ok(request)
    }
}

/// More than most heads take, less than a page.
const ROOM: usize = 2048;

/// A head is bounded by `max-head`, far below.
fn length(text: &[u8]) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

fn read(fields: &Bytes) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    let mut rest = &**fields;
    while let Some((lengths, text)) = rest.split_first_chunk::<LENGTHS>() {
        let [a, b, c, d, e, f, g, h] = *lengths;
        let name = u32::from_ne_bytes([a, b, c, d]) as usize;
        let value = u32::from_ne_bytes([e, f, g, h]) as usize;
        let (name, text) = text.split_at_checked(name)?;
        let (value, text) = text.split_at_checked(value)?;
        let value = HeaderValue::from_maybe_shared(fields.slice_ref(value)).ok()?;
        headers.append(HeaderName::from_bytes(name).ok()?, value);
        rest = text;
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spare_is_the_request_it_was_made_of() {
        let request = Request::put("/a?b=c")
            .header("host", "mastodon.example")
            .header(
                "x-odd",
                HeaderValue::from_bytes(b"\xff\t").expect("a value"),
            )
            .header("accept", "")
            .header("x-odd", "twice")
            .body(Body::empty())
            .expect("a request");
        let again = Spare::of(&request).request().expect("it was a request");
        assert_eq!(again.method(), request.method());
        assert_eq!(again.uri(), request.uri());
        assert_eq!(again.headers(), request.headers());
    }
}
