//! What outlives a request: bans, the register of apps and tokens, the record
//! of events, and the limiter's budgets.
//!
//! Memory answers, SQLite remembers. Each file under `store.path` has one thread
//! that alone writes it, fed through a bounded queue, so the async side never
//! waits for a disk it did not ask. A ban is on the disk (fsync) before it is
//! acknowledged; everything else is written behind (see [`BEHIND`]), and events
//! and evidence on a machine that has no time to spare some seconds later.
//! A full or read-only disk makes `ban` fail with words, drops and counts
//! events, and stops nothing else: the gate keeps judging from memory.
//!
//! Only keyed hashes of tokens, credentials and mailboxes come in here, by type.

mod apps;
mod bans;
mod budgets;
mod clusters;
mod disk;
pub mod events;
mod held;
pub mod limiter;
mod register;
mod shared;
pub mod transfer;
mod wave;

use std::borrow::Borrow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::ban::{Ban, Effect, Subject};
use crate::cluster::{Change, Cluster, Kept, TAGGED};
use crate::event::{Event, EventId, Outcome};
use crate::secret::HashKey;
use crate::told::{Containable, Heard, Told};
use crate::verdict::Judged;
use crate::wave::ByHand;

pub use bans::BanSnapshot;
pub use disk::StoreError;
pub use held::Held;
pub use register::{AppOrder, CountedApp, NamedApp, RegisterSize};
pub use shared::{Distant, NotAnAddress, SharedError, SharedSettings, Topology};

use bans::Bans;
use budgets::Budgets;
use clusters::Clusters;
use disk::folder::Folder;
use events::{Events, Filter, FloodSettings};
use limiter::{Charge, Limiter, Spent};
use register::Register;
use shared::Shared;
use wave::Wave;

/// How long a learned app, token or event waits in memory before it is written; up
/// to twice as long where they come without a pause.
pub const BEHIND: Duration = Duration::from_millis(500);

/// Where the store is and how much it keeps.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// The directory; made with mode 0700 if it is missing.
    pub path: PathBuf,
    /// How long events are kept.
    pub retention: Duration,
    /// How many events are kept at most; the oldest go first.
    pub event_rows: u64,
    /// When refusals of one kind are merged into one row.
    pub flood: FloodSettings,
    /// Slots of the limiter's table.
    pub limiter_slots: usize,
}

impl StoreSettings {
    /// The defaults at `path`: 30 days, a million events.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            retention: Duration::from_secs(30 * 86_400),
            event_rows: 1_000_000,
            flood: FloodSettings::default(),
            limiter_slots: limiter::DEFAULT_SLOTS,
        }
    }
}

/// What an admin should know about the files, for `/readyz` and `doctor`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Files that were damaged and kept aside at this start; fresh ones took their place.
    pub kept_aside: Vec<PathBuf>,
    /// The last write to each file that fails, by file name, with what to do.
    pub failing: Vec<(&'static str, String)>,
}

/// The handle; clones share everything. When the last one goes, what is still
/// queued is written and the files are closed: that may block for a moment.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bans: Arc<Bans>,
    register: Register,
    clusters: Clusters,
    wave: Wave,
    events: Events,
    budgets: Budgets,
    limiter: Arc<Limiter>,
    shared: OnceLock<Shared>,
    kept_aside: Vec<PathBuf>,
    // Last, so that the lock on the folder is let go after the files are closed.
    folder: Folder,
}

