//! `email` at the doors that take one.
//!
//! Where an address would enter or change, one that cannot be read is a fault.
//! At sign-in and at the request for another confirmation mail it is merely
//! looked up, and people with an old, odd address or a plain user name (LDAP)
//! must not be locked out: there it is no address.

use super::Fault;
use super::fields::Fields;
use crate::endpoint::Endpoint;
use crate::mail::address;
use crate::mailbox::EmailAddress;
use crate::rack;
use crate::secret::Secret;
use crate::verdict::Unreadable;

/// `email` where it enters or changes.
pub(super) fn must_read(
    fields: Fields<'_>,
    endpoint: Endpoint,
) -> Result<Option<EmailAddress>, Fault> {
    let text = fields
        .scalar("email")
        .map_err(|fault| Fault::at(endpoint, fault))?;
    address::read(text.as_deref().unwrap_or_default()).map_err(|fault| Fault {
        unreadable: Unreadable::Address,
        endpoint: Some(endpoint),
        fact: fault.to_string(),
        address: text.as_deref().map(typed),
    })
}

/// `email` where it is looked up.
pub(super) fn may_read(fields: Fields<'_>) -> Result<Option<EmailAddress>, rack::Fault> {
    let text = fields.scalar("email")?;
    Ok(address::read(&text.unwrap_or_default()).unwrap_or(None))
}

/// As it would be stored, for comparison with what an account has.
fn typed(text: &str) -> Secret {
    let blank = |c: char| c.is_ascii_whitespace() || c == '\0' || c == '\u{b}';
    Secret::new(text.trim_matches(blank).to_lowercase())
}
