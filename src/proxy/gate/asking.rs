//! What only the upstream can tell: whose a bearer token is, what an app is
//! called, whether an address is the account's current one, whether an invite
//! can be used.
//!
//! Each look-up has a deadline; all of them together are limited process-wide
//! (governor), and those that a stranger can cause are limited per client
//! network (`look-up-per-network`). What could not be resolved shares one
//! bucket in `rate`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use jiff::Timestamp;
use lru::LruCache;
use parking_lot::Mutex;

use crate::app::{App, AppSource, ClientId};
use crate::attempt::{Attempt, ClientIp};
use crate::judge::app_sight::{Answer, AppSight, Asking};
use crate::judge::rules::rate;
use crate::lists::apps;
use crate::mastodon::ask::{self, Behalf, Current, Invite, TokenApp};
use crate::proxy::Body;
use crate::proxy::gate::{Inner, Shared};
use crate::secret::{KeyedHash, Purpose, Secret};
use crate::telemetry::metrics;

/// How long the gate waits for one look-up at the upstream.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long the gate waits for its own register; without an answer the app is unknown.
const REGISTER_DEADLINE: Duration = Duration::from_millis(250);

/// The longest reply read to such a look-up.
const LONGEST: usize = ask::BOUND;

/// Look-ups a second in all, with a burst of as many.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");

/// Bearers that the upstream did not know, remembered so that they are not asked again at once.
const UNKNOWN: std::num::NonZeroUsize = std::num::NonZeroUsize::new(8192).expect("not zero");

/// Invites of which the upstream has told whether they can be used, and for how
/// many seconds that is believed: one that is used up then counts as good so long,
/// which `sign-up-per-invite` bounds, and the upstream still refuses it.
const INVITES: std::num::NonZeroUsize = std::num::NonZeroUsize::new(4096).expect("not zero");
const INVITE_LASTS: i64 = 60;

/// What all look-ups of a process share.
#[derive(Debug)]
pub(crate) struct Asks {
    limit: DefaultDirectRateLimiter,
    unknown: Mutex<LruCache<KeyedHash, Timestamp>>,
    invites: Mutex<LruCache<KeyedHash, (bool, Timestamp)>>,
}

impl Default for Asks {
    fn default() -> Self {
        Self {
            limit: RateLimiter::direct(Quota::per_second(PER_SECOND)),
            unknown: Mutex::new(LruCache::new(UNKNOWN)),
            invites: Mutex::new(LruCache::new(INVITES)),
        }
    }
}

/// The upstream behind one request.
#[derive(Debug)]
pub struct Upstream<'a, S> {
    inner: S,
    shared: &'a Shared,
    headers: &'a HeaderMap,
}

impl<'a, S: Inner> Upstream<'a, S> {
    /// `headers` are those of the request as it goes upstream.
    pub(super) fn new(inner: S, shared: &'a Shared, headers: &'a HeaderMap) -> Self {
        Self {
            inner,
            shared,
            headers,
        }
    }

    /// On whose behalf is asked; few requests need it.
    fn behalf(&self) -> Option<Behalf> {
        Behalf::of(self.headers)
    }

