//! One connection to the upstream: a socket, what came of it and is not read
//! yet, and what is still to be written.
//!
//! Polled by whoever is served over it: it has no task and no channel, which
//! is most of what it saves against a general client.

use std::io;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::proxy::stream::Stream;

/// A connection to the upstream.
#[derive(Debug)]
pub(in crate::proxy) struct Wire {
    stream: Stream,
    pub(super) unread: BytesMut,
    /// What is to be written; empty once all of it has been.
    pub(super) unsent: Vec<u8>,
    /// How much of it has left.
    written: usize,
    /// Bytes of the present request that have left.
    pub(super) sent: u64,
}

/// What one read may bring at first, and at most once reads come back full.
const READ: usize = 8 << 10;
const MOST_READ: usize = 64 << 10;

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            unread: BytesMut::new(),
            unsent: Vec::new(),
            written: 0,
            sent: 0,
        }
    }

    /// Writes what is to be written.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(left @ [_, ..]) = self.unsent.get(self.written..) {
            let wrote = ready!(Pin::new(&mut self.stream).poll_write(cx, left))?;
            if wrote == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += wrote as u64;
            self.written += wrote;
        }
        self.unsent.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }

    /// Reads more; how much came, nothing at the end.
    pub(super) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // Reuses the buffer's own space where nobody holds a part of it any more.
        let want = self.unread.capacity().clamp(READ, MOST_READ);
        if self.unread.capacity() - self.unread.len() < READ / 2 {
            self.unread.reserve(want);
        }
        pin!(self.stream.read_buf(&mut self.unread)).poll(cx)
    }

    /// Whether an unused connection is of no more use: its end has come, or
    /// bytes that nobody asked for. Costs no system call while nothing came.
    pub(super) fn is_spent(&mut self) -> bool {
        if !self.unread.is_empty() {
            return true;
        }
        let read = self.stream.try_read(&mut self.unread);
        !read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// The same, asked of the kernel: for a request that must not be sent twice.
    pub(super) fn is_spent_for_sure(&self) -> bool {
        let looked = self.stream.peek(&mut [MaybeUninit::uninit()]);
        !looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Ready for the next request.
    pub(super) fn rest(&mut self) {
        self.sent = 0;
        if self.unread.capacity() > MOST_READ {
            self.unread = BytesMut::new();
        }
        if self.unsent.capacity() > MOST_READ {
            self.unsent = Vec::new();
        }
    }

    /// The socket, and what came of it already.
    pub(in crate::proxy) fn into_parts(self) -> (Stream, BytesMut) {
        (self.stream, self.unread)
    }
}
