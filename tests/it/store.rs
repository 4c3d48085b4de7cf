//! The store from outside: what survives a kill, a damaged file, a disk that
//! refuses; that nothing secret is in its files; the limiter under threads.
//!
//! Children are this very test binary, started again for one test that does
//! nothing unless the environment tells it to be that child.

mod children;
mod crash;
mod damage;
mod events;
mod limiter;
mod refuse;
mod register;

use std::future::Future;
use std::path::Path;

use jiff::Timestamp;
use tuskgate::ban::{Ban, Effect, Scopes, Subject};
use tuskgate::mailbox::Domain;
use tuskgate::store::{Store, StoreSettings};

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(future)
}

fn open(path: &Path) -> Store {
    let mut settings = StoreSettings::new(path);
    settings.limiter_slots = 1024;
    Store::open(&settings).expect("the store opens")
}

fn ban(subject: Subject) -> Ban {
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

fn domain(name: &str) -> Subject {
    Subject::MailDomain(Domain::new(name).expect("a domain"))
}

/// What is in force, in order of id.
fn bans(store: &Store) -> Vec<Ban> {
    let mut bans: Vec<Ban> = store.bans().iter().map(|ban| Ban::clone(ban)).collect();
    bans.sort_by_key(|ban| ban.id);
    bans
}

fn subjects(store: &Store) -> Vec<String> {
    let all = bans(store);
    let mut names: Vec<String> = all.iter().map(|ban| ban.subject.to_string()).collect();
    names.sort();
    names
}
