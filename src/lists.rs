//! What is banned or allowed: immutable lists from files, and the live bans
//! that lie over them.
//!
//! Lists are read once and never change; a million entries load in well under
//! a second and take tens of megabytes. A ban made while the gate runs goes
//! into an [`Overlay`], so that it never rebuilds a list. Formats are those
//! that feeds come in (see [`formats`](LineFault)); a bad line of a feed is left
//! out with a warning, a file that cannot be read is an error. Whether a hit
//! refuses is the judge's business, not decided here.

use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;

use crate::app::ClientId;
use crate::ban::Scopes;
use crate::mailbox::Domain;

pub mod apps;
pub mod clients;
mod domain_set;
mod family;
mod file;
mod formats;
mod loading;
mod name;
mod network_set;
mod overlay;
mod scaffold;
mod special;

pub use family::{canonical, read as read_network};
pub use file::{ListError, ListWarning};
pub use formats::{Excerpt, LineFault};
pub use overlay::{Overlay, Side};
pub use scaffold::Scaffold;
pub use special::too_wide;

use apps::AppSet;
use domain_set::DomainSet;
use network_set::NetworkSet;

/// Which files hold which list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// Networks whose clients may not sign up and whose mail servers are refused.
    pub networks: Vec<PathBuf>,
    /// E-mail domains.
    pub mail_domains: Vec<PathBuf>,
    /// E-mail domains that no rule of the mail dimension refuses.
    pub mail_domains_allow: Vec<PathBuf>,
    /// Host names of mail servers.
    pub mail_servers: Vec<PathBuf>,
    /// Apps.
    pub apps: Vec<PathBuf>,
}

/// All lists, read and immutable.
#[derive(Debug, Default)]
pub struct Lists {
    networks: NetworkSet,
    mail_domains: DomainSet,
    mail_domains_allow: DomainSet,
    mail_servers: DomainSet,
    apps: AppSet,
    files: Files,
    /// The files' names as text, in the order of `files`' fields.
    sources: [Vec<String>; 5],
    loaded: Vec<Loaded>,
}

/// A listed network around an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkEntry<'a> {
    /// The most specific listed network.
    pub network: IpNet,
    /// The scopes in force at the address: the network's own and those of every
    /// listed network around it, so that a feed's entry never weakens a wider one.
    pub scopes: Scopes,
    /// The scopes that the network's own line states or implies.
    pub stated: Scopes,
    /// The file that lists it.
    pub source: &'a str,
}

/// A listed domain: the one looked up or a parent of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DomainEntry<'a> {
    /// The listed name.
    pub domain: &'a str,
    /// The file that lists it.
    pub source: &'a str,
}

/// A listed app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppEntry<'a> {
    /// The `client_id`, folded name, redirect URI or host as compared.
    pub listed: &'a str,
    /// The file that lists it.
    pub source: &'a str,
}

/// What came of reading one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The file.
    pub file: PathBuf,
    /// The key in `[lists]` that names it.
    pub list: &'static str,
    /// Entries read, duplicates counted.
    pub entries: usize,
    /// Lines left out with a warning.
    pub skipped: usize,
}

impl Lists {
    /// Nothing listed.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads all files.
    ///
    /// # Errors
    /// Every file that cannot be read or is no list at all. Nothing is kept then.
    pub fn load(files: &Files) -> Result<(Self, Vec<ListWarning>), Vec<ListError>> {
        Self::load_on(files, &mut Scaffold::default())
    }

    /// As [`load`](Self::load); what reading takes stays in `scaffold`.
    ///
    /// # Errors
    /// As there.
    pub fn load_on(
        files: &Files,
        scaffold: &mut Scaffold,
    ) -> Result<(Self, Vec<ListWarning>), Vec<ListError>> {
        loading::load(files, scaffold)
    }

    /// The most specific listed network around `ip`.
    #[must_use]
    pub fn network(&self, ip: IpAddr) -> Option<NetworkEntry<'_>> {
        let found = self.networks.find(ip)?;
        Some(NetworkEntry {
            network: found.network,
            scopes: found.scopes,
            stated: found.stated,
            source: self.source(List::Networks, found.source),
        })
    }

    /// Whether `ip` lies in a listed network with scope `all`.
    #[must_use]
    pub fn bans_everywhere(&self, ip: IpAddr) -> bool {
        self.networks.holds_for_all(ip)
    }

    /// The most specific listed e-mail domain: the name or a parent.
    #[must_use]
    pub fn mail_domain<'a>(&'a self, domain: &'a Domain) -> Option<DomainEntry<'a>> {
        self.domain(List::MailDomains, &self.mail_domains, domain)
    }

    /// The most specific allowed e-mail domain: the name or a parent.
    #[must_use]
    pub fn mail_domain_allow<'a>(&'a self, domain: &'a Domain) -> Option<DomainEntry<'a>> {
        self.domain(List::MailDomainsAllow, &self.mail_domains_allow, domain)
    }

    /// The most specific listed mail server: the host name or a parent.
    #[must_use]
    pub fn mail_server<'a>(&'a self, host: &'a Domain) -> Option<DomainEntry<'a>> {
        self.domain(List::MailServers, &self.mail_servers, host)
    }

    /// A listed `client_id`.
    #[must_use]
    pub fn client_id(&self, id: &ClientId) -> Option<AppEntry<'_>> {
        self.app(self.apps.client_id(id))
    }

    /// A listed name; `folded` is what [`apps::fold`] gives.
    #[must_use]
    pub fn app_name(&self, folded: &str) -> Option<AppEntry<'_>> {
        self.app(self.apps.name(folded))
    }

    /// A listed redirect URI: its host or a parent, or the whole of one without a host.
    #[must_use]
    pub fn redirect_uri(&self, uri: &str) -> Option<AppEntry<'_>> {
        self.app(self.apps.redirect_uri(uri))
    }

    /// A listed website: its host or a parent.
    #[must_use]
    pub fn website(&self, url: &str) -> Option<AppEntry<'_>> {
        self.app(self.apps.website(url))
    }

    /// What came of each file, in the order they were read.
    #[must_use]
    pub fn loaded(&self) -> &[Loaded] {
        &self.loaded
    }

    /// The files these lists were read from.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.files
    }

    fn domain<'a>(
        &'a self,
        list: List,
        set: &'a DomainSet,
        domain: &'a Domain,
    ) -> Option<DomainEntry<'a>> {
        let found = set.find(domain)?;
        Some(DomainEntry {
            domain: found.name,
            source: self.source(list, found.source),
        })
    }

    fn app<'a>(&'a self, found: Option<(&'a str, usize)>) -> Option<AppEntry<'a>> {
        let (listed, source) = found?;
        Some(AppEntry {
            listed,
            source: self.source(List::Apps, source),
        })
    }

    fn source(&self, list: List, index: usize) -> &str {
        let [networks, domains, allow, servers, apps] = &self.sources;
        let names = match list {
            List::Networks => networks,
            List::MailDomains => domains,
            List::MailDomainsAllow => allow,
            List::MailServers => servers,
            List::Apps => apps,
        };
        names.get(index).map_or("", String::as_str)
    }
}

/// The five lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    Networks,
    MailDomains,
    MailDomainsAllow,
    MailServers,
    Apps,
}

impl List {
    /// The key in `[lists]`.
    const fn key(self) -> &'static str {
        match self {
            Self::Networks => "networks",
            Self::MailDomains => "mail-domains",
            Self::MailDomainsAllow => "mail-domains-allow",
            Self::MailServers => "mail-servers",
            Self::Apps => "apps",
        }
    }
}

#[cfg(test)]
mod tests;