    /// Sends `request` upstream; status and body, or nothing in time.
    async fn fetch(&self, what: &'static str, request: Request<()>) -> Option<(StatusCode, Bytes)> {
        let mut inner = self.inner.clone();
        let (head, ()) = request.into_parts();
        let exchange = async move {
            let Ok(response) = inner.call(Request::from_parts(head, Body::empty())).await;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, LONGEST).collect().await.ok()?;
            Some((parts.status, body.to_bytes()))
        };
        let answer = tokio::time::timeout(DEADLINE, exchange).await;
        let word = match &answer {
            Ok(Some((status, _))) if status.is_success() => "success",
            Ok(Some(_)) => "refused",
            Ok(None) => "broken",
            Err(_) => "late",
        };
        metrics().judge.asked(what, word);
        answer.ok().flatten()
    }

    /// Whether the signed-in account has `address` already; `None` if nobody says.
    pub(super) async fn has_address(
        &self,
        address: &Secret,
        client: ClientIp,
        at: Timestamp,
    ) -> Option<bool> {
        if !self.may_ask(client, at) {
            return None;
        }
        let request = ask::edit_page(&self.behalf()?, self.headers)?;
        let (status, body) = self.fetch("edit-page", request).await?;
        match ask::read_edit_page(status, &body, address) {
            Current::Unchanged => Some(true),
            Current::Changed => Some(false),
            Current::Unknown => None,
        }
    }

    /// Whether an invite can be used; `None` if nobody says.
    async fn can_use(&self, attempt: &Attempt, code: &Secret) -> Option<bool> {
        let key = self.shared.judge.store().key();
        let hash = key.hash(Purpose::Invite, &[code.expose().as_bytes()]);
        let known = self.shared.asks.invites.lock().get(&hash).copied();
        if let Some((usable, at)) = known
            && attempt.at.duration_since(at).as_secs().abs() < INVITE_LASTS
        {
            return Some(usable);
        }
        let request = ask::invite(&self.behalf()?, code)?;
        if !self.may_ask(attempt.client, attempt.at) {
            return None;
        }
        let (status, body) = self.fetch("invite", request).await?;
        let usable = match ask::read_invite(status, &body, code) {
            Invite::Usable => true,
            Invite::Worthless => false,
            Invite::Unclear => return None,
        };
        let mut invites = self.shared.asks.invites.lock();
        invites.put(hash, (usable, attempt.at));
        Some(usable)
    }

    /// Whether one more look-up may go upstream on behalf of `client`.
    fn may_ask(&self, client: ClientIp, at: Timestamp) -> bool {
        let policy = self.shared.judge.policy();
        let store = self.shared.judge.store();
        let charges = rate::look_up(client, &policy.limits, store.key());
        let now = at.as_microsecond().unsigned_abs();
        // The process's own limit first: what it refuses must not be charged to anybody.
        let allowed = self.shared.asks.limit.check().is_ok()
            && match store.limiter().reserve(&charges, now) {
                Ok(reservation) => {
                    store.limiter().keep(reservation);
                    true
                }
                Err(_) => false,
            };
        if !allowed {
            metrics().judge.asked("any", "limited");
        }
        allowed
    }

    /// The app behind the attempt, if memory alone can tell.
    fn at_hand(&self, attempt: &Attempt) -> Option<Arc<App>> {
        let store = self.shared.judge.store();
        match (&attempt.credential, &attempt.bearer) {
            (Some(credential), _) => store.app_at_hand(&credential.client_id),
            (None, Some(bearer)) => store.app_of_token_at_hand(self.hash(bearer)),
            (None, None) => None,
        }
    }

    /// What a token is known by. One token of an app may come with every sign-up through it.
    fn hash(&self, bearer: &Secret) -> KeyedHash {
        let key = self.shared.judge.store().key();
        key.hash_often(Purpose::Token, &[bearer.expose().as_bytes()])
    }

    async fn app_of_bearer(&self, attempt: &Attempt, bearer: &Secret) -> AppSight {
        let store = self.shared.judge.store();
        let hash = self.hash(bearer);
        match in_time(store.token_app(hash)).await {
            Ok(Some(id)) => return self.app_of_id(attempt, id, Some(bearer)).await,
            Ok(None) => {}
            Err(Late) => return AppSight::Late(None),
        }
        if self.known_unknown(hash, attempt.at) || !self.may_ask(attempt.client, attempt.at) {
            return AppSight::Unresolved;
        }
        let request = self
            .behalf()
            .and_then(|behalf| ask::token_info(&behalf, bearer));
        let Some(request) = request else {
            return AppSight::Unresolved;
        };
        let answer = self.fetch("token-info", request).await;
        match answer.map(|(status, body)| ask::read_token_info(status, &body)) {
            Some(TokenApp::App(id)) => {
                // Late is no harm: it is queued, and is asked for again otherwise.
                let _ = in_time(async { Some(store.learn_token(hash, &id).await) }).await;
                self.app_of_id(attempt, id, Some(bearer)).await
            }
            Some(TokenApp::Nobody) => {
                self.shared.asks.unknown.lock().put(hash, attempt.at);
                AppSight::Unresolved
            }
            Some(TokenApp::Unclear) | None => AppSight::Unresolved,
        }
    }

    fn known_unknown(&self, hash: KeyedHash, now: Timestamp) -> bool {
        let mut unknown = self.shared.asks.unknown.lock();
        let at = unknown.get(&hash).copied();
        at.is_some_and(|at| now.duration_since(at).as_secs() < 60)
    }

    async fn app_of_id(
        &self,
        attempt: &Attempt,
        id: ClientId,
        bearer: Option<&Secret>,
    ) -> AppSight {
        let store = self.shared.judge.store();
        let mut known = in_time(store.app(&id)).await;
        if let (Ok(None), Some(bearer)) = (&known, bearer) {
            self.learn_name(&id, bearer, attempt.client, attempt.at)
                .await;
            known = in_time(store.app(&id)).await;
        }
        match known {
            Ok(Some(app)) => AppSight::Known(app),
            Ok(None) => AppSight::Id(id),
            Err(Late) => AppSight::Late(Some(id)),
        }
    }

    /// Asks what the app behind `token` is called, and keeps it.
    pub(super) async fn learn_name(
        &self,
        id: &ClientId,
        token: &Secret,
        client: ClientIp,
        at: Timestamp,
    ) {
        if !self.may_ask(client, at) {
            return;
        }
        let request = self.behalf().and_then(|behalf| ask::app(&behalf, token));
        let Some(request) = request else {
            return;
        };
        let answer = self.fetch("verify-credentials", request).await;
        let named = answer.and_then(|(status, body)| ask::read_app(status, &body));
        if let Some(named) = named {
            let folded = apps::fold(&named.name);
            let app = App {
                client_id: id.clone(),
                name: named.name,
                redirect_uris: named.redirect_uris,
                website: named.website,
                creator: None,
                created: at,
                source: AppSource::Ask,
                credential: None,
            };
            self.shared.judge.store().learn_app(app, folded);
        }
    }
}

