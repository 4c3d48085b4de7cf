//! Tokens that are of no use any more: those of apps made in a condemned burst.
//!
//! In 2018 this is what ended the attack. While nothing is contained, a
//! request costs one look at one pointer. A token is looked for in the
//! `Authorization` header and in the query, on every endpoint; one that is sent
//! in the body of a request that is no door of ours is not seen, because such
//! bodies are streamed.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};

use crate::app::ClientId;
use crate::cluster::{Cluster, ClusterId};
use crate::judge::cluster::live::Registers;
use crate::judge::{Judge, app_sight};
use crate::secret::{KeyedHash, Purpose};
use crate::store::{Store, StoreError};
use crate::told::Told;

/// What is contained; nothing at all, mostly.
#[derive(Debug, Default)]
pub(super) struct Contained {
    held: ArcSwapOption<Held>,
    /// One brings it in line at a time: an older look must not win.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug, Default)]
struct Held {
    apps: HashSet<ClientId>,
    tokens: HashSet<KeyedHash>,
}

/// Tokens told in one piece.
const TOLD: usize = 64;

impl Contained {
    /// Tokens of an app have just been learned; whether they are contained.
    pub(super) fn learn(&self, app: &ClientId, tokens: &[KeyedHash]) -> bool {
        let held = self.held.load();
        if !held.as_ref().is_some_and(|held| held.apps.contains(app)) {
            return false;
        }
        self.held.rcu(|held| {
            let held = held.as_ref()?;
            let known = |token| held.tokens.contains(token);
            if !held.apps.contains(app) || tokens.iter().all(known) {
                return Some(Arc::clone(held));
            }
            let mut more = held.as_ref().clone();
            more.tokens.extend(tokens);
            Some(Arc::new(more))
        });
        true
    }

