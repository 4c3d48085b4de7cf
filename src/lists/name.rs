//! A domain as an administrator or a feed writes it.
//!
//! This file is the one place to switch to `mail::domain::read` once that
//! room is merged; until then it is a conservative stand-in: IDNA to A-labels
//! (UTS 46), lower case, one trailing dot off.

use crate::mailbox::Domain;

/// Reads `text`; `None` if it is not a domain name.
pub(super) fn read(text: &str) -> Option<Domain> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if let Ok(domain) = Domain::new(text) {
        return Some(domain);
    }
    if text.is_ascii() {
        return Domain::new(&text.to_ascii_lowercase()).ok();
    }
    Domain::new(&idna::domain_to_ascii(text).ok()?).ok()
}
