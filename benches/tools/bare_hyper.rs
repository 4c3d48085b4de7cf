//! The floor: a proxy of nothing but hyper, one thread, a pool of kept
//! connections, no time-outs, no header work beyond what HTTP demands.
//!
//! `bare_hyper LISTEN UPSTREAM`; with a third argument `429` it answers every
//! request with that at once and has no upstream.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::header::CONNECTION;
use http::{Request, Response, StatusCode};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// The gate's allocator, so that hyper is compared and not malloc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Pool = Rc<RefCell<Vec<SendRequest<Incoming>>>>;

/// A reply on its way; its connection is kept once it has ended.
struct Reply {
    inner: Option<Incoming>,
    sender: Option<SendRequest<Incoming>>,
    pool: Pool,
}

impl http_body::Body for Reply {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = std::task::ready!(Pin::new(&mut *inner).poll_frame(cx));
        if (frame.is_none() || inner.is_end_stream())
            && let Some(sender) = self.sender.take()
        {
            self.pool.borrow_mut().push(sender);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or(SizeHint::with_exact(0), Incoming::size_hint)
    }
}

async fn forward(
    mut request: Request<Incoming>,
    pool: Pool,
    to: SocketAddr,
) -> Result<Response<Reply>> {
    request.headers_mut().remove(CONNECTION);
    let kept = {
        let mut pool = pool.borrow_mut();
        pool.iter()
            .rposition(SendRequest::is_ready)
            .map(|at| pool.remove(at))
    };
    let mut sender = match kept {
        Some(sender) => sender,
        None => connect(to).await?,
    };
    let reply = sender.send_request(request).await?;
    Ok(reply.map(|inner| Reply {
        inner: Some(inner),
        sender: Some(sender),
        pool,
    }))
}

async fn connect(to: SocketAddr) -> Result<SendRequest<Incoming>> {
    let stream = TcpStream::connect(to).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::task::spawn_local(connection);
    Ok(sender)
}

fn answer(status: StatusCode, pool: Pool) -> Response<Reply> {
    let mut response = Response::new(Reply {
        inner: None,
        sender: None,
        pool,
    });
    *response.status_mut() = status;
    response
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let listen: SocketAddr = words.next().context("where to listen")?.parse()?;
    let to: SocketAddr = words.next().context("where to forward")?.parse()?;
    let fixed = words.next().map(|word| word.parse()).transpose()?;
    let listener = TcpListener::bind(listen).await?;
    let pool = Pool::default();
    let serving = async move {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let pool = Rc::clone(&pool);
            let service = service_fn(move |request| {
                let pool = Rc::clone(&pool);
                async move {
                    let made = match fixed {
                        Some(status) => answer(status, pool),
                        None => forward(request, Rc::clone(&pool), to)
                            .await
                            .unwrap_or_else(|_| answer(StatusCode::BAD_GATEWAY, pool)),
                    };
                    Ok::<_, Infallible>(made)
                }
            });
            let mut builder = hyper::server::conn::http1::Builder::new();
            builder.auto_date_header(false);
            tokio::task::spawn_local(builder.serve_connection(TokioIo::new(stream), service));
        }
    };
    tokio::task::LocalSet::new().run_until(serving).await
}
