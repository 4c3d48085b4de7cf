//! What is contained while other things happen.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;

use super::*;
use crate::app::{AppName, AppSource};
use crate::cluster::{ClusterKind, Kept, Suspect};
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
        client_id: Some(app()),
        ..Suspect::at(100)
    };
    Cluster {
        name: Some("aaa".to_owned()),
        suspects: vec![suspect],
        contained: true,
        revision: 1,
        ..Cluster::opened(A1, 50, 200, 3800)
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

/// The same, of mail: whose an app is no such cluster says.
fn of_mail(store: &Store) -> Registers {
    let id = ClusterId {
        kind: ClusterKind::Mail,
        number: 1,
    };
    let clusters = vec![Cluster {
        id,
        suspects: vec![Suspect {
            client_id: Some(ClientId::new("late")),
            ..condemned().suspects[0].clone()
        }],
        ..condemned()
    }];
    Registers::restore(
        store,
        Kept {
            clusters,
            ..Kept::default()
        },
    )
}

fn made_at(second: i64) -> App {
    App {
        client_id: ClientId::new("late"),
        name: AppName::new("Late"),
        redirect_uris: Vec::new(),
        website: None,
        creator: None,
        created: Timestamp::from_second(second).expect("a moment"),
        source: AppSource::Learn,
        credential: None,
    }
}

async fn until(mut true_yet: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !true_yet() {
        assert!(begun.elapsed().as_secs() < 60, "never came true");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_app_that_is_unknown_is_looked_for_again() {
    let (_folder, store, _) = burst();
    let (contained, registers) = (Arc::<Contained>::default(), Arc::new(of_mail(&store)));
    again::start(&contained, &registers, &tokio::runtime::Handle::current());
    let late = token(&store, "late");
    assert!(store.learn_token(late, &ClientId::new("late")).await);
    let count = contained.bring_in_line(&registers, &store).await;
    assert_eq!(count.expect("read"), 0);
    assert!(contained.held.load().is_none());
    store.learn_app(made_at(100), "late".to_owned());
    until(|| held(&contained).contains(&late)).await;
    until(|| *contained.behind.borrow() == Behind::default()).await;
}

/// Its own word on the app counts more than another gate's.
#[tokio::test]
async fn another_gate_s_word_is_taken_for_an_app_that_is_unknown() {
    let (_folder, store, _) = burst();
    let (contained, registers) = (Contained::default(), of_mail(&store));
    let (late, id) = (token(&store, "late"), ClientId::new("late"));
    let say = |made| {
        vec![
            Containable::Token(id.clone(), late),
            Containable::App(id.clone(), made),
        ]
    };
    contained
        .bring_in_line(&registers, &store)
        .await
        .expect("read");
    contained.hear(say(49), &registers).await;
    assert!(held(&contained).is_empty(), "it is older than the cluster");
    let contained = Contained::default();
    contained
        .bring_in_line(&registers, &store)
        .await
        .expect("read");
    contained.hear(say(50), &registers).await;
    assert_eq!(held(&contained), HashSet::from([late]));
    contained.vouched.lock().clear();
    contained
        .bring_in_line(&registers, &store)
        .await
        .expect("read");
    assert_eq!(held(&contained), HashSet::from([late]), "still named");
    assert!(contained.behind.borrow().unknown.contains(&id));
    store.learn_app(made_at(49), "late".to_owned());
    contained
        .bring_in_line(&registers, &store)
        .await
        .expect("read");
    assert!(contained.held.load().is_none());
}

/// People may have used it for years: nobody tells when it was made but who saw it.
#[tokio::test]
async fn an_app_that_the_upstream_was_asked_for_is_contained_on_another_gate_s_word_only() {
    let (_folder, store, _) = burst();
    let (contained, registers) = (Contained::default(), of_mail(&store));
    let (late, id) = (token(&store, "late"), ClientId::new("late"));
    assert!(store.learn_token(late, &id).await);
    let asked = App {
        source: AppSource::Ask,
        ..made_at(100)
    };
    store.learn_app(asked, "late".to_owned());
    let count = contained.bring_in_line(&registers, &store).await;
    assert_eq!(count.expect("read"), 0);
    assert!(contained.held.load().is_none(), "an older app is let be");
    let word = vec![Containable::App(id, 100)];
    contained.hear(word, &registers).await;
    assert_eq!(held(&contained), HashSet::from([late]));
}

#[tokio::test]
async fn what_could_not_be_read_is_held_and_passed_on_once_it_can_be() {
    let (folder, store, registers) = burst();
    let old = token(&store, "old");
    assert!(store.learn_token(old, &app()).await);
    let (contained, registers) = (Arc::<Contained>::default(), Arc::new(registers));
    let file = folder.path().join("register.sqlite3");
    let rename = |from: &str, to: &str| {
        let aside = rusqlite::Connection::open(&file).expect("a file");
        aside
            .busy_timeout(std::time::Duration::from_secs(30))
            .expect("patience");
        let rename = format!("ALTER TABLE {from} RENAME TO {to}");
        aside.execute_batch(&rename).expect("renamed");
    };
    rename("tokens", "aside");
    let failed = contained.bring_in_line(&registers, &store).await;
    assert!(failed.is_err());
    assert!(contained.behind.borrow().failed);
    assert!(contained.anew.load(Ordering::Acquire), "nobody was told");
    rename("aside", "tokens");
    again::start(&contained, &registers, &tokio::runtime::Handle::current());
    until(|| held(&contained).contains(&old)).await;
    until(|| *contained.behind.borrow() == Behind::default()).await;
}
