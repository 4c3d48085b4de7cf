//! `tuskgate store`: check, export, import, migrate; what was moved is counted.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use jiff::Timestamp;
use tuskgate::account::{KnownAccount, Origin};
use tuskgate::app::{App, ClientId};
use tuskgate::ban::Effect;
use tuskgate::cluster::{Change, Cluster, ClusterId, ClusterKind, MailKey, SeenDomain, SignUp};
use tuskgate::mailbox::Domain;
use tuskgate::secret::KeyedHash;
use tuskgate::store::Store;

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

fn cluster(number: u64, host: &str) -> Cluster {
    let now = Timestamp::now().as_second();
    Cluster {
        keys: vec![MailKey::Host(Domain::new(host).expect("a domain"))],
        evidence: format!("5 new domains through {host}"),
        refused: 7,
        revision: 1,
        ..Cluster::opened(
            ClusterId {
                kind: ClusterKind::Mail,
                number,
            },
            now - 3600,
            now,
            now + 3600,
        )
    }
}

/// What the registers and the breaker keep; `name` is in all of it.
fn fill_registers(store: &Store, name: &str) {
    let now = Timestamp::now().as_second();
    for number in [1, 4_081_635] {
        let host = format!("mx{number}.{name}.example");
        store.keep_cluster(Change::Cluster(Box::new(cluster(number, &host))));
    }
    for number in 0..10 {
        let domain = Domain::new(&format!("d{number}.{name}.example")).expect("a domain");
        let seen = SeenDomain {
            first: now - 86_400,
            last: now - 60,
            accounts: 1,
            confirmed: 0,
            keys: [].into(),
        };
        store.keep_cluster(Change::Domain(domain.clone(), Some(seen)));
        let sign_up = SignUp {
            at: now - 60,
            domain,
            keys: [].into(),
            client: None,
            client_id: None,
            username: None,
            account: None,
        };
        store.keep_cluster(Change::SignUp(number + 1, sign_up));
    }
    let account = KnownAccount {
        created: now,
        username: "anna".to_owned(),
        confirmed: true,
        origin: Origin::Beside,
    };
    store.keep_cluster(Change::Account(110, account));
    for number in 0..2 {
        store.keep_cluster(Change::Heard(KeyedHash([number; 16]), now));
    }
    store
        .keep_wave(format!("learned by {name}"))
        .expect("queued");
}

