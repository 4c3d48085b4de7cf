//! With how many fresh domains each key of a mail server was met lately.
//!
//! A domain may publish far more hosts and addresses than are kept of it, and
//! whoever owns it chooses them. So what is kept is what other fresh domains had
//! as well, and to know that, all that was ever published is counted here: a
//! count-min sketch of fixed size under the installation's key, so that nobody can
//! make a key collide, or come first among those never met. It errs upwards only,
//! and nothing but the choice hangs on it.

use std::num::NonZeroUsize;

use lru::LruCache;

use crate::cluster::MailKey;
use crate::secret::{HashKey, KeyedHash, Purpose};

/// Cells of one row; a power of two.
const CELLS: usize = 1 << 14;
const ROWS: usize = 4;

/// It is known of this span and the one before.
const SPAN: i64 = 4 * 86_400;

/// Sign-ups with more keys than are kept that can still be taken back in full.
const ASIDE: NonZeroUsize = NonZeroUsize::new(128).expect("not zero");

/// See the head of this file.
#[derive(Clone, Debug)]
pub(super) struct Met {
    key: HashKey,
    span: i64,
    now: Box<[u8]>,
    before: Box<[u8]>,
    /// Everything that these sign-ups published, by serial number.
    aside: LruCache<u64, Box<[KeyedHash]>>,
}

impl Met {
    pub(super) fn new(key: HashKey) -> Self {
        let row = || vec![0; ROWS * CELLS].into_boxed_slice();
        Self {
            key,
            span: 0,
            now: row(),
            before: row(),
            aside: LruCache::new(ASIDE),
        }
    }

    /// What stands for a key here; without the installation's key nobody can tell.
    pub(super) fn mark(&self, key: &MailKey) -> KeyedHash {
        let octets;
        let (kind, text): (&[u8], &[u8]) = match key {
            MailKey::Host(name) => (b"host", name.as_str().as_bytes()),
            MailKey::Registrable(name) => (b"registrable", name.as_str().as_bytes()),
            MailKey::Address(ip) => {
                octets = Octets::of(*ip);
                (b"address", octets.as_slice())
            }
            MailKey::Network(net) => {
                octets = Octets::of(net.network());
                (b"network", octets.as_slice())
            }
            MailKey::Range(net) => {
                octets = Octets::of(net.network());
                (b"range", octets.as_slice())
            }
        };
        self.key.hash(Purpose::Limit, &[b"met", kind, text])
    }

    /// With how many fresh domains it was met, at least about.
    pub(super) fn times(&self, mark: KeyedHash) -> u16 {
        let counts = cells(mark).map(|cell| self.in_cell(cell));
        counts.into_iter().min().unwrap_or(0)
    }

    fn in_cell(&self, cell: usize) -> u16 {
        let count = |row: &[u8]| row.get(cell).copied().map_or(0, u16::from);
        count(&self.now) + count(&self.before)
    }

    /// A fresh domain published all this; `kept` of it are remembered otherwise.
    pub(super) fn add(&mut self, serial: u64, all: &[MailKey], kept: usize, at: i64) {
        self.roll(at);
        let marks = self.marks(all);
        for mark in &marks {
            self.add_one(*mark);
        }
        if marks.len() > kept {
            self.aside.put(serial, marks.into());
        }
    }

    /// Nothing came of it; `kept` is what is remembered otherwise.
    pub(super) fn withdraw(&mut self, serial: u64, kept: &[MailKey]) {
        let aside = self.aside.pop(&serial).map(<[_]>::into_vec);
        for mark in aside.unwrap_or_else(|| self.marks(kept)) {
            for cell in cells(mark) {
                if let Some(count) = self.now.get_mut(cell) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }

    fn marks(&self, keys: &[MailKey]) -> Vec<KeyedHash> {
        let mut marks: Vec<_> = keys.iter().map(|key| self.mark(key)).collect();
        marks.sort_unstable();
        marks.dedup();
        marks
    }

    fn add_one(&mut self, mark: KeyedHash) {
        for cell in cells(mark) {
            let Some(count) = self.now.get_mut(cell) else {
                continue;
            };
            *count += 1;
            if *count == u8::MAX {
                // What is told apart stays told apart.
                self.now.iter_mut().for_each(|count| *count /= 2);
            }
        }
    }

    fn roll(&mut self, at: i64) {
        let span = at.div_euclid(SPAN);
        if span <= self.span {
            return;
        }
        std::mem::swap(&mut self.now, &mut self.before);
        self.now.fill(0);
        if span > self.span + 1 {
            self.before.fill(0);
        }
        self.span = span;
    }
}

fn cells(mark: KeyedHash) -> [usize; ROWS] {
    let bits = u128::from_be_bytes(mark.0);
    [0, 1, 2, 3].map(|row| row * CELLS + ((bits >> (16 * row)) as usize & (CELLS - 1)))
}

/// The bytes of an address, of either kind.
#[derive(Clone, Copy)]
enum Octets {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Octets {
    const fn of(ip: std::net::IpAddr) -> Self {
        match ip {
            std::net::IpAddr::V4(ip) => Self::V4(ip.octets()),
            std::net::IpAddr::V6(ip) => Self::V6(ip.octets()),
        }
    }

    const fn as_slice(&self) -> &[u8] {
        match self {
            Self::V4(octets) => octets,
            Self::V6(octets) => octets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: i64 = 1_545_000_000;

    fn address(number: u32) -> MailKey {
        MailKey::Address(std::net::Ipv4Addr::from(0x2d00_0000 + number).into())
    }

    fn met() -> Met {
        Met::new(HashKey::new(&[3; 32]))
    }

    #[test]
    fn never_too_few_and_hardly_ever_too_many() {
        let mut met = met();
        for number in 0..600 {
            let keys = [address(0), address(1 + number / 2), address(5000 + number)];
            met.add(u64::from(number), &keys, 3, T0);
        }
        let times = |number| met.times(met.mark(&address(number)));
        assert!(times(0) >= 120, "halved when full: {}", times(0));
        assert!((1..300).all(|number| times(number) < times(0)));
        let once = (5000..5600).filter(|number| times(*number) <= 2);
        assert!(once.count() > 590);
        assert_eq!(times(9999), 0);
    }

    #[test]
    fn what_came_to_nothing_is_taken_back_in_full() {
        let mut met = met();
        let keys: Vec<_> = (0..500).map(address).collect();
        met.add(7, &keys, 48, T0);
        assert_eq!(met.times(met.mark(&address(400))), 1);
        met.withdraw(7, &keys[..48]);
        met.add(8, &keys[..3], 48, T0);
        met.withdraw(8, &keys[..3]);
        assert!(met.now.iter().all(|count| *count == 0));
    }

    #[test]
    fn it_is_forgotten_after_a_week_and_not_at_once() {
        let mut met = met();
        met.add(1, &[address(1)], 1, T0);
        let times = |met: &Met| met.times(met.mark(&address(1)));
        met.add(2, &[address(2)], 1, T0 + SPAN);
        assert_eq!(times(&met), 1);
        // Heard late: no step back.
        met.add(3, &[address(3)], 1, T0);
        assert_eq!(times(&met), 1);
        met.add(4, &[address(2)], 1, T0 + 2 * SPAN);
        assert_eq!(times(&met), 0);
        met.add(5, &[address(1)], 1, T0 + 9 * SPAN);
        assert_eq!(times(&met), 1);
    }
}
