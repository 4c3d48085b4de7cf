//! What one node has learned of an app or a token, another knows.

use std::time::Duration;

use jiff::Timestamp;
use tuskgate::app::{App, AppName, AppSource, ClientId};
use tuskgate::secret::KeyedHash;

use super::Node;
use crate::support::found;
use crate::support::redis::{Make, Server};

pub(super) fn app(id: &str) -> App {
    App {
        client_id: ClientId::new(id),
        name: AppName::new("Tooter"),
        redirect_uris: vec!["tooter://callback".to_owned()],
        website: None,
        creator: None,
        created: Timestamp::UNIX_EPOCH,
        source: AppSource::Learn,
        credential: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apps_credentials_and_tokens_are_looked_up_through() {
    let mut server = Server::start(Make::Redis, &[]);
    let one = Node::join(&server.url(), Duration::from_secs(1)).await;
    let other = Node::join(&server.url(), Duration::from_secs(1)).await;
    let (id, token) = (ClientId::new("id-1"), KeyedHash([3; 16]));
    let credential = KeyedHash([5; 16]);
    assert!(other.store.app(&id).await.is_none());
    assert!(other.store.token_app(token).await.is_none());
    one.store.learn_app(app("id-1"), "tooter".to_owned());
    one.store.learn_credential(&id, credential);
    assert!(one.store.learn_token(token, &id).await);
    assert_eq!(
        found("the token", async || other.store.token_app(token).await).await,
        id
    );
    let found = found("the app", async || other.store.app(&id).await).await;
    assert_eq!(found.name, AppName::new("Tooter"));
    assert_eq!(found.credential, Some(credential));
    // From now on it knows by itself.
    server.kill();
    assert_eq!(other.store.token_app(token).await, Some(id.clone()));
    assert!(other.store.is_proven(&id, credential).await);
    assert_eq!(other.store.token_count(&id).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_of_the_register_ends_by_itself_and_says_no_secret() {
    let server = Server::start(Make::Redis, &[]);
    let node = Node::join(&server.url(), Duration::from_secs(1)).await;
    for number in 0..50_u8 {
        let id = ClientId::new(&format!("id-{number}"));
        node.store.learn_app(app(id.as_str()), "tooter".to_owned());
        node.store.learn_token(KeyedHash([number; 16]), &id).await;
    }
    let count = "return #redis.call('KEYS', '{tuskgate}:token:*') + #redis.call('KEYS', '{tuskgate}:app:*')";
    crate::support::until("all is learned", || {
        server.ask(&["EVAL", count, "0"]) == "100"
    })
    .await;
    let lasting = server.ask(&[
        "EVAL",
        "local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do if redis.call('PTTL', k) < 0 then n = n + 1 end end return n",
        "0",
    ]);
    // The fingerprint of the key, and of bans the version, epoch, entries and log.
    let lasting: usize = lasting.parse().expect("a number");
    assert!(lasting <= 5, "{}", server.ask(&["--scan"]));
}
