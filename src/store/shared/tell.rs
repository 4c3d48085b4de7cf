//! Tells the other nodes what this one has counted, off the path of requests.
//!
//! Deliberately not part of the script call that charges a request's budgets:
//! what a budget refuses a moment later would have been told for nothing, most
//! of what is counted is longer than all charges together, and some is counted
//! where nothing is charged. So it follows within [`GATHER`], many in one call,
//! and what was withdrawn meanwhile is not told at all.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::Core;
use super::script::TELL;
use crate::telemetry::metrics;
use crate::told::Told;

/// What may wait: a sign-up takes some five hundred bytes.
const ROOM: usize = 1 << 14;

/// In one call: less than a millisecond of the server's time.
const MOST: usize = 64;

/// How long a call waits for more to come.
const GATHER: Duration = Duration::from_millis(3);

/// Between two tries while the store is down.
const AGAIN: Duration = Duration::from_millis(100);

/// Bytes of one entry. A sign-up behind the longest names that
/// [`keys`](crate::judge::cluster::keys) takes is below.
const LONGEST: usize = 8192;

/// Entries kept in Redis: with the one above at most 64 MiB, mostly under ten.
const KEEP: usize = 8192;

/// How long after the last one.
pub(super) const KEEP_FOR: Duration = Duration::from_secs(86_400);

#[derive(Debug)]
enum Job {
    Tell(Told),
    Flush(oneshot::Sender<()>),
}

/// Where it is handed in.
#[derive(Clone, Debug)]
pub(super) struct Teller(mpsc::Sender<Job>);

impl Teller {
    pub(super) fn start(core: Arc<Core>, control: &Handle) -> Self {
        let (jobs, inbox) = mpsc::channel(ROOM);
        // Ends when the last handle is gone.
        control.spawn(work(core, inbox));
        Self(jobs)
    }

    /// What finds no room is counted; then this node alone knows of it.
    pub(super) fn tell(&self, told: Told) {
        if self.0.try_send(Job::Tell(told)).is_err() {
            metrics().shared.untold.inc();
        }
    }

    pub(super) async fn flush(&self) {
        let (done, word) = oneshot::channel();
        if self.0.send(Job::Flush(done)).await.is_ok() {
            // Gone only with the runtime.
            drop(word.await);
        }
    }
}

async fn work(core: Arc<Core>, mut inbox: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(MOST);
    let mut waiting = Vec::new();
    while let Some(job) = inbox.recv().await {
        take(job, &mut batch, &mut waiting);
        if waiting.is_empty() {
            tokio::time::sleep(GATHER).await;
        }
        while batch.len() < MOST {
            let Ok(job) = inbox.try_recv() else { break };
            take(job, &mut batch, &mut waiting);
        }
        drop_withdrawn(&mut batch);
        send(&core, &mut batch, !waiting.is_empty()).await;
        for done in waiting.drain(..) {
            // Whoever flushed may have left.
            let _ = done.send(());
        }
    }
}

fn take(job: Job, batch: &mut Vec<Told>, waiting: &mut Vec<oneshot::Sender<()>>) {
    match job {
        Job::Tell(told) => batch.push(told),
        Job::Flush(done) => waiting.push(done),
    }
}

/// A sign-up that was counted and withdrawn within one batch is nobody's business.
fn drop_withdrawn(batch: &mut Vec<Told>) {
    let counted: HashSet<u64> = batch
        .iter()
        .filter_map(|told| match told {
            Told::SignUp(serial, _) => Some(*serial),
            _ => None,
        })
        .collect();
    let both: HashSet<u64> = batch
        .iter()
        .filter_map(|told| match told {
            Told::Withdraw(serial) if counted.contains(serial) => Some(*serial),
            _ => None,
        })
        .collect();
    batch.retain(|told| match told {
        Told::SignUp(serial, _) | Told::Withdraw(serial) => !both.contains(serial),
        _ => true,
    });
}

/// Sends a batch, again and again while the store is down, unless somebody waits.
async fn send(core: &Core, batch: &mut Vec<Told>, hurry: bool) {
    let texts: Vec<String> = batch
        .drain(..)
        .filter_map(|told| serde_json::to_string(&told).ok())
        .filter(|text| {
            let short = text.len() <= LONGEST;
            metrics().shared.untold.inc_by(u64::from(!short));
            short
        })
        .collect();
    while !texts.is_empty() {
        if let Some(link) = core.link() {
            match TELL.run(link, |cmd| fill(cmd, core, &texts)).await {
                Ok(_) => {
                    metrics().shared.told.inc_by(texts.len() as u64);
                    return;
                }
                // Not to be mended by asking again; the budgets may do without it.
                Err(fault) if matches!(fault.code(), Some("NOPERM" | "ERR" | "WRONGTYPE")) => {
                    tracing::warn!(why = %super::keeper::say(&fault), "other nodes cannot be told what this one counts");
                    metrics().shared.untold.inc_by(texts.len() as u64);
                    return;
                }
                Err(fault) => core.health.down(&super::keeper::say(&fault)),
            }
        }
        if hurry {
            metrics().shared.untold.inc_by(texts.len() as u64);
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn fill(cmd: &mut redis::Cmd, core: &Core, texts: &[String]) {
    let keep_for = u64::try_from(KEEP_FOR.as_millis()).unwrap_or(u64::MAX);
    cmd.arg(1).arg(core.keys.log());
    cmd.arg(KEEP).arg(keep_for).arg(&core.node).arg(texts);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{MailKey, SignUp};
    use crate::mailbox::Domain;

    fn sign_up(name: &str) -> SignUp {
        SignUp {
            at: 1_545_000_000,
            domain: Domain::new(name).expect("a domain"),
            keys: [MailKey::Address([192, 0, 2, 1].into())].into(),
            client: None,
            client_id: None,
            username: None,
            account: None,
        }
    }

    #[test]
    fn what_was_withdrawn_meanwhile_is_not_told() {
        let told = |serial| Told::SignUp(serial, sign_up("a.example"));
        let mut batch = vec![
            told(1),
            told(2),
            Told::Withdraw(1),
            Told::Withdraw(9),
            told(3),
        ];
        drop_withdrawn(&mut batch);
        assert_eq!(batch, [told(2), Told::Withdraw(9), told(3)]);
    }

    #[test]
    fn what_is_told_can_be_read() {
        let domain = Domain::new("a.example").expect("a domain");
        for told in [
            Told::SignUp(7, sign_up("a.example")),
            Told::Confirm(domain, 5),
        ] {
            let text = serde_json::to_string(&told).expect("text");
            assert_eq!(serde_json::from_str::<Told>(&text).expect("read"), told);
        }
        assert!(serde_json::from_str::<Told>(r#"{"later":[1]}"#).is_err());
    }
}