impl Store {
    /// Opens the store at `settings.path`, or makes one.
    ///
    /// Blocks for as long as reading all bans takes. A damaged file is kept
    /// aside under a dated name and a fresh one started, which is logged as an
    /// error and shown by [`Store::health`].
    ///
    /// # Errors
    /// If the directory cannot be made or is held by another process, the key
    /// cannot be read, or a file is of a newer version or cannot be opened.
    pub fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        let folder = Folder::open(&settings.path)?;
        let mut kept_aside = Vec::new();
        let bans = Arc::new(Bans::open(&folder, &mut kept_aside)?);
        let register = Register::open(&folder, &mut kept_aside)?;
        let clusters = Clusters::open(&folder, &mut kept_aside)?;
        let wave = Wave::open(&folder, &mut kept_aside)?;
        let events = Events::open(&folder, settings, &mut kept_aside)?;
        let limiter = Arc::new(Limiter::new(settings.limiter_slots));
        let budgets = Budgets::open(&folder, &limiter, &mut kept_aside)?;
        Ok(Self(Arc::new(Inner {
            bans,
            register,
            clusters,
            wave,
            events,
            budgets,
            limiter,
            shared: OnceLock::new(),
            kept_aside,
            folder,
        })))
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.folder.path()
    }

    /// The key of all keyed hashes: `PATH/key`, made at the first start.
    #[must_use]
    pub fn key(&self) -> &HashKey {
        self.0.folder.key()
    }

    /// Shares state with other nodes from now on, by tasks on `control`. Returns
    /// at once; whether the shared store can be reached is told by [`Store::is_shared`],
    /// a metric and a trouble. A second call changes nothing.
    pub fn share(&self, settings: SharedSettings, control: &Handle) {
        self.0.shared.get_or_init(|| {
            let bans = Arc::downgrade(&self.0.bans);
            Shared::start(settings, self.key(), bans, control)
        });
    }

    /// Whether this node shares its state, be the shared store in use or not.
    #[must_use]
    pub fn shares(&self) -> bool {
        self.0.shared.get().is_some()
    }

    /// Whether a shared store is in use right now.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.shared.get().is_some_and(Shared::is_up)
    }

    /// This node's own limiter: see [`Store::reserve`]. Its buckets are on the
    /// disk within a second, and there again after a restart.
    #[must_use]
    pub fn limiter(&self) -> &Limiter {
        &self.0.limiter
    }

    /// What is wrong with the files, if anything.
    #[must_use]
    pub fn health(&self) -> Health {
        let failing = [
            self.0.bans.failing(),
            self.0.register.failing(),
            self.0.clusters.failing(),
            self.0.wave.failing(),
            self.0.events.failing(),
            self.0.budgets.failing(),
        ];
        Health {
            kept_aside: self.0.kept_aside.clone(),
            failing: failing.into_iter().flatten().collect(),
        }
    }

    /// Waits until everything queued so far is on the disk, and a second at most
    /// until the shared store has it. All of it is tried, whatever fails.
    ///
    /// # Errors
    /// If a file cannot be written, if rows have been dropped since the last
    /// flush, or if the shared store has not got all. The first is returned, others
    /// are logged.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let files = [
            self.0.register.flush().await,
            self.0.clusters.flush().await,
            self.0.wave.flush().await,
            self.0.budgets.flush().await,
            self.0.events.flush().await,
        ];
        let count = match self.0.shared.get() {
            // It may be gone, and nobody waits for its return: not an admin, nor a gate that ends.
            Some(shared) => shared.flush().await,
            None => 0,
        };
        let unsent = (count > 0).then_some(StoreError::Unsent { count });
        let mut faults = files.into_iter().filter_map(Result::err).chain(unsent);
        let first = faults.next();
        for fault in faults {
            tracing::warn!(%fault, "not everything is kept");
        }
        first.map_or(Ok(()), Err)
    }
}

/// Bans.
impl Store {
    /// Decides: on the disk before this returns, in force at once. Replaces the
    /// one on the same subject with the same effect; its `id` is ignored, a fresh
    /// one is given. Times are kept to the microsecond.
    ///
    /// # Errors
    /// If it is not on the disk: then it is not in force either.
    pub async fn ban(&self, ban: Ban) -> Result<Ban, StoreError> {
        let ban = self.0.bans.ban(ban).await?;
        self.bans_changed();
        Ok(ban)
    }

    /// Lifts a ban or allow entry and returns it, if there was one.
    ///
    /// # Errors
    /// If that is not on the disk: then it is still in force.
    pub async fn unban(
        &self,
        subject: &Subject,
        effect: Effect,
    ) -> Result<Option<Ban>, StoreError> {
        let gone = self.0.bans.unban(subject.clone(), effect).await?;
        self.bans_changed();
        Ok(gone)
    }

    fn bans_changed(&self) {
        if let Some(shared) = self.0.shared.get() {
            shared.bans_changed();
        }
    }

    /// All that was decided, as of now: a snapshot without locks. It may hold
    /// entries that have run out and are not swept yet: ask [`Ban::in_force`].
    #[must_use]
    pub fn bans(&self) -> Arc<BanSnapshot> {
        self.0.bans.snapshot()
    }

    /// What `look` makes of the bans in force; cheaper than [`Store::bans`] for one short look.
    pub fn with_bans<T>(&self, look: impl FnOnce(&BanSnapshot) -> T) -> T {
        self.0.bans.with_snapshot(look)
    }

    /// Removes bans that ended before `now` and events over their retention.
    /// Both also happen by themselves every hour. Returns how many bans and events.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub async fn sweep(&self, now: Timestamp) -> Result<(usize, usize), StoreError> {
        let bans = self.0.bans.sweep(now).await?;
        Ok((bans, self.0.events.sweep(now).await?))
    }
}

/// Budgets.
impl Store {
    /// Checks every charge, then makes them all, or none: in the shared store if
    /// there is one and it answers in time, else in this node's own limiter.
    ///
    /// `now` is the wall clock in microseconds since 1970 and counts for the own
    /// limiter only. Give the charges narrow to wide: the first spent one is
    /// the one reported. Waits for `store.timeout` at most.
    ///
    /// # Errors
    /// The narrowest enforced limit that is spent. Nothing was charged.
    pub async fn reserve(&self, charges: &[Charge], now: u64) -> Result<Held, Spent> {
        held::reserve(&self.0.limiter, self.0.shared.get(), charges, now).await
    }

