//! `tuskgate check`: is the configuration right? Every mistake at once.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use crate::cli::{Failure, files};
use crate::config::{self, Environment, Mistakes};
use crate::lists::Loaded;
use crate::numeral::counted;

/// Validate the configuration and the files that it names
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Check {
    /// Do not read the files that it names, such as lists
    #[arg(long, visible_alias = "no-files")]
    no_lists: bool,
    /// Print JSON, mistakes included
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Exit codes: 0 right, 78 mistakes (each with line, key, value and what would be valid).

Examples:
  tuskgate check                                     /etc/tuskgate/tuskgate.toml and its files
  tuskgate check --config new.toml && tuskgate reload
  tuskgate check --no-lists --config new.toml        on another machine, without its files
  tuskgate check --json | jq .mistakes";

impl Check {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let read = self.read(config);
        if self.json {
            say!("{}", report(config, &read));
        }
        let lists = read?;
        if !self.json {
            tell(config, lists.as_deref());
        }
        Ok(())
    }

    /// What the lists hold, if they were to be read.
    fn read(&self, config: &Path) -> Result<Option<Vec<Loaded>>, Mistakes> {
        let settings = config::load(config, &Environment::of_process())?;
        if self.no_lists {
            return Ok(None);
        }
        let files = files::read(config, &settings)?;
        Ok(Some(files.lists.loaded().to_vec()))
    }
}

fn tell(config: &Path, lists: Option<&[Loaded]>) {
    let Some(lists) = lists else {
        return say!("{}: right, but its files were not read", config.display());
    };
    say!("{}: right", config.display());
    for loaded in lists {
        say!(
            "{}: {} for {}, {} left out",
            loaded.file.display(),
            counted(loaded.entries, "entry", "entries"),
            loaded.list,
            counted(loaded.skipped, "line", "lines"),
        );
    }
}

/// The same for a program, mistakes included.
fn report(config: &Path, read: &Result<Option<Vec<Loaded>>, Mistakes>) -> Value {
    let none = Mistakes::default();
    let lists = read.as_ref().ok().and_then(Option::as_ref);
    let lists = lists.map(|lists| {
        let lists = lists.iter().map(|loaded| {
            json!({
                "file": loaded.file.display().to_string(),
                "list": loaded.list,
                "entries": loaded.entries,
                "skipped": loaded.skipped,
            })
        });
        lists.collect::<Vec<_>>()
    });
    json!({
        "config": config.display().to_string(),
        "right": read.is_ok(),
        "mistakes": read.as_ref().err().unwrap_or(&none),
        "lists": lists,
    })
}
