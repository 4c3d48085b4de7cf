//! Mail servers that carry many unrelated people's domains, known by the names of their MX hosts.
//!
//! Such a server must never be condemned for what some of its domains did: that is
//! why Mastodon gave its own check up (PR 18190, issues 14771 and 18043). The list is
//! `providers.txt`, with a source for each entry. A bot can point its MX *at* a
//! listed host, which only sends its mail there; it cannot *name* its own host below a
//! listed suffix, because only the provider makes names there. The host's
//! address is not looked at here.

use std::sync::LazyLock;

use crate::mailbox::Domain;

/// A provider of mail to many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The name that people know it by.
    pub name: &'static str,
    /// What it does.
    pub kind: ProviderKind,
    /// Where its host names can be checked.
    pub source: &'static str,
}

/// What a provider does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderKind {
    /// Gives out addresses of its own, perhaps for customers' domains too.
    Mailbox,
    /// Takes mail for customers' domains.
    Hosting,
    /// Passes mail on to mailboxes elsewhere.
    Forwarder,
    /// Filters mail before somebody else's server.
    Filter,
    /// An access provider's mail for its subscribers.
    Isp,
}

/// The provider that runs `mx_host`, if it is a listed one.
#[must_use]
pub fn shared(mx_host: &Domain) -> Option<&'static Provider> {
    let name = mx_host.as_str();
    let mut hash = Hash::EMPTY;
    for (at, byte) in name.bytes().enumerate().rev() {
        if byte == b'.'
            && let Some(found) = LIST.find(hash, name.get(at + 1..)?)
        {
            return Some(found);
        }
        hash = hash.with(byte);
    }
    LIST.find(hash, name)
}

/// A provider that a ban of `name` would hit: it runs that host, or hosts below it.
#[must_use]
pub fn hit_by(name: &Domain) -> Option<&'static Provider> {
    shared(name).or_else(|| {
        let below = LIST.suffixes.iter().find(|(_, suffix, _)| {
            suffix
                .strip_suffix(name.as_str())
                .is_some_and(|rest| rest.ends_with('.'))
        });
        below.and_then(|(_, _, at)| LIST.providers.get(*at))
    })
}

struct List {
    providers: Vec<Provider>,
    /// With the place of its provider, by hash.
    suffixes: Vec<(Hash, &'static str, usize)>,
    /// A bit for each hash that is there, and few others: most names are nobody's.
    marks: [u64; 64],
}

impl List {
    fn find(&self, hash: Hash, name: &str) -> Option<&Provider> {
        let (word, bit) = hash.mark();
        if self.marks[word] & bit == 0 {
            return None;
        }
        let found = self.suffixes.binary_search_by_key(&hash, |entry| entry.0);
        let (_, suffix, at) = self.suffixes.get(found.ok()?)?;
        (*suffix == name).then(|| self.providers.get(*at))?
    }
}

/// FNV-1a of a name from its last byte to its first, so that one walk along a
/// host gives those of all its parents. Names that collide gain nothing: what
/// is looked in is sorted, and has no two alike.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Hash(u64);

impl Hash {
    const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    const fn with(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0100_0000_01b3))
    }

    /// Which word of 64, and which bit of it.
    const fn mark(self) -> (usize, u64) {
        ((self.0 >> 6) as usize % 64, 1 << (self.0 % 64))
    }

    fn of(name: &str) -> Self {
        name.bytes().rev().fold(Self::EMPTY, Self::with)
    }
}

static LIST: LazyLock<List> = LazyLock::new(|| {
    let mut providers = Vec::new();
    let mut suffixes = Vec::new();
    let mut marks = [0; 64];
    for line in lines() {
        // The file is part of the program, and a test reads every line of it.
        let Some((provider, listed)) = entry(line) else {
            continue;
        };
        for suffix in listed.split(' ') {
            let hash = Hash::of(suffix);
            let (word, bit) = hash.mark();
            marks[word] |= bit;
            suffixes.push((hash, suffix, providers.len()));
        }
        providers.push(provider);
    }
    suffixes.sort_unstable();
    List {
        providers,
        suffixes,
        marks,
    }
});

fn lines() -> impl Iterator<Item = &'static str> {
    include_str!("providers.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
}

