//! `tuskgate events`: the record of what was tried and judged, oldest first.
//! With `--json` it is the export that `tuskgate replay` reads.

use std::io::{BufWriter, Write};
use std::path::Path;

use clap::Args;
use ipnet::IpNet;
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask, LONGEST_PAGE, PageOf};
use crate::cli::out::Out;
use crate::cli::reach::Reach;
use crate::cli::{Failure, moment, names, reach};
use crate::endpoint::Endpoint;
use crate::event::{Event, Note};
use crate::verdict::Rule;

/// What was tried, judged and came of it: list or export
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Events {
    /// Not needed: listing is all it does. Some will type it
    #[arg(hide = true, value_parser = ["list"])]
    list: Option<String>,
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
    /// At most so many, the newest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Print one JSON object a line: an export for `tuskgate replay`
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate events --limit 20                        the last twenty of this day
  tuskgate events --since 2h --refused
  tuskgate events --rule mail-server --since 7d
  tuskgate events --all --json > events.jsonl       for `tuskgate replay events.jsonl`

No secret is in it: mailboxes are keyed hashes, domains and client addresses stand in the clear.";

impl Events {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let json = self.json;
        let limit = self.limit;
        let only_attempts = self.admitted || self.refused;
        let span = if self.all {
            ""
        } else {
            " in that time; --all shows whatever is kept"
        };
        let wanted = self.wanted()?;
        let mut pages = Pages::new(Reach::of(config)?, wanted);
        pages.only_attempts = only_attempts;
        let first = match limit {
            Some(limit) => pages.go_back(limit)?,
            None => None,
        };
        let mut out = BufWriter::new(Out);
        let mut page: Vec<Event> = first.into_iter().collect();
        if page.is_empty() {
            page = pages.next()?;
        }
        if page.is_empty() && !json {
            remark!("no events{span}");
        }
        while !page.is_empty() {
            for event in &page {
                let text = if json {
                    serde_json::to_string(event)?
                } else {
                    line(event)
                };
                writeln!(out, "{text}")?;
            }
            page = pages.next()?;
        }
        out.flush()?;
        Ok(())
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
            back: false,
            limit: LONGEST_PAGE,
        })
    }
}

/// The record page by page, oldest first.
pub(super) struct Pages {
    reach: Reach,
    wanted: PageOf,
    /// Leave out what nobody tried, such as moves of the breaker.
    only_attempts: bool,
    ended: bool,
}

impl Pages {
    /// All that is `wanted`.
    pub(super) const fn new(reach: Reach, wanted: PageOf) -> Self {
        Self {
            reach,
            wanted,
            only_attempts: false,
            ended: false,
        }
    }

    /// The next page; empty at the end.
    pub(super) fn next(&mut self) -> Result<Vec<Event>, Failure> {
        while !self.ended {
            let page = self.turn()?;
            if !page.is_empty() {
                return Ok(page);
            }
        }
        Ok(Vec::new())
    }

    /// Goes back by `limit` events from the newest. Returns the oldest of these; what
    /// comes next is behind it.
    fn go_back(&mut self, limit: u64) -> Result<Option<Event>, Failure> {
        self.wanted.back = true;
        let mut left = limit;
        let mut oldest = None;
        while left > 0 && !self.ended {
            let mut page = self.turn()?;
            page.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            left -= page.len() as u64;
            oldest = page.pop().or(oldest);
        }
        self.wanted.back = false;
        self.wanted.behind = oldest.as_ref().map(|event: &Event| (event.at, event.id));
        self.ended = oldest.is_none();
        Ok(oldest)
    }

    /// One page as it was asked for, and on to the next.
    fn turn(&mut self) -> Result<Vec<Event>, Failure> {
        let mut page = match self.reach.ask(&Ask::Events(self.wanted.clone()))? {
            Answer::Events(page) => page,
            other => return Err(reach::unexpected(&other)),
        };
        match page.last() {
            Some(last) => self.wanted.behind = Some((last.at, last.id)),
            None => self.ended = true,
        }
        if self.only_attempts {
            page.retain(Event::is_attempt);
        }
        Ok(page)
    }
}

/// One event for a person.
pub(super) fn line(event: &Event) -> String {
    let mut text = format!("{:.0} {} {:<8}", event.at, event.id, what(event));
    let mut say = |word: Option<String>| {
        if let Some(word) = word {
            text.push_str("  ");
            text.push_str(&word);
        }
    };
    if let Some(step) = event.step() {
        say(Some(step.fact.clone()));
        return text;
    }
    say(event.endpoint.map(|door| door.name().to_owned()));
    say(event.note.map(|note| match note {
        Note::Bypass => "an account that the gate never let through".to_owned(),
    }));
    say(event.client.map(|ip| ip.to_string()));
    say(event
        .username
        .as_ref()
        .map(|name| name.escape_debug().to_string()));
    say(event.mail_domain.as_ref().map(ToString::to_string));
    let app = event.app_name.as_ref();
    say(app.map(|name| format!("{:?}", name.as_str())));
    say((event.count > 1).then(|| format!("({} like it)", event.count)));
    let refusals = event.verdicts.iter().filter(|one| one.verdict == "refuse");
    for said in refusals {
        let mode = if said.mode == crate::verdict::Mode::Enforce {
            ""
        } else {
            " (observed)"
        };
        say(Some(format!("{}{mode}: {}", said.rule, said.fact)));
    }
    text
}

/// What it was, in a word.
fn what(event: &Event) -> &'static str {
    match (event.note, event.step(), event.admitted) {
        (Some(Note::Bypass), _, _) => "by-pass",
        (None, Some(_), _) => "breaker",
        (None, None, true) => "admitted",
        (None, None, false) => "refused",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventId;

    #[test]
    fn what_nobody_tried_has_a_word_of_its_own() {
        let id: EventId = "7K3M9QX2B4DH".parse().expect("a reference");
        let mut event = Event::blank(id, Timestamp::UNIX_EPOCH);
        event.note = Some(Note::Bypass);
        event.username = Some("eve".into());
        let told = line(&event);
        assert!(
            told.contains("7K3M9QX2B4DH by-pass   an account that the gate never let through  eve"),
            "{told}"
        );
        assert!(!event.is_attempt());
        event.note = None;
        event.admitted = false;
        assert!(line(&event).contains(" refused "), "{}", line(&event));
        assert!(event.is_attempt());
    }
}
