//! `email` at the doors that take one.
//!
//! Where an address would enter or change, one that cannot be read is a fault.
//! At sign-in and at the request for another confirmation mail it is merely
//! looked up, and people with an old, odd address or a plain user name (LDAP)
//! must not be locked out: there it is no address.

use super::Fault;
use super::fields::Fields;
use crate::endpoint::Endpoint;
use crate::mailbox::EmailAddress;
use crate::rack;
use crate::verdict::Unreadable;

/// `email` where it enters or changes.
pub(super) fn must_read(
    fields: Fields<'_>,
    endpoint: Endpoint,
) -> Result<Option<EmailAddress>, Fault> {
    let text = fields
        .scalar("email")
        .map_err(|fault| Fault::at(endpoint, fault))?;
    read_address(&text.unwrap_or_default()).map_err(|fact| Fault {
        unreadable: Unreadable::Address,
        endpoint: Some(endpoint),
        fact,
    })
}

/// `email` where it is looked up.
pub(super) fn may_read(fields: Fields<'_>) -> Result<Option<EmailAddress>, rack::Fault> {
    let text = fields.scalar("email")?;
    Ok(read_address(&text.unwrap_or_default()).unwrap_or(None))
}

/// Goes when `mail::address` has landed; its whole body is then
/// `crate::mail::address::read(text).map_err(|fault| fault.to_string())`.
fn read_address(text: &str) -> Result<Option<EmailAddress>, String> {
    use crate::mailbox::Domain;
    use crate::secret::Secret;

    let exact = text
        .trim_matches(|c: char| c.is_ascii_whitespace() || c == '\0' || c == '\u{b}')
        .to_lowercase();
    if exact.is_empty() {
        return Ok(None);
    }
    let odd = || "not an address that every version reads alike".to_owned();
    let (local, domain) = exact.split_once('@').ok_or_else(odd)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-_.'".contains(c);
    if local.is_empty() || !local.chars().all(plain) || !domain.contains('.') {
        return Err(odd());
    }
    let name = Domain::new(domain).map_err(|_| odd())?;
    let bare = local.split('+').next().unwrap_or_default().replace('.', "");
    Ok(Some(EmailAddress {
        canonical: Secret::new(format!("{bare}@{domain}")),
        domains: vec![name],
        exact: Secret::new(exact),
    }))
}
