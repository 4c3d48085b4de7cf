//! What is known of apps, their credentials and tokens.
//!
//! Memory holds what was lately used, up to a bound; the file holds all of it.
//! There is no retention: Doorkeeper honours an app or token for as long as it
//! exists, so forgetting one would only make it unknown again. An attacker can
//! make the file grow as fast as the upstream's own tables grow, no faster.

mod listing;
mod memory;
mod rows;

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::disk::clerk::{Clerk, Fault, Outcome, Replies};
use super::disk::desk::{Desk, Reply};
use super::disk::file::{self, FileKind, Sync};
use super::disk::folder::Folder;
use super::disk::inbox::{Hears, Inbox, Next};
use super::disk::writer::Writer;
use super::transfer::Content;
use crate::app::{App, ClientId};
use crate::secret::KeyedHash;
use memory::Memory;

pub use listing::{AppOrder, CountedApp};

pub(super) const FILE: FileKind = FileKind {
    name: "register.sqlite3",
    migrations: rows::MIGRATIONS,
    sync: Sync::Normal,
};
const ROOM: usize = 8192;

/// An app and its name as `lists` folds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedApp {
    /// The app.
    pub app: App,
    /// Its folded name.
    pub folded: String,
}

/// How much the register holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegisterSize {
    /// Apps on the disk.
    pub apps: u64,
    /// Distinct tokens on the disk.
    pub tokens: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Listings at once; more wait their turn elsewhere.
const LISTINGS: usize = 8;

/// The callers' side.
#[derive(Debug)]
pub(super) struct Register {
    // Before the desk: a reader must not outlive the writer's last commit for nothing.
    reader: Desk<Listing>,
    desk: Desk<Job>,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
enum Job {
    Learn(Box<NamedApp>),
    Import(Vec<NamedApp>, Reply<usize>),
    Credential(ClientId, KeyedHash),
    Token(KeyedHash, ClientId, Reply<bool>),
    App(ClientId, Reply<Option<App>>),
    Named(String, usize, Reply<Vec<App>>),
    CredentialOf(ClientId, Reply<Option<KeyedHash>>),
    TokenApp(KeyedHash, Reply<Option<ClientId>>),
    TokenCount(ClientId, Reply<u64>),
    TokensOf(Vec<ClientId>, Reply<Vec<(ClientId, KeyedHash)>>),
    Size(Reply<RegisterSize>),
    Flush(Reply<()>),
}

impl Job {
    const fn is_lesson(&self) -> bool {
        matches!(
            self,
            Self::Learn(_) | Self::Credential(..) | Self::Token(..)
        )
    }
}

/// A question that reads the whole table, with the answer's way back.
#[derive(Debug)]
enum Listing {
    Apps(Option<String>, AppOrder, usize, Reply<Vec<CountedApp>>),
    Namesakes(String, Reply<u64>),
}

impl Register {
    pub(super) fn open(folder: &Folder, kept_aside: &mut Vec<PathBuf>) -> Result<Self, StoreError> {
        let connection = file::open(folder, &FILE, kept_aside)?;
        let reading = file::open_reader(folder, &FILE)?;
        let desk = Desk::start(FILE.name, ROOM, move |inbox, failing| {
            Writer::new(FILE.name, connection, inbox, failing, Book::default()).run();
        })?;
        let reader = Desk::start("register.sqlite3 (reader)", LISTINGS, move |inbox, _| {
            answer(&reading, &inbox);
        })?;
        Ok(Self {
            reader,
            desk,
            memory: Mutex::default(),
        })
    }

    pub(super) async fn list(
        &self,
        folded: Option<String>,
        order: AppOrder,
        most: usize,
    ) -> Result<Vec<CountedApp>, StoreError> {
        // What was learned before is to be seen; if it cannot be written, the rest is.
        drop(self.desk.ask(Job::Flush).await);
        let ask = |reply| Listing::Apps(folded, order, most, reply);
        self.reader.ask(ask).await
    }

