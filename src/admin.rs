//! How a running gate is spoken to: the admin socket for commands, the admin
//! listener for health and metrics. Neither is on the path of a request.

use std::sync::Arc;

use jiff::Timestamp;

use crate::judge::Judge;
use crate::proxy::probe;

pub mod answer;
mod apps;
pub mod ask;
mod clusters;
pub mod http;
pub mod mail_domain;
pub mod ready;
pub mod socket;
pub mod webhooks;

use crate::store::Store;
use ask::{Answer, Ask, ProbeStep, SharedStanding, Status};

/// What the admin side can reach.
pub struct Control {
    /// The judge, and through it store, resolver and lists.
    pub judge: Arc<Judge>,
    /// What does not change while the gate runs.
    pub status: Status,
    /// Reads configuration and lists anew and puts them in force.
    /// Called on a thread that may block.
    pub reload: Arc<dyn Fn() -> Result<Vec<String>, String> + Send + Sync>,
}

impl Control {
    /// Does what is asked.
    pub async fn answer(&self, ask: Ask) -> Answer {
        match ask {
            Ask::Reload => self.reload().await,
            Ask::Status => Answer::Status(Box::new(self.status())),
            Ask::Probe { step } => answer_probe(step),
            other => match clusters::answer(other, &self.judge).await {
                Ok(answer) => answer,
                Err(other) => answer::from_store(other, self.judge.store())
                    .await
                    .unwrap_or_else(|| Answer::Fault("only a running gate can do that".into())),
            },
        }
    }

    /// Swaps configuration and lists, or keeps the old and says why.
    pub async fn reload(&self) -> Answer {
        let reload = Arc::clone(&self.reload);
        let done = tokio::task::spawn_blocking(move || reload()).await;
        match done.unwrap_or_else(|_| Err("reading broke off".into())) {
            Ok(restart) => {
                tracing::info!(needs_restart = ?restart, "configuration and lists reloaded");
                Answer::Reload(restart)
            }
            Err(why) => {
                tracing::error!("reload failed, the old configuration stays in force: {why}");
                Answer::Fault(why)
            }
        }
    }

    fn status(&self) -> Status {
        let now = Timestamp::now();
        Status {
            observe: self.judge.policy().observe,
            troubles: ready::troubles(&self.judge),
            bans: self
                .judge
                .store()
                .bans()
                .iter()
                .filter(|ban| ban.in_force(now))
                .count(),
            heard: self.judge.heard(),
            breaker: Some(self.judge.standing(now.as_second())),
            shared: shared(self.judge.store()),
            ..self.status.clone()
        }
    }
}

fn shared(store: &Store) -> Option<SharedStanding> {
    let standing = if store.is_shared() {
        SharedStanding::Up
    } else {
        SharedStanding::Away
    };
    store.shares().then_some(standing)
}

fn answer_probe(step: ProbeStep) -> Answer {
    match step {
        ProbeStep::Arm => match probe::arm() {
            Ok(nonce) => Answer::Probe(nonce, Vec::new()),
            Err(fault) => Answer::Fault(format!("no randomness: {fault}")),
        },
        ProbeStep::Seen(nonce) => match probe::seen(&nonce) {
            Some(seen) => Answer::Probe(nonce, seen),
            None => Answer::Fault("that probe has ended".into()),
        },
        ProbeStep::End(nonce) => {
            probe::end(&nonce);
            Answer::Probe(nonce, Vec::new())
        }
    }
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}
