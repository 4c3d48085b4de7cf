//! `tuskgate clusters`: what the gate has condemned by itself, why, who was let
//! in before, and how to take it back.

use std::path::Path;

use clap::{Args, Subcommand};
use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask};
use crate::cli::{Failure, reach};
use crate::cluster::{Cluster, ClusterId, Suspect};

/// What the gate condemned by itself: list, show, release
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
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

#[derive(Debug, Subcommand)]
enum ClustersVerb {
    /// One cluster: its keys, its evidence, and everybody let in before it was condemned
    Show {
        /// Its number, such as M7
        id: ClusterId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a condemnation back as a whole, and leave the server alone for a week
    Release {
        /// Its number, such as M7
        id: ClusterId,
        /// Why, for the record
        #[arg(long, default_value = "by hand")]
        reason: String,
    },
}

impl Clusters {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        match self.verb {
            None => list(config, self.all, self.json),
            Some(ClustersVerb::Show { id, json }) => {
                let cluster = one(config, Ask::Cluster { id }, id)?;
                if json {
                    println!("{}", serde_json::to_string(&cluster)?);
                } else {
                    print!("{}", tell(&cluster));
                }
                Ok(())
            }
            Some(ClustersVerb::Release { id, reason }) => {
                let ask = Ask::Release { id, why: reason };
                let cluster = one(config, ask, id)?;
                println!("released {}", line(&cluster, now()));
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
    for cluster in clusters.iter().filter(|one| all || one.in_force(now)) {
        if json {
            println!("{}", serde_json::to_string(cluster)?);
        } else {
            println!("{}", line(cluster, now));
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

fn line(cluster: &Cluster, now: i64) -> String {
    let state = match &cluster.ended {
        Some((at, why)) => format!("ended {} ({why})", time(*at)),
        None if cluster.in_force(now) => format!("until {}", time(cluster.until)),
        None => format!("ran out {}", time(cluster.until)),
    };
    format!(
        "{} {state}, {} refused, {} let in before: {}",
        cluster.id,
        cluster.refused,
        cluster.suspects.len(),
        cluster.evidence
    )
}

fn tell(cluster: &Cluster) -> String {
    let mut text = format!("{}\n", line(cluster, now()));
    let keys: Vec<_> = cluster.keys.iter().map(ToString::to_string).collect();
    let what = cluster
        .name
        .as_ref()
        .map_or_else(|| keys.join("  "), |name| format!("apps like {name:?}"));
    text.push_str(&format!("recognised by  {what}\n"));
    text.push_str(&format!(
        "hits           what was first seen since {}\n",
        time(cluster.since)
    ));
    text.push_str(&format!(
        "condemned      {} ({}. time)\n",
        time(cluster.opened),
        cluster.times
    ));
    text.push_str(&format!(
        "confirmed      {} of the suspects, as far as known\n",
        cluster.confirmed
    ));
    text.push_str(&format!(
        "to undo        tuskgate clusters release {}\n\nlet in before:\n",
        cluster.id
    ));
    for suspect in &cluster.suspects {
        text.push_str(&tell_suspect(suspect));
    }
    text
}

fn tell_suspect(suspect: &Suspect) -> String {
    let word = |value: Option<String>| value.unwrap_or_else(|| "-".into());
    format!(
        "  {}  {:<24} {:<24} {:<20} {}\n",
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
    )
}
