//! A raw HTTP/1 client: writes the bytes it is told, reads replies leniently.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PATIENCE;

/// One connection.
pub(crate) struct Wire {
    pub(crate) stream: TcpStream,
    held: Vec<u8>,
}

/// One reply.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: String,
}

impl Reply {
    /// The first value of `name`.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).into_iter().next()
    }

    /// Every value of `name`, in order.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        fields(&self.head, name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Every value of `name` in a head, in order.
pub(crate) fn fields<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

impl Wire {
    pub(crate) async fn to(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.expect("a connection"))
    }

    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_nodelay(true).expect("a tcp socket");
        Self {
            stream,
            held: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream
            .write_all(bytes.as_ref())
            .await
            .expect("the peer reads");
    }

    /// More bytes; `false` at the end or on a reset.
    pub(crate) async fn more(&mut self) -> bool {
        let mut part = [0; 16 * 1024];
        let read = tokio::time::timeout(PATIENCE, self.stream.read(&mut part))
            .await
            .expect("the peer says something or closes");
        let n = read.unwrap_or(0);
        self.held.extend_from_slice(part.get(..n).expect("a part"));
        n > 0
    }

    /// What has been read so far and not been taken.
    pub(crate) fn held(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Everything until the peer closes.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.more().await {}
        self.held()
    }

    /// The next head with its empty line, if the peer sends one.
    pub(crate) async fn head(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.held, b"\r\n\r\n") {
                return Some(String::from_utf8_lossy(&self.take(at + 4)).into_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// Exactly `n` bytes.
    pub(crate) async fn exactly(&mut self, n: usize) -> Option<Vec<u8>> {
        while self.held.len() < n {
            if !self.more().await {
                return None;
            }
        }
        Some(self.take(n))
    }

    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = find(&self.held, b"\r\n") {
                let line = self.take(at + 2);
                return Some(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The next reply; `None` if the connection ends within it.
    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        self.reply_to("GET").await
    }

    /// The next reply to a request with `method`.
    pub(crate) async fn reply_to(&mut self, method: &str) -> Option<Reply> {
        let head = self.head().await?;
        let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
        let mut trailers = String::new();
        let chunked = fields(&head, "transfer-encoding").contains(&"chunked");
        let length = fields(&head, "content-length").first().map(|n| n.parse());
        let body = if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
            Vec::new()
        } else if chunked {
            self.chunks(&mut trailers).await?
        } else if let Some(length) = length {
            self.exactly(length.expect("a length")).await?
        } else {
            self.rest().await
        };
        Some(Reply {
            status,
            head,
            body,
            trailers,
        })
    }

    /// One chunk; empty at the last.
    pub(crate) async fn chunk(&mut self) -> Option<Vec<u8>> {
        let size = self.line().await?;
        let size = usize::from_str_radix(size.split(';').next()?, 16).ok()?;
        if size == 0 {
            return Some(Vec::new());
        }
        let mut chunk = self.exactly(size + 2).await?;
        chunk.truncate(size);
        Some(chunk)
    }

    pub(crate) async fn chunks(&mut self, trailers: &mut String) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let chunk = self.chunk().await?;
            if chunk.is_empty() {
                break;
            }
            body.extend(chunk);
        }
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Some(body);
            }
            trailers.push_str(&line);
            trailers.push('\n');
        }
    }

    fn take(&mut self, n: usize) -> Vec<u8> {
        let rest = self.held.split_off(n);
        std::mem::replace(&mut self.held, rest)
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len())
        .position(|window| window == needle)
}
