//! A connection that writes bytes as they are and reads one reply, kept alive
//! while both sides can be sure where a message ends.

use std::io::{self, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::support::PATIENCE;
use crate::support::caller::{Answer, read_body, read_head};

/// The same where bytes may be awaited that never come: not taken is refused.
const IMPATIENCE: Duration = Duration::from_millis(700);
/// How long to listen for a second reply where there might be one.
const AFTERTHOUGHT: Duration = Duration::from_millis(60);

/// One client's connection to one server.
pub(crate) struct Lane {
    to: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// What came back.
pub(crate) enum Reply {
    Answer(Answer),
    /// The connection was closed without a word.
    Nothing,
}

impl Lane {
    pub(crate) fn new(to: SocketAddr) -> Self {
        Self { to, stream: None }
    }

    /// Sends `bytes` and reads the reply. Where `sure` is false the framing may
    /// be read in two ways: the connection is not used again.
    pub(crate) fn exchange(&mut self, bytes: &[u8], sure: bool) -> io::Result<Reply> {
        if !sure {
            self.stream = None;
        }
        let kept = self.stream.is_some();
        let patience = if sure { PATIENCE } else { IMPATIENCE };
        let reply = match self.try_once(bytes, patience) {
            Err(fault) if !sure && timed_out(&fault) => Reply::Nothing,
            // A kept connection may have been closed by the other side meanwhile.
            Ok(Reply::Nothing) | Err(_) if kept => {
                self.stream = None;
                self.try_once(bytes, patience)?
            }
            reply => reply?,
        };
        if !sure {
            self.listen_on();
            self.stream = None;
        }
        Ok(reply)
    }

    fn try_once(&mut self, bytes: &[u8], patience: Duration) -> io::Result<Reply> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.to)?,
        };
        stream.get_ref().set_read_timeout(Some(patience))?;
        // The other side may answer and close before it has read all.
        let _ = stream.get_mut().write_all(bytes);
        let (status, headers) = match read_head(&mut stream) {
            Ok(head) => head,
            Err(fault) if timed_out(&fault) => return Err(fault),
            Err(_) => return Ok(Reply::Nothing),
        };
        let method = if bytes.starts_with(b"HEAD ") {
            "HEAD"
        } else {
            ""
        };
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
        };
        let whole = read_body(&mut stream, method, &mut answer)?;
        let closes = answer
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if whole && !closes && !bytes.windows(9).any(|window| window == b"HTTP/1.0\r") {
            self.stream = Some(stream);
        }
        Ok(Reply::Answer(answer))
    }

    /// Gives leftover bytes the time to be taken for a request.
    fn listen_on(&mut self) {
        if let Some(stream) = &mut self.stream {
            let _ = stream.get_mut().set_read_timeout(Some(AFTERTHOUGHT));
            let mut more = [0; 1024];
            while stream.read(&mut more).is_ok_and(|read| read > 0) {}
        }
    }
}

fn connect(to: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

fn timed_out(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}
