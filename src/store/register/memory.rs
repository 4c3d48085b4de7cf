//! What the register answers at once: least recently used goes first, bounded
//! by weight for apps (their names and URIs are attacker-chosen) and by count
//! for tokens and credentials.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;

use crate::app::{App, AppSource, ClientId};
use crate::secret::KeyedHash;

/// Bytes of all apps in memory.
const APPS_WEIGHT: usize = 16 << 20;
const TOKENS: NonZeroUsize = NonZeroUsize::new(1 << 17).expect("not zero");
const CREDENTIALS: NonZeroUsize = NonZeroUsize::new(1 << 15).expect("not zero");
/// A longer `client_id` is answered from the file: Doorkeeper's have 43 characters.
const LONG_ID: usize = 128;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Memory {
    apps: LruCache<ClientId, Arc<App>>,
    weight: usize,
    tokens: LruCache<KeyedHash, ClientId>,
    credentials: LruCache<ClientId, KeyedHash>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            apps: LruCache::unbounded(),
            weight: 0,
            tokens: LruCache::new(TOKENS),
            credentials: LruCache::new(CREDENTIALS),
        }
    }
}

impl Memory {
    pub(super) fn app(&mut self, id: &ClientId) -> Option<Arc<App>> {
        self.apps.get(id).map(Arc::clone)
    }

    pub(super) fn put_app(&mut self, app: Arc<App>) {
        self.weight += weight(&app);
        let old = self.apps.put(app.client_id.clone(), app);
        self.weight -= old.map_or(0, |old| weight(&old));
        while self.weight > APPS_WEIGHT {
            let Some((_, old)) = self.apps.pop_lru() else {
                break;
            };
            self.weight -= weight(&old);
        }
    }

    /// A fresh app is known whole; of any other the file may know more.
    pub(super) fn learn_app(&mut self, app: &App) {
        if let Some(credential) = app.credential {
            self.learn_credential(&app.client_id, credential);
        }
        if app.source == AppSource::Learn {
            self.put_app(Arc::new(app.clone()));
        } else if let Some(old) = self.apps.pop(&app.client_id) {
            self.weight -= weight(&old);
        }
    }

    pub(super) fn forget_apps(&mut self) {
        self.apps.clear();
        self.weight = 0;
    }

    pub(super) fn credential(&mut self, id: &ClientId) -> Option<KeyedHash> {
        self.credentials.get(id).copied()
    }

    /// Whether that is news.
    pub(super) fn learn_credential(&mut self, id: &ClientId, credential: KeyedHash) -> bool {
        if let Some(app) = self.apps.peek_mut(id)
            && app.credential != Some(credential)
        {
            Arc::make_mut(app).credential = Some(credential);
        }
        id.as_str().len() > LONG_ID
            || self.credentials.put(id.clone(), credential) != Some(credential)
    }

    pub(super) fn token_app(&mut self, token: KeyedHash) -> Option<ClientId> {
        self.tokens.get(&token).cloned()
    }

    /// The app that a token belongs to, if both are in memory.
    pub(super) fn app_of_token(&mut self, token: KeyedHash) -> Option<Arc<App>> {
        let id = self.tokens.get(&token)?;
        self.apps.get(id).map(Arc::clone)
    }

    /// Whether it was not in memory.
    pub(super) fn learn_token(&mut self, token: KeyedHash, id: &ClientId) -> bool {
        id.as_str().len() > LONG_ID || self.tokens.put(token, id.clone()).is_none()
    }
}

fn weight(app: &App) -> usize {
    let uris: usize = app.redirect_uris.iter().map(|uri| uri.len() + 24).sum();
    let website = app.website.as_ref().map_or(0, String::len);
    app.client_id.as_str().len() + app.name.as_str().len() + uris + website + 320
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::app::AppName;

    fn app(number: usize, name: &str) -> App {
        App {
            client_id: ClientId::new(&format!("id-{number}")),
            name: AppName::new(name),
            redirect_uris: vec!["urn:ietf:wg:oauth:2.0:oob".to_owned()],
            website: None,
            creator: None,
            created: Timestamp::UNIX_EPOCH,
            source: AppSource::Learn,
            credential: None,
        }
    }

    #[test]
    fn apps_with_huge_names_cannot_fill_memory() {
        let mut memory = Memory::default();
        let name = "A".repeat(64 << 10);
        for number in 0..2000 {
            memory.learn_app(&app(number, &name));
        }
        assert!(memory.weight <= APPS_WEIGHT);
        assert!(memory.app(&ClientId::new("id-1999")).is_some());
        assert!(memory.app(&ClientId::new("id-0")).is_none());
        for number in 0..2000 {
            memory.learn_app(&app(number, "short"));
        }
        assert_eq!(memory.apps.len(), 2000);
        let truth: usize = memory.apps.iter().map(|(_, app)| weight(app)).sum();
        assert_eq!(memory.weight, truth);
    }

    #[test]
    fn a_learned_credential_shows_in_the_app() {
        let mut memory = Memory::default();
        memory.learn_app(&app(1, "one"));
        let (id, hash) = (ClientId::new("id-1"), KeyedHash([7; 16]));
        assert!(memory.learn_credential(&id, hash));
        assert!(!memory.learn_credential(&id, hash));
        assert_eq!(memory.app(&id).expect("there").credential, Some(hash));
    }
}
