//! All workers together: starts them, tells them to end, sums up.

use std::io;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch as signal};
use tower_layer::Layer;

use super::Summary;
use super::client_ip::TrustedProxies;
use super::identify::IdentifyLayer;
use super::listen::Listener;
use super::settings::ProxySettings;
use super::stack::Stack;
use super::upstream::Upstream;
use super::worker::Worker;

/// Why serving ended before the shutdown.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A worker's sockets, runtime or thread could not be had.
    #[error("a worker could not start")]
    Start(#[source] io::Error),
    /// A worker ended by itself; the process should not outlive it.
    #[error("a worker ended unasked")]
    Ended(#[source] Option<io::Error>),
}

/// Serves `listeners` until `shutdown`, then drains.
///
/// `layer` is the gate; it is given each worker's upstream once, and its
/// service is called for every request after [`super::Identify`]. Futures and
/// tasks that it spawns run on the worker that took the connection.
///
/// # Errors
/// See [`ServeError`]; other workers are left to the end of the process then.
pub async fn serve<L>(
    listeners: Vec<Listener>,
    settings: ProxySettings,
    layer: L,
    shutdown: impl Future<Output = ()>,
) -> Result<Summary, ServeError>
where
    L: Layer<Upstream, Service: Stack> + Send + Sync + 'static,
{
    let layer = Arc::new(layer);
    let identify = IdentifyLayer::new(TrustedProxies::new(
        settings.trusted_proxies.iter().copied(),
    ));
    let (tell, shutdown_told) = signal::channel(false);
    let (ended, mut endings) = mpsc::unbounded_channel();
    let (workers, _files) =
        workers(listeners, &settings, &shutdown_told).map_err(ServeError::Start)?;
    let running = workers.len();
    for (number, worker) in workers.into_iter().enumerate() {
        let (layer, identify, ended) = (Arc::clone(&layer), identify.clone(), ended.clone());
        // What a request passes, from the inside out; the connection's own
        // station (`front`: counts, phases) comes before all of it.
        let build = move |upstream: Upstream| {
            // Last: Mastodon, over this worker's own connections.
            let upstream = upstream;
            // Before it the gate, which sees what Mastodon will see: cleaned
            // headers, one client address, a target that is a path.
            let gate = layer.layer(upstream);
            // First, because nothing further in may read what a client claims
            // about itself before it is checked.
            identify.layer(gate)
        };
        std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || {
                let ended = Ending(ended);
                let summary = worker.run(build);
                // The receiver waits for every worker.
                let _ = ended.0.send(Some(summary));
            })
            .map_err(ServeError::Start)?;
    }
    drop(ended);
    tokio::select! {
        () = shutdown => {}
        ending = endings.recv() => return Err(ServeError::Ended(failed(ending))),
    }
    tell.send_replace(true);
    let mut total = Summary::default();
    for _ in 0..running {
        match next_summary(&mut endings).await {
            Ok(summary) => {
                total.drained += summary.drained;
                total.cut += summary.cut;
            }
            Err(error) => return Err(ServeError::Ended(error)),
        }
    }
    Ok(total)
}

type Message = Option<io::Result<Summary>>;

/// Speaks up for a worker that panics.
struct Ending(mpsc::UnboundedSender<Message>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(None);
        }
    }
}

fn failed(message: Option<Message>) -> Option<io::Error> {
    message.flatten().and_then(Result::err)
}

async fn next_summary(
    endings: &mut mpsc::UnboundedReceiver<Message>,
) -> Result<Summary, Option<io::Error>> {
    match endings.recv().await.flatten() {
        Some(Ok(summary)) => Ok(summary),
        Some(Err(error)) => Err(Some(error)),
        None => Err(None),
    }
}

fn workers(
    listeners: Vec<Listener>,
    settings: &ProxySettings,
    shutdown: &signal::Receiver<bool>,
) -> io::Result<(Vec<Worker>, Vec<super::listen::SocketFile>)> {
    let room = Arc::new(Semaphore::new(
        settings.max_connections.min(Semaphore::MAX_PERMITS),
    ));
    let worker = |shares| Worker {
        shares,
        settings: settings.clone(),
        room: Arc::clone(&room),
        shutdown: shutdown.clone(),
    };
    let mut workers = Vec::new();
    for _ in 1..settings.workers.get() {
        let shares: io::Result<Vec<_>> = listeners.iter().map(Listener::share).collect();
        workers.push(worker(shares?));
    }
    // The last worker takes the bound sockets themselves, so that no queue is
    // left that nobody empties.
    let (shares, files): (Vec<_>, Vec<_>) = listeners.into_iter().map(Listener::into_share).unzip();
    workers.push(worker(shares));
    Ok((workers, files.into_iter().flatten().collect()))
}