    pub(super) async fn namesakes(&self, folded: String) -> Result<u64, StoreError> {
        let ask = |reply| Listing::Namesakes(folded, reply);
        self.reader.ask(ask).await
    }

    pub(super) fn app_at_hand(&self, id: &ClientId) -> Option<Arc<App>> {
        self.memory.lock().app(id)
    }

    pub(super) fn app_of_token_at_hand(&self, token: KeyedHash) -> Option<Arc<App>> {
        self.memory.lock().app_of_token(token)
    }

    pub(super) async fn app(&self, id: &ClientId) -> Option<Arc<App>> {
        if let Some(app) = self.app_at_hand(id) {
            return Some(app);
        }
        let ask = |reply| Job::App(id.clone(), reply);
        let app = Arc::new(self.desk.ask(ask).await.ok()??);
        self.memory.lock().put_app(Arc::clone(&app));
        Some(app)
    }

    pub(super) fn learn_app(&self, named: NamedApp) {
        self.memory.lock().learn_app(&named.app);
        // Refused only if the queue is full, which is counted there.
        drop(self.desk.send(Job::Learn(Box::new(named))));
    }

    pub(super) async fn import(&self, apps: Vec<NamedApp>) -> Result<usize, StoreError> {
        let outcome = self.desk.ask(|reply| Job::Import(apps, reply)).await;
        self.memory.lock().forget_apps();
        outcome
    }

    pub(super) async fn named(&self, folded: String, most: usize) -> Result<Vec<App>, StoreError> {
        self.desk.ask(|reply| Job::Named(folded, most, reply)).await
    }

    pub(super) fn learn_credential(&self, id: &ClientId, credential: KeyedHash) {
        if self.memory.lock().learn_credential(id, credential) {
            drop(self.desk.send(Job::Credential(id.clone(), credential)));
        }
    }

    pub(super) async fn credential(&self, id: &ClientId) -> Option<KeyedHash> {
        if let Some(credential) = self.memory.lock().credential(id) {
            return Some(credential);
        }
        let ask = |reply| Job::CredentialOf(id.clone(), reply);
        let credential = self.desk.ask(ask).await.ok()??;
        self.memory.lock().learn_credential(id, credential);
        Some(credential)
    }

    pub(super) async fn learn_token(&self, token: KeyedHash, id: &ClientId) -> bool {
        if !self.memory.lock().learn_token(token, id) {
            return false;
        }
        let ask = |reply| Job::Token(token, id.clone(), reply);
        // Not known to be old: counted as new, once, as long as memory holds it.
        self.desk.ask(ask).await.unwrap_or(true)
    }

    pub(super) async fn token_app(&self, token: KeyedHash) -> Option<ClientId> {
        if let Some(id) = self.memory.lock().token_app(token) {
            return Some(id);
        }
        let ask = |reply| Job::TokenApp(token, reply);
        let id = self.desk.ask(ask).await.ok()??;
        self.memory.lock().learn_token(token, &id);
        Some(id)
    }

    pub(super) async fn token_count(&self, id: &ClientId) -> u64 {
        let ask = |reply| Job::TokenCount(id.clone(), reply);
        self.desk.ask(ask).await.unwrap_or(0)
    }

    /// Learns a credential, waiting for room in the queue.
    pub(super) async fn take_credential(
        &self,
        id: ClientId,
        credential: KeyedHash,
    ) -> Result<(), StoreError> {
        self.memory.lock().learn_credential(&id, credential);
        match self.desk.try_send(Job::Credential(id.clone(), credential)) {
            Err(StoreError::Busy { .. }) => {
                self.desk.ask(Job::Flush).await?;
                self.desk.send(Job::Credential(id, credential))
            }
            outcome => outcome,
        }
    }

    /// Learns a token, waiting for the writer.
    pub(super) async fn take_token(
        &self,
        token: KeyedHash,
        id: ClientId,
    ) -> Result<(), StoreError> {
        let ask = |reply| Job::Token(token, id, reply);
        self.desk.ask(ask).await.map(|_| ())
    }

