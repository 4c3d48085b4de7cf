//! `mail-domain`: the domain of the address, or any parent of it, is banned.
//!
//! Every domain that some Mastodon version would look at is judged
//! ([`crate::mailbox::EmailAddress::domains`]); a listed `tk` or `duckdns.org`
//! bans all below it, as Mastodon's own e-mail-domain blocks do
//! (`app/models/email_domain_block.rb`).

use crate::attempt::Attempt;
use crate::judge::sight::{Found, Sight};
use crate::verdict::{Because, Cause, Reason, Verdict};

/// What the lists say of each domain.
#[must_use]
pub fn look(attempt: &Attempt, sight: &Sight) -> Vec<Found> {
    let domains = attempt.email.iter().flat_map(|email| &email.domains);
    domains.map(|domain| sight.mail_domain(domain)).collect()
}

/// The verdict: one banned domain is enough.
#[must_use]
pub fn judge(found: Vec<Found>) -> Verdict {
    let mut verdict = Verdict::Pass;
    for found in found {
        match found {
            Found::Nothing => {}
            Found::Allow(hit) => verdict = Verdict::Abstain(Cause::Allow(hit.phrase())),
            Found::Ban(hit) => {
                return Verdict::Refuse(Reason {
                    because: Because::Ban,
                    fact: format!("the e-mail domain is banned: {}", hit.phrase()).into(),
                    undo: hit.undo.map(Into::into),
                });
            }
        }
    }
    verdict
}
