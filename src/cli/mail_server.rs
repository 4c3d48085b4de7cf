//! `tuskgate mail-server show`: what came through a mail server, what is
//! thought of it, and who would be hit by condemning it.

use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask};
use crate::cli::{Failure, reach};
use crate::judge::cluster::servers::{ServerReport, ServerVerdict};

/// What is known of a mail server
#[derive(Debug, Args)]
pub(super) struct MailServerVerb {
    #[command(subcommand)]
    verb: Show,
}

#[derive(Debug, Subcommand)]
enum Show {
    /// History, verdict, and who would be hit
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
        let reports = match reach::ask(config, Ask::MailServer { server })? {
            Answer::MailServer(reports) => reports,
            other => return Err(reach::unexpected(&other)),
        };
        if json {
            println!("{}", serde_json::to_string(&reports)?);
        } else {
            reports.iter().for_each(|report| print!("{}", tell(report)));
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
    if !report.would_hit.is_empty() {
        let names: Vec<_> = report.would_hit.iter().map(ToString::to_string).collect();
        text.push_str(&format!("  condemning it would hit: {}\n", names.join(" ")));
    }
    text
}
