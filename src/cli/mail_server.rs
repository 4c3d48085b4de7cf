//! `tuskgate mail-server show`: what came through a mail server, what is
//! thought of it, and who would be hit by condemning it.

use std::net::IpAddr;
use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask};
use crate::ban::{Ban, Subject};
use crate::cli::Failure;
use crate::cli::bans::line;
use crate::cli::reach::{self, Reach};
use crate::judge::cluster::servers::{ServerReport, ServerVerdict};
use crate::mail::domain;

/// What is known of a mail server
#[derive(Debug, Args)]
pub(super) struct MailServerVerb {
    #[command(subcommand)]
    verb: Show,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate mail-server show mx.spam.example       the host that takes the mail, not the domain of the address
  tuskgate mail-server show 45.9.9.9              with the networks around it";

#[derive(Debug, Subcommand)]
enum Show {
    /// History, verdict, and who would be hit
    #[command(after_help = EXAMPLES)]
    Show {
        /// The name of an MX host, or an address
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
        let ask = Ask::MailServer {
            server: server.clone(),
        };
        let reports = match reach.ask(&ask)? {
            Answer::MailServer(reports) => reports,
            other => return Err(reach::unexpected(&other)),
        };
        let bans = match reach.ask(&Ask::Bans)? {
            Answer::Bans(bans) => bans.into_iter().filter(|ban| is_about(ban, &server)),
            other => return Err(reach::unexpected(&other)),
        };
        if json {
            say!("{}", serde_json::to_string(&reports)?);
        } else {
            reports
                .iter()
                .for_each(|report| say_on!("{}", tell(report)));
            for ban in bans {
                say!("{}; to undo: tuskgate unban --id {}", line(&ban), ban.id);
            }
        }
        Ok(())
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
        "  {} sign-ups from {} to {}; about {domains} domains, {networks} client networks, {apps} apps\n",
        report.sign_ups,
        time(first),
        time(last)
    ));
    for (span, (all, domains, fresh)) in ["10 min", "1 h", "24 h", "7 d"].iter().zip(report.windows)
    {
        text.push_str(&format!(
            "  {span:>7}: {all} sign-ups, {domains} domains, {fresh} of them fresh\n"
        ));
    }
    let names: Vec<_> = report.would_hit.iter().map(ToString::to_string).collect();
    text.push_str(&match names.as_slice() {
        [] => "  condemning it now would hit nobody: no domain there is new this week\n".into(),
        names => format!(
            "  condemning it now would hit {} domains with {} sign-ups: {}\n",
            names.len(),
            report.would_hit_sign_ups,
            names.join(" ")
        ),
    });
    text.push_str(&format!(
        "  and spare {} domains of this week that are known for longer\n",
        report.would_spare
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
            "  {people} people reported {accounts} accounts behind it within a week\n"
        ));
    }
    text
}

/// Whether a ban or allow entry counts for the server, by name or by address.
fn is_about(ban: &Ban, server: &str) -> bool {
    match &ban.subject {
        Subject::MailServer(host) => {
            let name = domain::read(server);
            name.is_ok_and(|name| name.with_parents().any(|up| up == host.as_str()))
        }
        Subject::Network(network) => {
            let ip = server.parse::<IpAddr>();
            ban.scopes.mail && ip.is_ok_and(|ip| network.contains(&ip))
        }
        Subject::MailDomain(_)
        | Subject::Address(_)
        | Subject::CanonicalAddress(_)
        | Subject::ClientId(_)
        | Subject::AppName(_)
        | Subject::RedirectUri(_)
        | Subject::Website(_) => false,
    }
}
