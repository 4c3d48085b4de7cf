//! What is to be contained and cannot be yet is tried again, by itself.
//!
//! An app may be unknown because a look-up lapsed, because its gate has not passed
//! it on yet, or because nobody has seen it so far; the table of tokens may not be
//! readable. After [`FIRST`] it is tried again, then twice as long after each
//! time, [`LONGEST`] at most: so that is how long after it can be known it is held.
//! An unknown app costs a look-up then; the table is read only once one is known.

use std::sync::{Arc, Weak};
use std::time::Duration;

use hashbrown::HashSet;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::Contained;
use crate::app::ClientId;
use crate::judge::cluster::live::Registers;
use crate::store::Store;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// What is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Behind {
    /// The tokens could not be read.
    pub(super) failed: bool,
    /// Apps of contained clusters that this gate does not know.
    pub(super) unknown: HashSet<ClientId>,
    /// Apps that it knows by asking: only another gate's word is waited for.
    pub(super) asked: HashSet<ClientId>,
}

impl Behind {
    fn is_to_be_tried(&self) -> bool {
        self.failed || !self.unknown.is_empty()
    }
}

/// Begins to try again, for as long as the judge lives.
pub(in crate::judge) fn start(
    contained: &Arc<Contained>,
    registers: &Arc<Registers>,
    control: &Handle,
) {
    let behind = contained.behind.subscribe();
    // It must not keep store and files open after the judge has gone.
    let judge = (Arc::downgrade(contained), Arc::downgrade(registers));
    control.spawn(keep(judge, behind));
}

async fn keep(
    judge: (Weak<Contained>, Weak<Registers>),
    mut behind: watch::Receiver<Behind>,
) -> Option<()> {
    let mut before = Behind::default();
    let mut pause = FIRST;
    loop {
        let now = behind.borrow_and_update().clone();
        if now != before {
            pause = FIRST;
        }
        if !now.is_to_be_tried() {
            behind.changed().await.ok()?;
        } else if tokio::time::timeout(pause, behind.changed()).await.is_err() {
            pause = (pause * 2).min(LONGEST);
            let (contained, registers) = (judge.0.upgrade()?, judge.1.upgrade()?);
            contained.try_again(&now, &registers).await;
        } else if behind.has_changed().is_err() {
            return None;
        }
        before = now;
    }
}

impl Contained {
    async fn try_again(&self, behind: &Behind, registers: &Registers) {
        let store = registers.store();
        if (behind.failed || self.knows_any(&behind.unknown, store).await)
            && let Err(fault) = self.bring_in_line(registers, store).await
        {
            tracing::error!(%fault, "tokens still cannot be contained or let go");
        }
    }

    async fn knows_any(&self, apps: &HashSet<ClientId>, store: &Store) -> bool {
        for id in apps {
            if self.vouched.lock().contains_key(id) || store.app(id).await.is_some() {
                return true;
            }
        }
        false
    }
}
