//! Tokens that are of no use any more: those of apps made in a condemned burst.
//!
//! In 2018 this is what ended the attack. While nothing is contained, a
//! request costs one look at one pointer. A token is looked for in the
//! `Authorization` header and in the query, on every endpoint; one that is sent
//! in the body of a request that is no door of ours is not seen, because such
//! bodies are streamed.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use hashbrown::HashSet;

use crate::app::ClientId;
use crate::cluster::{Cluster, ClusterId};
use crate::judge::{Judge, app_sight};
use crate::secret::{KeyedHash, Purpose};
use crate::store::StoreError;

/// What is contained; nothing at all, mostly.
#[derive(Debug, Default)]
pub(super) struct Contained(ArcSwapOption<Held>);

#[derive(Clone, Debug, Default)]
struct Held {
    apps: HashSet<ClientId>,
    tokens: HashSet<KeyedHash>,
}

impl Contained {
    /// A token of an app has just been learned.
    pub(super) fn learn(&self, app: &ClientId, token: KeyedHash) {
        self.0.rcu(|held| {
            let held = held.as_ref()?;
            if !held.apps.contains(app) || held.tokens.contains(&token) {
                return Some(Arc::clone(held));
            }
            let mut more = held.as_ref().clone();
            more.tokens.insert(token);
            Some(Arc::new(more))
        });
    }
}

impl Judge {
    /// Whether any token is contained: asked of every request.
    #[must_use]
    pub fn contains_tokens(&self) -> bool {
        self.contained.0.load().is_some()
    }

    /// Whether this token is contained.
    #[must_use]
    pub fn contained(&self, token: &str) -> bool {
        let held = self.contained.0.load();
        held.as_ref().is_some_and(|held| {
            let hash = self.store.key().hash(Purpose::Token, &[token.as_bytes()]);
            held.tokens.contains(&hash)
        })
    }

    /// Contains the tokens of a cluster's fresh apps, or lets them go; the
    /// cluster, and how many tokens are contained now in all.
    ///
    /// # Errors
    /// If the store cannot answer or the decision is not on the disk.
    pub async fn contain(
        &self,
        id: ClusterId,
        contain: bool,
    ) -> Result<Option<(Cluster, usize)>, StoreError> {
        let Some(cluster) = self.registers.mark_contained(id, contain).await? else {
            return Ok(None);
        };
        Ok(Some((cluster, self.recontain().await?)))
    }

    /// Brings what is contained in line with the clusters; at a start, too.
    ///
    /// # Errors
    /// If the store cannot answer.
    pub async fn recontain(&self) -> Result<usize, StoreError> {
        let mut held = Held::default();
        for cluster in self.registers.clusters() {
            if cluster.contained && cluster.ended.is_none() {
                self.fresh_apps(&cluster, &mut held.apps).await;
            }
        }
        let apps = held.apps.iter().cloned().collect();
        let tokens = self.store.tokens_of(apps).await?;
        held.tokens = tokens.into_iter().collect();
        let count = held.tokens.len();
        let any = !held.apps.is_empty();
        self.contained.0.store(any.then(|| Arc::new(held)));
        Ok(count)
    }

    /// The apps of a cluster that nobody else depends on: made during it, and no listed client.
    async fn fresh_apps(&self, cluster: &Cluster, into: &mut HashSet<ClientId>) {
        for suspect in &cluster.suspects {
            let Some(id) = &suspect.client_id else {
                continue;
            };
            let fresh = match self.store.app(id).await {
                Some(app) => app.created.as_second() >= cluster.since && !app_sight::listed(&app),
                None => false,
            };
            if fresh {
                into.insert(id.clone());
            }
        }
    }
}
