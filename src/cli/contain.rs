//! `tuskgate contain`: what was minted in a burst is made useless at once, and
//! the breaker is put by hand.

mod tokens;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask};
use crate::cli::{Failure, breaker, reach};
use crate::cluster::ClusterId;
use crate::quota::read_duration;
use crate::wave::{NotAStep, Step};

/// Put the breaker by hand, or answer 401 to the tokens of a cluster
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, arg_required_else_help = true, group(ArgGroup::new("what").required(true)))]
#[group(skip)]
pub(super) struct Contain {
    /// Answer 401 to every token of this cluster's fresh apps, on every endpoint
    #[arg(long, value_name = "CLUSTER", group = "what")]
    tokens: Option<ClusterId>,
    /// Let them go again
    #[arg(long, requires = "tokens", conflicts_with = "step")]
    release: bool,
    /// Put the breaker at this step, from 0 to 4; "auto" lets it go by itself again
    #[arg(long, value_name = "N", group = "what", value_parser = read_step)]
    step: Option<ByHand>,
    /// For how long, such as 2h; until you let it go if this is left out
    #[arg(long = "for", value_name = "TIME", requires = "step", conflicts_with = "tokens", value_parser = read_time)]
    time: Option<Duration>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Steps: 0 nothing is held back, 1 sign-up budgets are tightened, 2 only known mail providers
and established apps may sign up, 3 and not through apps, 4 all sign-up is closed. Logins
are never touched.

Examples:
  tuskgate contain --step 4 --for 2h     close sign-up now, open it by itself in two hours
  tuskgate contain --step 0              hold nothing back, whatever the breaker thinks
  tuskgate contain --step auto           let it go by itself again
  tuskgate contain --tokens A3           make the tokens of a burst of apps useless
  tuskgate contain --tokens A3 --release";

/// A step by hand, or none.
#[derive(Clone, Copy, Debug)]
enum ByHand {
    Auto,
    At(Step),
}

fn read_step(text: &str) -> Result<ByHand, NotAStep> {
    match text {
        "auto" => Ok(ByHand::Auto),
        number => number.parse().map(ByHand::At),
    }
}

fn read_time(text: &str) -> Result<Duration, String> {
    let time = read_duration(text).filter(|time| time.as_secs() > 0);
    time.ok_or_else(|| "a time is such as 30m, 2h or 1d".to_owned())
}

impl Contain {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        match (self.tokens, self.step) {
            (Some(id), _) => contain_tokens(config, id, !self.release, self.json),
            (None, Some(ByHand::Auto)) if self.time.is_some() => Err(Failure::Usage(
                "--step auto has no end: leave --for out".to_owned(),
            )),
            (None, Some(by_hand)) => step(config, by_hand, self.time, self.json),
            (None, None) => Ok(()),
        }
    }
}

fn contain_tokens(config: &Path, id: ClusterId, contain: bool, json: bool) -> Result<(), Failure> {
    match reach::ask(config, Ask::Contain { id, contain })? {
        Answer::Contain(Some(done)) if json => {
            say!("{}", serde_json::to_string(&done)?);
            Ok(())
        }
        Answer::Contain(Some(done)) => {
            say_on!("{}", tokens::tell(id, contain, &done));
            Ok(())
        }
        Answer::Contain(None) => {
            Err(anyhow::anyhow!("no cluster {id}; `tuskgate clusters --all` lists them").into())
        }
        other => Err(reach::unexpected(&other)),
    }
}

fn step(config: &Path, by_hand: ByHand, time: Option<Duration>, json: bool) -> Result<(), Failure> {
    let step = match by_hand {
        ByHand::Auto => None,
        ByHand::At(step) => Some(step),
    };
    let until = time.map(|time| Timestamp::now().checked_add(time));
    // Never taken for "until you let it go".
    let until = until
        .transpose()
        .context("--for goes beyond all time; leave it out to hold it until you let it go")?;
    match reach::ask(config, Ask::Pin { step, until })? {
        Answer::Breaker(standing) if json => {
            say!("{}", serde_json::to_string(&standing)?);
            Ok(())
        }
        Answer::Breaker(standing) => {
            say_on!("{}", breaker::tell(&standing));
            if step.is_some() {
                say!("to undo: tuskgate contain --step auto");
            }
            Ok(())
        }
        other => Err(reach::unexpected(&other)),
    }
}
