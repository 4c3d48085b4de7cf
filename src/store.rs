//! What outlives a request: bans, the register of apps and tokens, the record
//! of events, and the limiter's budgets.
//!
//! Memory answers, SQLite remembers. Each file under `store.path` has one thread
//! that alone writes it, fed through a bounded queue, so the async side never
//! waits for a disk it did not ask. A ban is on the disk (fsync) before it is
//! acknowledged; everything else is written behind, at most [`BEHIND`] later.
//! A full or read-only disk makes `ban` fail with words, drops and counts
//! events, and stops nothing else: the gate keeps judging from memory.
//!
//! Only keyed hashes of tokens, credentials and mailboxes come in here, by type.

mod bans;
mod disk;
pub mod events;
pub mod limiter;
mod register;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::app::{App, ClientId};
use crate::ban::{Ban, Effect, Subject};
use crate::event::{Event, EventId, Outcome};
use crate::secret::{HashKey, KeyedHash};

pub use bans::BanSnapshot;
pub use disk::StoreError;
pub use register::{NamedApp, RegisterSize};

use bans::Bans;
use disk::folder::Folder;
use events::{Events, Filter, FloodSettings};
use limiter::Limiter;
use register::Register;

/// How long a learned app, token or event may wait in memory before it is on the disk.
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
    bans: Bans,
    register: Register,
    events: Events,
    limiter: Limiter,
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
        let bans = Bans::open(&folder, &mut kept_aside)?;
        let register = Register::open(&folder, &mut kept_aside)?;
        let events = Events::open(&folder, settings, &mut kept_aside)?;
        Ok(Self(Arc::new(Inner {
            bans,
            register,
            events,
            limiter: Limiter::new(settings.limiter_slots),
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

    /// The keyed limiter. Its state is memory only.
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
            self.0.events.failing(),
        ];
        Health {
            kept_aside: self.0.kept_aside.clone(),
            failing: failing.into_iter().flatten().collect(),
        }
    }

    /// Waits until everything queued so far is on the disk.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.0.register.flush().await?;
        self.0.events.flush().await
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
        self.0.bans.ban(ban).await
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
        self.0.bans.unban(subject.clone(), effect).await
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

/// The register of apps and tokens.
impl Store {
    /// What is known of an app. `None` also if the register cannot answer.
    pub async fn app(&self, id: &ClientId) -> Option<Arc<App>> {
        self.0.register.app(id).await
    }

    /// Learns of an app. `folded` is its name as `lists` folds it. What was known
    /// before stays where the new word has a gap (creator, credential).
    pub fn learn_app(&self, app: App, folded: String) {
        self.0.register.learn_app(NamedApp { app, folded });
    }

    /// Learns many apps in one transaction; returns when they are on the disk.
    ///
    /// # Errors
    /// If they cannot be written: then none was.
    pub async fn import_apps(&self, apps: Vec<NamedApp>) -> Result<usize, StoreError> {
        self.0.register.import(apps).await
    }

    /// Up to `most` apps whose folded name is `folded`, newest first.
    ///
    /// # Errors
    /// If the register cannot answer.
    pub async fn apps_named(&self, folded: &str, most: usize) -> Result<Vec<App>, StoreError> {
        self.0.register.named(folded.to_owned(), most).await
    }

    /// Learns that this credential is right for the app.
    pub fn learn_credential(&self, id: &ClientId, credential: KeyedHash) {
        self.0.register.learn_credential(id, credential);
    }

    /// Whether this credential is known to be right for the app.
    pub async fn is_proven(&self, id: &ClientId, credential: KeyedHash) -> bool {
        self.0.register.credential(id).await == Some(credential)
    }

    /// Learns which app a token belongs to. Whether the token is new to us:
    /// `POST /oauth/token` hands out the same one again.
    pub async fn learn_token(&self, token: KeyedHash, id: &ClientId) -> bool {
        self.0.register.learn_token(token, id).await
    }

    /// The app that a token belongs to, as far as known.
    pub async fn token_app(&self, token: KeyedHash) -> Option<ClientId> {
        self.0.register.token_app(token).await
    }

    /// How many distinct tokens of an app were learned.
    pub async fn token_count(&self, id: &ClientId) -> u64 {
        self.0.register.token_count(id).await
    }

    /// How much the register holds. It has no retention: an app or token is
    /// known as long as the upstream might honour it.
    ///
    /// # Errors
    /// If the register cannot answer.
    pub async fn register_size(&self) -> Result<RegisterSize, StoreError> {
        self.0.register.size().await
    }
}

/// The record of events.
impl Store {
    /// Remembers an event, soon. Dropped and counted if the queue is full;
    /// during a flood merged into the row of another (see [`events::flood`]).
    pub fn record(&self, event: Event) {
        self.0.events.record(event);
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
