//! What Mastodon tells afterwards: accounts that came to be, confirmed, or were
//! reported, by its signed webhooks; and links that seemed to work, by nobody.
//!
//! Each webhook has its effect once: a body is taken once (`replays`), and an
//! account confirms once, whatever is sent again. Who came to be is looked for
//! among the events; who is not there came in beside the gate (`beside`).
//! Nothing here refuses anybody.

mod beside;
mod links;
mod replays;
mod reports;

use std::num::NonZeroUsize;

use jiff::Timestamp;
use lru::LruCache;
use parking_lot::Mutex;

use crate::account::{Heard, KnownAccount, Origin};
use crate::attempt::{Attempt, ClientIp, narrow_network};
use crate::cluster::{CameToBe, Change, Kept};
use crate::endpoint::Endpoint;
use crate::event::Outcome;
use crate::judge::Judge;
use crate::judge::cluster::live::Registers;
use crate::mailbox::Domain;
use crate::mastodon::webhook::{Account, Hook, News, Stage};
use crate::secret::{KeyedHash, Purpose};
use crate::store::StoreError;
use crate::telemetry::metrics;

use beside::Trace;
use links::{Links, Worth};
use replays::{Place, Replays};
use reports::Reporters;

/// Accounts remembered.
const ACCOUNTS: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// What was heard.
#[derive(Debug)]
pub(super) struct Hearing {
    // Held while a webhook is worked on: two about one account must not pass each other.
    book: tokio::sync::Mutex<Book>,
    links: Mutex<Links>,
    said: Mutex<Heard>,
    /// Whether accounts come to be beside the gate day by day, as they should.
    elsewhere: bool,
}

#[derive(Debug)]
struct Book {
    replays: Replays,
    accounts: LruCache<i64, KnownAccount>,
    reporters: Reporters,
}

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// It was taken, and what it taught is on the disk.
    Taken,
    /// It had been taken before.
    Again,
    /// It is too old to tell whether it had.
    TooOld,
    /// It is from the future: one of the clocks is wrong.
    TooEarly,
}

impl Hearing {
    /// As it was, as far as it was kept.
    pub(super) fn restore(kept: &mut Kept) -> Self {
        let mut accounts = LruCache::new(ACCOUNTS);
        for (id, account) in std::mem::take(&mut kept.accounts) {
            accounts.put(id, account);
        }
        let book = Book {
            replays: Replays::new(std::mem::take(&mut kept.heard)),
            accounts,
            reporters: Reporters::default(),
        };
        Self {
            book: tokio::sync::Mutex::new(book),
            links: Mutex::default(),
            said: Mutex::default(),
            elsewhere: false,
        }
    }

    /// Tells the register of apps what it does not keep itself.
    pub(super) fn remind(&mut self, registers: &Registers) {
        for (_, account) in self.book.get_mut().accounts.iter() {
            if account.confirmed {
                credit_app(account, registers);
            }
        }
    }

    /// A sign-up was let in and not refused by Mastodon.
    pub(super) fn signed_up(&self, attempt: &Attempt, outcome: Outcome) {
        let door = matches!(attempt.endpoint, Endpoint::SignUp | Endpoint::ApiSignUp);
        let Some(email) = attempt.email.as_ref().filter(|_| door) else {
            return;
        };
        if outcome == Outcome::Fail {
            return;
        }
        self.said.lock().admitted += 1;
        if let Some(ip) = attempt.client.known() {
            let network = narrow_network(ip);
            let now = attempt.at.as_second();
            self.links.lock().signed_up(network, email.domain(), now);
        }
    }
}

impl Judge {
    /// Takes a webhook that is signed; `body` is the hash of all of it.
    ///
    /// # Errors
    /// If what it taught is not on the disk; it is in force all the same.
    pub async fn hear(
        &self,
        hook: &Hook,
        body: KeyedHash,
        now: Timestamp,
    ) -> Result<Reception, StoreError> {
        self.hearing.said.lock().last = Some(now);
        let mut book = self.hearing.book.lock().await;
        book.replays.sweep(now.as_second());
        let at = hook.at.as_second();
        match book.replays.place(body, at, now.as_second()) {
            Place::New => {}
            Place::Again => return Ok(Reception::Again),
            Place::TooOld => return Ok(Reception::TooOld),
            Place::TooEarly => return Ok(Reception::TooEarly),
        }
        match &hook.news {
            News::Account(stage, account) if account.local => {
                self.hear_account(&mut book, *stage, account, now).await;
            }
            News::Report { by, target } => self.hear_report(&mut book, by, target, now).await,
            News::Account(..) | News::Other => {}
        }
        book.replays.note(body, at);
        drop(book);
        self.store.keep_cluster(Change::Heard(body, at));
        self.store.flush_clusters().await?;
        self.hearing.said.lock().events += 1;
        Ok(Reception::Taken)
    }

