//! Reaching the gate: through its admin socket if it runs, else straight on
//! the store of the same configuration.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;

use crate::admin::answer;
use crate::admin::ask::{Answer, Ask};
use crate::admin::socket;
use crate::cli::{Failure, assemble, there};
use crate::config::{self, Environment, Settings};
use crate::store::{Store, StoreError};

/// How long to wait while somebody else has the store but no socket yet: a gate
/// that is starting or ending, or another verb.
const BUSY: Duration = Duration::from_secs(3);

/// How long the store is kept open between questions: a gate that is starting
/// waits for it, but not for a whole replay.
const KEEP_OPEN: Duration = Duration::from_secs(1);

/// Asks the running gate, or does it on the store where the verb allows it.
pub(super) fn ask(config: &Path, ask: Ask) -> Result<Answer, Failure> {
    Reach::of(config)?.ask(&ask)
}

/// Many questions in a row.
pub(super) struct Reach {
    settings: Settings,
    runtime: Runtime,
    store: Option<(Store, Instant)>,
}

impl Reach {
    /// For the gate of this configuration.
    pub(super) fn of(config: &Path) -> Result<Self, Failure> {
        let settings = config::load(config, &Environment::of_process())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            settings,
            runtime,
            store: None,
        })
    }

    /// Who is asked, if it is one gate of several: each keeps the events that it judged.
    pub(super) fn one_of_several(&self) -> Option<String> {
        self.settings.store.shared.as_ref()?;
        Some(self.settings.admin.socket.display().to_string())
    }

    /// One question.
    pub(super) fn ask(&mut self, ask: &Ask) -> Result<Answer, Failure> {
        let kept = self.store.take();
        let mut kept = kept.filter(|(_, since)| since.elapsed() < KEEP_OPEN);
        let asked = self.runtime.block_on(reach(&self.settings, ask, &mut kept));
        self.store = kept;
        match asked? {
            Answer::Fault(why) => Err(anyhow!(why).into()),
            answer => Ok(answer),
        }
    }
}

async fn reach(
    settings: &Settings,
    ask: &Ask,
    kept: &mut Option<(Store, Instant)>,
) -> anyhow::Result<Answer> {
    let path = &settings.admin.socket;
    if let Some((store, _)) = kept {
        return from_store(ask, store).await.ok_or_else(|| nobody(path));
    }
    let began = Instant::now();
    loop {
        match socket::ask(path, ask).await {
            Err(fault) if nobody_there(&fault) => {}
            answer => return answer.map_err(|fault| unspoken(path, fault)),
        }
        // Not even opened for these: a look at a starting gate must not keep it from starting.
        let need = Need::of(ask);
        if let Need::Gate = need {
            return Err(nobody(path));
        }
        match open(settings, need)? {
            Err(StoreError::InUse { .. }) if began.elapsed() < BUSY => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            opened => {
                let store =
                    opened.with_context(|| format!("store {}", settings.store.path.display()))?;
                let (store, _) = kept.insert((store, Instant::now()));
                return from_store(ask, store).await.ok_or_else(|| nobody(path));
            }
        }
    }
}

/// What a question needs where no gate runs.
#[derive(Clone, Copy, Debug)]
enum Need {
    /// A gate: the store does not know.
    Gate,
    /// A store that is there.
    Store,
    /// A store, made if there is none: what is written counts when the gate starts.
    AnyStore,
}

impl Need {
    const fn of(ask: &Ask) -> Self {
        match ask {
            Ask::Reload
            | Ask::Status
            | Ask::Probe { .. }
            | Ask::Release { .. }
            | Ask::Contain { .. }
            | Ask::Pin { .. }
            | Ask::MailServer { .. }
            | Ask::MailDomain { .. } => Self::Gate,
            Ask::Ban(_) | Ask::ImportApps { .. } => Self::AnyStore,
            Ask::Unban(_)
            | Ask::Bans
            | Ask::Explain { .. }
            | Ask::Clusters
            | Ask::Cluster { .. }
            | Ask::Events(_)
            | Ask::Apps(_)
            | Ask::App { .. } => Self::Store,
        }
    }
}

fn open(settings: &Settings, need: Need) -> anyhow::Result<Result<Store, StoreError>> {
    if let Need::AnyStore = need {
        return Ok(there::or_make(settings));
    }
    there::expect(&settings.store.path)?;
    Ok(Store::open(&assemble::store_settings(settings)))
}

async fn from_store(ask: &Ask, store: &Store) -> Option<Answer> {
    answer::from_store(ask.clone(), store).await
}

fn nobody(path: &Path) -> anyhow::Error {
    anyhow!(
        "no gate is running on {}: start it with `tuskgate serve`, or name the running one's own --config",
        path.display()
    )
}

fn unspoken(path: &Path, fault: io::Error) -> anyhow::Error {
    let what = match fault.kind() {
        io::ErrorKind::PermissionDenied => ": run this as root or as the gate's own user",
        _ => "",
    };
    anyhow::Error::new(fault).context(format!("admin socket {}{what}", path.display()))
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
