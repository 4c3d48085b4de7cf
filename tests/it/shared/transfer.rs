//! `tuskgate store`: check, export, import, migrate; what was moved is counted.

use std::path::Path;
use std::process::{Command, Output};

use tuskgate::app::{App, ClientId};
use tuskgate::ban::Effect;
use tuskgate::secret::KeyedHash;

use super::bans::ban;
use super::{charge, micros, open};
use crate::support::redis::{Make, Server};

fn app(number: usize) -> App {
    App {
        credential: Some(KeyedHash([5; 16])),
        ..super::register::app(&format!("id-{number}"))
    }
}

/// A folder with a store under the key that all tests use.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("store")).expect("made");
    std::fs::write(folder.path().join("store/key"), "07".repeat(32)).expect("a key");
    folder
}

async fn fill(folder: &Path) {
    let store = open(&folder.join("store"));
    for number in 0..50 {
        store
            .ban(ban(&format!("bots-{number}.example")))
            .await
            .expect("on the disk");
        let apps = store.import_apps(vec![tuskgate::store::NamedApp {
            app: app(number),
            folded: "tooter".to_owned(),
        }]);
        apps.await.expect("on the disk");
        let hash = KeyedHash((number as u128).to_be_bytes());
        store
            .learn_token(hash, &ClientId::new(&format!("id-{number}")))
            .await;
        let charges = [charge("budget", &number.to_string(), "3/1d")];
        for _ in 0..2 {
            let held = store.reserve(&charges, micros()).await.expect("room");
            store.settle(held, |_| false);
        }
    }
    for number in 0..5 {
        let subject = ban(&format!("bots-{number}.example")).subject;
        let gone = store.unban(&subject, Effect::Ban).await;
        assert!(gone.expect("on the disk").is_some());
    }
    store.flush().await.expect("on the disk");
}

const ALL: &str =
    "45 bans and allow entries, 5 liftings, 50 apps, 50 credentials, 50 tokens, 50 budgets";

fn run(folder: &Path, url: Option<&str>, words: &[&str]) -> Output {
    let url = url.map_or_else(String::new, |url| format!("url = {url:?}\n"));
    let config = folder.join("tuskgate.toml");
    std::fs::write(
        &config,
        format!("[store]\npath = \"store\"\n{url}timeout = \"1s\"\n"),
    )
    .expect("written");
    Command::new(env!("CARGO_BIN_EXE_tuskgate"))
        .arg("--config")
        .arg(&config)
        .arg("store")
        .args(words)
        .current_dir(folder)
        .output()
        .expect("it runs")
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// What is left of each budget of three.
async fn left(folder: &Path) -> Vec<usize> {
    let store = open(&folder.join("store"));
    let mut all = Vec::new();
    for number in 0..50 {
        let charges = [charge("budget", &number.to_string(), "3/1d")];
        let mut count = 0;
        while let Ok(held) = store.reserve(&charges, micros()).await {
            store.settle(held, |_| false);
            count += 1;
        }
        all.push(count);
    }
    all
}

#[tokio::test]
async fn an_export_is_the_same_store_elsewhere() {
    let (from, to) = (folder(), folder());
    fill(from.path()).await;
    let file = to.path().join("export.jsonl");
    let done = run(from.path(), None, &["export", &file.to_string_lossy()]);
    assert!(
        done.status.success() && told(&done).contains(ALL),
        "{}",
        told(&done)
    );
    let done = run(to.path(), None, &["import", "export.jsonl"]);
    assert!(
        done.status.success() && told(&done).contains("all there"),
        "{}",
        told(&done)
    );
    let done = run(to.path(), None, &["check"]);
    assert!(
        done.status.success() && told(&done).contains(ALL),
        "{}",
        told(&done)
    );
    assert_eq!(left(to.path()).await, [1; 50]);
    // Half an export is none.
    let whole = std::fs::read_to_string(&file).expect("written");
    let half: Vec<&str> = whole.lines().take(100).collect();
    std::fs::write(&file, half.join("\n")).expect("written");
    let other = folder();
    let done = run(other.path(), None, &["import", &file.to_string_lossy()]);
    assert!(
        !done.status.success() && told(&done).contains("not whole"),
        "{}",
        told(&done)
    );
}

#[tokio::test]
async fn to_redis_and_back() {
    let server = Server::start(Make::Redis, &[]);
    let url = server.url();
    let (from, to) = (folder(), folder());
    fill(from.path()).await;
    let done = run(from.path(), Some(&url), &["migrate", "to-shared"]);
    assert!(
        done.status.success() && told(&done).contains(ALL),
        "{}",
        told(&done)
    );
    assert!(told(&done).contains("all there"));
    drop(open(&to.path().join("store")));
    let done = run(to.path(), Some(&url), &["migrate", "from-shared"]);
    assert!(
        done.status.success() && told(&done).contains(ALL),
        "{}",
        told(&done)
    );
    let done = run(to.path(), Some(&url), &["check"]);
    assert!(
        done.status.success() && told(&done).contains(ALL),
        "{}",
        told(&done)
    );
    assert!(
        told(&done).contains("shared store: in order"),
        "{}",
        told(&done)
    );
    assert_eq!(left(to.path()).await, [1; 50]);
}

#[tokio::test]
async fn check_says_what_is_wrong() {
    let folder = folder();
    fill(folder.path()).await;
    std::fs::write(folder.path().join("store/register.sqlite3"), "no database").expect("written");
    let url = format!("unix://{}/none", folder.path().display());
    let done = run(folder.path(), Some(&url), &["check"]);
    assert!(!done.status.success());
    let said = told(&done);
    assert!(said.contains("bans.sqlite3: sound"), "{said}");
    assert!(
        said.contains("register.sqlite3: ") && said.contains("damaged"),
        "{said}"
    );
}
