//! `tuskgate bans`: every ban and allow entry in force.

use std::path::Path;

use clap::Args;

use crate::admin::ask::{Answer, Ask};
use crate::ban::{Ban, Effect, Scopes, Subject};
use crate::cli::{Failure, reach};
use crate::numeral::counted;

/// List bans and allow entries
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Bans {
    /// Not needed: listing is all it does. Some will type it
    #[arg(hide = true, value_parser = ["list"])]
    list: Option<String>,
    /// Only of this kind, such as network or mail-domain
    #[arg(long, value_parser = kind)]
    kind: Option<&'static str>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
What the gate condemned by itself is not among them: tuskgate clusters.

Examples:
  tuskgate bans
  tuskgate bans --kind mail-domain
  tuskgate bans --json > bans.jsonl        for `tuskgate replay --bans`";

/// What there is, as the list names it.
const KINDS: [&str; 9] = [
    "network",
    "mail-domain",
    "mail-server",
    "address",
    "canonical-address",
    "client-id",
    "app-name",
    "redirect-uri",
    "website",
];

fn kind(text: &str) -> Result<&'static str, String> {
    let found = KINDS.into_iter().find(|kind| *kind == text);
    found.ok_or_else(|| format!("one of {}", KINDS.join(", ")))
}

impl Bans {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let bans = match reach::ask(config, Ask::Bans)? {
            Answer::Bans(bans) => bans,
            other => return Err(reach::unexpected(&other)),
        };
        let wanted = |ban: &&Ban| self.kind.is_none_or(|kind| ban.subject.kind() == kind);
        if !self.json && !bans.iter().any(|ban| wanted(&ban)) {
            remark!("{}", none(self.kind, bans.len()));
        }
        for ban in bans.iter().filter(wanted) {
            if self.json {
                say!("{}", serde_json::to_string(ban)?);
            } else {
                say!("{}", line(ban));
            }
        }
        Ok(())
    }
}

fn none(kind: Option<&str>, others: usize) -> String {
    match kind {
        Some(kind) if others > 0 => format!(
            "no bans or allow entries of {kind}; {} of other kinds",
            counted(others, "is there", "are there")
        ),
        Some(_) | None => {
            "no bans, no allow entries; tuskgate clusters shows what the gate condemned by itself"
                .into()
        }
    }
}

/// One entry for a person.
pub(super) fn line(ban: &Ban) -> String {
    let effect = match ban.effect {
        Effect::Ban => "ban",
        Effect::Allow => "allow",
    };
    let scopes = match &ban.subject {
        Subject::Network(_) => format!(" [{}]", spell(ban.scopes)),
        _ => String::new(),
    };
    let until = ban
        .expires
        .map_or_else(|| "for good".into(), |end| format!("until {end:.0}"));
    let reason = if ban.reason.is_empty() {
        String::new()
    } else {
        format!(": {}", ban.reason)
    };
    format!(
        "#{} {effect} {} {}{scopes}, {until}, by {}{reason}",
        ban.id,
        ban.subject.kind(),
        ban.subject,
        ban.source
    )
}

fn spell(scopes: Scopes) -> String {
    let words = [
        (scopes.sign_up, "sign-up"),
        (scopes.mail, "mail"),
        (scopes.all, "all"),
    ];
    let on = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word);
    on.collect::<Vec<_>>().join(", ")
}
