//! What becomes of a connection after `101 Switching Protocols`.
//!
//! Bytes are copied both ways until both sides have ended; no time-out
//! applies, since a quiet WebSocket is a healthy one. A shutdown waits for
//! tunnels up to the grace period, because the client's socket (`client_io`)
//! counts as open wherever it goes.

use http::{Response, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

use super::counted::spawn_counted;
use super::{Body, headers};
use crate::telemetry::metrics;

/// Answers the client with the upstream's 101 and joins the two connections.
pub(super) fn open(client: OnUpgrade, mut reply: Response<Incoming>) -> Response<Body> {
    let upstream = hyper::upgrade::on(&mut reply);
    let (mut head, _none) = reply.into_parts();
    headers::clean_reply(&mut head.headers, true);
    head.version = Version::HTTP_11;
    spawn_counted(join(client, upstream));
    Response::from_parts(head, Body::empty())
}

async fn join(client: OnUpgrade, upstream: OnUpgrade) {
    let (Ok(client), Ok(upstream)) = tokio::join!(client, upstream) else {
        return; // one side left before the other heard of it
    };
    metrics().proxy.upgrades.inc();
    metrics().proxy.tunnels.inc();
    let _open = OpenTunnel;
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    let copied =
        tokio::io::copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER).await;
    if let Err(error) = copied {
        tracing::debug!(%error, "a tunnel broke");
    }
}

/// WebSocket messages of Mastodon's stream are a few KiB; thousands of
/// tunnels are open at once.
const BUFFER: usize = 4096;

struct OpenTunnel;

impl Drop for OpenTunnel {
    fn drop(&mut self) {
        metrics().proxy.tunnels.dec();
    }
}
