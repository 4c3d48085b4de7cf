//! A client's socket that tells its [`Watch`] what goes through it.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use super::roster::Hold;
use super::stream::Stream;
use super::watch::Watch;
use crate::telemetry::metrics;

/// A client's socket. Whatever becomes of the connection, a tunnel too, it
/// counts as open until this is dropped.
#[derive(Debug)]
pub(super) struct ClientIo {
    stream: Stream,
    /// Read already, by HTTP state that has been dropped since.
    before: Bytes,
    watch: Arc<Watch>,
    _open: Open,
}

/// What an open connection takes up.
#[derive(Debug)]
pub(super) struct Open {
    _hold: Hold,
    _permit: OwnedSemaphorePermit,
}

impl Open {
    pub(super) fn new(hold: Hold, permit: OwnedSemaphorePermit) -> Self {
        metrics().proxy.connections.inc();
        metrics().proxy.connections_open.inc();
        Self {
            _hold: hold,
            _permit: permit,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics().proxy.connections_open.dec();
    }
}

impl ClientIo {
    pub(super) fn new(stream: Stream, watch: Arc<Watch>, open: Open) -> Self {
        Self {
            stream,
            before: Bytes::new(),
            watch,
            _open: open,
        }
    }

    /// The same socket, which will give `before` first.
    pub(super) fn after(mut self, before: Bytes) -> Self {
        // Even of no bytes it would hold on to the buffer that they were read into.
        self.before = if before.is_empty() {
            Bytes::new()
        } else {
            before
        };
        self
    }

    /// Waits for the client's next bytes and keeps them for HTTP to read;
    /// `false` if it has ended. Readiness alone will not do: tokio takes a new
    /// socket for readable until a read says otherwise.
    pub(super) fn poll_spoken(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.before.is_empty() {
            let mut first = [0; FIRST];
            let mut first = ReadBuf::new(&mut first);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut first))?;
            self.before = Bytes::copy_from_slice(first.filled());
        }
        Poll::Ready(Ok(!self.before.is_empty()))
    }

    /// A last word, as far as the socket takes it at once.
    pub(super) fn say(&self, bytes: &[u8]) {
        // Too late to care: the connection is closed either way.
        let _ = self.stream.try_write(bytes);
    }
}

/// As long as a head with a small page of JSON.
const SHORT: usize = 4096;

/// Most request heads are shorter.
const FIRST: usize = 2048;

impl AsyncRead for ClientIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let had = buf.filled().len();
        if self.before.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        } else {
            let part = self.before.len().min(buf.remaining());
            buf.put_slice(&self.before.split_to(part));
        }
        if buf.filled().len() > had {
            self.watch.heard();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ClientIo {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch.taken(written.is_ready());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A short reply is cheaper to copy than for the kernel to gather.
        let whole: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut room = [MaybeUninit::uninit(); SHORT];
        let written = if slices.len() > 1 && whole <= SHORT {
            let mut room = ReadBuf::uninit(&mut room);
            for slice in slices {
                room.put_slice(slice);
            }
            Pin::new(&mut self.stream).poll_write(cx, room.filled())
        } else {
            Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
        };
        self.watch.taken(written.is_ready());
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
