//! One client with a keep-alive HTTP/1.1 connection and a cookie jar, written
//! over a plain socket so that the bytes sent are the ones a test names.
//!
//! nginx of the test chain takes the client's address from `X-Test-Client`, so
//! that hundreds of public addresses can be played from loopback. Deliberately
//! blocking and without redirects: the callers are threads, bounded by the test.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Map, Value};

/// Longest wait for any one read or write.
const PATIENCE: Duration = Duration::from_secs(60);
/// Largest answer read.
const LONGEST: u64 = 16 << 20;
/// The server's own name, as every client would send it.
pub(crate) const HOST: &str = "mastodon.test";

/// The three ways in which honest clients write parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Urlencoded,
    Multipart,
    Json,
}

impl Encoding {
    pub(crate) const ALL: [Self; 3] = [Self::Urlencoded, Self::Multipart, Self::Json];

    /// The content type and the body. A key such as `user[email]` becomes an
    /// object within an object in JSON.
    pub(crate) fn write(self, fields: &[(&str, &str)]) -> (&'static str, Vec<u8>) {
        match self {
            Self::Urlencoded => {
                let pairs: Vec<String> = fields
                    .iter()
                    .map(|(key, value)| format!("{}={}", escape(key), escape(value)))
                    .collect();
                (
                    "application/x-www-form-urlencoded",
                    pairs.join("&").into_bytes(),
                )
            }
            Self::Multipart => {
                let mut body = String::new();
                for (key, value) in fields {
                    let _ = write!(
                        body,
                        "--tuskgate\r\nContent-Disposition: form-data; name=\"{key}\"\r\n\r\n{value}\r\n"
                    );
                }
                body.push_str("--tuskgate--\r\n");
                ("multipart/form-data; boundary=tuskgate", body.into_bytes())
            }
            Self::Json => {
                let mut root = Map::new();
                for (key, value) in fields {
                    let path: Vec<&str> = key
                        .split(['[', ']'])
                        .filter(|part| !part.is_empty())
                        .collect();
                    nest(&mut root, &path, value);
                }
                (
                    "application/json",
                    Value::Object(root).to_string().into_bytes(),
                )
            }
        }
    }
}

fn nest(map: &mut Map<String, Value>, path: &[&str], value: &str) {
    match path {
        [] => {}
        [last] => {
            map.insert((*last).to_owned(), Value::from(value));
        }
        [first, rest @ ..] => {
            let inner = map
                .entry(*first)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                nest(inner, rest, value);
            }
        }
    }
}

