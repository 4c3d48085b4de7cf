//! The upstream behind the gate: keeps every request byte by byte, by its
//! `X-Test-Id`, and answers each with an empty 200.
//!
//! It takes one framing and nothing beside it. What it cannot read as exactly
//! one plain message is kept as a fault, and so is a request without an id:
//! bytes that the gate let through as a request that nobody sent.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use http::request::Parts;
use http::{HeaderName, HeaderValue};

/// What the upstream heard.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// All bytes of the message.
    pub(crate) wire: Vec<u8>,
    /// As a reader of parameters takes it.
    pub(crate) head: Parts,
    pub(crate) target: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

#[derive(Default)]
struct Log {
    heard: HashMap<String, Vec<Heard>>,
    faults: Vec<String>,
}

/// A running upstream.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

impl Recorder {
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let recorder = Self {
            address: listener.local_addr()?,
            log: Arc::default(),
        };
        let log = Arc::clone(&recorder.log);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&log);
                std::thread::spawn(move || serve(&stream, &log));
            }
        });
        Ok(recorder)
    }

    /// Everything heard under `id`, which is then forgotten.
    pub(crate) fn take(&self, id: &str) -> Vec<Heard> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.heard.remove(id).unwrap_or_default()
    }

    /// Messages that were not one plain request with an id.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut log.faults)
    }
}

fn serve(stream: &TcpStream, log: &Mutex<Log>) {
    let _ = stream.set_nodelay(true);
    let mut from = BufReader::new(stream);
    loop {
        let heard = read(&mut from);
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        match heard {
            Ok(None) => return,
            Ok(Some(heard)) => {
                let id = heard.head.headers.get("x-test-id");
                match id.and_then(|id| id.to_str().ok()) {
                    Some(id) => log.heard.entry(id.to_owned()).or_default().push(heard),
                    None if own_question(&heard) => {}
                    None => log
                        .faults
                        .push(format!("no id: {}", heard.wire.escape_ascii())),
                }
            }
            Err(fault) => {
                log.faults.push(fault.to_string());
                return;
            }
        }
        drop(log);
        let mut to = stream;
        if to
            .write_all(b"HTTP/1.1 200 OK\r\nX-Recorded: 1\r\nContent-Length: 0\r\n\r\n")
            .is_err()
        {
            return;
        }
    }
}

/// What the gate asks on its own: whose a token is, what an app is called.
fn own_question(heard: &Heard) -> bool {
    let asked = matches!(
        heard.target.as_slice(),
        b"/oauth/token/info" | b"/api/v1/apps/verify_credentials" | b"/auth/edit"
    );
    asked && heard.head.method == http::Method::GET && heard.body.is_empty()
}

/// The next message; `None` if the connection ends between two.
fn read(from: &mut BufReader<&TcpStream>) -> io::Result<Option<Heard>> {
    let mut wire = Vec::new();
    while !wire.ends_with(b"\r\n\r\n") {
        if from.read_until(b'\n', &mut wire)? == 0 {
            return if wire.is_empty() {
                Ok(None)
            } else {
                Err(odd("cut in the head", &wire))
            };
        }
    }
    let (head, target) = parse(&wire)?;
    let length = framing(&head).ok_or_else(|| odd("framing", &wire))?;
    let mut body = Vec::new();
    match length {
        Some(length) => {
            from.take(length).read_to_end(&mut body)?;
            if body.len() as u64 != length {
                return Err(odd("cut in the body", &wire));
            }
            wire.extend(&body);
        }
        None => chunks(from, &mut wire, &mut body)?,
    }
    Ok(Some(Heard {
        wire,
        head,
        target,
        body,
    }))
}

/// The declared length, `None` inside for chunks; nothing if there are two framings.
fn framing(head: &Parts) -> Option<Option<u64>> {
    let lengths: Vec<_> = head.headers.get_all("content-length").iter().collect();
    let codings: Vec<_> = head.headers.get_all("transfer-encoding").iter().collect();
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Some(Some(0)),
        ([length], []) => Some(Some(length.to_str().ok()?.parse().ok()?)),
        ([], [coding]) if coding.as_bytes() == b"chunked" => Some(None),
        _ => None,
    }
}

fn chunks(
    from: &mut BufReader<&TcpStream>,
    wire: &mut Vec<u8>,
    body: &mut Vec<u8>,
) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        from.read_until(b'\n', &mut line)?;
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        wire.extend(&line);
        let size = u64::from_str_radix(&text, 16).map_err(|_| odd("chunk size", wire))?;
        let mut chunk = Vec::new();
        from.take(size + 2).read_to_end(&mut chunk)?;
        wire.extend(&chunk);
        let data = chunk
            .strip_suffix(b"\r\n")
            .ok_or_else(|| odd("chunk end", wire))?;
        body.extend(data);
        if size == 0 {
            return Ok(());
        }
    }
}

fn parse(wire: &[u8]) -> io::Result<(Parts, Vec<u8>)> {
    let text = wire.strip_suffix(b"\r\n\r\n").unwrap_or(wire);
    let mut lines = text
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut first = lines.next().unwrap_or_default().split(|&byte| byte == b' ');
    let (method, target) = (
        first.next().unwrap_or_default(),
        first.next().unwrap_or_default(),
    );
    let mut request = http::Request::builder().method(method).uri(target);
    for line in lines {
        let at = line
            .iter()
            .position(|&byte| byte == b':')
            .ok_or_else(|| odd("header", wire))?;
        let (name, value) = line.split_at(at);
        let name = HeaderName::from_bytes(name).map_err(|_| odd("header", wire))?;
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        request = request.header(
            name,
            HeaderValue::from_bytes(value).map_err(|_| odd("header", wire))?,
        );
    }
    let request = request.body(()).map_err(|_| odd("request", wire))?;
    Ok((request.into_parts().0, target.to_vec()))
}

fn odd(what: &str, wire: &[u8]) -> io::Error {
    io::Error::other(format!("odd {what}: {}", wire.escape_ascii()))
}
