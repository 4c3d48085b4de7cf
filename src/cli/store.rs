//! `tuskgate store`: look through what the gate has kept, and move it.
//!
//! What was moved is read again on the other side, record by record, before
//! it is said to be there.

use std::fs::OpenOptions;
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::out::Out;
use crate::cli::{Failure, there};
use crate::config::{self, Environment, Settings};
use crate::store::transfer::{Reading, write_lines};

mod check;
mod moving;

/// Look through the store, or move what is in it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct StoreVerb {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
`check`, `export` and `migrate to-shared` may run beside a gate; the others need it stopped.

Moved are bans, apps, tokens, budgets, clusters with the sign-ups and mail domains that they
are judged by, and what the breaker has learned (taken by a store that has learned nothing).
Accounts and webhooks go into an export, not to store.url: they are of use to the gate that
heard of them. Events stay, and so does what is counted of look-alike apps, which is in memory.

Examples:
  tuskgate store check                    are the files sound, is the shared store in order?
  tuskgate store export backup.jsonl      everything but events; secrets as hashes only
  tuskgate store import backup.jsonl      merges: nothing that is there is lost
  tuskgate store migrate to-shared        from this gate's files to store.url
  tuskgate store migrate from-shared      and back, before leaving Redis";

const EXPORT_EXAMPLES: &str = "\
Examples:
  tuskgate store export backup.jsonl
  tuskgate store export - | gzip > backup.jsonl.gz
  tuskgate events --all --json > events.jsonl       what an export leaves out";

const IMPORT_EXAMPLES: &str = "\
Examples:
  tuskgate store import backup.jsonl      with the gate stopped
  tuskgate store import backup.jsonl --json | jq .missing";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  tuskgate store migrate to-shared        beside a running gate, too
  tuskgate store migrate from-shared      with the gate stopped
  tuskgate store migrate to-shared --json | jq .stays";

#[derive(Debug, Subcommand)]
enum What {
    /// Are the files sound, is the shared store in order?
    #[command(after_help = check::EXAMPLES)]
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write everything but events to a file
    #[command(after_help = EXPORT_EXAMPLES)]
    Export {
        /// Where to; - for standard output
        file: PathBuf,
    },
    /// Merge an export into this store
    #[command(after_help = IMPORT_EXAMPLES)]
    Import {
        /// Where from
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Move between this gate's files and store.url
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate {
        /// Which way
        way: Way,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Way {
    /// From the files to store.url
    ToShared,
    /// From store.url to the files
    FromShared,
}

impl StoreVerb {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let settings = config::load(config, &Environment::of_process())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            match self.what {
                What::Check { json } => check::check(&settings, json).await,
                What::Export { file } => export(&settings, &file),
                What::Import { file, json } => moving::import(&settings, &file).await?.say(json),
                What::Migrate { way, json } => match way {
                    Way::ToShared => moving::to_shared(&settings).await?.say(json),
                    Way::FromShared => moving::from_shared(&settings).await?.say(json),
                },
            }
        })?;
        Ok(())
    }
}

fn reading(settings: &Settings) -> anyhow::Result<Reading> {
    let path = &settings.store.path;
    there::expect(path)?;
    Reading::open(path).with_context(|| format!("store {}", path.display()))
}

fn export(settings: &Settings, file: &Path) -> anyhow::Result<()> {
    let reading = reading(settings)?;
    let records = reading.records()?;
    let counts = if file == Path::new("-") {
        write_lines(BufWriter::new(Out), reading.key(), records)?
    } else {
        let mut fresh = OpenOptions::new();
        // Who signed up, when and from which network is nobody else's business.
        fresh.write(true).create_new(true).mode(0o600);
        let out = fresh
            .open(file)
            .with_context(|| file.display().to_string())?;
        let mut out = BufWriter::new(out);
        let counts = write_lines(&mut out, reading.key(), records)?;
        out.into_inner()?.sync_all()?;
        counts
    };
    remark!("{counts}");
    Ok(())
}
