//! Tokens that are of no use any more: those of apps made in a condemned burst.
//!
//! In 2018 this is what ended the attack. While nothing is contained, a
//! request costs one look at one pointer. A token is looked for in the
//! `Authorization` header and in the query, on every endpoint; one that is sent
//! in the body of a request that is no door of ours is not seen, because such
//! bodies are streamed.
//!
//! Gates that share a state contain the same, in whatever order they hear of the
//! cluster, its apps and their tokens: what this one cannot find out or read it
//! tries again (`again`).

pub(super) mod again;
mod hear;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;
use hashbrown::{HashMap, HashSet};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::app::{App, AppSource, ClientId};
use crate::cluster::{Cluster, ClusterId, ClusterKind};
use crate::judge::cluster::live::Registers;
use crate::judge::{Judge, app_sight};
use crate::secret::{KeyedHash, Purpose};
use crate::store::{Store, StoreError};
use crate::told::Containable;
use again::Behind;

/// What is contained; nothing at all, mostly.
#[derive(Debug, Default)]
pub(super) struct Contained {
    held: ArcSwapOption<Held>,
    /// One brings it in line at a time: an older look must not win.
    turn: tokio::sync::Mutex<()>,
    /// When apps were made that other gates know, and contain.
    vouched: Mutex<HashMap<ClientId, i64>>,
    /// The others may know nothing of what this gate contains.
    anew: AtomicBool,
    /// What is to be tried again.
    behind: watch::Sender<Behind>,
}

#[derive(Clone, Debug, Default)]
struct Held {
    apps: HashSet<ClientId>,
    tokens: HashSet<KeyedHash>,
}

/// What the clusters of a moment contain.
#[derive(Debug, Default)]
struct Reach {
    apps: HashSet<ClientId>,
    /// Of apps that clusters of mail name, and not those of apps: when they were made.
    made: Vec<(ClientId, i64)>,
    unknown: HashSet<ClientId>,
    asked: HashSet<ClientId>,
}

impl Contained {
    /// Tokens of an app have just been learned; whether they are contained.
    pub(super) fn learn(&self, app: &ClientId, tokens: &[KeyedHash]) -> bool {
        let tokens: Vec<_> = tokens.iter().map(|token| (app, *token)).collect();
        self.learn_all(&tokens)
    }

    /// The same of several apps; whether any of them is contained.
    fn learn_all(&self, tokens: &[(&ClientId, KeyedHash)]) -> bool {
        let of = |held: &Held| {
            let held = tokens.iter().filter(|(app, _)| held.apps.contains(*app));
            held.map(|(_, token)| *token).collect::<Vec<_>>()
        };
        if (self.held.load().as_deref()).is_none_or(|held| of(held).is_empty()) {
            return false;
        }
        self.held.rcu(|held| {
            let held = held.as_ref()?;
            let mut new = of(held);
            new.retain(|token| !held.tokens.contains(token));
            if new.is_empty() {
                return Some(Arc::clone(held));
            }
            let mut more = held.as_ref().clone();
            more.tokens.extend(new);
            Some(Arc::new(more))
        });
        true
    }

    /// Brings what is contained in line with the clusters; how many tokens that is.
    /// What cannot be found out or read is tried again by itself.
    pub(super) async fn bring_in_line(
        &self,
        registers: &Registers,
        store: &Store,
    ) -> Result<usize, StoreError> {
        let _turn = self.turn.lock().await;
        let reach = self.reach(registers, store).await;
        let outcome = self.hold(&reach, store).await;
        if outcome.is_err() {
            // By the time it succeeds its apps are no news here, and nobody has been told.
            self.anew.store(true, Ordering::Release);
        }
        self.behind.send_replace(Behind {
            failed: outcome.is_err(),
            unknown: reach.unknown,
            asked: reach.asked,
        });
        outcome
    }

