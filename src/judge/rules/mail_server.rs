//! `mail-server`: the server behind the domain is banned, by host name or by
//! any address, or does not exist.
//!
//! This is the check whose absence let the attack of December 2018 in: the
//! ban compared MX *names* and never resolved them. Mastodon brought an
//! address check (v2.7.0) and took it out again (v3.5.2) because it hit shared
//! providers; hence a shared provider's server is refused only by a ban that
//! names scope `mail` and nothing else, and a mere covering range abstains.
//!
//! A domain's DNS belongs to whoever registered it, so a look-up that lapses
//! is no pass: only while unrelated domains lapse too is the resolver down.

use std::net::IpAddr;
use std::time::Duration;

use crate::attempt::Attempt;
use crate::ban::Scope;
use crate::judge::sight::{Found, Hit, Sight};
use crate::mail::dns::{Finding, Lapse, MxHost};
use crate::mail::providers;
use crate::mailbox::Domain;
use crate::verdict::{Because, Cause, Reason, Verdict};

/// How long "try again" asks a person to wait: longer than a look-up may go on.
pub const TRY_AGAIN: Duration = Duration::from_secs(60);

/// What is known of the servers behind one domain.
#[derive(Clone, Debug)]
pub struct Facts {
    domain: Domain,
    allow: Option<Hit>,
    servers: Result<Servers, Lapse>,
}

#[derive(Clone, Debug)]
enum Servers {
    Hosts(Vec<HostFact>),
    Null,
    Nowhere,
}

/// One exchange, held against the lists.
#[derive(Clone, Debug)]
struct HostFact {
    name: Domain,
    name_found: Found,
    address_found: Vec<(IpAddr, Found)>,
    /// For this host alone: anybody can name an allowed host beside a banned one.
    allow: Option<Hit>,
}

/// Holds what DNS said of `domain` against lists and bans.
#[must_use]
pub fn look(domain: &Domain, answer: Result<Finding, Lapse>, sight: &Sight) -> Facts {
    let allow = sight.mail_domain_allow(domain);
    let servers = answer.map(|finding| match finding {
        Finding::Null => Servers::Null,
        Finding::Nowhere => Servers::Nowhere,
        Finding::Server(server) => {
            let hosts = server.hosts.iter();
            Servers::Hosts(hosts.map(|host| HostFact::of(host, sight)).collect())
        }
    });
    Facts {
        domain: domain.clone(),
        allow,
        servers,
    }
}

impl HostFact {
    fn of(host: &MxHost, sight: &Sight) -> Self {
        let addresses = host.ips.iter();
        Self {
            name: host.name.clone(),
            name_found: sight.mail_server(&host.name),
            address_found: addresses
                .map(|ip| (*ip, sight.network(*ip, Scope::Mail)))
                .collect(),
            allow: sight.mail_server_allow(&host.name),
        }
    }

    fn verdict(&self) -> Verdict {
        match (self.banned(), &self.allow) {
            (Verdict::Refuse(_), Some(hit)) => Verdict::Abstain(Cause::Allow(hit.phrase())),
            (verdict, _) => verdict,
        }
    }

    fn banned(&self) -> Verdict {
        let mut verdict = match &self.name_found {
            Found::Ban(hit) => {
                return refuse(format!("the mail server {} is banned", self.name), hit);
            }
            Found::Allow(hit) => Verdict::Abstain(Cause::Allow(hit.phrase())),
            Found::Nothing => Verdict::Pass,
        };
        for (ip, found) in &self.address_found {
            let hit = match found {
                Found::Nothing => continue,
                Found::Allow(hit) => {
                    verdict = Verdict::Abstain(Cause::Allow(hit.phrase()));
                    continue;
                }
                Found::Ban(hit) => hit,
            };
            // Asked only now: hardly any address is banned.
            match providers::shared(&self.name) {
                Some(provider) if !hit.scopes.only_mail() => {
                    verdict = Verdict::Abstain(Cause::SharedProvider(format!(
                        "{ip} of {} ({}) lies in {}",
                        self.name,
                        provider.name,
                        hit.phrase()
                    )));
                }
                Some(_) | None => {
                    let fact = format!("{ip} of the mail server {} is banned", self.name);
                    return refuse(fact, hit);
                }
            }
        }
        verdict
    }
}

fn refuse(fact: String, hit: &Hit) -> Verdict {
    Verdict::Refuse(Reason {
        because: Because::Ban,
        fact: format!("{fact}: {}", hit.phrase()).into(),
        undo: hit.undo.clone().map(Into::into),
    })
}

/// The verdict over every domain of the address: one refusal is enough.
#[must_use]
pub fn judge(facts: &[Facts]) -> Verdict {
    let mut verdict = Verdict::Pass;
    for fact in facts {
        match judge_domain(fact) {
            Verdict::Pass => {}
            Verdict::Refuse(reason) => return Verdict::Refuse(reason),
            abstain @ Verdict::Abstain(_) => verdict = abstain,
        }
    }
    verdict
}

fn judge_domain(facts: &Facts) -> Verdict {
    let found = judge_servers(facts);
    match (&facts.allow, found) {
        (Some(hit), Verdict::Refuse(_)) => Verdict::Abstain(Cause::Allow(hit.phrase())),
        (_, found) => found,
    }
}

fn judge_servers(facts: &Facts) -> Verdict {
    let domain = &facts.domain;
    match &facts.servers {
        Ok(Servers::Null) => {
            undeliverable(format!("{domain} says that it takes no mail (null MX)"))
        }
        Ok(Servers::Nowhere) => undeliverable(format!("{domain} has no mail server that resolves")),
        Ok(Servers::Hosts(hosts)) => {
            let mut verdict = Verdict::Pass;
            for host in hosts {
                match host.verdict() {
                    Verdict::Pass => {}
                    Verdict::Refuse(reason) => return Verdict::Refuse(reason),
                    abstain @ Verdict::Abstain(_) => verdict = abstain,
                }
            }
            verdict
        }
        Err(lapse) if lapse.resolver_down => Verdict::Abstain(Cause::ResolverDown),
        Err(lapse) => Verdict::Refuse(Reason {
            because: Because::TryAgain { after: TRY_AGAIN },
            fact: format!(
                "the mail server of {domain} could not be looked up ({})",
                lapse.cause
            )
            .into(),
            undo: None,
        }),
    }
}

fn undeliverable(fact: String) -> Verdict {
    Verdict::Refuse(Reason {
        because: Because::Undeliverable,
        fact: fact.into(),
        undo: None,
    })
}

impl Attempt {
    /// Every domain to look up; empty without an address.
    pub fn mail_domains(&self) -> impl Iterator<Item = &Domain> {
        self.email.iter().flat_map(|email| &email.domains)
    }
}
