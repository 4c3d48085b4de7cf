//! What is known of apps and tokens: in memory, on this disk, by another node.
//!
//! Asked in that order, each only if the one before does not know. What another
//! node knew is learned, so that it is asked once; what is learned here is passed
//! on. Whom Mastodon itself knows is the gate's to ask.

use std::sync::Arc;

use super::{AppOrder, CountedApp, NamedApp, RegisterSize, Store, StoreError};
use crate::app::{App, ClientId};
use crate::secret::KeyedHash;

impl Store {
    /// What is known of an app: in memory, on this disk, by another node (one
    /// round trip). `None` also if the register cannot answer.
    pub async fn app(&self, id: &ClientId) -> Option<Arc<App>> {
        if let Some(app) = self.0.register.app(id).await {
            return Some(app);
        }
        let found = self.0.shared.get()?.register().app(id).await?;
        let app = Arc::new(found.app.clone());
        self.0.register.learn_app(found);
        Some(app)
    }

    /// The same of what this node knows by itself: no other one is asked.
    pub async fn app_here(&self, id: &ClientId) -> Option<Arc<App>> {
        self.0.register.app(id).await
    }

    /// The same if it is in memory, without waiting for anything.
    #[must_use]
    pub fn app_at_hand(&self, id: &ClientId) -> Option<Arc<App>> {
        self.0.register.app_at_hand(id)
    }

    /// The app that a token belongs to if both are in memory, without waiting for anything.
    #[must_use]
    pub fn app_of_token_at_hand(&self, token: KeyedHash) -> Option<Arc<App>> {
        self.0.register.app_of_token_at_hand(token)
    }

    /// Learns of an app. `folded` is its name as `lists` folds it. What was known
    /// before stays where the new word has a gap (creator, credential).
    pub fn learn_app(&self, app: App, folded: String) {
        let app = NamedApp { app, folded };
        if let Some(shared) = self.0.shared.get() {
            shared.register().learn_app(&app);
        }
        self.0.register.learn_app(app);
    }

    /// Learns many apps in one transaction; returns when they are on the disk, and
    /// how many of them were new.
    ///
    /// # Errors
    /// If they cannot be written: then none was.
    pub async fn import_apps(&self, apps: Vec<NamedApp>) -> Result<usize, StoreError> {
        self.0.register.import(apps).await
    }

    /// Up to `most` apps whose folded name is `folded`, newest first.
    ///
    /// # Errors
    /// If the register cannot answer.
    pub async fn apps_named(&self, folded: &str, most: usize) -> Result<Vec<App>, StoreError> {
        self.0.register.named(folded.to_owned(), most).await
    }

    /// Learns that this credential is right for the app.
    pub fn learn_credential(&self, id: &ClientId, credential: KeyedHash) {
        self.0.register.learn_credential(id, credential);
        if let Some(shared) = self.0.shared.get() {
            shared.register().learn_credential(id, credential);
        }
    }

    /// Whether this credential is known to be right for the app.
    pub async fn is_proven(&self, id: &ClientId, credential: KeyedHash) -> bool {
        self.0.register.credential(id).await == Some(credential)
    }

    /// Learns which app a token belongs to. Whether the token is new to us:
    /// `POST /oauth/token` hands out the same one again.
    pub async fn learn_token(&self, token: KeyedHash, id: &ClientId) -> bool {
        if let Some(shared) = self.0.shared.get() {
            shared.register().learn_token(token, id);
        }
        self.0.register.learn_token(token, id).await
    }

    /// Learns of a token from another node, which has passed it on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn hear_token(&self, token: KeyedHash, id: ClientId) -> Result<(), StoreError> {
        self.0.register.take_token(token, id).await
    }

    /// The app that a token belongs to: in memory, on this disk, by another
    /// node (one round trip).
    pub async fn token_app(&self, token: KeyedHash) -> Option<ClientId> {
        if let Some(id) = self.0.register.token_app(token).await {
            return Some(id);
        }
        let id = self.0.shared.get()?.register().token_app(token).await?;
        self.0.register.learn_token(token, &id).await;
        Some(id)
    }

    /// Every token learned of these apps. Reads the whole table: for a command, not a request.
    ///
    /// # Errors
    /// If the register cannot answer.
    pub async fn tokens_of(
        &self,
        apps: Vec<ClientId>,
    ) -> Result<Vec<(ClientId, KeyedHash)>, StoreError> {
        self.0.register.tokens_of(apps).await
    }

    /// How many distinct tokens of an app were learned.
    pub async fn token_count(&self, id: &ClientId) -> u64 {
        self.0.register.token_count(id).await
    }

    /// At most `most` apps in `order`, those whose folded name holds `folded` if
    /// that is given. Reads the whole table: for a command, not a request.
    ///
    /// # Errors
    /// If the register cannot be read.
    pub async fn list_apps(
        &self,
        folded: Option<String>,
        order: AppOrder,
        most: usize,
    ) -> Result<Vec<CountedApp>, StoreError> {
        self.0.register.list(folded, order, most).await
    }

    /// How many apps have exactly this folded name.
    ///
    /// # Errors
    /// If the register cannot be read.
    pub async fn apps_called(&self, folded: &str) -> Result<u64, StoreError> {
        self.0.register.namesakes(folded.to_owned()).await
    }

    /// How much the register holds. It has no retention: an app or token is
    /// known as long as the upstream might honour it.
    ///
    /// # Errors
    /// If the register cannot answer.
    pub async fn register_size(&self) -> Result<RegisterSize, StoreError> {
        self.0.register.size().await
    }
}
