//! One state for many gates: a Redis or Valkey beside the files of each node.
//!
//! Redis never becomes the only place of anything. Bans and the register live
//! in each node's own files and Redis passes them on; budgets are charged in
//! Redis, and to the node's own limiter as well, which decides alone whenever
//! Redis is slow, full or gone ([`health`]). All traffic runs on the control
//! runtime over one pipelined connection, so a worker waits for one answer and
//! never for a socket.
//!
//! Everything the limiter keeps lies under one hash tag, `{prefix}`: on a
//! Redis Cluster that is one shard, so that one script can charge all
//! dimensions of a request or none.

mod bans;
mod by_hand;
mod clusters;
mod connect;
mod contained;
mod health;
mod hear;
mod keeper;
mod keys;
mod limiter;
mod link;
mod listen;
mod outbox;
mod register;
mod reservation;
mod script;
mod settings;
mod settle;
mod tell;
mod transfer;
mod watch;
mod words;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc};

use super::bans::Bans;
use super::limiter::{Charge, Spent};
use crate::cluster::Cluster;
use crate::secret::HashKey;
use crate::telemetry::shared::Lapse;
use crate::told::{Containable, Heard, Told};
use crate::wave::ByHand;
use clusters::Clusters;
use health::Health;
use keys::Keys;
use link::Link;
pub(super) use register::Register;
pub(super) use reservation::Reservation;
pub use settings::{NotAnAddress, SharedSettings, Topology};
use settle::Settler;
use tell::Teller;
pub use transfer::{Distant, SharedError, for_shared};
use watch::Task;

/// What a node has heard and nobody has taken in yet: a few hundred kilobytes.
const HEARD: usize = 16;

/// The handle of one node.
#[derive(Debug)]
pub(super) struct Shared {
    core: Arc<Core>,
    settler: Settler,
    teller: Teller,
    clusters: Arc<Clusters>,
    listening: Mutex<Vec<Task>>,
    register: Register,
    bans_changed: Arc<Notify>,
    control: Handle,
    timeout: Duration,
    _tasks: [Task; 3],
}

/// What the tasks of a node have in common.
#[derive(Debug)]
struct Core {
    settings: SharedSettings,
    keys: Keys,
    fingerprint: String,
    link: ArcSwapOption<Link>,
    health: Health,
    /// How often a connection was made.
    generation: AtomicU64,
    /// Under which this run of this node tells what it counts.
    node: String,
}

impl Shared {
    /// Begins to keep a connection, on `control`. Returns at once: until the
    /// connection stands, and whenever it does not, each node is on its own.
    pub(super) fn start(
        settings: SharedSettings,
        key: &HashKey,
        bans: Weak<Bans>,
        control: &Handle,
    ) -> Self {
        let core = Arc::new(Core::new(settings, key));
        let bans_changed = Arc::new(Notify::new());
        let clusters = Arc::new(Clusters::default());
        Self {
            _tasks: tasks(&core, &bans, &bans_changed, &clusters, control),
            teller: Teller::start(Arc::clone(&core), control),
            listening: Mutex::new(Vec::new()),
            clusters,
            settler: Settler::start(Arc::clone(&core), control),
            register: Register::start(Arc::clone(&core), control),
            timeout: core.settings.timeout,
            control: control.clone(),
            bans_changed,
            core,
        }
    }

    /// This node's disk has another ban, or one less: the others are told.
    pub(super) fn bans_changed(&self) {
        self.bans_changed.notify_one();
    }

    /// This node has counted something: the others are told, soon.
    pub(super) fn tell(&self, told: Told) {
        self.teller.tell(told);
    }

    /// This node has decided about a cluster: the others are told, soon.
    pub(super) fn share_cluster(&self, cluster: Cluster) {
        self.clusters.share(cluster);
    }

    /// This node contains these: the others come to know it, soon.
    pub(super) fn contain(&self, all: Vec<Containable>) {
        self.clusters.contain(all);
    }

    /// An admin has said something of the breaker: the others are told, soon.
    pub(super) fn share_by_hand(&self, word: ByHand) {
        self.clusters.share_by_hand(word);
    }

