//! `tuskgate mail-server show`: what came through a mail server, what is
//! thought of it, and who would be hit by condemning it.

mod behind;

use std::net::IpAddr;
use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask};
use crate::admin::mail_domain::DomainReport;
use crate::ban::{Ban, Subject};
use crate::cli::Failure;
use crate::cli::bans::line;
use crate::cli::reach::{self, Reach};
use crate::judge::cluster::servers::{ServerReport, ServerVerdict};
use crate::mail::domain;
use crate::numeral::counted;

/// What is known of a mail server
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(super) struct MailServerVerb {
    #[command(subcommand)]
    verb: Show,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate mail-server show mx.spam.example       the host that takes the mail
  tuskgate mail-server show 45.9.9.9              with the networks around it
  tuskgate mail-server show spam.example          a domain: the servers behind it
  tuskgate mail-server show eve@spam.example      the same";

#[derive(Debug, Subcommand)]
enum Show {
    /// History, verdict, and who would be hit
    #[command(after_help = EXAMPLES)]
    Show {
        /// The name of an MX host, an IP address, or the domain of a mailbox
        server: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl MailServerVerb {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let Show::Show { server, json } = self.verb;
        let mut reach = Reach::of(config)?;
        let mut reports = of_server(&server, &mut reach)?;
        let nobody = reports.first().is_none_or(|report| report.seen.is_none());
        // Mostly somebody has the domain of an address in hand, and not its server.
        let behind = if nobody && server.parse::<IpAddr>().is_err() {
            reports.retain(|report| report.seen.is_some());
            Some(of_domain(&server, &mut reach)?)
        } else {
            None
        };
        let told = behind
            .as_ref()
            .map_or_else(Vec::new, |one| one.servers.clone());
        reports.retain(|report| told.iter().all(|one| one.key != report.key));
        let bans = match reach.ask(&Ask::Bans)? {
            Answer::Bans(bans) => bans,
            other => return Err(reach::unexpected(&other)),
        };
        if json {
            let shown: Vec<_> = told.iter().chain(&reports).collect();
            say!("{}", serde_json::to_string(&shown)?);
            return Ok(());
        }
        if let Some(report) = &behind {
            say_on!("{}", behind::tell(report));
        }
        for report in &reports {
            say_on!("{}", tell(report));
        }
        for ban in bans
            .iter()
            .filter(|ban| is_about(ban, &server, behind.as_deref()))
        {
            say!("{}; to undo: tuskgate unban --id {}", line(ban), ban.id);
        }
        Ok(())
    }
}

/// What is known of a host or an address; nothing of an address of somebody's mailbox.
fn of_server(server: &str, reach: &mut Reach) -> Result<Vec<ServerReport>, Failure> {
    if server.contains('@') {
        return Ok(Vec::new());
    }
    let server = server.to_owned();
    match reach.ask(&Ask::MailServer { server })? {
        Answer::MailServer(reports) => Ok(reports),
        other => Err(reach::unexpected(&other)),
    }
}

fn of_domain(text: &str, reach: &mut Reach) -> Result<Box<DomainReport>, Failure> {
    // Whose mailbox it is, is nobody's business here.
    let domain = text.rsplit_once('@').map_or(text, |(_, domain)| domain);
    let domain = domain.to_owned();
    match reach.ask(&Ask::MailDomain { domain })? {
        Answer::MailDomain(report) => Ok(report),
        other => Err(reach::unexpected(&other)),
    }
}

fn tell(report: &ServerReport) -> String {
    let verdict = match &report.verdict {
        ServerVerdict::Listed(name) => format!("{name}, a listed shared provider: never condemned"),
        ServerVerdict::Learned => "long shared by unrelated domains: never condemned".into(),
        ServerVerdict::Condemned(id) => format!("condemned as {id}; tuskgate clusters show {id}"),
        ServerVerdict::Remembered(id) => format!("was condemned as {id}"),
        ServerVerdict::Unsuspected => "nothing against it".into(),
    };
    let mut text = format!("{}: {verdict}\n", report.key);
    let Some((first, last)) = report.seen else {
        text.push_str("  nobody has signed up through it\n");
        return text;
    };
    let time = |at| Timestamp::from_second(at).map_or_else(|_| String::new(), |at| at.to_string());
    let [domains, networks, apps] = report.distinct;
    text.push_str(&format!(
        "  {} from {} to {}; about {}, {}, {}\n",
        counted(report.sign_ups, "sign-up", "sign-ups"),
        time(first),
        time(last),
        counted(domains, "domain", "domains"),
        counted(networks, "client network", "client networks"),
        counted(apps, "app", "apps"),
    ));
    text.push_str(&windows(report));
    let names: Vec<_> = report.would_hit.iter().map(ToString::to_string).collect();
    text.push_str(&match names.as_slice() {
        [] => "  condemning it now would hit nobody: no domain there is new this week\n".into(),
        names => format!(
            "  condemning it now would hit {} with {}: {}\n",
            counted(names.len(), "domain", "domains"),
            counted(report.would_hit_sign_ups, "sign-up", "sign-ups"),
            names.join(" ")
        ),
    });
    text.push_str(&format!(
        "  and spare {} of this week known for longer\n",
        counted(report.would_spare, "domain", "domains")
    ));
    if report.sites.looked > 0 {
        text.push_str(&format!(
            "  nothing answers on the web sites of {} of {} domains looked at\n",
            report.sites.dead, report.sites.looked
        ));
    }
    if report.reports.0 > 0 {
        let (people, accounts) = report.reports;
        text.push_str(&format!(
            "  {} reported {} behind it within a week\n",
            counted(people, "person", "people"),
            counted(accounts, "account", "accounts"),
        ));
    }
    text
}

fn windows(report: &ServerReport) -> String {
    let spans = ["10 min", "1 h", "24 h", "7 d"].iter();
    let each = spans.zip(report.windows).zip(report.within);
    let lines = each.map(|((span, (all, domains, fresh)), within)| {
        format!(
            "  {span:>7}: {}{}, {}, {fresh} fresh, {}, {}\n",
            if within.at_least { "at least " } else { "" },
            counted(all, "sign-up", "sign-ups"),
            counted(domains, "domain", "domains"),
            counted(within.networks, "client network", "client networks"),
            counted(within.apps, "app", "apps"),
        )
    });
    lines.collect()
}

/// Whether a ban or allow entry counts for the server, by name or by address, or
/// for the domain that was meant.
fn is_about(ban: &Ban, server: &str, behind: Option<&DomainReport>) -> bool {
    match &ban.subject {
        Subject::MailServer(host) => {
            let own = domain::read(server).ok();
            let others = behind.into_iter().flat_map(DomainReport::hosts);
            let mut names = own.iter().chain(others);
            names.any(|name| name.with_parents().any(|up| up == host.as_str()))
        }
        Subject::MailDomain(banned) => behind.is_some_and(|report| {
            let mut names = report.domain.with_parents();
            names.any(|up| up == banned.as_str())
        }),
        Subject::Network(network) => {
            let ip = server.parse::<IpAddr>();
            ban.scopes.mail && ip.is_ok_and(|ip| network.contains(&ip.to_canonical()))
        }
        Subject::Address(_)
        | Subject::CanonicalAddress(_)
        | Subject::ClientId(_)
        | Subject::AppName(_)
        | Subject::RedirectUri(_)
        | Subject::Website(_) => false,
    }
}
