//! `tuskgate ban`, `allow` and `unban`: in force on a running gate in under a
//! second, and on disk before the command returns.

use std::path::Path;

use clap::{Args, Subcommand, ValueEnum};
use ipnet::IpNet;
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask, NewBan, Target};
use crate::ban::{Ban, Effect, Scopes};
use crate::cli::bans::line;
use crate::cli::{Failure, names, reach};
use crate::quota::read_duration;
use breadth::Breadth;

mod app;
mod breadth;
mod examples;
mod unban;

pub(super) use app::AppBan;
pub(super) use unban::Unban;

/// Ban a network, mail domain, mail server, address or app
#[derive(Debug, Args)]
#[command(after_help = BAN_EXAMPLES, arg_required_else_help = true)]
pub(super) struct BanVerb {
    #[command(flatten)]
    entry: Entry,
}

/// Allow what a ban or list would refuse, in its own dimension only
#[derive(Debug, Args)]
#[command(after_help = ALLOW_EXAMPLES, arg_required_else_help = true)]
pub(super) struct AllowVerb {
    #[command(flatten)]
    entry: Entry,
}

const BAN_EXAMPLES: &str = "\
In force on a running gate at once, and on disk when the command returns. What would hit nearly
everybody (a /7, a top-level domain, a big mail provider, a well-known client) takes --force.

Examples:
  tuskgate ban network 45.9.9.0/24 --for 7d --reason 'bot mail server'
  tuskgate ban network 203.0.113.7 --scope all          every request, not only sign-ups
  tuskgate ban mail-domain spam.example                 and everything below it
  tuskgate ban mail-server mx.spam.example              whatever domains lead to it
  tuskgate ban address eve@good.example --with-variants
  tuskgate ban app --name AaA";

const ALLOW_EXAMPLES: &str = "\
An allow entry excuses in its own dimension only: an allowed mail domain does not excuse a
banned network, and no limit is lifted by it.

Examples:
  tuskgate allow mail-domain club.example --reason 'they wrote to us'
  tuskgate allow network 192.0.2.0/24 --for 12h         a meeting
  tuskgate allow app --client-id 0a1b2c3d";

#[derive(Debug, Args)]
struct Entry {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    how: How,
}

/// What every entry may have said of it, whatever it is about.
#[derive(Debug, Args)]
struct How {
    /// Why, for the record and for an appeal
    #[arg(long, global = true, default_value = "")]
    reason: String,
    /// For how long, such as 12h or 7d; for good if not given
    #[arg(long = "for", global = true, value_name = "DURATION", value_parser = duration)]
    lasting: Option<std::time::Duration>,
    /// Also what would hit nearly everybody
    #[arg(long, global = true)]
    force: bool,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A CIDR or an address: of clients, and of the mail server behind an address
    #[command(after_help = examples::NETWORK)]
    Network {
        network: String,
        /// Where it counts: at sign-up, for mail servers, or for every request
        #[arg(long, value_enum, value_delimiter = ',', default_values_t = [ScopeWord::SignUp, ScopeWord::Mail])]
        scope: Vec<ScopeWord>,
    },
    /// An e-mail domain and everything below it
    #[command(after_help = examples::MAIL_DOMAIN)]
    MailDomain { domain: String },
    /// A mail server's host name (MX) and everything below it
    #[command(after_help = examples::MAIL_SERVER)]
    MailServer { host: String },
    /// One mailbox
    #[command(after_help = examples::ADDRESS)]
    Address {
        address: String,
        /// Also every spelling of it with dots and +tags
        #[arg(long)]
        with_variants: bool,
    },
    /// An OAuth app, by one of its marks
    #[command(after_help = examples::APP)]
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
    let lasting = read_duration(text).filter(|lasting| !lasting.is_zero());
    lasting.ok_or_else(|| "a duration such as 90s, 30m, 12h or 7d".into())
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
        weigh(&target, effect, self.how.force)?;
        let expires = match self.how.lasting {
            Some(lasting) => Some(Timestamp::now().checked_add(lasting).map_err(|_| {
                anyhow::anyhow!("--for goes beyond all time; leave it out to ban for good")
            })?),
            None => None,
        };
        let new = NewBan {
            target,
            effect,
            scopes,
            reason: self.how.reason,
            source: "command line".into(),
            expires,
        };
        match reach::ask(config, Ask::Ban(new))? {
            Answer::Ban(ban) => show(&ban, self.how.json),
            other => Err(reach::unexpected(&other)),
        }
    }
}

/// Stops a slip of the pen.
fn weigh(target: &Target, effect: Effect, force: bool) -> Result<(), Failure> {
    match breadth::of(target, effect) {
        Breadth::Narrow => {}
        Breadth::Wide(words) => remark!("wide: {words}; to take it back: tuskgate unban"),
        Breadth::Reckless(words) if force => remark!("forced: {words}"),
        Breadth::Reckless(words) => {
            return Err(anyhow::anyhow!(
                "{words}. Nothing was done; if it is meant all the same, say --force"
            )
            .into());
        }
    }
    Ok(())
}

fn show(ban: &Ban, json: bool) -> Result<(), Failure> {
    if json {
        say!("{}", serde_json::to_string(ban)?);
    } else {
        say!("{}", line(ban));
    }
    Ok(())
}