    pub(super) async fn tokens_of(
        &self,
        apps: Vec<ClientId>,
    ) -> Result<Vec<(ClientId, KeyedHash)>, StoreError> {
        self.desk.ask(|reply| Job::TokensOf(apps, reply)).await
    }

    pub(super) async fn size(&self) -> Result<RegisterSize, StoreError> {
        self.desk.ask(Job::Size).await
    }

    pub(super) async fn flush(&self) -> Result<(), StoreError> {
        self.desk.flush(Job::Flush).await
    }

    pub(super) fn failing(&self) -> Option<(&'static str, String)> {
        self.desk.failing()
    }
}

/// Everything in the file.
pub(super) fn all(connection: &Connection, into: &mut Vec<Content>) -> rusqlite::Result<()> {
    rows::all(connection, into)
}

/// Listings have a thread of their own: they must not hold up what a request waits for.
fn answer(connection: &Connection, inbox: &Inbox<Listing>) {
    let patience = std::time::Duration::from_secs(3600);
    let fault = |error| StoreError::sqlite(FILE.name, error);
    loop {
        match inbox.next(std::time::Instant::now() + patience, Hears::All) {
            // Whoever asked may have left.
            Next::Job(Listing::Apps(folded, order, most, reply)) => {
                let apps = listing::apps(connection, folded.as_deref(), order, most);
                drop(reply.send(apps.map_err(fault)));
            }
            Next::Job(Listing::Namesakes(folded, reply)) => {
                let count = listing::namesakes(connection, &folded);
                drop(reply.send(count.map_err(fault)));
            }
            Next::Quiet => {}
            Next::Closed => return,
        }
    }
}

/// The writer's side. It reads, too, so that nothing queued is overlooked.
#[derive(Default)]
struct Book {
    /// Learned in the open batch, with nobody waiting for the disk.
    learned: u64,
}

impl Clerk for Book {
    type Job = Job;

    fn work(
        &mut self,
        connection: &Connection,
        job: Job,
        replies: &mut Replies,
    ) -> Result<(), Fault> {
        self.learned += u64::from(job.is_lesson());
        match job {
            Job::Learn(named) => rows::learn(connection, &named)?,
            Job::Credential(id, credential) => rows::credential(connection, &id, credential)?,
            Job::Token(token, id, reply) => {
                replies.or_fault(reply, rows::token(connection, token, &id))?;
            }
            Job::Import(apps, reply) => {
                let new = apps.iter().try_fold(0, |new, named| {
                    let known = rows::knows(connection, &named.app.client_id)?;
                    rows::learn(connection, named)?;
                    Ok(new + usize::from(!known))
                });
                replies.after_commit(reply, new)?;
            }
            Job::App(id, reply) => replies.now(reply, rows::app(connection, &id)),
            Job::Named(folded, most, reply) => {
                replies.now(reply, rows::named(connection, &folded, most));
            }
            Job::CredentialOf(id, reply) => {
                replies.now(reply, rows::credential_of(connection, &id));
            }
            Job::TokenApp(token, reply) => replies.now(reply, rows::token_app(connection, token)),
            Job::TokenCount(id, reply) => replies.now(reply, rows::token_count(connection, &id)),
            Job::TokensOf(apps, reply) => replies.now(reply, rows::tokens_of(connection, &apps)),
            Job::Size(reply) => replies.now(reply, rows::size(connection)),
            Job::Flush(reply) => replies.after_commit(reply, Ok(()))?,
        }
        Ok(())
    }

    fn hourly(&mut self, connection: &Connection, _now: jiff::Timestamp) -> Result<(), Fault> {
        let size = rows::size(connection)?;
        crate::telemetry::metrics()
            .store
            .file_bytes(FILE.name, size.bytes);
        Ok(())
    }

    fn settled(&mut self, outcome: Outcome) -> u64 {
        let learned = std::mem::take(&mut self.learned);
        match outcome {
            Outcome::Commit => 0,
            Outcome::TakeBack => learned,
        }
    }
}
