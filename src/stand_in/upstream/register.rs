//! The stand-in's tables: apps, tokens, accounts.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;

/// An app as it was asked for.
#[derive(Clone, Debug)]
pub(super) struct App {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) redirect_uris: Vec<String>,
    pub(super) website: Option<String>,
    pub(super) scopes: String,
}

/// A token and what it is for.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) user: Option<String>,
    pub(super) created_at: i64,
}

/// Everything that came to be.
#[derive(Debug, Default)]
pub(super) struct Register(Mutex<Tables>);

#[derive(Debug, Default)]
struct Tables {
    made: u64,
    apps: HashMap<String, App>,
    tokens: HashMap<String, Token>,
    issued: HashMap<(String, String, Option<String>), String>,
    emails: HashSet<String>,
    usernames: HashSet<String>,
    sessions: HashMap<u64, String>,
}

/// What is taken already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Email,
    Username,
}

impl Tables {
    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }
}

impl Register {
    pub(super) fn add_app(
        &self,
        name: &str,
        redirect_uris: Vec<String>,
        website: Option<&str>,
        scopes: &str,
    ) -> App {
        let mut tables = self.0.lock();
        let id = tables.number();
        let app = App {
            id,
            name: name.to_owned(),
            client_id: format!("stand-in-client-{id}-{:016x}", mix(id)),
            client_secret: format!("stand-in-secret-{id}-{:016x}", mix(id ^ u64::MAX)),
            redirect_uris,
            website: website.map(str::to_owned),
            scopes: scopes.to_owned(),
        };
        tables.apps.insert(app.client_id.clone(), app.clone());
        app
    }

    pub(super) fn app(&self, client_id: &str) -> Option<App> {
        self.0.lock().apps.get(client_id).cloned()
    }

    /// The token of an app, scope and user: a new one only the first time, as
    /// Doorkeeper with `reuse_access_token`.
    pub(super) fn token(&self, client_id: &str, scope: &str, user: Option<&str>) -> Token {
        let mut tables = self.0.lock();
        let key = (
            client_id.to_owned(),
            scope.to_owned(),
            user.map(str::to_owned),
        );
        if let Some(token) = tables.issued.get(&key).and_then(|t| tables.tokens.get(t)) {
            return token.clone();
        }
        let id = tables.number();
        let token = Token {
            text: format!("stand-in-token-{id}-{:016x}", mix(id)),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            user: user.map(str::to_owned),
            created_at: jiff::Timestamp::now().as_second(),
        };
        tables.issued.insert(key, token.text.clone());
        tables.tokens.insert(token.text.clone(), token.clone());
        token
    }

    pub(super) fn find_token(&self, text: &str) -> Option<Token> {
        self.0.lock().tokens.get(text).cloned()
    }

    /// Makes an account; its number stands for its session.
    pub(super) fn add_account(&self, email: &str, username: &str) -> Result<u64, Taken> {
        let mut tables = self.0.lock();
        let (email, username) = (email.to_lowercase(), username.to_lowercase());
        if tables.emails.contains(&email) {
            return Err(Taken::Email);
        }
        if tables.usernames.contains(&username) {
            return Err(Taken::Username);
        }
        tables.emails.insert(email.clone());
        tables.usernames.insert(username);
        let session = tables.number();
        tables.sessions.insert(session, email);
        Ok(session)
    }

    /// The address of a session's account.
    pub(super) fn email(&self, session: u64) -> Option<String> {
        self.0.lock().sessions.get(&session).cloned()
    }

    pub(super) fn change_email(&self, session: u64, email: &str) {
        let mut tables = self.0.lock();
        tables.emails.insert(email.to_lowercase());
        tables.sessions.insert(session, email.to_lowercase());
    }

    pub(super) fn accounts(&self) -> usize {
        self.0.lock().usernames.len()
    }

    pub(super) fn apps(&self) -> usize {
        self.0.lock().apps.len()
    }

    pub(super) fn tokens(&self) -> usize {
        self.0.lock().tokens.len()
    }
}

/// Makes numbers look like the random text they stand for.
const fn mix(number: u64) -> u64 {
    let n = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (n ^ (n >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
