//! What DNS says of every domain of an address, asked once and used by
//! `mail-server`, by `rate` and for the record.

use std::net::IpAddr;

use crate::attempt::Attempt;
use crate::judge::rules::mail_server::{self, Facts};
use crate::judge::sight::Sight;
use crate::mail::dns::{Finding, Lapse, MxHost, Resolver};
use crate::mail::providers;
use crate::mailbox::Domain;

/// Each domain with its answer. An address has one domain, seldom two.
#[derive(Debug, Default)]
pub(super) struct MailSight(Vec<(Domain, Result<Finding, Lapse>)>);

/// At most this many exchanges of equal preference are charged.
const CHARGED: usize = 4;

/// At most this many hosts and addresses are written into an event.
const DESCRIBE: usize = 24;

impl MailSight {
    pub(super) async fn look(resolver: &Resolver, attempt: &Attempt) -> Self {
        let mut answers = Vec::with_capacity(1);
        for domain in attempt.mail_domains() {
            answers.push((domain.clone(), resolver.look(domain).await));
        }
        Self(answers)
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

    /// Whether the mail is at a shared provider, or nobody could say where it is:
    /// then neither domain nor server has a budget that strangers would share.
    pub(super) fn shared_or_unknown(&self) -> bool {
        self.preferred()
            .all(|host| providers::shared(&host.name).is_some())
    }

    /// The preferred exchanges that are no shared provider's, whose budget the address draws on.
    pub(super) fn own_servers(&self) -> Vec<Domain> {
        let own = self
            .preferred()
            .filter(|host| providers::shared(&host.name).is_none());
        let mut names: Vec<_> = own.map(|host| host.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(CHARGED);
        names
    }

    /// Host names, then addresses, for the record.
    pub(super) fn describe(&self) -> Vec<String> {
        let names = self.hosts().map(|host| host.name.to_string());
        let addresses = self
            .hosts()
            .flat_map(|host| &host.ips)
            .map(IpAddr::to_string);
        names.chain(addresses).take(DESCRIBE).collect()
    }
}
