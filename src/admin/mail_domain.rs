//! What is known of a mail domain, and which mail servers are behind it: what
//! the register has seen, else what DNS says right now. Whoever asks about a
//! server has mostly seen the domain of an address, and not the server.

use serde::{Deserialize, Serialize};

use crate::cluster::{MailKey, SeenDomain};
use crate::judge::Judge;
use crate::judge::cluster::servers::ServerReport;
use crate::mail::dns::Finding;
use crate::mail::domain;
use crate::mailbox::Domain;

/// A mail domain, and what is behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DomainReport {
    /// The domain.
    pub domain: Domain,
    /// What the register remembers of it; none of a listed provider's.
    pub seen: Option<SeenDomain>,
    /// What is behind it.
    pub behind: Behind,
    /// What is known of each of these servers.
    pub servers: Vec<ServerReport>,
}

/// The mail servers behind a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "told-by", content = "value", rename_all = "kebab-case")]
pub enum Behind {
    /// As they were when somebody last signed up with it.
    Register(Vec<Domain>),
    /// As DNS says now.
    Dns(Vec<Domain>),
    /// It says that it takes no mail.
    NoMail,
    /// There is no such domain, or nothing of it resolves.
    Nowhere,
    /// It could not be looked up, and why.
    Lapse(String),
}

impl DomainReport {
    /// The hosts behind it.
    #[must_use]
    pub fn hosts(&self) -> &[Domain] {
        match &self.behind {
            Behind::Register(hosts) | Behind::Dns(hosts) => hosts,
            Behind::NoMail | Behind::Nowhere | Behind::Lapse(_) => &[],
        }
    }
}

/// What is known of the domain that is typed.
pub(super) async fn report(text: &str, judge: &Judge, now: i64) -> Result<DomainReport, String> {
    let domain = domain::read(text).map_err(|fault| format!("{text:?}: {fault}"))?;
    let registers = judge.registers();
    let seen = registers.both(|servers, _| servers.seen_domain(&domain));
    let known = seen.as_ref().map(hosts).filter(|hosts| !hosts.is_empty());
    let behind = match known {
        Some(hosts) => Behind::Register(hosts),
        None => look(&domain, judge).await,
    };
    let mut report = DomainReport {
        domain,
        seen,
        behind,
        servers: Vec::new(),
    };
    let servers = registers.both(|servers, _| {
        let hosts = report.hosts().iter();
        let reports = hosts.flat_map(|host| servers.report_name(host, now));
        reports.collect::<Vec<_>>()
    });
    report.servers = once_each(servers);
    Ok(report)
}

/// Several hosts of one owner have one registrable name.
fn once_each(mut reports: Vec<ServerReport>) -> Vec<ServerReport> {
    let mut told = Vec::new();
    reports.retain(|report| {
        let fresh = !told.contains(&report.key);
        told.push(report.key.clone());
        fresh
    });
    reports
}

fn hosts(seen: &SeenDomain) -> Vec<Domain> {
    let keys = seen.keys.iter();
    let hosts = keys.filter_map(|key| match key {
        MailKey::Host(host) => Some(host.clone()),
        MailKey::Registrable(_) | MailKey::Address(_) | MailKey::Network(_) | MailKey::Range(_) => {
            None
        }
    });
    hosts.collect()
}

async fn look(domain: &Domain, judge: &Judge) -> Behind {
    match judge.resolver().look(domain).await {
        Ok(Finding::Server(server)) => {
            Behind::Dns(server.hosts.iter().map(|host| host.name.clone()).collect())
        }
        Ok(Finding::Null) => Behind::NoMail,
        Ok(Finding::Nowhere) => Behind::Nowhere,
        Err(lapse) => Behind::Lapse(lapse.cause.to_string()),
    }
}
