//! What becomes of a connection after `101 Switching Protocols`.
//!
//! Bytes are copied both ways until both sides have ended; no time-out
//! applies, since a quiet WebSocket is a healthy one. A shutdown waits for
//! tunnels up to the grace period, because the client's socket (`client_io`)
//! counts as open wherever it goes.

use http::{Response, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;

use super::Body;
use super::counted::spawn_counted;
use super::headers::{self, ReplyFound};
use super::upstream::Wire;
use crate::telemetry::metrics;

/// Answers the client with the upstream's 101 and joins the two connections.
pub(super) fn open(
    client: OnUpgrade,
    reply: Response<()>,
    found: ReplyFound,
    upstream: Wire,
) -> Response<Body> {
    let (mut head, ()) = reply.into_parts();
    headers::clean_reply(&mut head.headers, found, true);
    head.version = Version::HTTP_11;
    spawn_counted(join(client, upstream));
    Response::from_parts(head, Body::empty())
}

async fn join(client: OnUpgrade, upstream: Wire) {
    let Ok(client) = client.await else {
        return; // it left before it heard of it
    };
    metrics().proxy.upgrades.inc();
    metrics().proxy.tunnels.inc();
    let _open = OpenTunnel;
    let mut client = TokioIo::new(client);
    let (mut upstream, early) = upstream.into_parts();
    let copied = async {
        client.write_all(&early).await?;
        tokio::io::copy_bidirectional_with_sizes(&mut client, &mut upstream, BUFFER, BUFFER).await
    };
    if let Err(error) = copied.await {
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
