//! Mail servers that carry many unrelated people's domains, known by the names of their MX hosts.
//!
//! Such a server must never be condemned for what some of its domains did: that is
//! why Mastodon gave its own check up (PR 18190, issues 14771 and 18043). The list is
//! `providers.txt`, with a source for each entry. A bot can point its MX *at* a
//! listed host, which only sends its mail there; it cannot *name* its own host below a
//! listed suffix, because only the provider makes names there. The host's
//! address is not looked at here.

use std::collections::HashMap;
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
    mx_host
        .with_parents()
        .find_map(|name| LIST.by_suffix.get(name))
        .and_then(|at| LIST.providers.get(*at))
}

/// A provider that a ban of `name` would hit: it runs that host, or hosts below it.
#[must_use]
pub fn hit_by(name: &Domain) -> Option<&'static Provider> {
    shared(name).or_else(|| {
        let below = LIST.by_suffix.iter().find(|(suffix, _)| {
            suffix
                .strip_suffix(name.as_str())
                .is_some_and(|rest| rest.ends_with('.'))
        });
        below.and_then(|(_, at)| LIST.providers.get(*at))
    })
}

struct List {
    providers: Vec<Provider>,
    by_suffix: HashMap<&'static str, usize>,
}

static LIST: LazyLock<List> = LazyLock::new(|| {
    let mut providers = Vec::new();
    let mut by_suffix = HashMap::new();
    for line in lines() {
        // The file is part of the program, and a test reads every line of it.
        let Some((provider, suffixes)) = entry(line) else {
            continue;
        };
        for suffix in suffixes.split(' ') {
            by_suffix.insert(suffix, providers.len());
        }
        providers.push(provider);
    }
    List {
        providers,
        by_suffix,
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
    use super::*;

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
        assert_eq!(
            suffixes.len(),
            LIST.by_suffix.len(),
            "a suffix occurs twice"
        );
        for suffix in &suffixes {
            let domain = Domain::new(suffix).expect("checked above");
            let covered = domain
                .with_parents()
                .skip(1)
                .find(|parent| LIST.by_suffix.contains_key(parent));
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