    async fn reach(&self, registers: &Registers, store: &Store) -> Reach {
        let mut reach = Reach::default();
        let held = self.held.load_full();
        let is_held = |id| held.as_ref().is_some_and(|held| held.apps.contains(id));
        let clusters = registers.clusters();
        for cluster in clusters.iter().filter(|cluster| cluster.contains()) {
            for (id, at) in apps_of(cluster) {
                match self.origin(store, cluster, id, at).await {
                    Origin::Fresh(made) => {
                        if reach.apps.insert(id.clone()) && cluster.id.kind == ClusterKind::Mail {
                            reach.made.push((id.clone(), made));
                        }
                    }
                    Origin::Shared => {}
                    Origin::Asked => drop(reach.asked.insert(id.clone())),
                    Origin::Unknown => {
                        // What lapses now is no reason to let go.
                        if is_held(id) {
                            reach.apps.insert(id.clone());
                        }
                        reach.unknown.insert(id.clone());
                    }
                }
            }
        }
        reach
    }

    async fn hold(&self, reach: &Reach, store: &Store) -> Result<usize, StoreError> {
        if reach.apps.is_empty() {
            // What is let go is let go whether the disk answers or not.
            self.held.store(None);
            return Ok(0);
        }
        // The apps first, so that a token made while the table is read is learned.
        let before = self.held.rcu(|now| {
            let tokens = now.as_ref().map(|now| now.tokens.clone());
            Some(Arc::new(Held {
                apps: reach.apps.clone(),
                tokens: tokens.unwrap_or_default(),
            }))
        });
        let before = before.as_deref().cloned().unwrap_or_default();
        let tokens = store
            .tokens_of(reach.apps.iter().cloned().collect())
            .await?;
        let held: HashSet<_> = tokens.iter().map(|(_, token)| *token).collect();
        let count = held.len();
        self.held.rcu(|now| {
            let mut all = held.clone();
            let now = now.iter().flat_map(|now| &now.tokens);
            all.extend(now.filter(|token| !before.tokens.contains(*token)));
            Some(Arc::new(Held {
                apps: reach.apps.clone(),
                tokens: all,
            }))
        });
        if store.shares() {
            self.pass_on(store, reach, tokens, &before);
        }
        Ok(count)
    }

    /// Lets the other gates know what they may not: another gate contains only tokens
    /// that it knows, of apps that it knows.
    fn pass_on(
        &self,
        store: &Store,
        reach: &Reach,
        tokens: Vec<(ClientId, KeyedHash)>,
        before: &Held,
    ) {
        let anew = self.anew.swap(false, Ordering::AcqRel);
        let apps = reach.made.iter();
        let apps = apps.filter(|(id, _)| anew || !before.apps.contains(id));
        let mut all: Vec<_> = apps
            .map(|(id, made)| Containable::App(id.clone(), *made))
            .collect();
        let tokens = tokens.into_iter();
        let tokens = tokens.filter(|(_, token)| anew || !before.tokens.contains(token));
        all.extend(tokens.map(|(id, token)| Containable::Token(id, token)));
        store.contain(all);
    }

    async fn origin(&self, store: &Store, cluster: &Cluster, id: &ClientId, at: i64) -> Origin {
        let here = store.app_here(id).await;
        match here.as_deref().map(|app| Origin::of(app, cluster)) {
            None | Some(Origin::Asked) => {}
            Some(origin) => return origin,
        }
        let made = match cluster.id.kind {
            // What a cluster of apps names was made in it; listed clients are in none.
            ClusterKind::App => Some(at),
            ClusterKind::Mail => self.vouched.lock().get(id).copied(),
        };
        match made {
            Some(made) if made >= cluster.since => Origin::Fresh(made),
            Some(_) => Origin::Shared,
            None if here.is_some() => Origin::Asked,
            None => {
                let app = store.app(id).await;
                app.map_or(Origin::Unknown, |app| Origin::of(&app, cluster))
            }
        }
    }
}

