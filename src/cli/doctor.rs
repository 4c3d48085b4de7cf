//! `tuskgate doctor`: for a set-up that runs, whether nginx, gate and Mastodon
//! pass the client's address on, and which setting to mend if they do not.
//!
//! Each check says what was seen; what cannot be seen from here is said to be
//! not checked and never taken for well. Changes nothing: the only thing it asks
//! of the gate is a probe ([`crate::proxy::probe`]), and Mastodon is only read from.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use http::Uri;
use jiff::Timestamp;

use crate::cli::{Failure, files};
use crate::config::{self, Environment};
use crate::quota::read_duration;

mod arrival;
mod direct;
mod fetch;
mod listening;
mod lists;
mod machine;
mod names;
mod nginx;
mod patient;
mod report;
mod running;
mod storage;
mod straight;
mod upstream;

use patient::Patient;
use report::{Finding, Level, Report};

/// Check that the client's address arrives everywhere, and the rest of the set-up
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Doctor {
    /// Where people reach the server. Over https doctor tells what to run
    /// elsewhere and waits for it; over http it goes there itself
    #[arg(long, value_parser = web)]
    url: Option<Uri>,
    /// The server's name, as in Mastodon's LOCAL_DOMAIN; else that of --url
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// The client address that the gate must see through nginx. With an http
    /// URL it is sent as a proxy in front of nginx would send it
    #[arg(long, value_name = "ADDRESS", requires = "url")]
    from: Option<IpAddr>,
    /// How long to wait for the request over https
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    wait: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Exit codes: 0 nothing is wrong, 1 something is, 78 the configuration is.

Examples:
  tuskgate doctor --url https://social.example
  tuskgate doctor --url https://social.example --from 198.51.100.9     is that what the gate sees?
  tuskgate doctor --url http://127.0.0.1:8080 --host social.example    nginx without TLS";

fn web(text: &str) -> Result<Uri, &'static str> {
    let uri: Uri = text
        .parse()
        .map_err(|_| "a URL such as https://social.example")?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(_)) => Ok(uri),
        _ => Err("a URL such as https://social.example"),
    }
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    read_duration(text).ok_or("a duration such as 90s or 5m")
}

impl Doctor {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let mut report = Report::new(self.json);
        let file = config.display();
        let settings = match config::load(config, &Environment::of_process()) {
            Ok(settings) => settings,
            Err(mistakes) => {
                let all = mistakes.to_string();
                // Beside the text all of them are shown as `check` shows them.
                let first = all.lines().next().unwrap_or_default();
                let seen = if self.json { &all } else { first };
                let seen = format!("{file}: {seen}");
                report.add(Finding::wrong("configuration", seen, "tuskgate check"));
                report.close();
                return Err(Failure::Config(mistakes));
            }
        };
        report.add(Finding::ok(
            "configuration",
            format!("{file} is right in itself"),
        ));
        for mistake in files::others(config, &settings) {
            let found = mistake.found.as_deref().unwrap_or_default();
            let seen = format!("{file}: {}: {}: {found}", mistake.key, mistake.wrong);
            let mend = mistake.remedy.unwrap_or_default();
            report.add(Finding::wrong("configuration", seen, mend));
        }
        let patient = Patient::new(settings, self.url, self.host, self.from, self.wait);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(examine(patient, &mut report));
        report.close();
        match report.count(Level::Wrong) {
            0 => Ok(()),
            1 => Err(anyhow!("one thing is wrong").into()),
            many => Err(anyhow!("{many} things are wrong").into()),
        }
    }
}

/// From the gate outwards, then what is around it.
async fn examine(mut patient: Patient, report: &mut Report) {
    let now = Timestamp::now();
    running::examine(&mut patient, report).await;
    direct::examine(&patient, report).await;
    nginx::examine(&patient, report).await;
    upstream::examine(&patient, report).await;
    straight::examine(&patient, report).await;
    names::examine(&patient, report).await;
    lists::examine(&patient, now, report);
    storage::examine(&patient, report);
    machine::examine(&patient, now, report);
}
