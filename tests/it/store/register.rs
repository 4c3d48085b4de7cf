//! Apps, credentials and tokens; and that no secret is in the files.

use std::fs;

use jiff::Timestamp;
use tuskgate::app::{App, AppName, AppSource, ClientId};
use tuskgate::ban::Subject;
use tuskgate::secret::Purpose;
use tuskgate::store::{NamedApp, Store};

use super::{ban, open, wait};

fn app(id: &str, name: &str, source: AppSource) -> App {
    App {
        client_id: ClientId::new(id),
        name: AppName::new(name),
        redirect_uris: vec!["urn:ietf:wg:oauth:2.0:oob".to_owned()],
        website: None,
        creator: None,
        created: Timestamp::from_second(1_790_000_000).expect("in range"),
        source,
        credential: None,
    }
}

#[test]
fn apps_are_learned_merged_and_found_by_name() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let mut learned = app("id-1", "Tusky", AppSource::Learn);
    learned.creator = "203.0.113.9/32".parse().ok();
    learned.website = Some("https://tusky.app".to_owned());
    let hash = store.key().hash(Purpose::Credential, &[b"id-1", b"secret"]);
    learned.credential = Some(hash);
    store.learn_app(learned.clone(), "tusky".to_owned());
    let mut asked = app("id-1", "Tusky", AppSource::Ask);
    asked.created = learned.created + jiff::SignedDuration::from_secs(60);
    store.learn_app(asked, "tusky".to_owned());
    let check = |store: &Store| {
        let found = wait(store.app(&learned.client_id)).expect("known");
        assert_eq!(*found, learned);
        let named = wait(store.apps_named("tusky", 10)).expect("read");
        assert_eq!(named, [learned.clone()]);
        assert!(wait(store.is_proven(&learned.client_id, hash)));
        let wrong = store.key().hash(Purpose::Credential, &[b"id-1", b"wrong"]);
        assert!(!wait(store.is_proven(&learned.client_id, wrong)));
        assert_eq!(wait(store.app(&ClientId::new("id-2"))), None);
    };
    check(&store);
    drop(store);
    check(&open(folder.path()));
}

#[test]
fn an_import_does_not_forget_what_was_learned() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let mut learned = app("id-0", "Mine", AppSource::Learn);
    learned.creator = "203.0.113.9/32".parse().ok();
    store.learn_app(learned.clone(), "mine".to_owned());
    let batch: Vec<NamedApp> = (0..1000)
        .map(|number| NamedApp {
            app: app(&format!("id-{number}"), "Mine", AppSource::Import),
            folded: "mine".to_owned(),
        })
        .collect();
    assert_eq!(
        wait(store.import_apps(batch)).expect("imported"),
        999,
        "one of them was known"
    );
    assert_eq!(
        *wait(store.app(&learned.client_id)).expect("known"),
        learned
    );
    assert_eq!(wait(store.apps_named("mine", 7)).expect("read").len(), 7);
    assert_eq!(wait(store.register_size()).expect("read").apps, 1000);
}

#[test]
fn tokens_are_counted_once_each() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let id = ClientId::new("id-1");
    let token = |store: &Store, n: u32| store.key().hash(Purpose::Token, &[&n.to_be_bytes()]);
    wait(async {
        for number in 0..10 {
            assert!(store.learn_token(token(&store, number), &id).await);
            assert!(!store.learn_token(token(&store, number), &id).await);
        }
        store.learn_credential(&id, token(&store, 99));
    });
    drop(store);
    let again = open(folder.path());
    wait(async {
        assert!(!again.learn_token(token(&again, 3), &id).await);
        assert!(again.learn_token(token(&again, 10), &id).await);
        assert_eq!(again.token_count(&id).await, 11);
        assert_eq!(again.token_app(token(&again, 5)).await, Some(id.clone()));
        assert_eq!(again.token_app(token(&again, 50)).await, None);
        assert!(again.is_proven(&id, token(&again, 99)).await);
        let size = again.register_size().await.expect("read");
        assert_eq!(size.tokens, 11);
        assert!(size.bytes > 0);
    });
}

#[test]
fn planted_secrets_are_in_no_file() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let secrets = ["tok-3f9a1c77", "sec-88b0e2d4", "alice.local.part"];
    let hash = |purpose, text: &str| store.key().hash(purpose, &[text.as_bytes()]);
    let id = ClientId::new("public-id");
    wait(async {
        store.learn_app(app("public-id", "App", AppSource::Learn), "app".to_owned());
        store
            .learn_token(hash(Purpose::Token, secrets[0]), &id)
            .await;
        store.learn_credential(&id, hash(Purpose::Credential, secrets[1]));
        let mailbox = Subject::Address(hash(Purpose::Mailbox, secrets[2]));
        store.ban(ban(mailbox)).await.expect("banned");
        store.flush().await.expect("written");
    });
    let key = fs::read_to_string(folder.path().join("key")).expect("read");
    let contains = |bytes: &[u8], text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    let (mut seen, mut found) = (0, 0);
    for entry in fs::read_dir(folder.path()).expect("a directory") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("read");
        for secret in secrets {
            assert!(
                !contains(&bytes, secret),
                "{secret} is in {}",
                path.display()
            );
        }
        if path.file_name().is_some_and(|name| name != "key") {
            assert!(
                !contains(&bytes, key.trim()),
                "the key is in {}",
                path.display()
            );
        }
        found += usize::from(contains(&bytes, "public-id"));
        seen += bytes.len();
    }
    assert!(seen > 10_000 && found > 0, "nothing was searched");
}
