//! Whether an account came through the gate: is its admission on record?
//!
//! Looked for by mailbox among the events around the moment that Mastodon made
//! it. Where the gate may have let it in unread, or was not there yet, or is one of
//! several, it says that it cannot tell: a false alarm a day would teach admins
//! not to look.

use jiff::{SignedDuration, Timestamp};

use crate::account::Origin;
use crate::endpoint::Endpoint;
use crate::event::{Event, Note, Outcome};
use crate::judge::Judge;
use crate::mastodon::webhook::Account;
use crate::secret::Purpose;
use crate::store::events::Filter;
use crate::telemetry::metrics;
use crate::telemetry::trouble::{Trouble, raise};
use crate::verdict::Rule;

/// An account is made after the gate let its sign-up through, by at most the
/// upstream's patience and what two clocks may differ.
const BEFORE: SignedDuration = SignedDuration::from_mins(10);
const AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Older accounts than this are not looked for.
const OLDEST: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Admissions looked through: more than a large provider's in a rush.
const MOST: usize = 20_000;

/// Where an account came from.
#[derive(Debug)]
pub(super) enum Trace {
    /// Its admission is on record.
    Found(Origin),
    /// It would be, and is not.
    Beside,
    /// It need not be.
    Untold,
}

impl Judge {
    /// The same judge; if `elsewhere`, accounts that come to be beside the gate are
    /// counted and recorded, and no trouble.
    #[must_use]
    pub const fn expecting_accounts(mut self, elsewhere: bool) -> Self {
        self.hearing.elsewhere = elsewhere;
        self
    }

    pub(super) async fn trace(&self, account: &Account, now: Timestamp) -> Trace {
        if now.duration_since(account.created) > OLDEST {
            return Trace::Untold;
        }
        match self.admission(account).await {
            Ok(Some(found)) => Trace::Found(found),
            Ok(None) if self.would_know(account).await => Trace::Beside,
            Ok(None) | Err(_) => Trace::Untold,
        }
    }

    /// The admission of this mailbox, at whatever door.
    async fn admission(
        &self,
        account: &Account,
    ) -> Result<Option<Origin>, crate::store::StoreError> {
        let Some(email) = &account.email else {
            return Ok(None);
        };
        let exact = email.exact.expose().as_bytes();
        let mailbox = self.store.key().hash(Purpose::Mailbox, &[exact]);
        let filter = Filter {
            mail_domain: Some(email.domain().clone()),
            limit: MOST,
            ..around(account)
        };
        let events = self.store.events(filter).await?;
        let own = |event: &Event| event.mailbox == Some(mailbox) && event.note.is_none();
        // The latest that did not fail; a door that only looks an address up comes last.
        let found = events
            .into_iter()
            .filter(|event| own(event) && event.outcome != Some(Outcome::Fail))
            .min_by_key(|event| !makes(event.endpoint));
        Ok(found.map(|event| Origin::Gate {
            at: event.at.as_second(),
            domain: email.domain().clone(),
            client_id: event.client_id,
        }))
    }

    /// Whether the gate would have seen whoever signed up then.
    async fn would_know(&self, account: &Account) -> bool {
        if self.store.shares()
            || !self.guards(Endpoint::SignUp)
            || !self.guards(Endpoint::ApiSignUp)
        {
            return false;
        }
        let earlier = Filter {
            until: Some(account.created),
            limit: 1,
            ..Filter::default()
        };
        let unread = Filter {
            rule: Some(Rule::Unreadable),
            limit: 1,
            ..around(account)
        };
        let was_there = self.store.events(earlier).await;
        let let_unread = self.store.events(unread).await;
        was_there.is_ok_and(|events| !events.is_empty())
            && let_unread.is_ok_and(|events| events.is_empty())
    }

    /// An account that the gate never let through: an event, a count, a word.
    pub(super) fn tell_bypass(&self, account: &Account, now: Timestamp) {
        let event = self.bypass(account);
        metrics().hooks.bypassed();
        {
            let mut said = self.hearing.said.lock();
            said.bypasses += 1;
            said.last_bypass = Some(now);
        }
        let text = format!(
            "an account came to be beside the gate: @{} at {:.0}, event {}; by tootctl or single sign-on that is as it should be, else look for a way around (tuskgate doctor)",
            account.username.escape_debug(),
            account.created,
            event.id
        );
        if !self.hearing.elsewhere && raise(Trouble::Bypass, &text) {
            tracing::warn!("{text}");
        }
        self.store.record(event);
    }

    fn bypass(&self, account: &Account) -> Event {
        let hash = |purpose, text: &str| self.store.key().hash(purpose, &[text.as_bytes()]);
        let email = account.email.as_ref();
        Event {
            id: self.fresh_id(),
            at: account.created,
            endpoint: None,
            client: account.ip,
            username: Some(account.username.clone()),
            mail_domain: account.mail_domain.clone(),
            mailbox: email.map(|email| hash(Purpose::Mailbox, email.exact.expose())),
            canonical_mailbox: email
                .map(|email| hash(Purpose::CanonicalMailbox, email.canonical.expose())),
            mail_server: Vec::new(),
            client_id: None,
            app_name: None,
            grant: None,
            admitted: true,
            verdicts: Vec::new(),
            outcome: Some(Outcome::Create),
            count: 1,
            facts: None,
            note: Some(Note::Bypass),
        }
    }
}

/// Whether an account comes to be at this door.
fn makes(door: Option<Endpoint>) -> bool {
    matches!(door, Some(Endpoint::SignUp | Endpoint::ApiSignUp))
}

/// What was let through around the moment that the account was made.
fn around(account: &Account) -> Filter {
    Filter {
        since: account.created.checked_sub(BEFORE).ok(),
        until: account.created.checked_add(AFTER).ok(),
        admitted: Some(true),
        ..Filter::default()
    }
}
