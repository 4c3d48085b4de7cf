//! The doors that say in JSON what they made: `POST /api/v1/apps`,
//! `POST /oauth/token`, `POST /api/v1/accounts`.
//!
//! Mastodon writes each key once. A reply that says one of ours twice is taken
//! for none: two readers might then disagree about which app or token it means.

use serde::Deserialize;

use crate::app::{AppName, ClientId};
use crate::event::Outcome;
use crate::mastodon::reply::{Body, CreatedApp, Lesson};
use crate::secret::Secret;

/// No token, id or secret of Doorkeeper's is near as long (43 characters).
const LONGEST_KEY: usize = 512;

#[derive(Deserialize)]
struct TokenReply {
    access_token: String,
}

#[derive(Deserialize)]
struct AppReply {
    client_id: String,
    client_secret: Option<String>,
    name: String,
    website: Option<String>,
    redirect_uri: Option<String>,
    redirect_uris: Option<OneOrMany>,
    id: Option<Number>,
}

/// An array since Mastodon 4.3, a string on some forks.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<String>),
    One(String),
}

/// Mastodon writes ids as strings.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(u64),
}

pub(super) fn token(body: Body<'_>) -> Lesson {
    match read::<TokenReply>(body) {
        Some(reply) if fits(&reply.access_token) => Lesson {
            outcome: Outcome::Create,
            app: None,
            token: Some(Secret::new(reply.access_token)),
        },
        Some(_) | None => Lesson::only(Outcome::Unclear),
    }
}

pub(super) fn app(body: Body<'_>) -> Lesson {
    match read::<AppReply>(body) {
        Some(reply) if fits(&reply.client_id) => Lesson {
            outcome: Outcome::Create,
            app: Some(reply.into()),
            token: None,
        },
        Some(_) | None => Lesson::only(Outcome::Unclear),
    }
}

fn read<T: serde::de::DeserializeOwned>(body: Body<'_>) -> Option<T> {
    let Body::Whole(bytes) = body else {
        return None;
    };
    serde_json::from_slice(bytes).ok()
}

fn fits(key: &str) -> bool {
    !key.is_empty() && key.len() <= LONGEST_KEY
}

impl From<AppReply> for CreatedApp {
    fn from(reply: AppReply) -> Self {
        Self {
            client_id: ClientId::new(&reply.client_id),
            client_secret: reply.client_secret.filter(|s| fits(s)).map(Secret::new),
            name: AppName::new(&reply.name),
            redirect_uris: uris(reply.redirect_uris, reply.redirect_uri),
            website: reply.website.filter(|site| !site.is_empty()),
            id: reply.id.and_then(|id| match id {
                Number::Text(text) => text.parse().ok(),
                Number::Number(number) => Some(number),
            }),
        }
    }
}

/// Doorkeeper keeps them in one column, one a line; the array is split from it.
fn uris(many: Option<OneOrMany>, one: Option<String>) -> Vec<String> {
    let texts = match (many, one) {
        (Some(OneOrMany::Many(uris)), _) if !uris.is_empty() => uris,
        (Some(OneOrMany::One(text)), _) | (_, Some(text)) => vec![text],
        (Some(OneOrMany::Many(_)) | None, None) => Vec::new(),
    };
    texts
        .iter()
        .flat_map(|text| text.split_whitespace())
        .map(str::to_owned)
        .collect()
}