    /// From now on, what other nodes count and decide. For one listener: what
    /// another one asked for before ends.
    pub(super) fn listen(&self) -> mpsc::Receiver<Heard> {
        let (heard, ear) = mpsc::channel(HEARD);
        let counts = {
            let (core, heard) = (Arc::clone(&self.core), heard.clone());
            let clusters = Arc::clone(&self.clusters);
            let ear = Arc::new(Mutex::new(hear::Ear::default()));
            Task::watch(&self.control, "hearing", move || {
                hear::keep(
                    Arc::clone(&core),
                    Arc::clone(&ear),
                    heard.clone(),
                    Arc::clone(&clusters),
                )
            })
        };
        let clusters = {
            let (core, clusters) = (Arc::clone(&self.core), Arc::clone(&self.clusters));
            Task::watch(&self.control, "clusters", move || {
                clusters::keep(Arc::clone(&core), Arc::clone(&clusters), heard.clone())
            })
        };
        *self.listening.lock() = vec![counts, clusters];
        ear
    }

    /// What other nodes have learned of apps and tokens.
    pub(super) const fn register(&self) -> &Register {
        &self.register
    }

    /// Whether the shared store answers.
    pub(super) fn is_up(&self) -> bool {
        self.core.health.is_up()
    }

    /// One round trip: checks every charge, then makes them all, or none.
    /// `None` if there is no answer within the time-out: then nothing stays
    /// charged here, and the node decides alone.
    pub(super) async fn reserve(&self, charges: &[Charge]) -> Option<Result<Reservation, Spent>> {
        let Some(link) = self.core.link() else {
            self.core.health.passed_over();
            return None;
        };
        let asked = limiter::Asked::new(charges, &self.core);
        let (answer, word) = tokio::sync::oneshot::channel();
        let (core, late) = (Arc::clone(&self.core), self.settler.clone());
        self.control.spawn(async move {
            let outcome = asked.ask(&core, link).await;
            // Whoever asked has been decided for by its own node: undone here.
            if let Err(Ok(Ok(reservation))) = answer.send(outcome) {
                late.settle(reservation, |_| true);
            }
        });
        match tokio::time::timeout(self.timeout, word).await {
            Ok(Ok(Ok(decided))) => Some(decided),
            // Refused, broken, or the runtime is going down.
            Ok(Ok(Err(())) | Err(_)) => None,
            Err(_) => {
                self.core
                    .health
                    .lapsed(Lapse::Late, "it does not answer in time");
                None
            }
        }
    }

    /// Settles a reservation, soon: the charges for which `back` says so are
    /// given back.
    pub(super) fn settle(&self, reservation: Reservation, back: impl Fn(usize) -> bool) {
        self.settler.settle(reservation, back);
    }

    /// Waits until what was to be settled, told and learned so far has been sent,
    /// a second at most: how much has not. It is when the store is back.
    pub(super) async fn flush(&self) -> u64 {
        let (settler, teller, register) = (&self.settler, &self.teller, &self.register);
        let (unsettled, untold, unlearned) =
            tokio::join!(settler.flush(), teller.flush(), register.flush());
        unsettled + untold + unlearned
    }
}

fn tasks(
    core: &Arc<Core>,
    bans: &Weak<Bans>,
    changed: &Arc<Notify>,
    clusters: &Arc<Clusters>,
    control: &Handle,
) -> [Task; 3] {
    let keeper = {
        let core = Arc::clone(core);
        Task::watch(control, "keeper", move || keeper::keep(Arc::clone(&core)))
    };
    let sharing = {
        let (core, bans, changed) = (Arc::clone(core), bans.clone(), Arc::clone(changed));
        Task::watch(control, "bans", move || {
            bans::keep(Arc::clone(&core), bans.clone(), Arc::clone(&changed))
        })
    };
    let listening = {
        let (core, changed) = (Arc::clone(core), Arc::clone(changed));
        let clusters = Arc::clone(clusters);
        Task::watch(control, "listening", move || {
            listen::keep(
                Arc::clone(&core),
                Arc::clone(&changed),
                Arc::clone(&clusters),
            )
        })
    };
    [keeper, sharing, listening]
}

impl Core {
    fn new(settings: SharedSettings, key: &HashKey) -> Self {
        Self {
            keys: Keys::new(&settings.prefix),
            fingerprint: keys::fingerprint(key),
            link: ArcSwapOption::empty(),
            health: Health::default(),
            generation: AtomicU64::new(0),
            node: bans::fresh_epoch().unwrap_or_else(|_| own_name()),
            settings,
        }
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// The connection, if it is fit for use.
    fn link(&self) -> Option<Link> {
        if !self.health.is_up() {
            return None;
        }
        self.link.load().as_deref().cloned()
    }
}

/// Without randomness, which a running system does not lose.
fn own_name() -> String {
    let now = jiff::Timestamp::now().as_nanosecond();
    format!("{}-{now}", std::process::id())
}
