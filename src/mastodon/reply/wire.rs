//! Reads the recorded exchanges under `tests/wire/`, for tests only.
//!
//! The format is that of `tests/wire/README.md`; a file that does not keep to
//! it fails the test that reads it.

use std::path::{Path, PathBuf};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// One recorded request and its reply.
pub(in crate::mastodon) struct Exchange {
    pub method: String,
    pub target: String,
    pub asked: HeaderMap,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/4.1")
}

/// The names of all recordings, without `.http`.
pub(in crate::mastodon) fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("tests/wire/4.1 exists")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|end| end == "http"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// All exchanges of one recording.
pub(in crate::mastodon) fn read(name: &str) -> Vec<Exchange> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.http"))).expect(name);
    let exchanges: Vec<Exchange> = text
        .split(">>> REQUEST\n")
        .skip(1)
        .map(|part| exchange(part).expect(name))
        .collect();
    assert!(!exchanges.is_empty(), "{name} holds no exchange");
    exchanges
}

/// The last exchange of one recording.
pub(in crate::mastodon) fn last(name: &str) -> Exchange {
    read(name).pop().expect("at least one exchange")
}

fn exchange(part: &str) -> Option<Exchange> {
    let (request, reply) = part.split_once("<<< RESPONSE\n")?;
    let (request_line, asked) = request.split_once('\n')?;
    let mut words = request_line.split(' ');
    let (head, body) = reply.split_once("\n\n")?;
    let (status_line, head) = head.split_once('\n').unwrap_or((head, ""));
    Some(Exchange {
        method: words.next()?.to_owned(),
        target: words.next()?.to_owned(),
        asked: headers(asked)?,
        status: status_line.split(' ').nth(1)?.parse().ok()?,
        headers: headers(head)?,
        body: body.strip_suffix('\n')?.to_owned(),
    })
}

fn headers(lines: &str) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        map.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    Some(map)
}