    /// A webhook came that is none of ours, or cannot be read, or is too old.
    pub fn heard_in_vain(&self) {
        self.hearing.said.lock().refused += 1;
    }

    /// What was heard since the start.
    #[must_use]
    pub fn heard(&self) -> Heard {
        *self.hearing.said.lock()
    }

    /// What `pick` makes of the accounts that are known.
    pub(super) async fn accounts_where<T>(
        &self,
        pick: impl Fn(i64, &KnownAccount) -> Option<T>,
    ) -> Vec<T> {
        let book = self.hearing.book.lock().await;
        let all = book.accounts.iter();
        all.filter_map(|(id, known)| pick(*id, known)).collect()
    }

    async fn hear_account(
        &self,
        book: &mut Book,
        stage: Stage,
        account: &Account,
        now: Timestamp,
    ) -> Option<KnownAccount> {
        let before = book.accounts.get(&account.id).cloned();
        let mut known = match &before {
            Some(known) => known.clone(),
            None => self.introduce(stage, account, now).await?,
        };
        let confirms = account.confirmed && !known.confirmed;
        known.confirmed |= account.confirmed;
        if before.as_ref() != Some(&known) {
            book.accounts.put(account.id, known.clone());
            let change = Change::Account(account.id, known.clone());
            self.store.keep_cluster(change);
            self.name(account.id, &known);
        }
        if confirms {
            self.confirmed(account, &known, now);
        }
        Some(known)
    }

    /// An account that was not heard of before. Of one that is merely changed and
    /// not known the gate keeps nothing: what made it may still come.
    async fn introduce(
        &self,
        stage: Stage,
        account: &Account,
        now: Timestamp,
    ) -> Option<KnownAccount> {
        let origin = match (self.trace(account, now).await, stage) {
            (Trace::Found(origin), _) => origin,
            (Trace::Beside, Stage::Created) => {
                self.tell_bypass(account, now);
                Origin::Beside
            }
            (Trace::Untold, Stage::Created) => Origin::Untold,
            (Trace::Beside | Trace::Untold, Stage::Approved | Stage::Updated) => return None,
        };
        Some(KnownAccount {
            created: account.created.as_second(),
            username: account.username.clone(),
            confirmed: false,
            origin,
        })
    }

    /// Writes the account beside the sign-up it came from.
    fn name(&self, id: i64, known: &KnownAccount) {
        if let Origin::Gate { at, domain, .. } = &known.origin {
            let account = CameToBe {
                id,
                confirmed: known.confirmed,
            };
            self.registers
                .name_account(domain, *at, &known.username, account);
        }
    }

    /// Only whom the gate let in vouches for anything: nobody beside it was judged.
    fn confirmed(&self, account: &Account, known: &KnownAccount, now: Timestamp) {
        let Origin::Gate { domain, .. } = &known.origin else {
            return;
        };
        let domain = account.mail_domain.as_ref().unwrap_or(domain);
        self.registers.confirm(domain, now.as_second());
        credit_app(known, &self.registers);
        self.hearing.said.lock().confirmed += 1;
        metrics().hooks.confirmed(true);
    }

    async fn hear_report(&self, book: &mut Book, by: &Account, target: &Account, now: Timestamp) {
        let id = by.id.to_be_bytes();
        let hash = self.store.key().hash(Purpose::Limit, &[b"reporter", &id]);
        if !book.reporters.weigh(by, hash, target, now.as_second()) {
            return;
        }
        let known = self.hear_account(book, Stage::Updated, target, now).await;
        let Some(Origin::Gate { domain, .. }) = known.map(|known| known.origin) else {
            return;
        };
        self.registers
            .report(&domain, hash, target.id, now.as_second());
        self.hearing.said.lock().reports += 1;
        metrics().hooks.reported();
    }

    /// Somebody followed a confirmation link that seemed to work.
    pub fn followed_link(&self, client: ClientIp, token: &str, now: Timestamp) {
        let token = self.store.key().hash(Purpose::Once, &[token.as_bytes()]);
        let network = client.known().map(narrow_network);
        let at = now.as_second();
        let worth = self.hearing.links.lock().followed(token, network, at);
        if worth == Worth::Nothing {
            return;
        }
        let told = {
            let mut said = self.hearing.said.lock();
            said.links += 1;
            said.last.is_some()
        };
        let told = told
            || self
                .registers
                .both(|servers, _| servers.confirmations_known());
        metrics().hooks.confirmed(false);
        // Where Mastodon tells who confirmed, nobody guesses.
        if let (Worth::Likely(domain), false) = (worth, told) {
            self.registers.confirm_by_link(&domain, at);
        }
    }
}

/// The account's app has brought somebody who confirmed.
fn credit_app(known: &KnownAccount, registers: &Registers) {
    if let Origin::Gate {
        domain,
        client_id: Some(app),
        ..
    } = &known.origin
    {
        let domain: &Domain = domain;
        registers.credit_app(app, domain, known.created);
    }
}