async fn fill(folder: &Path) {
    let store = open(&folder.join("store"));
    fill_registers(&store, "first");
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

const ALL: &str = "45 bans and allow entries, 5 liftings, 50 apps, 50 credentials, 50 tokens, 50 budgets, 2 clusters, 10 sign-ups, 10 mail domains, 1 accounts, 2 webhooks heard, 1 breakers";

/// Accounts and webhooks are of use to the gate alone that heard of them.
const SHARED: &str = "45 bans and allow entries, 5 liftings, 50 apps, 50 credentials, 50 tokens, 50 budgets, 2 clusters, 10 sign-ups, 10 mail domains, 0 accounts, 0 webhooks heard, 1 breakers";

fn run(folder: &Path, url: Option<&str>, words: &[&str]) -> Output {
    verb(folder, url, &[&["store"], words].concat())
}

fn verb(folder: &Path, url: Option<&str>, words: &[&str]) -> Output {
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
        .args(words)
        .current_dir(folder)
        .output()
        .expect("it runs")
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Whether every count in it is zero, and there are counts.
fn none_of(counts: &serde_json::Value) -> bool {
    let counts = counts.as_object().expect("counts of each kind");
    assert!(counts.len() > 5, "{counts:?}");
    counts.values().all(|count| *count == 0)
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
    let mode = std::fs::metadata(&file).expect("written").permissions();
    assert_eq!(mode.mode() & 0o077, 0, "who signed up is for nobody else");
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
    // Merged again, and told to a program.
    let done = run(to.path(), None, &["import", "export.jsonl", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON alone");
    assert_eq!(
        (&report["whole"], &report["moved"]["tokens"]),
        (&true.into(), &50.into())
    );
    assert!(
        none_of(&report["missing"]) && none_of(&report["stays"]),
        "{report}"
    );
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
    there_and_back(Make::Redis).await;
}

#[tokio::test]
async fn to_valkey_and_back() {
    there_and_back(Make::Valkey).await;
}

async fn there_and_back(make: Make) {
    let server = Server::start(make, &[]);
    let url = server.url();
    let (from, to) = (folder(), folder());
    fill(from.path()).await;
    // Twice is as once.
    for _ in 0..2 {
        let done = run(from.path(), Some(&url), &["migrate", "to-shared"]);
        let said = told(&done);
        assert!(done.status.success() && said.contains(SHARED), "{said}");
        assert!(said.contains("all there"), "{said}");
        assert!(said.contains("1 accounts, 2 webhooks heard"), "{said}");
    }
    let done = run(from.path(), Some(&url), &["migrate", "to-shared", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON alone");
    assert_eq!(report["stays"]["accounts"], 1, "{report}");
    assert!(
        none_of(&report["missing"]) && !none_of(&report["moved"]),
        "{report}"
    );
    let lasts = server.ask(&["PTTL", "{tuskgate}:moved"]);
    assert!(
        lasts.parse::<i64>().is_ok_and(|millis| millis > 0),
        "{lasts}"
    );
    drop(open(&to.path().join("store")));
    for verb in [
        &["migrate", "from-shared"][..],
        &["migrate", "from-shared"],
        &["check"],
    ] {
        let done = run(to.path(), Some(&url), verb);
        let said = told(&done);
        assert!(done.status.success() && said.contains(SHARED), "{said}");
    }
    let done = run(to.path(), Some(&url), &["check"]);
    assert!(
        told(&done).contains("shared store: in order"),
        "{}",
        told(&done)
    );
    assert_eq!(left(to.path()).await, [1; 50]);
}

/// What two gates that were alone have numbered alike stays apart.
#[tokio::test]
async fn two_stores_become_one() {
    let server = Server::start(Make::Redis, &[]);
    let url = server.url();
    let (one, other, to) = (folder(), folder(), folder());
    for (folder, name) in [(&one, "one"), (&other, "other"), (&to, "third")] {
        fill_registers(&open(&folder.path().join("store")), name);
    }
    for folder in [&one, &other] {
        let done = run(folder.path(), Some(&url), &["migrate", "to-shared"]);
        assert!(done.status.success(), "{}", told(&done));
    }
    for _ in 0..2 {
        let done = run(to.path(), Some(&url), &["migrate", "from-shared"]);
        assert!(done.status.success(), "{}", told(&done));
    }
    let store = open(&to.path().join("store"));
    let kept = store.take_kept_clusters();
    let mut hosts: Vec<_> = kept.clusters.iter().flat_map(|one| &one.keys).collect();
    hosts.sort();
    hosts.dedup();
    // The shared number is one cluster on all gates: of equal versions the last told.
    let names: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    let of_one = |name: &str| names.contains(&format!("mx1.{name}.example"));
    assert!(
        of_one("one") && of_one("other") && of_one("third"),
        "{names:?}"
    );
    assert_eq!((kept.sign_ups.len(), kept.domains.len()), (30, 30));
    assert_eq!(store.take_kept_wave().as_deref(), Some("learned by third"));
}

/// Events stay with the gate that judged: who asks another is told.
#[tokio::test]
async fn explain_tells_where_to_ask() {
    let folder = folder();
    fill(folder.path()).await;
    let words = ["explain", "7K3M9QX2B4DH"];
    let said = told(&verb(folder.path(), None, &words));
    assert!(said.contains("no event 7K3M9QX2B4DH: mistyped"), "{said}");
    let said = told(&verb(folder.path(), Some("redis://127.0.0.1:1"), &words));
    assert!(
        said.contains("events are kept by the gate that judged"),
        "{said}"
    );
    assert!(
        said.contains("(asked: ") && said.contains("mistyped"),
        "{said}"
    );
}

#[tokio::test]
async fn check_says_what_is_wrong() {
    let folder = folder();
    fill(folder.path()).await;
    for file in ["register.sqlite3", "clusters.sqlite3", "wave.sqlite3"] {
        let path = folder.path().join("store").join(file);
        std::fs::write(path, "no database").expect("written");
    }
    let url = format!("unix://{}/none", folder.path().display());
    let done = run(folder.path(), Some(&url), &["check"]);
    assert!(!done.status.success());
    let said = told(&done);
    assert!(said.contains("bans.sqlite3: sound"), "{said}");
    for file in ["register.sqlite3", "clusters.sqlite3", "wave.sqlite3"] {
        let damaged = |line: &str| line.starts_with(file) && line.contains("damaged");
        assert!(said.lines().any(damaged), "{file}: {said}");
    }
    let done = run(folder.path(), Some(&url), &["check", "--json"]);
    assert_eq!(done.status.code(), Some(1));
    let found = one_object(&done);
    assert_eq!(found["well"], false);
    let files = found["files"].as_array().expect("files");
    let damaged = files.iter().filter(|file| file["fault"].is_string());
    assert_eq!((files.len(), damaged.count()), (6, 3));
    assert!(found["shared"]["fault"].is_string() && found["shared"]["seen"].is_null());
}

#[tokio::test]
async fn what_is_in_order_is_told_to_programs_too() {
    let folder = folder();
    fill(folder.path()).await;
    let found = one_object(&run(folder.path(), None, &["check", "--json"]));
    assert_eq!(
        (&found["well"], &found["shared"]),
        (&true.into(), &().into())
    );
    assert_eq!(found["counts"]["apps"], 50);
    let server = Server::start(Make::Redis, &[]);
    let found = one_object(&run(
        folder.path(),
        Some(&server.url()),
        &["check", "--json"],
    ));
    assert_eq!(
        (&found["well"], &found["shared"]["fault"]),
        (&true.into(), &().into())
    );
    let seen = found["shared"]["seen"].as_str().expect("seen");
    assert!(seen.contains("in order"), "{seen}");
}

fn one_object(done: &Output) -> serde_json::Value {
    serde_json::from_slice(&done.stdout).expect("one object")
}
