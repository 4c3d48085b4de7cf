//! `tuskgate events`: the record of what was tried and judged, oldest first.
//! With `--json` it is the export that `tuskgate replay` reads.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::Args;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask, LONGEST_PAGE, PageOf};
use crate::cli::reach::Reach;
use crate::cli::{Failure, moment, names, reach};
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::verdict::Rule;

/// What was tried, judged and came of it: list or export
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Events {
    /// From this moment on, such as 7d (ago) or 2018-12-07T15:00:00Z
    #[arg(long, default_value = "24h", value_parser = moment::read)]
    since: Timestamp,
    /// Before this moment
    #[arg(long, value_parser = moment::read)]
    until: Option<Timestamp>,
    /// Everything that is still kept
    #[arg(long, conflicts_with = "since")]
    all: bool,
    /// Only where this rule refused or abstained, such as mail-server
    #[arg(long, value_parser = names::rule)]
    rule: Option<Rule>,
    /// Only at this door, such as sign-up or token
    #[arg(long, value_parser = names::door)]
    door: Option<Endpoint>,
    /// Only with this domain of the address
    #[arg(long)]
    mail_domain: Option<String>,
    /// Only from this network of clients
    #[arg(long, value_name = "NETWORK", value_parser = names::network)]
    client: Option<IpNet>,
    /// Only what was refused
    #[arg(long, conflicts_with = "admitted")]
    refused: bool,
    /// Only what was let in
    #[arg(long)]
    admitted: bool,
    /// At most so many, the oldest
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print one JSON object a line: an export for `tuskgate replay`
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate events --since 2h --refused
  tuskgate events --rule mail-server --since 7d
  tuskgate events --all --json > events.jsonl       for `tuskgate replay events.jsonl`

No secret is in it: mailboxes are keyed hashes, domains and client addresses stand in the clear.";

impl Events {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let mut left = self.limit.unwrap_or(u64::MAX);
        let json = self.json;
        let mut pages = Pages::new(Reach::of(config)?, self.wanted()?);
        let mut out = BufWriter::new(io::stdout().lock());
        while left > 0 {
            let page = pages.next()?;
            if page.is_empty() {
                break;
            }
            for event in page
                .iter()
                .take(usize::try_from(left).unwrap_or(usize::MAX))
            {
                let text = if json {
                    serde_json::to_string(event)?
                } else {
                    line(event)
                };
                if let Err(fault) = writeln!(out, "{text}") {
                    return closed(fault);
                }
                left -= 1;
            }
        }
        match out.flush() {
            Ok(()) => Ok(()),
            Err(fault) => closed(fault),
        }
    }

    fn wanted(self) -> Result<PageOf, Failure> {
        let domain = self.mail_domain.as_deref().map(|text| {
            crate::mail::domain::read(text).map_err(|fault| anyhow::anyhow!("{text:?}: {fault}"))
        });
        Ok(PageOf {
            since: (!self.all).then_some(self.since),
            until: self.until,
            rule: self.rule,
            endpoint: self.door,
            mail_domain: domain.transpose()?,
            client: self.client,
            admitted: (self.refused || self.admitted).then_some(self.admitted),
            behind: None,
            limit: LONGEST_PAGE,
        })
    }
}

/// Whoever reads may have enough, as `head` has.
fn closed(fault: io::Error) -> Result<(), Failure> {
    match fault.kind() {
        io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(fault.into()),
    }
}

/// The record page by page, oldest first.
pub(super) struct Pages {
    reach: Reach,
    wanted: PageOf,
    ended: bool,
}

impl Pages {
    /// All that is `wanted`.
    pub(super) const fn new(reach: Reach, wanted: PageOf) -> Self {
        Self {
            reach,
            wanted,
            ended: false,
        }
    }

    /// The next page; empty at the end.
    pub(super) fn next(&mut self) -> Result<Vec<Event>, Failure> {
        if self.ended {
            return Ok(Vec::new());
        }
        let page = match self.reach.ask(&Ask::Events(self.wanted.clone()))? {
            Answer::Events(page) => page,
            other => return Err(reach::unexpected(&other)),
        };
        match page.last() {
            Some(last) => self.wanted.behind = Some((last.at, last.id)),
            None => self.ended = true,
        }
        Ok(page)
    }
}

/// One event for a person.
pub(super) fn line(event: &Event) -> String {
    let decision = if event.admitted {
        "admitted"
    } else {
        "refused"
    };
    let door = event.endpoint.map_or("-", Endpoint::name);
    let mut text = format!("{:.0} {} {decision:<8} {door}", event.at, event.id);
    let mut say = |word: Option<String>| {
        if let Some(word) = word {
            text.push_str("  ");
            text.push_str(&word);
        }
    };
    say(event.client.map(|ip| ip.to_string()));
    say(event
        .username
        .as_ref()
        .map(|name| name.escape_debug().to_string()));
    say(event.mail_domain.as_ref().map(ToString::to_string));
    let app = event.app_name.as_ref();
    say(app.map(|name| format!("{:?}", name.as_str())));
    say((event.count > 1).then(|| format!("({} like it)", event.count)));
    for said in event
        .verdicts
        .iter()
        .filter(|said| said.verdict == "refuse")
    {
        let mode = if said.mode == crate::verdict::Mode::Enforce {
            ""
        } else {
            " (observed)"
        };
        say(Some(format!("{}{mode}: {}", said.rule, said.fact)));
    }
    text
}