    /// Brings what is contained in line with the clusters; how many tokens that is.
    pub(super) async fn bring_in_line(
        &self,
        registers: &Registers,
        store: &Store,
    ) -> Result<usize, StoreError> {
        let _turn = self.turn.lock().await;
        let mut held = Held::default();
        for cluster in registers.clusters() {
            if cluster.contains() {
                fresh_apps(store, &cluster, &mut held.apps).await;
            }
        }
        // The apps first, so that a token made while the table is read is learned.
        let before = self.held.load_full().map(|held| held.tokens.clone());
        let before = before.unwrap_or_default();
        self.held.store(Some(Arc::new(Held {
            apps: held.apps.clone(),
            tokens: before.clone(),
        })));
        let apps = held.apps.iter().cloned().collect();
        let tokens = store.tokens_of(apps).await?;
        held.tokens = tokens.iter().map(|(_, token)| *token).collect();
        let count = held.tokens.len();
        self.held.rcu(|now| {
            let mut all = held.clone();
            let now = now.iter().flat_map(|now| &now.tokens);
            all.tokens
                .extend(now.filter(|token| !before.contains(*token)));
            (!all.apps.is_empty()).then(|| Arc::new(all))
        });
        if store.shares() {
            tell(store, tokens);
        }
        Ok(count)
    }
}

/// Another gate contains only tokens that it knows.
fn tell(store: &Store, tokens: Vec<(ClientId, KeyedHash)>) {
    let mut by_app: HashMap<ClientId, Vec<KeyedHash>> = HashMap::new();
    for (app, token) in tokens {
        by_app.entry(app).or_default().push(token);
    }
    for (app, tokens) in by_app {
        for part in tokens.chunks(TOLD) {
            store.tell(Told::Tokens(app.clone(), part.to_vec()));
        }
    }
}

/// The apps of a cluster that nobody else depends on: made during it, and no listed client.
async fn fresh_apps(store: &Store, cluster: &Cluster, into: &mut HashSet<ClientId>) {
    for id in apps_of(cluster) {
        if let Origin::Fresh = origin(store, cluster, id).await {
            into.insert(id.clone());
        }
    }
}

fn apps_of(cluster: &Cluster) -> HashSet<&ClientId> {
    let suspects = cluster.suspects.iter();
    suspects.filter_map(|one| one.client_id.as_ref()).collect()
}

/// What an app is to a cluster that came through it.
enum Origin {
    /// Made during it, and nobody else's.
    Fresh,
    /// Older, or a listed client: others depend on it.
    Shared,
    /// This gate does not know it.
    Unknown,
}

async fn origin(store: &Store, cluster: &Cluster, id: &ClientId) -> Origin {
    match store.app(id).await {
        Some(app) if app.created.as_second() >= cluster.since && !app_sight::listed(&app) => {
            Origin::Fresh
        }
        Some(_) => Origin::Shared,
        None => Origin::Unknown,
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
        for id in apps_of(&cluster) {
            match origin(&self.store, &cluster, id).await {
                Origin::Fresh => fresh.push(id.clone()),
                Origin::Shared => done.shared += 1,
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

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use jiff::Timestamp;

    use super::*;
    use crate::app::{App, AppName, AppSource};
    use crate::cluster::{ClusterKind, Kept, Sites, Suspect};
    use crate::store::StoreSettings;

    const A1: ClusterId = ClusterId {
        kind: ClusterKind::App,
        number: 1,
    };

    /// A condemned burst of one app, whose tokens are contained.
    fn burst() -> (tempfile::TempDir, Store, Registers) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(&StoreSettings::new(folder.path())).expect("a store");
        let app = App {
            client_id: app(),
            name: AppName::new("AaA"),
            redirect_uris: vec!["urn:ietf:wg:oauth:2.0:oob".to_owned()],
            website: None,
            creator: None,
            created: Timestamp::from_second(100).expect("a moment"),
            source: AppSource::Learn,
            credential: None,
        };
        store.learn_app(app, "aaa".to_owned());
        let kept = Kept {
            clusters: vec![condemned()],
            ..Kept::default()
        };
        let registers = Registers::restore(&store, kept);
        (folder, store, registers)
    }

    fn app() -> ClientId {
        ClientId::new("aaa1")
    }

    fn condemned() -> Cluster {
        let suspect = Suspect {
            at: 100,
            domain: None,
            client: None,
            client_id: Some(app()),
            username: None,
            account: None,
        };
        Cluster {
            id: A1,
            keys: Vec::new(),
            name: Some("aaa".to_owned()),
            since: 50,
            opened: 200,
            until: 3800,
            times: 1,
            evidence: String::new(),
            ended: None,
            suspects: vec![suspect],
            refused: 0,
            contained: true,
            confirmed: 0,
            around: Vec::new(),
            same_as: None,
            revision: 1,
            sites: Sites::default(),
        }
    }

    fn token(store: &Store, text: &str) -> KeyedHash {
        store.key().hash(Purpose::Token, &[text.as_bytes()])
    }

    fn held(contained: &Contained) -> HashSet<KeyedHash> {
        let held = contained.held.load_full();
        held.map(|held| held.tokens.clone()).unwrap_or_default()
    }

    /// One step of work that is under way.
    fn step<T>(work: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        work.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// A token that is given while the table is read is in no table yet.
    #[tokio::test]
    async fn a_token_given_while_the_table_is_read_is_contained_too() {
        let (_folder, store, registers) = burst();
        let (old, new) = (token(&store, "old"), token(&store, "new"));
        assert!(store.learn_token(old, &app()).await);
        let contained = Contained::default();
        let mut work = pin!(contained.bring_in_line(&registers, &store));
        // As soon as it reads the table it knows the apps.
        let mut done = step(work.as_mut());
        while !contained.learn(&app(), &[new]) {
            assert!(done.is_pending(), "it knows of no app");
            tokio::task::yield_now().await;
            done = step(work.as_mut());
        }
        if done.is_pending() {
            work.await.expect("read");
        }
        assert_eq!(held(&contained), HashSet::from([old, new]));
        // It is in the table by the next time.
        assert!(store.learn_token(new, &app()).await);
        let count = contained.bring_in_line(&registers, &store).await;
        assert_eq!(count.expect("read"), 2);
    }

    /// Tokens are let go when another look at the same moment still saw them contained.
    #[tokio::test]
    async fn an_older_look_does_not_win() {
        let (_folder, store, registers) = burst();
        assert!(store.learn_token(token(&store, "old"), &app()).await);
        let contained = Contained::default();
        let mut older = Box::pin(contained.bring_in_line(&registers, &store));
        // Mostly at once: it waits for the table, and what it saw is held by then.
        while step(older.as_mut()).is_ready() {
            older = Box::pin(contained.bring_in_line(&registers, &store));
        }
        assert!(contained.held.load().is_some());
        let marked = registers.mark_contained(A1, false).await;
        assert!(marked.expect("written").is_some());
        let mut newer = pin!(contained.bring_in_line(&registers, &store));
        assert!(step(newer.as_mut()).is_pending());
        // All that it might have asked of the store is answered by now.
        store.tokens_of(Vec::new()).await.expect("read");
        assert!(
            step(newer.as_mut()).is_pending(),
            "it overtook the older one"
        );
        let (one, other) = tokio::join!(older, newer);
        assert_eq!((one.expect("read"), other.expect("read")), (1, 0));
        assert!(contained.held.load().is_none());
    }

    #[tokio::test]
    async fn nothing_contained_is_nothing_looked_for() {
        let (_folder, store, registers) = burst();
        let contained = Contained::default();
        assert!(!contained.learn(&app(), &[token(&store, "early")]));
        registers
            .mark_contained(A1, false)
            .await
            .expect("written")
            .expect("there");
        let count = contained.bring_in_line(&registers, &store).await;
        assert_eq!(count.expect("read"), 0);
        assert!(contained.held.load().is_none());
    }
}
