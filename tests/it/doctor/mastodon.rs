//! A scripted Mastodon that answers `doctor` well, or ill in one known way.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    /// As a Mastodon that is set up right.
    Well,
    /// The gate is not in `TRUSTED_PROXY_IP`: a request that names a client is a 500.
    Distrusts,
    /// 500 to all.
    Broken,
    /// It believes that the client came over http.
    RedirectsToHttps,
    /// The name is none of its own.
    BlocksTheHost,
    /// It takes the gate for the client.
    CountsAllAsOne,
}

/// Answers on `at` until the test ends; where it listens.
pub(super) fn start(mood: Mood, at: &str) -> SocketAddr {
    let listener = TcpListener::bind((at, 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let mut counts = HashMap::new();
        for stream in listener.incoming().flatten() {
            // One at a time is enough: doctor asks one after the other.
            let _ = answer(mood, stream, &mut counts);
        }
    });
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn answer(
    mood: Mood,
    mut stream: TcpStream,
    counts: &mut HashMap<String, u32>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.extend(byte);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(field, _)| *field == name)
            .map(|(_, value)| value)
    };
    let client = field("x-forwarded-for");
    let health = head.starts_with("get /health ");
    let (status, more) = match mood {
        Mood::Broken => ("500 Internal Server Error", String::new()),
        Mood::Distrusts if client.is_some() => ("500 Internal Server Error", String::new()),
        _ if health => ("200 OK", String::new()),
        Mood::RedirectsToHttps => (
            "301 Moved Permanently",
            "Location: https://social.example/\r\n".to_owned(),
        ),
        Mood::BlocksTheHost => ("403 Forbidden", String::new()),
        Mood::Well | Mood::Distrusts | Mood::CountsAllAsOne => {
            let key = match mood {
                Mood::CountsAllAsOne => "the gate",
                _ => client.unwrap_or("nobody"),
            };
            let count = counts.entry(key.to_owned()).or_default();
            *count += 1;
            let left = 300 - *count;
            (
                "401 Unauthorized",
                format!("X-RateLimit-Remaining: {left}\r\n"),
            )
        }
    };
    let reply =
        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n{more}\r\n");
    stream.write_all(reply.as_bytes())
}
