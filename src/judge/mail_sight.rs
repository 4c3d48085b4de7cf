//! What DNS says of every domain of an address, asked once and used by
//! `mail-server`, by `rate` and for the record.

use std::sync::Arc;

use ipnet::IpNet;

use crate::address_text;
use crate::attempt::{Attempt, narrow_network};
use crate::ban::Scope;
use crate::cluster::SignUp;
use crate::event::facts::{HostFacts, MailFacts, MailFound};
use crate::judge::app_sight::AppSight;
use crate::judge::cluster::keys;
use crate::judge::cluster::servers::Servers;
use crate::judge::rules::mail_server::{self, Facts};
use crate::judge::rules::wave::{KNOWN_AFTER, Provider};
use crate::judge::sight::{Hit, Sight};
use crate::mail::dns::{Finding, Lapse, LapseCause, MailServer, MxHost, Resolver};
use crate::mail::providers;
use crate::mailbox::Domain;

/// Each domain with its answer. An address has one domain, seldom two.
#[derive(Debug, Default)]
pub(super) struct MailSight(Vec<(Domain, Result<Finding, Lapse>)>);

/// At most this many networks are charged: more than one server has that mail can reach.
const CHARGED: usize = 32;

/// At most this many hosts and addresses are written into an event.
const DESCRIBE: usize = 24;

/// At most this many addresses, all hosts together, are kept for a replay.
const RECORD: usize = 48;

/// Longer user names are cut: Mastodon takes no more than 30 characters.
const USERNAME: usize = 64;

impl MailSight {
    pub(super) async fn look(resolver: &Resolver, attempt: &Attempt) -> Self {
        let domains: Vec<_> = attempt.mail_domains().cloned().collect();
        // Two where IDNA versions differ; together, so that one deadline holds for both.
        let answers = match domains.as_slice() {
            [one, two] => {
                let (first, second) = tokio::join!(resolver.look(one), resolver.look(two));
                vec![first, second]
            }
            domains => {
                let mut answers = Vec::with_capacity(domains.len());
                for domain in domains {
                    answers.push(resolver.look(domain).await);
                }
                answers
            }
        };
        Self(domains.into_iter().zip(answers).collect())
    }

    /// The one answer that is known already, for the domain of the address.
    pub(super) fn told(attempt: &Attempt, finding: Option<Finding>) -> Self {
        let domain = attempt.mail_domains().next();
        let told = domain.zip(finding);
        Self(
            told.map(|(domain, finding)| (domain.clone(), Ok(finding)))
                .into_iter()
                .collect(),
        )
    }

    pub(super) fn facts(&self, sight: &Sight) -> Vec<Facts> {
        let each = self.0.iter();
        each.map(|(domain, answer)| mail_server::look(domain, answer.clone(), sight))
            .collect()
    }

    fn hosts(&self) -> impl Iterator<Item = &MxHost> {
        self.0.iter().flat_map(|(_, answer)| match answer {
            Ok(Finding::Server(server)) => server.hosts.as_slice(),
            Ok(Finding::Null | Finding::Nowhere) | Err(_) => &[],
        })
    }

    /// Where mail really goes: the most-preferred exchanges of each domain. The
    /// others prove nothing, since anybody can publish a stranger's host as a backup.
    fn preferred(&self) -> impl Iterator<Item = &MxHost> {
        self.0.iter().flat_map(|(_, answer)| {
            let hosts = match answer {
                Ok(Finding::Server(server)) => server.hosts.as_slice(),
                Ok(Finding::Null | Finding::Nowhere) | Err(_) => &[],
            };
            let best = hosts.iter().map(|host| host.preference).min();
            hosts
                .iter()
                .filter(move |host| Some(host.preference) == best)
        })
    }

    /// The preferred exchanges that are no shared provider's.
    fn own(&self) -> impl Iterator<Item = &MxHost> {
        self.preferred()
            .filter(|host| providers::shared(&host.name).is_none())
    }

    /// Whether the mail is at shared providers, and that is known.
    pub(super) fn listed(&self) -> bool {
        self.preferred().next().is_some() && self.own().next().is_none()
    }

    /// The networks (IPv4 /32, IPv6 /64) of the preferred exchanges that are no
    /// shared provider's, whose budget the address draws on. By address and not
    /// by name: a name costs its owner nothing.
    ///
    /// `None` if the mail is at a shared provider, or nobody could say where it is:
    /// then neither domain nor server has a budget that strangers would share.
    pub(super) fn own_servers(&self) -> Option<Vec<IpNet>> {
        let mut own = self.own().peekable();
        own.peek()?;
        let addresses = own.flat_map(|host| host.ips.iter().copied());
        let mut networks: Vec<_> = addresses.map(narrow_network).collect();
        networks.sort_unstable();
        networks.dedup();
        networks.truncate(CHARGED);
        Some(networks)
    }

    /// The sign-ups to count by mail server; none for shared providers and what could not be looked up.
    pub(super) fn sign_ups(&self, attempt: &Attempt, app: &AppSight) -> Vec<SignUp> {
        let servers = self.0.iter().filter_map(|(domain, answer)| match answer {
            Ok(Finding::Server(server)) => Some((domain, keys::keys(server))),
            Ok(Finding::Null | Finding::Nowhere) | Err(_) => None,
        });
        servers
            .filter(|(_, keys)| !keys.is_empty())
            .map(|(domain, keys)| SignUp {
                at: attempt.at.as_second(),
                domain: domain.clone(),
                keys,
                client: attempt.client.known().map(narrow_network),
                client_id: app.client_id().cloned(),
                username: attempt.name().map(cut),
                account: None,
            })
            .collect()
    }

