//! The stand-ins for Mastodon and for DNS, on a thread of their own, so that
//! the gate is measured beside them and not among them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::sync::oneshot;

use crate::stand_in::dns::{StandInDns, Zone};
use crate::stand_in::upstream::StandIn;

/// Both, running until dropped.
#[derive(Debug)]
pub(super) struct StandIns {
    pub(super) upstream: Arc<StandIn>,
    pub(super) dns: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl StandIns {
    /// Starts both on free ports of loopback.
    pub(super) async fn start(zone: Zone) -> anyhow::Result<Self> {
        let (ready, started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name("stand-ins".into())
            .spawn(move || {
                runtime.block_on(async {
                    let both = both(zone).await;
                    let (told, dns) = match both {
                        Ok((upstream, dns)) => (Ok((upstream, dns.address())), Some(dns)),
                        Err(fault) => (Err(fault), None),
                    };
                    if ready.send(told).is_ok() {
                        // Ends when the other half is dropped.
                        let _ = stopped.await;
                    }
                    drop(dns);
                });
            })?;
        let (upstream, dns) = started.await.context("the stand-ins did not start")??;
        Ok(Self {
            upstream,
            dns,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

async fn both(zone: Zone) -> anyhow::Result<(Arc<StandIn>, StandInDns)> {
    let upstream = StandIn::start().await.context("the stand-in upstream")?;
    let dns = StandInDns::start(zone).await.context("the stand-in DNS")?;
    Ok((Arc::new(upstream), dns))
}

impl Drop for StandIns {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It panicked: said already, on standard error.
            let _ = thread.join();
        }
    }
}
