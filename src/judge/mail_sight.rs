//! What DNS says of every domain of an address, asked once and used by
//! `mail-server`, by `rate` and for the record.

use std::net::IpAddr;

use crate::attempt::{Attempt, narrow_network};
use crate::ban::Scope;
use crate::cluster::SignUp;
use crate::judge::app_sight::AppSight;
use crate::judge::cluster::keys;
use crate::judge::rules::mail_server::{self, Facts};
use crate::judge::sight::{Hit, Sight};
use crate::mail::dns::{Finding, Lapse, MxHost, Resolver};
use crate::mail::providers;
use crate::mailbox::Domain;

/// Each domain with its answer. An address has one domain, seldom two.
#[derive(Debug, Default)]
pub(super) struct MailSight(Vec<(Domain, Result<Finding, Lapse>)>);

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

    /// Whether the mail is at a shared provider, or nobody could say where it is:
    /// then neither domain nor server has a budget that strangers would share.
    pub(super) fn shared_or_unknown(&self) -> bool {
        let mut hosts = self.hosts().peekable();
        hosts.peek().is_none() || hosts.any(|host| providers::shared(&host.name).is_some())
    }

    /// The most-preferred exchanges, whose budget the address draws on. The others
    /// are not charged: anybody can publish a stranger's host as a backup.
    pub(super) fn own_servers(&self) -> Vec<Domain> {
        let best = self.hosts().map(|host| host.preference).min();
        let own = self.hosts().filter(|host| Some(host.preference) == best);
        let mut names: Vec<_> = own.map(|host| host.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names.truncate(4);
        names
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
                username: attempt.username.clone(),
            })
            .collect()
    }

    /// The allow entry on a domain, a host or an address, which silences the rules about servers.
    pub(super) fn allow(&self, sight: &Sight) -> Option<Hit> {
        let domains = self.0.iter().map(|(domain, _)| domain);
        let by_domain = domains.filter_map(|domain| sight.mail_domain_allow(domain));
        let by_host = self
            .hosts()
            .filter_map(|host| sight.mail_server_allow(&host.name));
        let by_address = self
            .hosts()
            .flat_map(|host| &host.ips)
            .filter_map(|ip| sight.network_allow(*ip, Scope::Mail));
        by_domain.chain(by_host).chain(by_address).next()
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
