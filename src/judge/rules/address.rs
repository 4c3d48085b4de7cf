//! `address`: the mailbox is banned, exactly or in its canonical form
//! (without dots and `+tag`, as Mastodon's canonical e-mail blocks compare,
//! `app/models/canonical_email_block.rb`).
//!
//! Mailboxes are known here by keyed hash only.

use crate::attempt::Attempt;
use crate::judge::sight::{Hit, Sight};
use crate::secret::{HashKey, KeyedHash, Purpose};
use crate::verdict::{Because, Cause, Reason, Verdict};

/// The two hashes of a mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Of the whole address.
    pub exact: KeyedHash,
    /// Of the canonical address.
    pub canonical: KeyedHash,
}

impl Mailbox {
    /// Hashes the attempt's address.
    #[must_use]
    pub fn of(attempt: &Attempt, key: &HashKey) -> Option<Self> {
        let email = attempt.email.as_ref()?;
        let hash = |purpose, text: &str| key.hash(purpose, &[text.as_bytes()]);
        Some(Self {
            exact: hash(Purpose::Mailbox, email.exact.expose()),
            canonical: hash(Purpose::CanonicalMailbox, email.canonical.expose()),
        })
    }
}

/// The ban on the mailbox, and the allow entry on its domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    ban: Option<Hit>,
    allow: Option<Hit>,
}

/// Looks the mailbox up.
#[must_use]
pub fn look(attempt: &Attempt, mailbox: Option<Mailbox>, sight: &Sight) -> Facts {
    let Some((mailbox, email)) = mailbox.zip(attempt.email.as_ref()) else {
        return Facts::default();
    };
    let ban = sight
        .bans
        .bans()
        .address(&mailbox.exact, sight.now)
        .or_else(|| {
            sight
                .bans
                .bans()
                .canonical_address(&mailbox.canonical, sight.now)
        })
        .map(Hit::of_ban);
    let allow = ban
        .as_ref()
        .and_then(|_| sight.mail_domain_allow(email.domain()));
    Facts { ban, allow }
}

/// The verdict.
#[must_use]
pub fn judge(facts: Facts) -> Verdict {
    match (facts.ban, facts.allow) {
        (None, _) => Verdict::Pass,
        (Some(_), Some(allow)) => Verdict::Abstain(Cause::Allow(allow.phrase())),
        (Some(hit), None) => Verdict::Refuse(Reason {
            because: Because::Mailbox,
            fact: format!("the mailbox is banned: {}", hit.phrase()).into(),
            undo: hit.undo.map(Into::into),
        }),
    }
}
