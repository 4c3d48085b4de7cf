//! What other gates contain, as far as this one may not know it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Contained;
use crate::app::ClientId;
use crate::judge::cluster::live::Registers;
use crate::secret::KeyedHash;
use crate::store::{Store, StoreError};
use crate::told::Containable;

/// Apps of which another gate's word is remembered: a few megabytes.
const VOUCHED: usize = 1 << 14;

/// Between two tries to write a token down while there is no room for it, and how often.
const PAUSE: Duration = Duration::from_millis(100);
const TRIES: usize = 50;

impl Contained {
    /// Takes in apps and tokens that other gates contain: this one does as soon as it
    /// knows of their cluster.
    pub(in crate::judge) async fn hear(&self, all: Vec<Containable>, registers: &Registers) {
        let store = registers.store();
        let (mut tokens, mut news) = (Vec::new(), false);
        for one in all {
            match one {
                Containable::App(id, made) => news |= self.vouch(id, made),
                Containable::Token(id, token) => {
                    learn(store, token, &id).await;
                    tokens.push((id, token));
                }
            }
        }
        let tokens: Vec<_> = tokens.iter().map(|(id, token)| (id, *token)).collect();
        self.learn_all(&tokens);
        if news && let Err(fault) = self.bring_in_line(registers, store).await {
            tracing::error!(%fault, "tokens cannot be contained as another gate told");
        }
    }

    /// Passes on all that this gate contains: the others may know nothing of it.
    pub(in crate::judge) async fn pass_on_anew(&self, registers: &Registers) {
        self.anew.store(true, Ordering::Release);
        if let Err(fault) = self.bring_in_line(registers, registers.store()).await {
            tracing::error!(%fault, "other gates cannot be told which tokens are contained");
        }
    }

    /// Another gate knows an app; whether this one has waited for its word.
    fn vouch(&self, id: ClientId, made: i64) -> bool {
        let missing = {
            let behind = self.behind.borrow();
            behind.unknown.contains(&id) || behind.asked.contains(&id)
        };
        let mut vouched = self.vouched.lock();
        // What is beyond is looked up.
        if vouched.len() < VOUCHED || missing {
            let first = vouched.entry(id).or_insert(made);
            *first = made.min(*first);
        }
        missing
    }
}

/// On the disk, for clusters that are contained later.
async fn learn(store: &Store, token: KeyedHash, id: &ClientId) {
    for _ in 0..TRIES {
        match store.hear_token(token, id.clone()).await {
            Err(StoreError::Busy { .. }) => tokio::time::sleep(PAUSE).await,
            Ok(()) => return,
            Err(fault) => {
                tracing::error!(%fault, "a token that another gate contains is not written down");
                return;
            }
        }
    }
}
