//! `tuskgate clusters`: what the gate has condemned by itself, why, who was let
//! in before, and how to take it back.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask};
use crate::cli::{Failure, reach};
use crate::cluster::{Cluster, ClusterId, Suspect};
use crate::numeral::ordinal;

/// What the gate condemned by itself: list, show, release
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Clusters {
    #[command(subcommand)]
    verb: Option<ClustersVerb>,
    /// Those that have ended, too
    #[arg(long)]
    all: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate clusters                     what is condemned right now
  tuskgate clusters show M7             by what it is recognised, why, and who was let in before
  tuskgate clusters release M7 --reason 'a school'";

const SHOW_EXAMPLES: &str = "\
Examples:
  tuskgate clusters show M7
  tuskgate clusters show A3 --json | jq .suspects";

const RELEASE_EXAMPLES: &str = "\
Examples:
  tuskgate clusters release M7 --reason 'a school'    its suspects are let go, too
  tuskgate allow mail-server mx.school.example        so that it is never condemned again";

#[derive(Debug, Subcommand)]
enum ClustersVerb {
    /// What is condemned right now; the same as without a word
    #[command(after_help = EXAMPLES)]
    List {
        /// Those that have ended, too
        #[arg(long)]
        all: bool,
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// One cluster: its keys, its evidence, and everybody let in before it was condemned
    #[command(after_help = SHOW_EXAMPLES)]
    Show {
        /// Its number, such as M7
        id: ClusterId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a condemnation back as a whole, and leave the server alone for a week
    #[command(after_help = RELEASE_EXAMPLES)]
    Release {
        /// Its number, such as M7
        id: ClusterId,
        /// Why, for the record
        #[arg(long, default_value = "by hand")]
        reason: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Clusters {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        match self.verb {
            None => list(config, self.all, self.json),
            Some(ClustersVerb::List { all, json }) => {
                list(config, all || self.all, json || self.json)
            }
            Some(ClustersVerb::Show { id, json }) => {
                let json = json || self.json;
                let cluster = one(config, Ask::Cluster { id }, id)?;
                if json {
                    say!("{}", serde_json::to_string(&cluster)?);
                } else {
                    say_on!("{}", tell(&cluster));
                }
                Ok(())
            }
            Some(ClustersVerb::Release { id, reason, json }) => {
                let ask = Ask::Release { id, why: reason };
                let cluster = one(config, ask, id)?;
                if json || self.json {
                    say!("{}", serde_json::to_string(&cluster)?);
                } else {
                    say!("released {}", line(&cluster));
                }
                Ok(())
            }
        }
    }
}

fn one(config: &Path, ask: Ask, id: ClusterId) -> Result<Box<Cluster>, Failure> {
    match reach::ask(config, ask)? {
        Answer::Cluster(Some(cluster)) => Ok(cluster),
        Answer::Cluster(None) => {
            Err(anyhow::anyhow!("no cluster {id}; `tuskgate clusters --all` lists them").into())
        }
        other => Err(reach::unexpected(&other)),
    }
}

fn list(config: &Path, all: bool, json: bool) -> Result<(), Failure> {
    let clusters = match reach::ask(config, Ask::Clusters)? {
        Answer::Clusters(clusters) => clusters,
        other => return Err(reach::unexpected(&other)),
    };
    let now = now();
    let shown = clusters.iter().filter(|one| all || one.in_force(now));
    if shown.clone().next().is_none() && !json {
        let ended = match clusters.len() {
            0 => String::new(),
            count => format!("; --all shows {count} that ended or ran out"),
        };
        remark!("nothing is condemned{ended}");
    }
    for cluster in shown {
        if json {
            say!("{}", serde_json::to_string(cluster)?);
        } else {
            say!("{}", line(cluster));
        }
    }
    Ok(())
}

fn now() -> i64 {
    Timestamp::now().as_second()
}

fn time(at: i64) -> String {
    Timestamp::from_second(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// One cluster in a list.
pub(super) fn line(cluster: &Cluster) -> String {
    let now = now();
    let state = match &cluster.ended {
        Some((at, why)) => format!("ended {} ({why})", time(*at)),
        None if cluster.in_force(now) => format!("until {}", time(cluster.until)),
        None => format!("ran out {}", time(cluster.until)),
    };
    format!(
        "{} {state}, {}{} refused, {} let in before: {}",
        cluster.id,
        if cluster.contains() {
            "tokens contained, "
        } else {
            ""
        },
        cluster.refused,
        cluster.suspects.len(),
        cluster.evidence
    )
}

fn tell(cluster: &Cluster) -> String {
    let mut text = format!("{}\n", line(cluster));
    text.push_str(&format!("recognised by  {}\n", marks(cluster)));
    text.push_str(&format!(
        "hits           what was first seen since {}\n",
        time(cluster.since)
    ));
    text.push_str(&format!(
        "condemned      {}{}\n",
        time(cluster.opened),
        match cluster.times {
            0 | 1 => String::new(),
            again => format!(", for the {} time", ordinal(again)),
        }
    ));
    text.push_str(&format!(
        "confirmed      {} of the suspects, as far as known\n",
        cluster.confirmed
    ));
    if cluster.sites.looked > 0 {
        text.push_str(&format!(
            "web sites      nothing answers on {} of {} that were looked at\n",
            cluster.sites.dead, cluster.sites.looked
        ));
    }
    if cluster.ended.is_some() {
        text.push_str(&members(&cluster.suspects));
        return text;
    }
    let contained = if cluster.contained {
        "contained; to let them go: tuskgate contain --tokens {} --release"
    } else {
        "not contained; tuskgate contain --tokens {} makes them useless"
    };
    let contained = contained.replace("{}", &cluster.id.to_string());
    text.push_str(&format!("tokens         {contained}\n"));
    text.push_str(&format!(
        "to undo        tuskgate clusters release {}\n",
        cluster.id
    ));
    text.push_str(&members(&cluster.suspects));
    text
}

/// By what it is recognised.
pub(super) fn marks(cluster: &Cluster) -> String {
    let keys: Vec<_> = cluster.keys.iter().map(ToString::to_string).collect();
    let named = |name: &String| format!("apps like {name:?}");
    cluster.name.as_ref().map_or_else(|| keys.join("  "), named)
}

/// Everybody let in before, first what they share and then one by one.
fn members(suspects: &[Suspect]) -> String {
    let mut text = format!("\n{} let in before\n", suspects.len());
    text.push_str(&shared("domains", suspects, |s| {
        s.domain.as_ref().map(ToString::to_string)
    }));
    text.push_str(&shared("networks", suspects, |s| {
        s.client.map(|net| net.to_string())
    }));
    text.push_str(&shared("apps", suspects, |s| {
        s.client_id.as_ref().map(ToString::to_string)
    }));
    if !suspects.is_empty() {
        text.push_str(&format!(
            "\n  {:<20}  {:<24} {:<24} {:<20} {:<32} account\n",
            "when", "user name", "domain", "network", "app"
        ));
    }
    for suspect in suspects {
        text.push_str(&tell_suspect(suspect));
    }
    text
}

/// How many distinct ones there are, those first that most have.
fn shared(name: &str, suspects: &[Suspect], of: impl Fn(&Suspect) -> Option<String>) -> String {
    const SHOWN: usize = 12;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for value in suspects.iter().filter_map(of) {
        *counts.entry(value).or_default() += 1;
    }
    if counts.is_empty() {
        return String::new();
    }
    let mut most: Vec<_> = counts.iter().collect();
    most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let words = most.iter().take(SHOWN).map(|(value, count)| match count {
        1 => (*value).clone(),
        many => format!("{value} ({many})"),
    });
    let words = words.collect::<Vec<_>>().join(" ");
    let rest = if counts.len() > SHOWN { " …" } else { "" };
    format!("  {:<4} {name:<9} {words}{rest}\n", counts.len())
}

fn tell_suspect(suspect: &Suspect) -> String {
    let word = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    let account = suspect.account.map(|account| {
        let state = if account.confirmed {
            "confirmed"
        } else {
            "unconfirmed"
        };
        format!("{} {state}", account.id)
    });
    format!(
        "  {}  {:<24} {:<24} {:<20} {:<32} {}\n",
        time(suspect.at),
        word(
            suspect
                .username
                .as_ref()
                .map(|name| name.escape_debug().to_string())
        ),
        word(suspect.domain.as_ref().map(ToString::to_string)),
        word(suspect.client.map(|network| network.to_string())),
        word(suspect.client_id.as_ref().map(ToString::to_string)),
        word(account),
    )
}