/// The apps that a cluster names, and when they first came.
fn apps_of(cluster: &Cluster) -> HashMap<&ClientId, i64> {
    let mut apps = HashMap::new();
    for suspect in &cluster.suspects {
        if let Some(id) = &suspect.client_id {
            let first = apps.entry(id).or_insert(suspect.at);
            *first = suspect.at.min(*first);
        }
    }
    apps
}

/// What an app is to a cluster that came through it.
enum Origin {
    /// Made during it, then, and nobody else's: no listed client.
    Fresh(i64),
    /// Older, or a listed client: others depend on it.
    Shared,
    /// The upstream was asked for it, which does not tell when it was made: older, unless
    /// another gate has seen it made.
    Asked,
    /// This gate does not know it.
    Unknown,
}

impl Origin {
    fn of(app: &App, cluster: &Cluster) -> Self {
        let made = app.created.as_second();
        if made < cluster.since || app_sight::listed(app) {
            Self::Shared
        } else if app.source == AppSource::Ask {
            Self::Asked
        } else {
            Self::Fresh(made)
        }
    }
}

/// What containing a cluster, or letting it go, came to; and why it may be nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Containment {
    /// Whether it stood so before.
    pub already: bool,
    /// Whether the cluster was let go as a whole, so that nothing of it is contained.
    pub released: bool,
    /// Whether everything is only observed, so that no token is refused.
    pub observe: bool,
    /// Tokens of its fresh apps that the gate knows.
    pub tokens: usize,
    /// Tokens contained in all, of every cluster.
    pub all: usize,
    /// Apps made during it, and no listed clients: those that can be contained.
    pub fresh: usize,
    /// Apps that others depend on.
    pub shared: usize,
    /// Apps that this gate does not know.
    pub unknown: usize,
}

impl Judge {
    /// Whether any token is contained: asked of every request.
    #[must_use]
    pub fn contains_tokens(&self) -> bool {
        self.contained.held.load().is_some()
    }

    /// Whether this token is contained. While everything is only observed, none is.
    #[must_use]
    pub fn contained(&self, token: &str) -> bool {
        if self.policy.load().observe {
            return false;
        }
        let held = self.contained.held.load();
        held.as_ref().is_some_and(|held| {
            let hash = self.store.key().hash(Purpose::Token, &[token.as_bytes()]);
            held.tokens.contains(&hash)
        })
    }

    /// Contains the tokens of a cluster's fresh apps, or lets them go; `None` if there
    /// is no such cluster.
    ///
    /// # Errors
    /// If the store cannot answer or the decision is not on the disk.
    pub async fn contain(
        &self,
        id: ClusterId,
        contain: bool,
    ) -> Result<Option<Containment>, StoreError> {
        let before = self.registers.cluster(id);
        let Some(cluster) = self.registers.mark_contained(id, contain).await? else {
            return Ok(None);
        };
        let mut done = Containment {
            already: before.is_some_and(|before| before.contained == contain),
            released: cluster.ended.is_some(),
            observe: self.policy.load().observe,
            all: self.recontain().await?,
            ..Containment::default()
        };
        let mut fresh = Vec::new();
        for (id, at) in apps_of(&cluster) {
            match self.contained.origin(&self.store, &cluster, id, at).await {
                Origin::Fresh(_) => fresh.push(id.clone()),
                Origin::Shared | Origin::Asked => done.shared += 1,
                Origin::Unknown => done.unknown += 1,
            }
        }
        done.fresh = fresh.len();
        done.tokens = self.store.tokens_of(fresh).await?.len();
        Ok(Some(done))
    }

    /// Brings what is contained in line with the clusters; at a start, too.
    ///
    /// # Errors
    /// If the store cannot answer.
    pub async fn recontain(&self) -> Result<usize, StoreError> {
        let contained = &self.contained;
        contained.bring_in_line(&self.registers, &self.store).await
    }
}
