//! An e-mail address once read: its domain in the clear, its mailbox masked.
//!
//! Built by `mail::address`, which knows how Devise and Mastodon's validators
//! read one. These are values only.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;

/// A DNS name as the gate compares it: ASCII (A-labels), lower case, at least
/// one character, no leading or trailing dot, no empty label, ≤ 253 octets.
///
/// The only public way in is [`Domain::new`], so a `Domain` is always in that form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(Arc<str>);

impl Domain {
    /// Takes an already lower-cased ASCII name.
    ///
    /// # Errors
    /// If the name is not in the form described at [`Domain`].
    pub fn new(name: &str) -> Result<Self, NotADomain> {
        if name.len() > 253 {
            return Err(NotADomain);
        }
        let mut label = 0;
        for byte in name.bytes() {
            label = match byte {
                b'.' if label > 0 => 0,
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' if label < 63 => label + 1,
                _ => return Err(NotADomain),
            };
        }
        if label == 0 {
            return Err(NotADomain);
        }
        Ok(Self(name.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name itself, then each parent up to the last label: `a.b.c`, `b.c`, `c`.
    pub fn with_parents(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(&*self.0), |name| {
            name.split_once('.').map(|(_, up)| up)
        })
    }
}

impl Borrow<str> for Domain {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Domain {
    type Error = NotADomain;

    fn try_from(name: String) -> Result<Self, NotADomain> {
        Self::new(&name)
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> Self {
        domain.0.as_ref().into()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is not a domain name in comparable form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a lower-case ASCII domain name")]
pub struct NotADomain;

/// An address that Mastodon would accept, read as it would read it.
#[derive(Clone, PartialEq, Eq)]
pub struct EmailAddress {
    /// Whole address, trimmed and lower-cased: what Mastodon stores.
    pub exact: Secret,
    /// Whole address without dots and `+tag` in the local part: what Mastodon's canonical blocks compare.
    pub canonical: Secret,
    /// Every domain that some Mastodon version may look at for this address;
    /// one for an ASCII domain, up to two where IDNA versions differ. Never empty.
    pub domains: Vec<Domain>,
}

impl EmailAddress {
    /// The first of [`EmailAddress::domains`].
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domains[0]
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[secret]@{}", self.domain())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_labels_with_dots_between() {
        let longest = [
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(61),
        ]
        .join(".");
        for name in [
            "a",
            "a.b",
            "xn--bcher-kva.example",
            "_dmarc.1-2.test",
            &longest,
        ] {
            assert_eq!(Domain::new(name).expect("a domain").as_str(), name);
        }
        let label = format!("{}.example", "a".repeat(64));
        for none in [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "A.b",
            "a b",
            "bücher.example",
            &label,
            &format!("{longest}d"),
        ] {
            assert_eq!(Domain::new(none), Err(NotADomain), "{none}");
        }
    }
}
