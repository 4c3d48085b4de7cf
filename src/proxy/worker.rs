//! One worker: a thread with a runtime of its own, its doors, its clients and
//! its upstream connections. Nothing on the pass-through path leaves it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::server::conn::http1::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch as signal};

use super::Summary;
use super::client_io::{ClientIo, Open};
use super::client_ip::Peer;
use super::connection::Connection;
use super::counted::spawn_counted;
use super::identify::{ConnectionSeen, Identify};
use super::listen::{Door, Share};
use super::roster::Roster;
use super::settings::ProxySettings;
use super::stack::Stack;
use super::stream::Stream;
use super::upstream::Upstream;
use crate::telemetry::metrics;

/// What a worker takes with it onto its thread.
pub(super) struct Worker {
    pub(super) shares: Vec<Share>,
    pub(super) settings: ProxySettings,
    /// `max-connections`, over all workers.
    pub(super) room: Arc<Semaphore>,
    pub(super) shutdown: signal::Receiver<bool>,
}

impl Worker {
    /// Serves until the shutdown, on the calling thread, with the stack that
    /// `build` makes around this worker's upstream.
    pub(super) fn run<S: Stack>(
        self,
        build: impl FnOnce(Upstream) -> Identify<S>,
    ) -> io::Result<Summary> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let summary = runtime.block_on(self.serve(build));
        // Cuts whatever the grace period was too short for.
        runtime.shutdown_background();
        summary
    }

    async fn serve<S: Stack>(
        self,
        build: impl FnOnce(Upstream) -> Identify<S>,
    ) -> io::Result<Summary> {
        let pace = Arc::new(super::watch::Pace::new(&self.settings.timeouts));
        let roster = Arc::new(Roster::new(Arc::clone(&pace)));
        let upstream = Upstream::paced(&self.settings, &pace);
        let ticker = tokio::spawn(tick(
            Arc::clone(&roster),
            upstream.clone(),
            self.settings.timeouts.tick(),
        ));
        let stack = build(upstream);
        let builder = Arc::new(server(self.settings.max_head));
        let mut doors = Vec::new();
        for share in self.shares {
            let reception = Reception {
                stack: stack.clone(),
                builder: Arc::clone(&builder),
                roster: Arc::clone(&roster),
            };
            let (room, shutdown) = (Arc::clone(&self.room), self.shutdown.clone());
            doors.push(tokio::spawn(reception.receive(
                share.attach()?,
                room,
                shutdown,
            )));
        }
        for door in doors {
            // Ends at the shutdown; a panic in it must not leave a deaf worker.
            door.await.map_err(io::Error::other)?;
        }
        roster.drain();
        let asked = roster.live();
        let over = tokio::time::timeout(self.settings.timeouts.drain, roster.emptied()).await;
        ticker.abort();
        let cut = if over.is_ok() { 0 } else { roster.live() };
        Ok(Summary {
            drained: asked.saturating_sub(cut),
            cut,
        })
    }
}

fn server(max_head: usize) -> Builder {
    let mut builder = Builder::new();
    builder
        .auto_date_header(false) // the upstream's is passed on
        .header_read_timeout(None) // ours begins with a head's first byte, not while idle
        .max_header_size(max_head)
        .max_buf_size(max_head.max(SMALLEST_BUFFER));
    builder
}

/// hyper's least buffer.
const SMALLEST_BUFFER: usize = 8192;

/// The worker's one timer: moves the clock, wakes the overdue, sweeps the pool.
async fn tick(roster: Arc<Roster>, upstream: Upstream, every: Duration) {
    loop {
        let asleep = Instant::now();
        tokio::time::sleep(every).await;
        let late = asleep.elapsed().saturating_sub(every);
        metrics().proxy.loop_lag.observe(late);
        roster.tick();
        upstream.sweep();
        stir();
    }
}

/// mimalloc gives memory back to the system when it is next asked for a large
/// piece, which after a rush may be never.
fn stir() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(STIR)));
}

/// More than mimalloc takes from a page that it has at hand.
const STIR: usize = 1 << 20;

/// Greets clients and serves them.
struct Reception<S> {
    stack: Identify<S>,
    builder: Arc<Builder>,
    roster: Arc<Roster>,
}

impl<S: Stack> Reception<S> {
    async fn receive(self, door: Door, room: Arc<Semaphore>, mut shutdown: signal::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                () = told(&mut shutdown) => break,
                client = let_in(&door, &room) => self.welcome(client),
            }
        }
        // Those whom the kernel has greeted already are served, so that a
        // restart refuses nobody.
        while let Ok(client) = tokio::time::timeout(Duration::ZERO, let_in(&door, &room)).await {
            self.welcome(client);
        }
    }

    fn welcome(&self, client: Client) {
        let Client {
            stream,
            peer,
            permit,
        } = client;
        let watch = self.roster.enter();
        let open = Open::new(self.roster.hold(), permit);
        let seen = ConnectionSeen {
            watch: Arc::clone(&watch),
            roster: Arc::clone(&self.roster),
        };
        spawn_counted(Connection::new(
            ClientIo::new(stream, Arc::clone(&watch), open),
            self.stack.of_connection(peer, seen),
            Arc::clone(&self.builder),
            watch,
            Arc::clone(&self.roster),
        ));
    }
}

async fn told(shutdown: &mut signal::Receiver<bool>) {
    // If nobody can tell any more, that tells enough.
    let _ = shutdown.wait_for(|&down| down).await;
}

struct Client {
    stream: Stream,
    peer: Peer,
    permit: OwnedSemaphorePermit,
}

/// The next client, once there is room for it; each door may hold one on its
/// threshold beyond `max-connections`.
async fn let_in(door: &Door, room: &Arc<Semaphore>) -> Client {
    loop {
        match door.accept().await {
            Ok((stream, peer)) => {
                let permit = wait_for_room(room).await;
                return Client {
                    stream,
                    peer,
                    permit,
                };
            }
            Err(error) if is_shortage(&error) => {
                metrics().proxy.accept_pauses.descriptors.inc();
                tracing::warn!(%error, "accepting pauses");
                tokio::time::sleep(SHORTAGE_PAUSE).await;
            }
            Err(error) => tracing::debug!(%error, "a client left before it was let in"),
        }
    }
}

async fn wait_for_room(room: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    if room.available_permits() == 0 {
        metrics().proxy.accept_pauses.full.inc();
    }
    let permit = Arc::clone(room).acquire_owned().await;
    permit.expect("the semaphore is never closed")
}

/// Long enough for a connection to close, short enough for nobody to notice.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// EMFILE, ENFILE, ENOBUFS and ENOMEM on Linux: accepting again at once would spin.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(24 | 23 | 105 | 12))
}
