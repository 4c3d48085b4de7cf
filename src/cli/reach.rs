//! Reaching the gate: through its admin socket if it runs, else straight on
//! the store of the same configuration.

use std::io;
use std::path::Path;

use anyhow::{Context, anyhow};

use crate::admin::answer;
use crate::admin::ask::{Answer, Ask};
use crate::admin::socket;
use crate::cli::{Failure, assemble};
use crate::config::{self, Environment, Settings};
use crate::store::Store;

/// Asks the running gate, or does it on the store where the verb allows it.
pub(super) fn ask(config: &Path, ask: Ask) -> Result<Answer, Failure> {
    let settings = config::load(config, &Environment::of_process())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let answer = runtime.block_on(async {
        match socket::ask(&settings.admin.socket, &ask).await {
            Err(fault) if nobody_there(&fault) => on_the_store(&settings, ask).await,
            answer => {
                answer.with_context(|| format!("admin socket {}", settings.admin.socket.display()))
            }
        }
    })?;
    match answer {
        Answer::Fault(why) => Err(anyhow!(why).into()),
        answer => Ok(answer),
    }
}

fn nobody_there(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

async fn on_the_store(settings: &Settings, ask: Ask) -> anyhow::Result<Answer> {
    let store = Store::open(&assemble::store_settings(settings))
        .with_context(|| format!("store {}", settings.store.path.display()))?;
    let answer = answer::from_store(ask, &store).await;
    answer.ok_or_else(|| {
        anyhow!(
            "no gate is running on {}: start it with `tuskgate serve`",
            settings.admin.socket.display()
        )
    })
}

/// An answer of another kind than was asked for: the gate is of another version.
pub(super) fn unexpected(answer: &Answer) -> Failure {
    anyhow!("the running gate answered something else ({answer:?}); is it another version?").into()
}