    /// The allow entry that silences the rules about servers: on the domain, or on
    /// every host that mail really goes to. One allowed host excuses no other,
    /// since anybody can name it beside their own.
    pub(super) fn allow(&self, sight: &Sight) -> Option<Hit> {
        let domains = self.0.iter().map(|(domain, _)| domain);
        let by_domain = domains
            .filter_map(|domain| sight.mail_domain_allow(domain))
            .next();
        by_domain.or_else(|| {
            let excused = |host: &MxHost| {
                let by_name = sight.mail_server_allow(&host.name);
                let mut addresses = host.ips.iter();
                by_name.or_else(|| {
                    let first = addresses
                        .next()
                        .and_then(|ip| sight.network_allow(*ip, Scope::Mail));
                    let all = addresses.all(|ip| sight.network_allow(*ip, Scope::Mail).is_some());
                    first.filter(|_| all)
                })
            };
            let hits: Option<Vec<Hit>> = self.preferred().map(excused).collect();
            hits?.into_iter().next()
        })
    }

    /// Every answer as facts for a replay.
    pub(super) fn record(&self) -> Vec<MailFacts> {
        let mut room = RECORD;
        let facts = self.0.iter().map(|(domain, answer)| MailFacts {
            domain: domain.clone(),
            found: match answer {
                Ok(Finding::Server(server)) => {
                    MailFound::Server(server.hosts.iter().map(|h| host(h, &mut room)).collect())
                }
                Ok(Finding::Null) => MailFound::Null,
                Ok(Finding::Nowhere) => MailFound::Nowhere,
                Err(lapse) => MailFound::Lapse {
                    resolver_down: lapse.resolver_down,
                },
            },
        });
        facts.collect()
    }

    /// The answers as they were recorded.
    pub(super) fn recorded(facts: &[MailFacts]) -> Self {
        let answers = facts.iter().map(|facts| {
            let answer = match &facts.found {
                MailFound::Server(hosts) => Ok(Finding::Server(Arc::new(MailServer {
                    hosts: hosts.iter().map(unhost).collect(),
                    implicit: false,
                }))),
                MailFound::Null => Ok(Finding::Null),
                MailFound::Nowhere => Ok(Finding::Nowhere),
                MailFound::Lapse { resolver_down } => Err(Lapse {
                    cause: LapseCause::Failure,
                    resolver_down: *resolver_down,
                }),
            };
            (facts.domain.clone(), answer)
        });
        Self(answers.collect())
    }

    /// What `wave` makes of the provider. `ask` gives the register of mail servers to
    /// whom it is handed, if a listed provider or an allow entry does not settle it.
    pub(super) fn provider(
        &self,
        attempt: &Attempt,
        app: &AppSight,
        sight: &Sight,
        ask: impl FnOnce(&dyn Fn(&Servers) -> bool) -> bool,
    ) -> Provider {
        if attempt.mail_domains().next().is_none() || self.allow(sight).is_some() {
            return Provider::Known;
        }
        let mut lapses = self
            .0
            .iter()
            .filter_map(|(_, answer)| answer.as_ref().err());
        if let Some(lapse) = lapses.next() {
            return match lapse.resolver_down && lapses.all(|lapse| lapse.resolver_down) {
                true => Provider::ResolverDown,
                false => Provider::Unknown,
            };
        }
        let somewhere = |answer: &Result<Finding, Lapse>| match answer {
            Ok(Finding::Server(server)) => !server.hosts.is_empty(),
            Ok(Finding::Null | Finding::Nowhere) | Err(_) => false,
        };
        if self.0.is_empty() || !self.0.iter().all(|(_, answer)| somewhere(answer)) {
            return Provider::Unknown;
        }
        let unlisted = self.sign_ups(attempt, app);
        let now = attempt.at.as_second();
        let long_known = |servers: &Servers, one: &SignUp| {
            let first = servers.first_seen(&one.domain);
            first.is_some_and(|first| first <= now - KNOWN_AFTER)
                || servers.all_shared(&one.keys, now)
        };
        let known = |servers: &Servers| unlisted.iter().all(|one| long_known(servers, one));
        match unlisted.is_empty() || ask(&known) {
            true => Provider::Known,
            false => Provider::Unknown,
        }
    }

    /// Host names, then addresses, for the record.
    pub(super) fn describe(&self) -> Vec<String> {
        let names = self.hosts().map(|host| host.name.as_str().to_owned());
        let addresses = self.hosts().flat_map(|host| &host.ips);
        let addresses = addresses.map(|ip| address_text::address(*ip));
        names.chain(addresses).take(DESCRIBE).collect()
    }
}

fn cut(username: &str) -> String {
    if username.len() <= USERNAME {
        return username.to_owned();
    }
    username.chars().take(USERNAME).collect()
}

fn host(host: &MxHost, room: &mut usize) -> HostFacts {
    let ips: Vec<_> = host.ips.iter().copied().take(*room).collect();
    *room -= ips.len();
    HostFacts {
        name: host.name.clone(),
        preference: host.preference,
        ips,
    }
}

fn unhost(host: &HostFacts) -> MxHost {
    MxHost {
        name: host.name.clone(),
        preference: host.preference,
        ips: host.ips.clone(),
    }
}
