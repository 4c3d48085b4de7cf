//! An e-mail address as Devise, the Mail gem and Mastodon's validators take it.
//!
//! Mirrors Mastodon 4.1 to main: trim ASCII blanks and NUL, lower-case over all
//! of Unicode, split at the only `@`. What some version stores or looks up
//! otherwise than another (comments, quoting, a trailing dot, a port, percent
//! signs, address literals, …) is a fault here, because the gate must know which
//! domain Mastodon will judge. It does not ask whether the mailbox exists.

use crate::mailbox::EmailAddress;
use crate::secret::Secret;

use super::idn;

/// The longest address that Mastodon stores, in characters.
const LONGEST: usize = 320;

/// Reads the text of an e-mail parameter; `None` if it is blank.
///
/// The text is wholly the attacker's. Work and memory are linear in its length.
///
/// # Errors
/// If Mastodon would refuse it, or if its versions may read it differently.
pub fn read(text: &str) -> Result<Option<EmailAddress>, AddressFault> {
    match plain(text) {
        Some(address) => Ok(Some(address)),
        None => read_closely(text),
    }
}

/// What nearly all addresses are: plain ASCII with nothing around it, read as
/// [`read_closely`] would. `None` if that must have a look.
fn plain(text: &str) -> Option<EmailAddress> {
    // `=?` is two versions' quarrel: whatever has a `?` is for the closer look.
    let of_local = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_!#$&'*/=^`{|}~".contains(&byte);
    let (local, rest) = text.split_at_checked(text.bytes().position(|byte| !of_local(byte))?)?;
    if local.is_empty() || !rest.starts_with('@') || text.len() > LONGEST {
        return None;
    }
    let exact = text.to_ascii_lowercase();
    let (local, host) = exact.split_at_checked(local.len())?;
    let domain = idn::plain(host.strip_prefix('@')?)?;
    Some(EmailAddress {
        canonical: Secret::new(canonical(local, domain.as_str())),
        exact: Secret::new(exact),
        domains: vec![domain],
    })
}

fn read_closely(text: &str) -> Result<Option<EmailAddress>, AddressFault> {
    let trimmed = text.trim_matches(is_blank);
    if trimmed.is_empty() {
        return Ok(None);
    }
    if is_too_long(trimmed) {
        return Err(AddressFault::Ambiguous);
    }
    let exact = lower_case(trimmed);
    // A few capitals become two characters.
    if is_too_long(&exact) {
        return Err(AddressFault::Ambiguous);
    }
    let (local, host) = exact.split_once('@').ok_or(AddressFault::Invalid)?;
    if local.is_empty() || host.is_empty() || host.contains('@') || exact.contains(is_blank) {
        return Err(AddressFault::Invalid);
    }
    if local.contains("=?") || !local.chars().all(is_atom) {
        return Err(AddressFault::Ambiguous);
    }
    let domains = idn::every_ascii(host).ok_or(AddressFault::Ambiguous)?;
    let canonical = canonical(
        local,
        domains.first().ok_or(AddressFault::Ambiguous)?.as_str(),
    );
    Ok(Some(EmailAddress {
        canonical: Secret::new(canonical),
        exact: Secret::new(exact),
        domains,
    }))
}

fn is_too_long(text: &str) -> bool {
    text.chars().nth(LONGEST).is_some()
}

/// Mastodon's `CanonicalEmail`: without dots, cut at the first `+`.
///
/// The domain is put in its ASCII form first, so that the spellings of one
/// international domain give one mailbox (Mastodon hashes what was typed).
fn canonical(local: &str, domain: &str) -> String {
    let name = local.split('+').next().unwrap_or_default();
    let mut canonical = String::with_capacity(name.len() + 1 + domain.len());
    for part in name.split('.') {
        canonical.push_str(part);
    }
    canonical.push('@');
    canonical.push_str(domain);
    canonical
}

/// Ruby's `String#downcase`: full mapping, character by character. Deliberately
/// not `str::to_lowercase`, which writes a final sigma by context.
fn lower_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// What Ruby's `String#strip` takes off, and what Devise's pattern forbids inside.
fn is_blank(c: char) -> bool {
    matches!(c, '\0' | '\t'..='\r' | ' ')
}

/// RFC 5322 atom characters and dots, without `%`, which 4.1 takes and main does not;
/// letters and digits of other scripts as RFC 6532 has them.
fn is_atom(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || "!#$&'*+-/=?^_`{|}~.".contains(c);
    }
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}

/// Why an address cannot be judged. Both answers are the sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AddressFault {
    /// Every version of Mastodon refuses it.
    #[error("not an e-mail address to any version of Mastodon")]
    Invalid,
    /// Some version may take it, and it is not certain which mailbox or domain it would mean.
    #[error("an e-mail address that versions of Mastodon read differently")]
    Ambiguous,
}

#[cfg(test)]
mod tests;