/// The register did not answer in time.
struct Late;

async fn in_time<T>(register: impl Future<Output = Option<T>>) -> Result<Option<T>, Late> {
    let answer = tokio::time::timeout(REGISTER_DEADLINE, register).await;
    answer.map_err(|_| {
        metrics().judge.asked("register", "late");
        Late
    })
}

impl<S: Inner> Asking for Upstream<'_, S> {
    fn app<'a>(&'a self, attempt: &'a Attempt) -> Answer<'a, AppSight> {
        // Nearly always it is in memory: then no future with room for all the rest is made.
        if let Some(app) = self.at_hand(attempt) {
            return Box::pin(std::future::ready(AppSight::Known(app)));
        }
        Box::pin(async move {
            match (&attempt.credential, &attempt.bearer) {
                (Some(credential), _) => {
                    self.app_of_id(attempt, credential.client_id.clone(), None)
                        .await
                }
                (None, Some(bearer)) => Box::pin(self.app_of_bearer(attempt, bearer)).await,
                (None, None) => AppSight::None,
            }
        })
    }

    fn unchanged<'a>(&'a self, attempt: &'a Attempt) -> Answer<'a, Option<bool>> {
        Box::pin(async move {
            let address = &attempt.email.as_ref()?.exact;
            self.has_address(address, attempt.client, attempt.at).await
        })
    }

    fn invited<'a>(&'a self, attempt: &'a Attempt) -> Answer<'a, Option<bool>> {
        Box::pin(async move {
            let code = attempt.invite.as_ref()?;
            self.can_use(attempt, code).await
        })
    }
}
