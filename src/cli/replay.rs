//! `tuskgate replay`: what would have happened under another policy.
//!
//! The recorded attempts go through the rules' own functions once more, at
//! their own times, on registers and budgets of their own. Nothing is asked of
//! DNS or upstream, nothing is written, no gate is touched.

mod input;
mod tally;
mod tell;
mod whose;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::admin::ask::{Answer, Ask, LONGEST_PAGE, PageOf};
use crate::ban::Ban;
use crate::cli::events::Pages;
use crate::cli::reach::{self, Reach};
use crate::cli::{Failure, assemble, files, moment, names, out};
use crate::cluster::Cluster;
use crate::config::{self, Environment};
use crate::event::{Event, Outcome};
use crate::judge::cluster::{apps, tuning::Tuning};
use crate::judge::policy::Policy;
use crate::judge::replay::{Past, Replay};
use crate::judge::sight::Sight;
use crate::lists::{Lists, Overlay};
use crate::store::limiter;
use crate::verdict::{Mode, Rule};
use input::{Input, Lines};
use tally::Tally;
use whose::Hindsight;

/// What would have happened under another policy
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReplayVerb {
    /// An export of `tuskgate events --json`, or - for standard input; the gate's own record if not given
    events: Option<PathBuf>,
    /// Count from this moment on, such as 7d (ago) or 2018-12-07; what lies before only fills the registers
    #[arg(long, value_parser = moment::read)]
    since: Option<Timestamp>,
    /// Count up to this moment
    #[arg(long, value_parser = moment::read)]
    until: Option<Timestamp>,
    /// Enforce this rule, whatever the configuration says
    #[arg(long, value_name = "RULE", value_delimiter = ',', value_parser = names::rule)]
    enforce: Vec<Rule>,
    /// Let today's bans count from the beginning, not only from when they were made
    #[arg(long)]
    hindsight: bool,
    /// With a file of events: the bans, from `tuskgate bans --json`
    #[arg(long, value_name = "FILE", requires = "events")]
    bans: Option<PathBuf>,
    /// With a file of events: the clusters, from `tuskgate clusters --all --json`
    #[arg(long, value_name = "FILE", requires = "events")]
    clusters: Option<PathBuf>,
    /// Examples of each kind of difference
    #[arg(long, value_name = "N", default_value_t = 3)]
    examples: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate replay --since 7d --enforce mail-cluster,app-cluster
  tuskgate replay --since 7d --config /etc/tuskgate/new.toml
  tuskgate events --all --json > events.jsonl
  tuskgate clusters --all --json > clusters.jsonl
  tuskgate bans --json > bans.jsonl
  tuskgate replay events.jsonl --clusters clusters.jsonl --bans bans.jsonl --config new.toml

Without EVENTS, the record, bans and clusters are those of the gate of --config (running or not); the
policy and the lists are always those of --config. With EVENTS nothing but these files is read: without
--clusters and --bans nobody tells whose an attempt was, and bots that were let in count as people.";

/// Without a file, so much before --since is read to fill the registers.
const WARM_UP: SignedDuration = SignedDuration::from_hours(30 * 24);

impl ReplayVerb {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let settings = config::load(config, &Environment::of_process())?;
        let policy = self.policy(assemble::policy(&settings));
        if policy.observe {
            remark!(
                "observe = true in that configuration, so nothing is refused; --enforce RULE says what if"
            );
        }
        let lists = files::read_lists(config, &settings)?;
        let (mut input, bans, clusters) = self.open(config)?;
        let mut hindsight = Hindsight::new(clusters, &bans);
        let mut replay = self.judge(policy, lists, bans);
        let mut tally = Tally::new(self.examples);
        let mut progress = Progress::new();
        while let Some(event) = input.next()? {
            if self.until.is_some_and(|until| event.at >= until) {
                break;
            }
            if !event.is_attempt() {
                continue;
            }
            self.one(&event, &mut replay, &mut hindsight, &mut tally);
            progress.show(&event);
        }
        progress.end();
        if self.json {
            say!("{}", serde_json::to_string(&self.told(&tally))?);
        } else {
            say_on!("{}", tell::tell(&tally, &self.not_given()));
        }
        Ok(())
    }

    fn one(
        &self,
        event: &Event,
        replay: &mut Replay,
        hindsight: &mut Hindsight,
        tally: &mut Tally,
    ) {
        let ruling = replay.again(event);
        if self.since.is_some_and(|since| event.at < since) {
            tally.warm_up += 1;
        } else {
            let whose = hindsight.whose(event);
            tally.add(event, &ruling, whose);
            tally.keep_example(event, &ruling, whose);
        }
        // What was refused then has no outcome: it counts as if something came of it.
        replay.settle(ruling, event.outcome.unwrap_or(Outcome::Unclear));
    }

    /// What was not given beside a file of events; without one all of it is the gate's.
    fn not_given(&self) -> Vec<NotGiven> {
        let given = [
            (NotGiven::Clusters, self.clusters.is_some()),
            (NotGiven::Bans, self.bans.is_some()),
        ];
        let from_file = self.events.is_some();
        let missing = given.into_iter().filter(|(_, given)| from_file && !given);
        missing.map(|(what, _)| what).collect()
    }

    fn told<'a>(&self, tally: &'a Tally) -> Told<'a> {
        Told {
            tally,
            not_given: self.not_given(),
            not_known: tell::NEVER_KNOWN,
        }
    }

    fn policy(&self, mut policy: Policy) -> Policy {
        for rule in &self.enforce {
            policy.modes.insert(*rule, Mode::Enforce);
        }
        if !self.enforce.is_empty() {
            policy.observe = false;
        }
        policy
    }

    fn judge(&self, policy: Policy, lists: Lists, bans: Vec<Ban>) -> Replay {
        let sight = Sight {
            lists: Arc::new(lists),
            bans: Arc::new(Overlay::new(bans.into_iter().map(Arc::new))),
            now: Timestamp::UNIX_EPOCH,
        };
        let past = Past::none(Tuning::default(), apps::Tuning::default());
        let replay = Replay::new(policy, sight, past, limiter::DEFAULT_SLOTS);
        if self.hindsight {
            replay
        } else {
            replay.without_hindsight()
        }
    }

    fn open(&self, config: &Path) -> Result<(Input, Vec<Ban>, Vec<Cluster>), Failure> {
        if let Some(file) = &self.events {
            let input = Input::file(file)?;
            let bans = self
                .bans
                .as_ref()
                .map(|file| Lines::open(file)?.all("a ban"));
            let clusters = self.clusters.as_ref();
            let clusters = clusters.map(|file| Lines::open(file)?.all("a cluster"));
            return Ok((
                input,
                bans.transpose()?.unwrap_or_default(),
                clusters.transpose()?.unwrap_or_default(),
            ));
        }
        let mut reach = Reach::of(config)?;
        let bans = match reach.ask(&Ask::Bans)? {
            Answer::Bans(bans) => bans,
            other => return Err(reach::unexpected(&other)),
        };
        let clusters = match reach.ask(&Ask::Clusters)? {
            Answer::Clusters(clusters) => clusters,
            other => return Err(reach::unexpected(&other)),
        };
        let before = self.since.map(|since| since.checked_sub(WARM_UP));
        let wanted = PageOf {
            since: before.map(|before| before.unwrap_or(Timestamp::MIN)),
            until: self.until,
            limit: LONGEST_PAGE,
            ..PageOf::default()
        };
        Ok((Input::record(Pages::new(reach, wanted)), bans, clusters))
    }
}

/// The result as JSON.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    tally: &'a Tally,
    /// What nobody gave, so that bots and people are told apart without it.
    not_given: Vec<NotGiven>,
    not_known: [&'static str; 6],
}

/// What tells bots from people, and a file of events does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum NotGiven {
    Clusters,
    Bans,
}

/// How far it is, for whoever waits at a terminal.
struct Progress {
    events: u64,
    said: Instant,
    shown: bool,
    terminal: bool,
}

impl Progress {
    fn new() -> Self {
        Self {
            events: 0,
            said: Instant::now(),
            shown: false,
            terminal: std::io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, event: &Event) {
        self.events += 1;
        let every = Duration::from_secs(if self.terminal { 1 } else { 15 });
        if self.events.is_multiple_of(256) && self.said.elapsed() >= every {
            let end = if self.terminal { '\r' } else { '\n' };
            out::remarked(format_args!(
                "{} events, up to {:.0}{end}",
                self.events, event.at
            ));
            self.said = Instant::now();
            self.shown = true;
        }
    }

    fn end(&self) {
        if self.shown && self.terminal {
            remark!("");
        }
    }
}
