//! What the registers of clusters and the breaker know, moved into a shared store
//! and out of it.
//!
//! Condemnations of gates that share lie where all gates look for them. The rest
//! no gate reads while it runs: each hears what is counted and remembers it
//! itself. It lies in a hash of its own, for [`KEEP`], within [`ROOM`], for the
//! gate that is to take it over.

use std::time::Duration;

use super::super::clusters::{MOST_KEPT, is_over};
use super::super::script::BOUND;
use super::{Distant, MOST, SharedError};
use crate::cluster::{Cluster, TAGGED};
use crate::store::clusters::moved;
use crate::store::transfer::{Content, Counts, Record};

/// How long it lies there.
const KEEP: Duration = Duration::from_secs(7 * 86_400);

/// Sign-ups, and mail domains: the latest of each. Some three hundred bytes apiece.
const LATEST: usize = 65_536;

/// Records in all; several gates may have been moved.
const ROOM: usize = 4 * LATEST;

/// Parts what a shared store takes from what stays with a gate: accounts and
/// webhooks, which only the gate that heard of them can use, condemnations that
/// are held against nobody any more, and the oldest of very many.
#[must_use]
pub fn for_shared(records: Vec<Record>) -> (Vec<Record>, Counts) {
    let (mut sign_ups, mut domains) = (0, 0);
    let mut stay = Counts::default();
    // The latest come last.
    let mut taken: Vec<Record> = records
        .into_iter()
        .rev()
        .filter(|record| {
            let fits = match &record.0 {
                Content::Account(..) | Content::Heard(..) => false,
                Content::Cluster(cluster) => !is_over(cluster),
                Content::SignUp(..) => within(&mut sign_ups),
                Content::Domain(..) => within(&mut domains),
                _ => true,
            };
            if !fits {
                stay.add(record);
            }
            fits
        })
        .collect();
    taken.reverse();
    (taken, stay)
}

fn within(count: &mut usize) -> bool {
    *count += 1;
    *count <= LATEST
}

impl Distant {
    /// Takes in what the registers and the breaker know.
    pub(super) async fn take_in_registers(&self, all: Vec<Content>) -> Result<(), SharedError> {
        let (mut clusters, mut others) = (Vec::new(), Vec::new());
        for content in all {
            match content {
                Content::Cluster(cluster) if cluster.id.number >= TAGGED => clusters.push(*cluster),
                other => others.push(other),
            }
        }
        for part in clusters.chunks(MOST) {
            self.share_clusters(part).await?;
        }
        for part in others.chunks(MOST) {
            self.put(part).await?;
        }
        Ok(())
    }

    /// What the registers and the breaker of gates knew when they were moved, and
    /// the condemnations that all gates share.
    pub(super) async fn registers(&self) -> Result<Vec<Content>, SharedError> {
        let mut all = self.clusters().await?;
        let mut link = self.link.clone();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(self.core.keys.moved()).arg(cursor);
            scan.arg("COUNT").arg(1000);
            let answer: (u64, Vec<String>) = scan.query_async(&mut link).await?;
            let mut words = answer.1.into_iter();
            while let (Some(_), Some(text)) = (words.next(), words.next()) {
                all.push(serde_json::from_str(&text)?);
            }
            cursor = answer.0;
            if cursor == 0 {
                return Ok(all);
            }
        }
    }

    async fn put(&self, part: &[Content]) -> Result<(), SharedError> {
        let mut link = self.link.clone();
        let key = self.core.keys.moved();
        let room: usize = redis::cmd("HLEN").arg(&key).query_async(&mut link).await?;
        if room + part.len() > ROOM {
            return Err(SharedError::NoRoom(ROOM));
        }
        let fields: Vec<String> = part.iter().map(field).collect();
        let mut get = redis::cmd("HMGET");
        get.arg(&key).arg(&fields);
        let known: Vec<Option<String>> = get.query_async(&mut link).await?;
        let mut set = redis::cmd("HSET");
        set.arg(&key);
        for ((content, field), known) in part.iter().zip(&fields).zip(known) {
            set.arg(field).arg(joined(content, known)?);
        }
        let () = set.query_async(&mut link).await?;
        let keep = u64::try_from(KEEP.as_millis()).unwrap_or(u64::MAX);
        let mut end = redis::cmd("PEXPIRE");
        end.arg(&key).arg(keep);
        let () = end.query_async(&mut link).await?;
        Ok(())
    }

    async fn share_clusters(&self, part: &[Cluster]) -> Result<(), SharedError> {
        let keys = self.core.keys.clusters();
        let entries: Vec<_> = part
            .iter()
            .map(|cluster| (cluster.id.to_string(), cluster.revision.into(), cluster))
            .collect();
        self.hand_out(&keys, &entries).await?;
        let fill = |cmd: &mut redis::Cmd| {
            let keep = super::super::clusters::keep_millis();
            cmd.arg(keys.len()).arg(&keys).arg(MOST_KEPT).arg(keep);
        };
        BOUND.run(self.link.clone(), fill).await?;
        Ok(())
    }

    async fn clusters(&self) -> Result<Vec<Content>, SharedError> {
        let all = self.handed_out(&self.core.keys.clusters()).await?;
        Ok(all.into_iter().map(Content::Cluster).collect())
    }
}

/// What it lies under: the same for the same thing. None of them holds a tab.
fn field(content: &Content) -> String {
    match content {
        Content::Cluster(cluster) => {
            // Gates that are alone number alike.
            format!("cluster\t{}\t{}", cluster.opened, cluster.evidence)
        }
        Content::SignUp(serial, sign_up) => {
            format!("sign-up\t{serial}\t{}\t{}", sign_up.at, sign_up.domain)
        }
        Content::Domain(name, _) => format!("domain\t{name}"),
        _ => "breaker".to_owned(),
    }
}

/// As it is to lie there, given what lies there.
fn joined(content: &Content, known: Option<String>) -> Result<String, SharedError> {
    let Some(known) = known else {
        return Ok(serde_json::to_string(content)?);
    };
    match (content, serde_json::from_str(&known)?) {
        (Content::Domain(name, seen), Content::Domain(_, before)) => {
            let seen = moved::merge(Some(before), seen.clone());
            Ok(serde_json::to_string(&Content::Domain(name.clone(), seen))?)
        }
        (Content::Cluster(cluster), Content::Cluster(before))
            if before.revision > cluster.revision =>
        {
            Ok(known)
        }
        // Two cannot be made one: the first stays.
        (Content::Wave(_), Content::Wave(_)) => Ok(known),
        _ => Ok(serde_json::to_string(content)?),
    }
}