/// `name | kind | suffixes | source`.
fn entry(line: &'static str) -> Option<(Provider, &'static str)> {
    let mut fields = line.split(" | ");
    let (name, kind) = (fields.next()?, fields.next()?);
    let (suffixes, source) = (fields.next()?, fields.next()?);
    let kind = match kind {
        "mailbox" => ProviderKind::Mailbox,
        "hosting" => ProviderKind::Hosting,
        "forwarder" => ProviderKind::Forwarder,
        "filter" => ProviderKind::Filter,
        "isp" => ProviderKind::Isp,
        _ => return None,
    };
    let provider = Provider { name, kind, source };
    fields.next().is_none().then_some((provider, suffixes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the file's head says it.
    fn shared_by_reading(host: &Domain) -> Option<Provider> {
        let covers = |suffix: &str| host.with_parents().any(|name| name == suffix);
        lines()
            .filter_map(entry)
            .find(|(_, suffixes)| suffixes.split(' ').any(covers))
            .map(|(provider, _)| provider)
    }

    proptest! {
        #[test]
        fn one_walk_finds_what_reading_the_list_finds(
            start in "([a-z0-9-]{1,8}\\.?){0,3}",
            at in any::<prop::sample::Index>(),
            end in "(\\.[a-z]{1,6})?",
            cut in 0..12_usize,
        ) {
            let suffix = at.get(&LIST.suffixes).1;
            let host = format!("{start}{}{end}", suffix.get(cut..).unwrap_or(suffix));
            if let Ok(host) = Domain::new(&host) {
                prop_assert_eq!(shared(&host).cloned(), shared_by_reading(&host));
            }
        }
    }

    fn name_of(host: &str) -> Option<&'static str> {
        let host = Domain::new(host).expect("a domain");
        shared(&host).map(|provider| provider.name)
    }

    #[test]
    fn every_line_is_an_entry_with_a_source() {
        let count = lines().count();
        assert!(count > 90, "only {count} providers");
        for line in lines() {
            let (provider, suffixes) = entry(line).expect(line);
            assert!(
                !provider.name.is_empty() && provider.source.len() > 8,
                "{line}"
            );
            for suffix in suffixes.split(' ') {
                assert!(Domain::new(suffix).is_ok(), "{suffix:?} in {line}");
                assert!(suffix.contains('.'), "{suffix} is a whole top level");
            }
        }
        assert_eq!(LIST.providers.len(), count);
    }

    #[test]
    fn entries_are_sorted_and_suffixes_unique() {
        let names: Vec<_> = lines()
            .filter_map(|line| Some(entry(line)?.0.name.to_lowercase()))
            .collect();
        assert!(names.is_sorted());
        let suffixes: Vec<_> = lines()
            .filter_map(entry)
            .flat_map(|(_, suffixes)| suffixes.split(' '))
            .collect();
        assert_eq!(suffixes.len(), LIST.suffixes.len());
        assert!(
            LIST.suffixes.is_sorted_by(|one, next| one.0 < next.0),
            "a suffix occurs twice, or two have one hash"
        );
        for suffix in &suffixes {
            let domain = Domain::new(suffix).expect("checked above");
            let covered = domain
                .with_parents()
                .skip(1)
                .find(|parent| LIST.find(Hash::of(parent), parent).is_some());
            assert_eq!(covered, None, "{suffix} is covered already");
        }
    }

    #[test]
    fn hosts_are_known_at_label_boundaries() {
        for (host, name) in [
            ("gmail-smtp-in.l.google.com", Some("Google")),
            ("alt1.aspmx.l.google.com", Some("Google")),
            ("smtp.google.com", Some("Google")),
            ("example-com.mail.protection.outlook.com", Some("Microsoft")),
            ("contoso-com.a-v1.mx.microsoft", Some("Microsoft")),
            ("mta5.am0.yahoodns.net", Some("Yahoo and AOL")),
            ("mx01.mail.icloud.com", Some("Apple iCloud")),
            ("in1-smtp.messagingengine.com", Some("Fastmail")),
            ("mx.yandex.net", Some("Yandex")),
            ("mx00.ionos.de", Some("IONOS and 1&1")),
            ("route1.mx.cloudflare.net", Some("Cloudflare Email Routing")),
            (
                "inbound-smtp.eu-west-1.amazonaws.com",
                Some("Amazon SES and WorkMail"),
            ),
            ("evil-messagingengine.com", None),
            ("messagingengine.com.evil.test", None),
            ("mail.spam.example", None),
        ] {
            assert_eq!(name_of(host), name, "{host}");
        }
    }

    #[test]
    fn a_ban_above_a_provider_hits_it() {
        for (host, name) in [
            ("google.com", Some("Google")),
            ("aspmx.l.google.com", Some("Google")),
            ("messagingengine.com", Some("Fastmail")),
            ("spam.example", None),
            ("oogle.com", None),
        ] {
            let host = Domain::new(host).expect("a domain");
            assert_eq!(hit_by(&host).map(|one| one.name), name, "{host}");
        }
    }

    #[test]
    fn customers_machines_are_not_the_provider() {
        for host in [
            "ec2-192-0-2-1.eu-west-1.compute.amazonaws.com",
            "c-192-0-2-1.hsd1.ca.comcast.net",
            "static.1.2.0.192.clients.your-server.de",
            "vps-12345678.vps.ovh.net",
            "ip-192-0-2-1.ip.secureserver.net",
            "1.2.0.192.bc.googleusercontent.com",
            "d5152aaaa.access.telenet.be",
        ] {
            assert_eq!(name_of(host), None, "{host}");
        }
    }
}
