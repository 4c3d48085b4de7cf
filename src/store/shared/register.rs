//! What one node has learned of apps and tokens, for the others to look up.
//!
//! A bridge, not an archive: each node keeps what it learns on its own disk
//! for good, and here it is forgotten after [`APP`] or [`TOKEN`]. Tokens come
//! in as keyed hashes. At most as many keys as the limiter may hold; what
//! finds no room is learned by each node itself, by asking the upstream.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::super::register::NamedApp;
use super::super::transfer::Content;
use super::Core;
use super::keys::Keys;
use super::outbox::{Outbox, Post};
use super::script::{LEARN, SERVER_TIME};
use crate::app::ClientId;
use crate::secret::KeyedHash;
use crate::telemetry::metrics;
use crate::telemetry::shared::Lapse;

/// An app is looked up by other nodes within minutes of being made, if at all.
const APP: Duration = Duration::from_secs(7 * 86_400);
const TOKEN: Duration = Duration::from_secs(86_400);

/// A longer `client_id` is not shared: Doorkeeper's have 43 characters.
const LONG_ID: usize = 128;

/// One thing learned.
#[derive(Debug)]
pub(super) struct Lesson {
    name: String,
    keep: Duration,
    value: String,
}

impl Lesson {
    /// What a node's files know, unless it is no lesson.
    pub(super) fn of(content: &Content, keys: &Keys) -> Option<Self> {
        let lesson = |name, keep, value| Some(Self { name, keep, value });
        match content {
            Content::App(app) if short(&app.app.client_id) => {
                let value = serde_json::to_string(app).ok()?;
                lesson(keys.app(&app.app.client_id), APP, value)
            }
            Content::Credential(id, hash) if short(id) => {
                lesson(keys.credential(id), APP, hash.to_string())
            }
            Content::Token(token, id) if short(id) => {
                lesson(keys.token(*token), TOKEN, id.as_str().to_owned())
            }
            Content::App(_)
            | Content::Credential(..)
            | Content::Token(..)
            | Content::Ban(_)
            | Content::Budget(_)
            | Content::Cluster(_)
            | Content::SignUp(..)
            | Content::Domain(..)
            | Content::Account(..)
            | Content::Heard(..)
            | Content::Wave(_) => None,
        }
    }
}

pub(super) fn short(id: &ClientId) -> bool {
    id.as_str().len() <= LONG_ID
}

/// Where lessons are handed in and looked up.
#[derive(Debug)]
pub(in crate::store) struct Register {
    core: Arc<Core>,
    lessons: Outbox<Learning>,
}

impl Register {
    pub(super) fn start(core: Arc<Core>, control: &Handle) -> Self {
        let lessons = Outbox::start(Arc::clone(&core), control);
        Self { core, lessons }
    }

    pub(in crate::store) fn learn_app(&self, app: &NamedApp) {
        let id = &app.app.client_id;
        let Ok(value) = serde_json::to_string(app) else {
            return;
        };
        if short(id) {
            self.learn(self.core.keys.app(id), APP, value);
        }
    }

    pub(in crate::store) fn learn_token(&self, token: KeyedHash, id: &ClientId) {
        if short(id) {
            self.learn(self.core.keys.token(token), TOKEN, id.as_str().to_owned());
        }
    }

    pub(in crate::store) fn learn_credential(&self, id: &ClientId, credential: KeyedHash) {
        if short(id) {
            self.learn(self.core.keys.credential(id), APP, credential.to_string());
        }
    }

    fn learn(&self, name: String, keep: Duration, value: String) {
        self.lessons.put(Lesson { name, keep, value });
    }

    /// Waits until what was learned so far has been passed on, or is given up.
    pub(super) async fn flush(&self) -> u64 {
        self.lessons.flush().await
    }

    /// What another node has learned of an app: one round trip.
    pub(in crate::store) async fn app(&self, id: &ClientId) -> Option<NamedApp> {
        if !short(id) {
            return None;
        }
        let names = [self.core.keys.app(id), self.core.keys.credential(id)];
        let [app, credential] = self.look_up(&names).await?;
        let mut app: NamedApp = serde_json::from_str(&app?).ok()?;
        if let Some(credential) = credential.and_then(|text| text.parse().ok()) {
            app.app.credential = Some(credential);
        }
        (app.app.client_id == *id).then_some(app)
    }

    /// Whose a token is, as far as another node has learned: one round trip.
    pub(in crate::store) async fn token_app(&self, token: KeyedHash) -> Option<ClientId> {
        let [id] = self.look_up(&[self.core.keys.token(token)]).await?;
        id.map(|id| ClientId::new(&id))
    }

    async fn look_up<const N: usize>(&self, names: &[String; N]) -> Option<[Option<String>; N]> {
        let mut link = self.core.link()?;
        let mut get = redis::cmd("MGET");
        get.arg(names);
        let asked = get.query_async(&mut link);
        let Ok(answer) = tokio::time::timeout(self.core.settings.timeout, asked).await else {
            let health = &self.core.health;
            health.lapsed(Lapse::Late, "it does not answer in time");
            return None;
        };
        let values: Vec<Option<Vec<u8>>> = answer.ok()?;
        <[_; N]>::try_from(values)
            .ok()
            .map(|values| values.map(text))
    }
}

/// The first four bytes are the minute in which it ends, for the cap.
fn text(value: Option<Vec<u8>>) -> Option<String> {
    String::from_utf8(value?.get(4..)?.to_vec()).ok()
}

#[derive(Debug)]
struct Learning;

impl Post for Learning {
    type Item = Lesson;
    const NAME: &'static str = "learning";
    const ROOM: usize = 8192;
    const MOST: usize = 64;
    const GATHER: Duration = Duration::from_millis(10);

    async fn send(core: &Core, batch: &mut Vec<Lesson>) {
        let unlearned = match core.link() {
            Some(link) => {
                let answer = LEARN.run(link, |cmd| fill(cmd, core, batch)).await;
                let refused = answer.and_then(|value| Ok(redis::from_redis_value(value)?));
                refused.unwrap_or(batch.len() as u64)
            }
            // Not kept for later: the others will have asked the upstream by then.
            None => batch.len() as u64,
        };
        Self::lost(unlearned);
        batch.clear();
    }

    fn lost(count: u64) {
        metrics().shared.unlearned.inc_by(count);
    }
}

pub(super) fn fill(cmd: &mut redis::Cmd, core: &Core, batch: &[Lesson]) {
    cmd.arg(batch.len() + 2).arg(&core.keys.register());
    for lesson in batch {
        cmd.arg(&lesson.name);
    }
    cmd.arg(SERVER_TIME).arg(core.settings.keys);
    for lesson in batch {
        let keep = u64::try_from(lesson.keep.as_millis()).unwrap_or(u64::MAX);
        cmd.arg(keep).arg(&lesson.value);
    }
}