/// Percent-encodes all but unreserved characters.
pub(crate) fn escape(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// One client.
pub(crate) struct Caller {
    entry: SocketAddr,
    from: Option<IpAddr>,
    cookies: Vec<(String, String)>,
    connection: Option<BufReader<TcpStream>>,
}

impl Caller {
    /// A client that speaks to `entry` and is seen as `from` by the chain.
    pub(crate) fn new(entry: SocketAddr, from: Option<IpAddr>) -> Self {
        Self {
            entry,
            from,
            cookies: Vec::new(),
            connection: None,
        }
    }

    /// The same connection under another address: a person gone, the next one there.
    pub(crate) fn become_other(&mut self, from: IpAddr) {
        self.from = Some(from);
        self.cookies.clear();
    }

    pub(crate) fn get(&mut self, target: &str) -> io::Result<Answer> {
        self.call("GET", target, &[], b"")
    }

    /// A POST with parameters in one of the encodings, with a bearer if given.
    pub(crate) fn post(
        &mut self,
        target: &str,
        encoding: Encoding,
        fields: &[(&str, &str)],
        bearer: Option<&str>,
    ) -> io::Result<Answer> {
        let (content_type, body) = encoding.write(fields);
        let authorization = bearer.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Content-Type", content_type)];
        headers.extend(
            authorization
                .as_deref()
                .map(|value| ("Authorization", value)),
        );
        self.call("POST", target, &headers, &body)
    }

    /// One request. A kept connection that turns out to be closed is replaced
    /// once, as every client does.
    pub(crate) fn call(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let request = self.request(method, target, headers, body);
        if let Some(kept) = self.connection.take()
            && let Ok(answer) = self.exchange(kept, method, &request)
        {
            return Ok(answer);
        }
        let fresh = TcpStream::connect_timeout(&self.entry, PATIENCE)?;
        fresh.set_read_timeout(Some(PATIENCE))?;
        fresh.set_write_timeout(Some(PATIENCE))?;
        fresh.set_nodelay(true)?;
        self.exchange(BufReader::new(fresh), method, &request)
    }

    fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            let _ = write!(head, "Host: {HOST}\r\n");
        }
        if let Some(from) = self.from {
            let _ = write!(head, "X-Test-Client: {from}\r\n");
        }
        if !self.cookies.is_empty() {
            let jar: Vec<String> = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let _ = write!(head, "Cookie: {}\r\n", jar.join("; "));
        }
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !body.is_empty() || method == "POST" {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }

    fn exchange(
        &mut self,
        mut connection: BufReader<TcpStream>,
        method: &str,
        request: &[u8],
    ) -> io::Result<Answer> {
        connection.get_mut().write_all(request)?;
        let (status, headers) = read_head(&mut connection)?;
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let kept = read_body(&mut connection, method, &mut answer)?;
        self.remember(&answer);
        if kept
            && !answer
                .header("connection")
                .is_some_and(|value| value.eq_ignore_ascii_case("close"))
        {
            self.connection = Some(connection);
        }
        Ok(answer)
    }

    fn remember(&mut self, answer: &Answer) {
        for (_, value) in answer
            .headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"))
        {
            let pair = value.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

/// The status and the header lines, interim answers skipped.
pub(crate) fn read_head(from: &mut impl BufRead) -> io::Result<(u16, Vec<(String, String)>)> {
    loop {
        let first = read_line(from)?;
        let status: u16 = first
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| io::Error::other(format!("no status line: {first:?}")))?;
        let mut headers = Vec::new();
        loop {
            let line = read_line(from)?;
            match line.split_once(':') {
                Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
                None if line.is_empty() => break,
                None => return Err(io::Error::other(format!("no header line: {line:?}"))),
            }
        }
        if status >= 200 || status == 101 {
            return Ok((status, headers));
        }
    }
}

/// Reads the body and says whether the connection can be used again.
pub(crate) fn read_body(
    from: &mut impl BufRead,
    method: &str,
    answer: &mut Answer,
) -> io::Result<bool> {
    if method == "HEAD" || matches!(answer.status, 101 | 204 | 304) {
        return Ok(answer.status != 101);
    }
    if answer
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
    {
        loop {
            let size = read_line(from)?;
            let size = u64::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|_| io::Error::other(format!("no chunk size: {size:?}")))?;
            if size == 0 {
                while !read_line(from)?.is_empty() {}
                return Ok(true);
            }
            take(from, size, &mut answer.body)?;
            read_line(from)?;
        }
    }
    if let Some(length) = answer
        .header("content-length")
        .and_then(|value| value.parse().ok())
    {
        take(from, length, &mut answer.body)?;
        return Ok(true);
    }
    from.take(LONGEST).read_to_end(&mut answer.body)?;
    Ok(false)
}

fn take(from: &mut impl BufRead, size: u64, into: &mut Vec<u8>) -> io::Result<()> {
    if into.len() as u64 + size > LONGEST {
        return Err(io::Error::other("an answer longer than any test asks for"));
    }
    let read = from.take(size).read_to_end(into)?;
    if (read as u64) < size {
        Err(io::ErrorKind::UnexpectedEof.into())
    } else {
        Ok(())
    }
}

fn read_line(from: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if from.take(64 << 10).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
