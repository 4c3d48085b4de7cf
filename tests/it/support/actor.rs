//! An upstream that is a function of the request, for replies that no honest
//! Mastodon gives. One thread a connection, raw bytes out.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request, as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A running actor; its threads end with the process.
pub(crate) struct Actor {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Actor {
    /// Answers each request with what `play` makes of it: whole replies, byte for byte.
    pub(crate) fn new(play: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (play, log) = (Arc::new(play), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (play, log) = (Arc::clone(&play), Arc::clone(&log));
                std::thread::spawn(move || converse(stream, &log, &*play));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self, path: &str) -> Vec<Asked> {
        let asked = self.asked.lock().expect("no holder panics");
        let at = asked.iter().filter(|asked| asked.path() == path);
        at.cloned().collect()
    }
}

/// Until the gate hangs up, or a reply is one after which nobody could go on.
fn converse(stream: TcpStream, log: &Mutex<Vec<Asked>>, play: &dyn Fn(&Asked) -> Vec<u8>) {
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream) {
        log.lock().expect("no holder panics").push(asked.clone());
        if stream.get_mut().write_all(&play(&asked)).is_err() {
            return;
        }
    }
}

fn read(from: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut asked = Asked {
        target: line(from)?.split(' ').nth(1)?.to_owned(),
        ..Asked::default()
    };
    while let Some((name, value)) = line(from)?.split_once(':') {
        asked
            .headers
            .push((name.to_owned(), value.trim().to_owned()));
    }
    let length = asked.header("content-length").unwrap_or("0");
    asked.body = vec![0; length.parse().ok()?];
    from.read_exact(&mut asked.body).ok()?;
    Some(asked)
}

fn line(from: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    let read = from.read_line(&mut line).ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

/// A JSON reply with its length.
pub(crate) fn json(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
