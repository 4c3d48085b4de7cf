//! `tuskgate apps`: what is known of OAuth apps: list, show, ban, import.

mod import;
mod tell;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use crate::admin::ask::{Answer, AppsWanted, Ask};
use crate::app::ClientId;
use crate::cli::ban::AppBan;
use crate::cli::{Failure, reach};
use crate::store::AppOrder;

/// The OAuth apps that the gate knows: list, show, ban, import
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Apps {
    #[command(subcommand)]
    verb: Option<AppsVerb>,
    #[command(flatten)]
    list: List,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate apps                                     those with most tokens
  tuskgate apps --sort newest --limit 50
  tuskgate apps --name AaA                          look-alike names too
  tuskgate apps show 0a1b2c3d
  tuskgate apps ban --name AaA --reason 'the wave of December' --for 30d
  tuskgate apps import apps.csv";

const LIST_EXAMPLES: &str = "\
Examples:
  tuskgate apps list                                most tokens first
  tuskgate apps list --sort age                     youngest first
  tuskgate apps list --name AaA --json";

const SHOW_EXAMPLES: &str = "\
Examples:
  tuskgate apps show 0a1b2c3d
  tuskgate apps show 0a1b2c3d --json";

#[derive(Debug, Args)]
struct List {
    /// In which order
    #[arg(long, value_enum, default_value_t = Sort::Tokens)]
    sort: Sort,
    /// Only names that hold this, whatever the case or look-alike letters
    #[arg(long)]
    name: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Most tokens first
    Tokens,
    /// Youngest first; "age" does too
    #[value(aliases = ["age", "new", "created", "youngest"])]
    Newest,
    /// Oldest first
    #[value(alias = "old")]
    Oldest,
}

#[derive(Debug, Subcommand)]
enum AppsVerb {
    /// Those that are known; the same as without a word
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// One app: its marks, tokens, look, bans, clusters, and what is left of its budgets
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// Its client_id, as the list shows it
        client_id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Ban an app by one of its marks; the same as `tuskgate ban app`
    Ban(AppBan),
    /// Read an export of oauth_applications (CSV with a header, or JSON lines)
    #[command(after_help = import::EXAMPLES)]
    Import {
        /// The file; its name ends in .csv or .jsonl
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Apps {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        match self.verb {
            None => self.list.run(config),
            Some(AppsVerb::List(list)) => list.run(config),
            Some(AppsVerb::Show { client_id, json }) => {
                show(config, &client_id, json || self.list.json)
            }
            Some(AppsVerb::Ban(ban)) => ban.run(config),
            Some(AppsVerb::Import { file, json }) => {
                import::import(config, &file, json || self.list.json)
            }
        }
    }
}

impl List {
    fn run(self, config: &Path) -> Result<(), Failure> {
        let named = self.name.is_some();
        let wanted = AppsWanted {
            name: self.name,
            order: match self.sort {
                Sort::Tokens => AppOrder::Tokens,
                Sort::Newest => AppOrder::Newest,
                Sort::Oldest => AppOrder::Oldest,
            },
            limit: self.limit,
        };
        let apps = match reach::ask(config, Ask::Apps(wanted))? {
            Answer::Apps(apps) => apps,
            other => return Err(reach::unexpected(&other)),
        };
        if apps.is_empty() && !self.json {
            let what = if named {
                "no app of such a name is known"
            } else {
                "no apps are known yet"
            };
            remark!("{what}; tuskgate apps import brings those that are older than the gate");
        }
        for app in &apps {
            if self.json {
                say!("{}", serde_json::to_string(app)?);
            } else {
                say!("{}", tell::line(app));
            }
        }
        Ok(())
    }
}

fn show(config: &Path, client_id: &str, json: bool) -> Result<(), Failure> {
    let id = ClientId::new(client_id);
    let report = match reach::ask(config, Ask::App { id })? {
        Answer::App(Some(report)) => report,
        Answer::App(None) => {
            return Err(anyhow::anyhow!(
                "no app {client_id}: mistyped, or never seen here; `tuskgate apps --name NAME` finds it by name, `tuskgate apps import` brings older ones"
            )
            .into());
        }
        other => return Err(reach::unexpected(&other)),
    };
    if json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        say_on!("{}", tell::tell(&report));
    }
    Ok(())
}
