//! The name under which one request is found in every log.
//!
//! A client's or nginx's own `X-Request-Id` is kept if Rails would keep it
//! unchanged: up to 255 word characters, `-` and `@`. It names, it does not
//! authenticate: whoever sends one may repeat another's.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::headers::{Found, X_REQUEST_ID};

/// Makes names that no other gate makes: 128 bits keyed by the system's randomness.
#[derive(Debug, Default)]
pub(super) struct RequestIds {
    keys: [RandomState; 2],
    made: AtomicU64,
}

impl RequestIds {
    /// The request's own name if fit, else a new one, set in `headers`.
    pub(super) fn settle(&self, headers: &mut HeaderMap, found: &Found) -> HeaderValue {
        if found.request_id {
            let mut lines = headers.get_all(X_REQUEST_ID).iter();
            if let (Some(line), None) = (lines.next(), lines.next())
                && fit(line.as_bytes())
            {
                return line.clone();
            }
        }
        let name = self.make();
        headers.insert(X_REQUEST_ID, name.clone());
        name
    }

    fn make(&self) -> HeaderValue {
        let count = self.made.fetch_add(1, Relaxed);
        let mut text = [0; 32];
        for (half, key) in text.chunks_exact_mut(16).zip(&self.keys) {
            let mut bits = key.hash_one(count);
            for digit in half {
                *digit = HEX[(bits & 15) as usize];
                bits >>= 4;
            }
        }
        // Two will hold it, the header and `Seen`: shared from the start, it is one allocation.
        let shared = Bytes::from_owner(text);
        HeaderValue::from_maybe_shared(shared).expect("hexadecimal digits are a header value")
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn fit(name: &[u8]) -> bool {
    let word = |&b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'@');
    !name.is_empty() && name.len() <= 255 && name.iter().all(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(lines: &[&str]) -> (HeaderValue, HeaderMap) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(X_REQUEST_ID, line.parse().expect("a header value"));
        }
        let found = Found::look(&headers);
        let name = RequestIds::default().settle(&mut headers, &found);
        (name, headers)
    }

    #[test]
    fn fit_names_are_kept_and_others_replaced() {
        assert_eq!(settle(&["a-b_c@1"]).0, "a-b_c@1");
        let long = "x".repeat(256);
        for lines in [&[][..], &[""], &["a b"], &["a", "b"], &[&long], &["ä"]] {
            let (name, headers) = settle(lines);
            assert_eq!(name.len(), 32, "{lines:?}");
            assert_eq!(headers.get_all(X_REQUEST_ID).iter().count(), 1);
            assert_eq!(headers.get(X_REQUEST_ID), Some(&name));
        }
    }

    #[test]
    fn made_names_differ() {
        let ids = RequestIds::default();
        let names: std::collections::HashSet<_> = (0..1000).map(|_| ids.make()).collect();
        assert_eq!(names.len(), 1000);
    }
}
