//! The store from outside: what it records and learns, that nothing secret is
//! in its files, the limiter under threads. What breaks it is in tests/faults.

pub(crate) mod events;
mod limiter;
mod register;

use std::future::Future;
use std::path::Path;

use jiff::Timestamp;
use tuskgate::ban::{Ban, Effect, Scopes, Subject};
use tuskgate::mailbox::Domain;
use tuskgate::store::{Store, StoreSettings};

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

pub(crate) fn open(path: &Path) -> Store {
    let mut settings = StoreSettings::new(path);
    settings.limiter_slots = 1024;
    Store::open(&settings).expect("the store opens")
}

pub(crate) fn ban(subject: Subject) -> Ban {
    Ban {
        id: 0,
        subject,
        effect: Effect::Ban,
        scopes: Scopes::DEFAULT,
        reason: "spam".to_owned(),
        source: "test".to_owned(),
        created: Timestamp::UNIX_EPOCH,
        expires: None,
    }
}

pub(crate) fn domain(name: &str) -> Subject {
    Subject::MailDomain(Domain::new(name).expect("a domain"))
}

/// What is in force, in order of id.
pub(crate) fn bans(store: &Store) -> Vec<Ban> {
    let mut bans: Vec<Ban> = store.bans().iter().map(|ban| Ban::clone(ban)).collect();
    bans.sort_by_key(|ban| ban.id);
    bans
}

pub(crate) fn subjects(store: &Store) -> Vec<String> {
    let all = bans(store);
    let mut names: Vec<String> = all.iter().map(|ban| ban.subject.to_string()).collect();
    names.sort();
    names
}