    /// Settles what is held: the charges for which `back` says so are given
    /// back, at once in the own limiter, soon in a shared store.
    pub fn settle(&self, held: Held, back: impl Fn(usize) -> bool) {
        held::settle(&self.0.limiter, self.0.shared.get(), held, back);
    }
}

/// Clusters.
impl Store {
    /// What was kept of clusters at the start; empty the second time.
    #[must_use]
    pub fn take_kept_clusters(&self) -> Kept {
        self.0.clusters.take_kept()
    }

    /// The clusters as the file held them at the start, while nobody has taken
    /// them: what a command without a running gate can tell.
    #[must_use]
    pub fn kept_clusters(&self) -> Vec<Cluster> {
        self.0.clusters.kept()
    }

    /// Writes a change of the cluster registers down, soon, and tells the other nodes.
    pub fn keep_cluster(&self, change: Change) {
        if let Some(told) = self.0.shared.get().and_then(|_| Told::of(&change)) {
            self.tell(told);
        }
        self.keep_heard(change);
    }

    /// The same with what came of hearing other nodes: only decisions are told.
    pub fn keep_heard(&self, change: Change) {
        if let Change::Cluster(cluster) = &change {
            self.share_cluster(cluster);
        }
        self.0.clusters.keep(change);
    }

    /// Tells the other nodes of a cluster. One that was numbered while this gate
    /// was alone stays its own: another may have given that number, too.
    pub fn share_cluster(&self, cluster: &Cluster) {
        if let Some(shared) = self.0.shared.get()
            && cluster.id.number >= TAGGED
        {
            shared.share_cluster(cluster.clone());
        }
    }

    /// Lets the other nodes, if there are any, know what this one contains: those of
    /// now soon, those that join later as they do.
    pub fn contain(&self, all: Vec<Containable>) {
        if let Some(shared) = self.0.shared.get()
            && !all.is_empty()
        {
            shared.contain(all);
        }
    }

    /// Tells the other nodes, if there are any, what this one has counted: soon,
    /// in the order in which it is given here, and in one order for all.
    pub fn tell(&self, told: Told) {
        if let Some(shared) = self.0.shared.get() {
            shared.tell(told);
        }
    }

    /// What the other nodes count and decide from now on, and have lately; `None`
    /// if this node shares nothing. Who asks again takes it over.
    #[must_use]
    pub fn listen(&self) -> Option<mpsc::Receiver<Heard>> {
        self.0.shared.get().map(Shared::listen)
    }

    /// Waits until all such changes are on the disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn flush_clusters(&self) -> Result<(), StoreError> {
        self.0.clusters.written().await
    }
}

/// The breaker.
impl Store {
    /// What was kept of the breaker at the start; nothing the second time.
    #[must_use]
    pub fn take_kept_wave(&self) -> Option<String> {
        self.0.wave.take_kept()
    }

    /// Writes down how the breaker stands, soon; only the latest is kept.
    ///
    /// # Errors
    /// If the queue of the file is full, which is counted.
    pub fn keep_wave(&self, kept: String) -> Result<(), StoreError> {
        self.0.wave.keep(kept)
    }

    /// Tells the other nodes, if there are any, what an admin said of the breaker;
    /// the word with the latest stamp holds for all of them.
    pub fn share_by_hand(&self, word: ByHand) {
        if let Some(shared) = self.0.shared.get() {
            shared.share_by_hand(word);
        }
    }

    /// Waits until that is on the disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub async fn flush_wave(&self) -> Result<(), StoreError> {
        self.0.wave.flush().await
    }
}

/// The record of events.
impl Store {
    /// Remembers an event, soon. Dropped and counted if the queue is full;
    /// during a flood merged into the row of another (see [`events::flood`]).
    pub fn record(&self, event: impl Borrow<Event>) {
        self.0.events.record(event.borrow());
    }

    /// Whether `event`, of which no more than id, moment, door, client and decision
    /// need be known, was merged into another's row. If not, [`Store::add`] the
    /// whole of it: most of a flood need never be put together.
    #[must_use]
    pub fn merges(&self, event: &Event, verdicts: &[Judged]) -> bool {
        self.0.events.merges(event, verdicts)
    }

    /// Remembers, soon, an event that [`Store::merges`] was asked about.
    pub fn add(&self, event: Arc<Event>) {
        self.0.events.add(event);
    }

    /// Adds what the reply told.
    pub fn outcome(&self, id: EventId, outcome: Outcome) {
        self.0.events.outcome(id, outcome);
    }

    /// One event. `None` also for one that was merged, dropped or is over its retention.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub async fn event(&self, id: EventId) -> Result<Option<Event>, StoreError> {
        self.0.events.event(id).await
    }

    /// The events that pass `filter`, newest first.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub async fn events(&self, filter: Filter) -> Result<Vec<Event>, StoreError> {
        self.0.events.events(filter).await
    }
}
