//! Values that must not be seen, and the keyed hash that stands in for them.
//!
//! A token, client secret or mailbox is kept, logged and compared only as a
//! [`KeyedHash`]: HMAC-SHA-256 (RFC 2104) under the gate's own key, cut to 128
//! bits, with a [`Purpose`] mixed in so that one secret used in two places
//! gives two unrelated hashes.

use std::cell::RefCell;
use std::fmt;
use std::hash::Hasher;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use siphasher::sip128::{Hasher128, SipHasher13};

/// Text that masks itself in `Debug` and has no `Display` or `Serialize`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wraps `text`.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself: for hashing and for asking the upstream, nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What a hash is for. Part of the hashed bytes, so never renumber.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A whole mailbox, as typed but trimmed and lower-cased.
    Mailbox,
    /// A mailbox without dots and `+tag`.
    CanonicalMailbox,
    /// An access token.
    Token,
    /// `client_id` and `client_secret` together.
    Credential,
    /// A key of the limiter.
    Limit,
    /// An invite code.
    Invite,
    /// The body of a webhook, or the token in a confirmation link.
    Once,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Mailbox => b"mailbox",
            Self::CanonicalMailbox => b"canonical-mailbox",
            Self::Token => b"token",
            Self::Credential => b"credential",
            Self::Limit => b"limit",
            Self::Invite => b"invite",
            Self::Once => b"once",
        }
    }
}

thread_local! {
    /// What [`HashKey::hash_often`] keeps: the quick hash, and the one asked for.
    static LATELY: RefCell<[(KeyedHash, KeyedHash); 64]> =
        const { RefCell::new([(KeyedHash([0; 16]), KeyedHash([0; 16])); 64]) };
}

/// The gate's HMAC key: 32 bytes, the same on all nodes.
#[derive(Clone)]
pub struct HashKey {
    mac: Hmac<Sha256>,
    fingerprint: [u8; 8],
    limits: SipHasher13,
}

impl HashKey {
    /// A key from its 32 bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        let mac = Hmac::<Sha256>::new_from_slice(bytes).expect("HMAC takes a key of any length");
        let mut fingerprint = [0; 8];
        fingerprint.copy_from_slice(&Sha256::digest(bytes)[..8]);
        let derived = mac
            .clone()
            .chain_update(b"the key of limits")
            .finalize()
            .into_bytes();
        let mut limits = [0; 16];
        limits.copy_from_slice(&derived[..16]);
        Self {
            mac,
            fingerprint,
            limits: SipHasher13::new_with_key(&limits),
        }
    }

    /// Eight bytes that tell two keys apart without telling the key.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 8] {
        self.fingerprint
    }

    /// The keyed hash of `parts`, each length-prefixed so that they cannot run together.
    #[must_use]
    pub fn hash(&self, purpose: Purpose, parts: &[&[u8]]) -> KeyedHash {
        if purpose == Purpose::Limit {
            return self.hash_limit(parts);
        }
        let mut mac = self.mac.clone();
        for part in std::iter::once(&purpose.label()).chain(parts) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut out = [0; 16];
        out.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        KeyedHash(out)
    }

    /// The same as [`HashKey::hash`], for what a flood sends again and again: the
    /// last few hashes made on this thread are kept, found by a quicker hash that
    /// nobody without the key can make two secrets agree on.
    #[must_use]
    pub fn hash_often(&self, purpose: Purpose, parts: &[&[u8]]) -> KeyedHash {
        let mut all = [purpose.label(); 4];
        let Some(end) = all.get_mut(1..=parts.len()) else {
            return self.hash(purpose, parts);
        };
        end.copy_from_slice(parts);
        let quick = self.hash_limit(&all[..=parts.len()]);
        LATELY.with_borrow_mut(|lately| {
            let [.., at] = quick.0;
            let place = usize::from(at) % lately.len();
            let kept = &mut lately[place];
            if kept.0 != quick {
                *kept = (quick, self.hash(purpose, parts));
            }
            kept.1
        })
    }

    /// Keys of the limiter's table hide nothing that is kept for long, and every
    /// guarded request makes half a dozen: SipHash-1-3 (128 bits) under a key of
    /// its own is as unguessable as they need, for nobody is ever shown one.
    fn hash_limit(&self, parts: &[&[u8]]) -> KeyedHash {
        let mut hasher = self.limits;
        let mut whole = [0; 128];
        // In one piece where it fits: what the hasher does to join pieces costs
        // more than the hash.
        match join(parts, &mut whole) {
            Some(joined) => hasher.write(joined),
            None => {
                for part in parts {
                    hasher.write(&(part.len() as u64).to_be_bytes());
                    hasher.write(part);
                }
            }
        }
        KeyedHash(hasher.finish128().as_u128().to_be_bytes())
    }
}

/// The parts in one, each with its length before it; `None` if there is no room.
fn join<'a>(parts: &[&[u8]], into: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut end = 0;
    for part in parts {
        let (length, rest) = into.get_mut(end..)?.split_first_chunk_mut()?;
        *length = (part.len() as u64).to_be_bytes();
        rest.get_mut(..part.len())?.copy_from_slice(part);
        end += length.len() + part.len();
    }
    into.get(..end)
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey")
    }
}

/// A 128-bit keyed hash; 32 hexadecimal digits in text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyedHash(pub [u8; 16]);

impl fmt::Display for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for KeyedHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotAHash);
        }
        u128::from_str_radix(text, 16)
            .map(|n| Self(n.to_be_bytes()))
            .map_err(|_| NotAHash)
    }
}

impl Serialize for KeyedHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeyedHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a keyed hash is 32 hexadecimal digits")]
pub struct NotAHash;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_purposes_do_not_run_together() {
        let key = HashKey::new(&[7; 32]);
        let joined = key.hash(Purpose::Credential, &[b"ab", b"c"]);
        assert_ne!(joined, key.hash(Purpose::Credential, &[b"a", b"bc"]));
        assert_ne!(joined, key.hash(Purpose::Token, &[b"ab", b"c"]));
        assert_eq!(joined, joined.to_string().parse().expect("own text"));
    }

    #[test]
    fn a_hash_is_the_same_in_pieces_and_when_it_is_kept() {
        let key = HashKey::new(&[7; 32]);
        for length in [0, 1, 7, 8, 95, 96, 97, 300] {
            let long = vec![b'x'; length];
            let parts: [&[u8]; 3] = [b"ab", &long, b"c"];
            let mut pieces = key.limits;
            for part in parts {
                pieces.write(&(part.len() as u64).to_be_bytes());
                pieces.write(part);
            }
            let whole = key.hash(Purpose::Limit, &parts);
            assert_eq!(whole.0, pieces.finish128().as_u128().to_be_bytes());
            for _ in 0..2 {
                let often = key.hash_often(Purpose::Credential, &parts);
                assert_eq!(often, key.hash(Purpose::Credential, &parts), "{length}");
            }
        }
    }

    #[test]
    fn secrets_mask_themselves() {
        let shown = format!("{:?} {:?}", Secret::new("hunter2"), HashKey::new(&[7; 32]));
        assert!(!shown.contains("hunter2"));
        assert!(!shown.contains('7'));
    }
}
