//! `tuskgate bans`: every ban and allow entry in force.

use std::path::Path;

use clap::Args;

use crate::admin::ask::{Answer, Ask};
use crate::ban::{Ban, Effect, Scopes, Subject};
use crate::cli::{Failure, reach};

/// List bans and allow entries
#[derive(Debug, Args)]
pub(super) struct Bans {
    /// Only of this kind, such as network or mail-domain
    #[arg(long)]
    kind: Option<String>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

impl Bans {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let bans = match reach::ask(config, Ask::Bans)? {
            Answer::Bans(bans) => bans,
            other => return Err(reach::unexpected(&other)),
        };
        let wanted = |ban: &&Ban| {
            self.kind
                .as_deref()
                .is_none_or(|kind| ban.subject.kind() == kind)
        };
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
