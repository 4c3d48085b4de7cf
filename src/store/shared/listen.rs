//! Hears of changed bans on a connection of its own, and only says "look".
//!
//! What is said is not trusted: a message that is lost costs half a second,
//! one that is made up costs a look.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use redis::Msg;
use redis::aio::PubSubStream;
use tokio::sync::Notify;

use super::{Core, connect};

/// Between two tries.
const AGAIN: Duration = Duration::from_secs(1);

/// Listens for as long as the store lives.
pub(super) async fn keep(core: Arc<Core>, changed: Arc<Notify>) {
    loop {
        if let Err(fault) = listen(&core, &changed).await {
            tracing::debug!(%fault, "not listening for changed bans");
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn listen(core: &Core, changed: &Notify) -> redis::RedisResult<()> {
    let mut heard = connect::listener(&core.settings).await?;
    heard.subscribe(core.keys.channel()).await?;
    // What was said before is caught up with.
    changed.notify_one();
    let mut messages = heard.into_on_message();
    while next(&mut messages).await.is_some() {
        changed.notify_one();
    }
    Ok(())
}

async fn next(messages: &mut PubSubStream) -> Option<Msg> {
    poll_fn(|cx| Pin::new(&mut *messages).poll_next(cx)).await
}
