//! `tuskgate ban`, `allow` and `unban`: in force on a running gate in under a
//! second, and on disk before the command returns.

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use ipnet::IpNet;
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask, NewBan, Target, Which};
use crate::ban::{Ban, Effect, Scopes};
use crate::cli::bans::line;
use crate::cli::{Failure, names, reach};
use crate::quota::read_duration;

/// Ban a network, mail domain, mail server, address or app
#[derive(Debug, Args)]
pub(super) struct BanVerb {
    #[command(flatten)]
    entry: Entry,
}

/// Allow what a ban or list would refuse, in its own dimension only
#[derive(Debug, Args)]
pub(super) struct AllowVerb {
    #[command(flatten)]
    entry: Entry,
}

#[derive(Debug, Args)]
struct Entry {
    #[command(subcommand)]
    what: What,
    /// Why, for the record and for an appeal
    #[arg(long, global = true, default_value = "")]
    reason: String,
    /// For how long, such as 12h or 7d; for good if not given
    #[arg(long = "for", global = true, value_name = "DURATION", value_parser = duration)]
    lasting: Option<std::time::Duration>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A CIDR or an address: of clients, and of the mail server behind an address
    Network {
        network: String,
        /// Where it counts: at sign-up, for mail servers, or for every request
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [ScopeWord::SignUp, ScopeWord::Mail])]
        scope: Vec<ScopeWord>,
    },
    /// An e-mail domain and everything below it
    MailDomain { domain: String },
    /// A mail server's host name (MX) and everything below it
    MailServer { host: String },
    /// One mailbox
    Address {
        address: String,
        /// Also every spelling of it with dots and +tags
        #[arg(long)]
        with_variants: bool,
    },
    /// An OAuth app, by one of its marks
    App(AppMark),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct AppMark {
    /// Its client_id
    #[arg(long)]
    client_id: Option<String>,
    /// Its name, whatever the case or look-alike letters
    #[arg(long)]
    name: Option<String>,
    /// A redirect URI, or the host of one
    #[arg(long)]
    redirect_uri: Option<String>,
    /// The host of its website
    #[arg(long)]
    website: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScopeWord {
    SignUp,
    Mail,
    All,
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    read_duration(text).ok_or_else(|| "a duration such as 90s, 30m, 12h or 7d".into())
}

impl What {
    fn target(self) -> Result<(Target, Scopes), Failure> {
        let mut scopes = Scopes::DEFAULT;
        let target = match self {
            Self::Network { network, scope } => {
                scopes = Scopes {
                    sign_up: scope.contains(&ScopeWord::SignUp) || scope.contains(&ScopeWord::All),
                    mail: scope.contains(&ScopeWord::Mail),
                    all: scope.contains(&ScopeWord::All),
                };
                Target::Network(read_network(&network)?)
            }
            Self::MailDomain { domain } => Target::MailDomain(domain),
            Self::MailServer { host } => Target::MailServer(host),
            Self::Address {
                address,
                with_variants: true,
            } => Target::AddressWithVariants(address),
            Self::Address {
                address,
                with_variants: false,
            } => Target::Address(address),
            Self::App(mark) => mark.target(),
        };
        Ok((target, scopes))
    }
}

impl AppMark {
    fn target(self) -> Target {
        let by_id = self.client_id.map(Target::ClientId);
        by_id
            .or(self.name.map(Target::AppName))
            .or(self.redirect_uri.map(Target::RedirectUri))
            .or(self.website.map(Target::Website))
            .expect("clap requires one of the group")
    }
}

fn read_network(text: &str) -> Result<IpNet, Failure> {
    names::network(text).map_err(|valid| anyhow::anyhow!("{text:?} is not {valid}").into())
}

/// A ban of an app, as `tuskgate apps ban` takes it.
#[derive(Debug, Args)]
pub(super) struct AppBan {
    #[command(flatten)]
    mark: IdOrMark,
    /// Why, for the record and for an appeal
    #[arg(long, default_value = "")]
    reason: String,
    /// For how long, such as 12h or 7d; for good if not given
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    lasting: Option<std::time::Duration>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct IdOrMark {
    /// Its client_id
    #[arg(value_name = "CLIENT_ID")]
    id: Option<String>,
    /// Its client_id
    #[arg(long)]
    client_id: Option<String>,
    /// Its name, whatever the case or look-alike letters
    #[arg(long)]
    name: Option<String>,
    /// A redirect URI, or the host of one
    #[arg(long)]
    redirect_uri: Option<String>,
    /// The host of its website
    #[arg(long)]
    website: Option<String>,
}

impl AppBan {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let mark = AppMark {
            client_id: self.mark.id.or(self.mark.client_id),
            name: self.mark.name,
            redirect_uri: self.mark.redirect_uri,
            website: self.mark.website,
        };
        let entry = Entry {
            what: What::App(mark),
            reason: self.reason,
            lasting: self.lasting,
            json: self.json,
        };
        entry.run(config, Effect::Ban)
    }
}

impl BanVerb {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        self.entry.run(config, Effect::Ban)
    }
}

impl AllowVerb {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        if matches!(&self.entry.what, What::App(mark) if mark.client_id.is_none()) {
            return Err(anyhow::anyhow!(
                "an app is allowed by --client-id, never by what it calls itself"
            )
            .into());
        }
        self.entry.run(config, Effect::Allow)
    }
}

impl Entry {
    fn run(self, config: &Path, effect: Effect) -> Result<(), Failure> {
        let (target, scopes) = self.what.target()?;
        let expires = match self.lasting {
            Some(lasting) => Some(Timestamp::now().checked_add(lasting)?),
            None => None,
        };
        let new = NewBan {
            target,
            effect,
            scopes,
            reason: self.reason,
            source: "command line".into(),
            expires,
        };
        match reach::ask(config, Ask::Ban(new))? {
            Answer::Ban(ban) => show(&ban, self.json),
            other => Err(reach::unexpected(&other)),
        }
    }
}

fn show(ban: &Ban, json: bool) -> Result<(), Failure> {
    if json {
        say!("{}", serde_json::to_string(ban)?);
    } else {
        say!("{}", line(ban));
    }
    Ok(())
}

/// Take a ban or an allow entry back
#[derive(Debug, Args)]
#[command(subcommand_negates_reqs = true)]
pub(super) struct Unban {
    /// Its number, as `tuskgate bans` shows it
    #[arg(long, required = true)]
    id: Option<u64>,
    #[command(subcommand)]
    what: Option<What>,
    /// Take an allow entry back, not a ban
    #[arg(long, global = true)]
    allow: bool,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

impl Unban {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let effect = if self.allow {
            Effect::Allow
        } else {
            Effect::Ban
        };
        let which = match (self.id, self.what) {
            (Some(id), None) => Which::Id(id),
            (None, Some(what)) => Which::Target(what.target()?.0, effect),
            (Some(_), Some(_)) | (None, None) => {
                return Err(Failure::Usage("say what, or --id N, and not both".into()));
            }
        };
        match reach::ask(config, Ask::Unban(which))? {
            Answer::Unban(Some(ban)) if self.json => show(&ban, true),
            Answer::Unban(Some(ban)) => {
                say!("taken back: {}", line(&ban));
                Ok(())
            }
            Answer::Unban(None) => {
                Err(anyhow::anyhow!("there is no such entry; `tuskgate bans` lists them").into())
            }
            other => Err(reach::unexpected(&other)),
        }
    }
}
