//! Tells the other nodes what this one has counted, off the path of requests.
//!
//! Deliberately not part of the script call that charges a request's budgets:
//! what a budget refuses a moment later would have been told for nothing, most
//! of what is counted is longer than all charges together, and some is counted
//! where nothing is charged. So it follows within [`Post::GATHER`], many in one call,
//! and what was withdrawn meanwhile is not told at all.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::Core;
use super::outbox::{Outbox, Post};
use super::script::TELL;
use crate::telemetry::metrics;
use crate::told::Told;

/// Bytes of one entry. A sign-up behind the longest names that
/// [`keys`](crate::judge::cluster::keys) takes is below.
const LONGEST: usize = 8192;

/// Entries kept in Redis: with the one above at most 64 MiB, mostly under ten.
const KEEP: usize = 8192;

/// How long after the last one.
pub(super) const KEEP_FOR: Duration = Duration::from_secs(86_400);

/// Where it is handed in.
#[derive(Clone, Debug)]
pub(super) struct Teller(Outbox<Telling>);

impl Teller {
    pub(super) fn start(core: Arc<Core>, control: &Handle) -> Self {
        Self(Outbox::start(core, control))
    }

    /// What finds no room is counted; then this node alone knows of it.
    pub(super) fn tell(&self, told: Told) {
        self.0.put(told);
    }

    /// How much has not been told; it is when the store is back.
    pub(super) async fn flush(&self) -> u64 {
        self.0.flush().await
    }
}

#[derive(Debug)]
struct Telling;

impl Post for Telling {
    type Item = Told;
    const NAME: &'static str = "telling";
    // A sign-up takes some five hundred bytes.
    const ROOM: usize = 1 << 14;
    // Less than a millisecond of the server's time.
    const MOST: usize = 64;
    const GATHER: Duration = Duration::from_millis(3);

    fn prepare(batch: &mut Vec<Told>) {
        drop_withdrawn(batch);
    }

    async fn send(core: &Core, batch: &mut Vec<Told>) {
        let Some(link) = core.link() else {
            return;
        };
        let texts = texts(batch);
        if texts.is_empty() {
            // All of it is too long.
            Self::lost(batch.len() as u64);
            return batch.clear();
        }
        let untold = match TELL.run(link, |cmd| fill(cmd, core, &texts)).await {
            Ok(_) => {
                metrics().shared.told.inc_by(texts.len() as u64);
                batch.len() - texts.len()
            }
            // Not to be mended by asking again; the budgets may do without it.
            Err(fault) if is_for_good(&fault) => {
                let why = super::words::say(&fault);
                core.health.say(&format!(
                    "other nodes cannot be told what this one counts: {why}"
                ));
                batch.len()
            }
            Err(fault) => return core.health.down(&super::words::say(&fault)),
        };
        Self::lost(untold as u64);
        batch.clear();
    }

    fn lost(count: u64) {
        metrics().shared.untold.inc_by(count);
    }
}

fn is_for_good(fault: &redis::RedisError) -> bool {
    match super::words::code(fault) {
        Some(code) => matches!(code, "NOPERM" | "WRONGTYPE"),
        None => fault.code() == Some("ERR"),
    }
}

/// What is short enough to be told.
fn texts(batch: &[Told]) -> Vec<String> {
    let texts = batch
        .iter()
        .filter_map(|told| serde_json::to_string(told).ok());
    texts.filter(|text| text.len() <= LONGEST).collect()
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
