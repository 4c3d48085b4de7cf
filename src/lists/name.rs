//! A domain as an administrator or a feed writes it.
//!
//! Nearly every line of a feed is plain lower-case ASCII and is taken as it
//! stands, because a million lines go through here; anything else is read as
//! `mail::domain` reads it.

use crate::mailbox::Domain;

/// Reads `text`; `None` if it is not a domain name. An IP address is none.
pub(super) fn read(text: &str) -> Option<Domain> {
    let last = text.bytes().next_back()?;
    // A name whose last label is not letters may be an address, or no name at all.
    if last.is_ascii_lowercase()
        && !text.as_bytes().windows(4).any(|four| four == b"xn--")
        && let Ok(domain) = Domain::new(text)
    {
        return Some(domain);
    }
    crate::mail::domain::read(text).ok()
}
