//! Where a reply's body ends, and its chunks (RFC 9112 §6, §7.1).

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;

/// How a body is framed, and how far it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are left.
    Length(u64),
    Chunked(Chunk),
    /// It ends where the connection ends.
    Close,
    /// Read to its end.
    Over,
}

/// Where in a chunked body the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// Before a chunk's size.
    Size,
    /// So many bytes of the chunk are left.
    Data(u64),
    /// Before the line end after a chunk.
    End,
    /// Before the trailers.
    Trailers,
}

/// The framing is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BrokenFraming;

/// What the bytes at hand give.
pub(super) enum Step {
    Frame(Frame<Bytes>),
    More,
    Over,
}

/// The longest line of a size with its extensions, and all trailers together.
const LONGEST_LINE: usize = 4096;
const LONGEST_TRAILERS: usize = 16 << 10;
const MOST_TRAILERS: usize = 64;

impl Framing {
    pub(super) const fn chunked() -> Self {
        Self::Chunked(Chunk::Size)
    }

    /// Takes the next part of the body from the front of `bytes`.
    pub(super) fn step(&mut self, bytes: &mut BytesMut) -> Result<Step, BrokenFraming> {
        match self {
            Self::Length(0) | Self::Over => {
                *self = Self::Over;
                Ok(Step::Over)
            }
            Self::Length(left) => {
                let step = data(bytes, left);
                if *left == 0 {
                    *self = Self::Over;
                }
                Ok(step)
            }
            Self::Close if bytes.is_empty() => Ok(Step::More),
            Self::Close => Ok(Step::Frame(Frame::data(bytes.split().freeze()))),
            Self::Chunked(_) => self.step_chunked(bytes),
        }
    }

    fn step_chunked(&mut self, bytes: &mut BytesMut) -> Result<Step, BrokenFraming> {
        while let Self::Chunked(chunk) = self {
            match chunk {
                Chunk::Data(left) => {
                    let step = data(bytes, left);
                    if *left == 0 {
                        *chunk = Chunk::End;
                    }
                    return Ok(step);
                }
                Chunk::Size => match size(bytes)? {
                    None => return Ok(Step::More),
                    Some(0) => *chunk = Chunk::Trailers,
                    Some(length) => *chunk = Chunk::Data(length),
                },
                Chunk::End => match bytes.get(..2) {
                    None => return Ok(Step::More),
                    Some(b"\r\n") => {
                        bytes.advance(2);
                        *chunk = Chunk::Size;
                    }
                    Some(_) => return Err(BrokenFraming),
                },
                Chunk::Trailers => {
                    let Some(trailers) = trailers(bytes)? else {
                        return Ok(Step::More);
                    };
                    *self = Self::Over;
                    if !trailers.is_empty() {
                        return Ok(Step::Frame(Frame::trailers(trailers)));
                    }
                }
            }
        }
        Ok(Step::Over)
    }

    /// Whether a connection's end may end the body.
    pub(super) const fn may_end(self) -> bool {
        matches!(self, Self::Close | Self::Over)
    }
}

fn data(bytes: &mut BytesMut, left: &mut u64) -> Step {
    let most = usize::try_from(*left).unwrap_or(usize::MAX);
    let part = bytes.len().min(most);
    if part == 0 {
        return Step::More;
    }
    *left -= part as u64;
    Step::Frame(Frame::data(bytes.split_to(part).freeze()))
}

/// Takes a chunk's size line; `None` while it is not there wholly.
fn size(bytes: &mut BytesMut) -> Result<Option<u64>, BrokenFraming> {
    match httparse::parse_chunk_size(bytes) {
        Ok(httparse::Status::Complete((length, size))) => {
            bytes.advance(length);
            Ok(Some(size))
        }
        Ok(httparse::Status::Partial) if bytes.len() <= LONGEST_LINE => Ok(None),
        Ok(httparse::Status::Partial) | Err(_) => Err(BrokenFraming),
    }
}

fn trailers(bytes: &mut BytesMut) -> Result<Option<HeaderMap>, BrokenFraming> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_TRAILERS];
    let parsed = httparse::parse_headers(bytes, &mut fields).map_err(|_| BrokenFraming)?;
    let (length, fields) = match parsed {
        httparse::Status::Complete(found) => found,
        httparse::Status::Partial if bytes.len() <= LONGEST_TRAILERS => return Ok(None),
        httparse::Status::Partial => return Err(BrokenFraming),
    };
    let mut trailers = HeaderMap::new();
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| BrokenFraming)?;
        let value = HeaderValue::from_bytes(field.value).map_err(|_| BrokenFraming)?;
        trailers.append(name, value);
    }
    bytes.advance(length);
    Ok(Some(trailers))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body and trailers of `text` fed in `parts`, or where it broke.
    fn read(text: &[u8], parts: usize) -> Result<(Vec<u8>, Option<HeaderMap>), BrokenFraming> {
        let mut framing = Framing::chunked();
        let (mut body, mut tail) = (Vec::new(), None);
        let mut bytes = BytesMut::new();
        for part in text.chunks(parts.max(1)) {
            bytes.extend_from_slice(part);
            loop {
                match framing.step(&mut bytes)? {
                    Step::Frame(frame) => match frame.into_data() {
                        Ok(data) => body.extend_from_slice(&data),
                        Err(frame) => tail = frame.into_trailers().ok(),
                    },
                    Step::More => break,
                    Step::Over => return Ok((body, tail)),
                }
            }
        }
        Err(BrokenFraming)
    }

    #[test]
    fn chunks_and_trailers_are_read_however_they_are_cut() {
        let text = b"5;a=b\r\nhello\r\n0000A\r\n, world!!!\r\n0\r\nX-Sum: 7\r\n\r\n";
        for parts in 1..text.len() {
            let (body, tail) = read(text, parts).expect("well-formed");
            assert_eq!(body, b"hello, world!!!");
            assert_eq!(tail.expect("trailers").get("x-sum").expect("kept"), "7");
        }
        assert_eq!(read(b"0\r\n\r\n", 2), Ok((Vec::new(), None)));
    }

    #[test]
    fn broken_chunks_break_off() {
        for text in [
            "x\r\n",
            "5\r\nhelloX\r\n0\r\n\r\n",
            "-1\r\n",
            "ffffffffffffffffff\r\n",
            "0\r\nno trailer\r\n\r\n",
            "5\r\nhel",
        ] {
            assert!(read(text.as_bytes(), 3).is_err(), "{text}");
        }
        let endless = format!("1;{}", "x".repeat(9000));
        assert!(read(endless.as_bytes(), 100).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(text in prop::collection::vec(any::<u8>(), 0..200), parts in 1_usize..50) {
            let _ = read(&text, parts);
        }

        #[test]
        fn what_was_chunked_comes_out(body in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8), parts in 1_usize..50) {
            let mut text = Vec::new();
            for chunk in &body {
                text.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                text.extend_from_slice(chunk);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
            prop_assert_eq!(read(&text, parts), Ok((body.concat(), None)));
        }
    }
}
