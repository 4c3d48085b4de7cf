//! Reaching the gate: through its admin socket if it runs, else straight on
//! the store of the same configuration.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use crate::admin::answer;
use crate::admin::ask::{Answer, Ask};
use crate::admin::socket;
use crate::cli::{Failure, assemble};
use crate::config::{self, Environment, Settings};
use crate::store::{Store, StoreError};

/// How long to wait while somebody else has the store but no socket yet: a gate
/// that is starting or ending, or another verb.
const BUSY: Duration = Duration::from_secs(3);

/// Asks the running gate, or does it on the store where the verb allows it.
pub(super) fn ask(config: &Path, ask: Ask) -> Result<Answer, Failure> {
    let settings = config::load(config, &Environment::of_process())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match runtime.block_on(reach(&settings, ask))? {
        Answer::Fault(why) => Err(anyhow!(why).into()),
        answer => Ok(answer),
    }
}

async fn reach(settings: &Settings, ask: Ask) -> anyhow::Result<Answer> {
    let path = &settings.admin.socket;
    let began = Instant::now();
    loop {
        match socket::ask(path, &ask).await {
            Err(fault) if nobody_there(&fault) => {}
            answer => return answer.with_context(|| format!("admin socket {}", path.display())),
        }
        // Not even opened for these: a look at a starting gate must not keep it from starting.
        if let Ask::Reload | Ask::Status | Ask::Probe { .. } = ask {
            break;
        }
        match Store::open(&assemble::store_settings(settings)) {
            Err(StoreError::InUse { .. }) if began.elapsed() < BUSY => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            opened => {
                let store =
                    opened.with_context(|| format!("store {}", settings.store.path.display()))?;
                if let Some(answer) = answer::from_store(ask, &store).await {
                    return Ok(answer);
                }
                break;
            }
        }
    }
    Err(anyhow!(
        "no gate is running on {}: start it with `tuskgate serve`",
        path.display()
    ))
}

fn nobody_there(fault: &io::Error) -> bool {
    matches!(
        fault.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

/// An answer of another kind than was asked for: the gate is of another version.
pub(super) fn unexpected(answer: &Answer) -> Failure {
    anyhow!("the running gate answered something else ({answer:?}); is it another version?").into()
}
