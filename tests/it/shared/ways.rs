//! The ways to a shared store beside a plain socket: TLS with an authority of one's
//! own, and a database of a server that others use as well.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tuskgate::store::SharedSettings;

use super::bans::ban;
use super::{Node, charge, flushed, settings, take};
use crate::support::ports::Port;
use crate::support::redis::{Make, Server};
use crate::support::until;

fn openssl(folder: &Path, words: &str) {
    let done = Command::new("openssl")
        .args(words.split(' '))
        .current_dir(folder)
        .output()
        .expect("openssl is there");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{words}: {said}");
}

/// An authority, and a certificate by it for `localhost`.
fn certificates(folder: &Path) {
    let curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    for name in ["ca", "other"] {
        openssl(
            folder,
            &format!("req -x509 {curve} -subj /CN={name} -keyout {name}.key -out {name}.pem"),
        );
    }
    openssl(
        folder,
        &format!("req {curve} -subj /CN=localhost -keyout server.key -out server.csr"),
    );
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost").expect("written");
    openssl(
        folder,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_tls_and_only_to_whom_the_authority_vouches_for() {
    let folder = tempfile::tempdir().expect("a folder");
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let port = Port::take();
    let port = port.number().to_string();
    let (cert, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let mut arguments = vec!["--tls-port", &port, "--tls-auth-clients", "no"];
    arguments.extend(["--tls-cert-file", &cert, "--tls-key-file", &key]);
    arguments.extend(["--tls-ca-cert-file", &ca]);
    let server = Server::start(Make::Redis, &arguments);
    let with = |ca: &str| SharedSettings {
        ca: Some(folder.path().join(ca)),
        timeout: Duration::from_secs(1),
        ..SharedSettings::new(format!("rediss://localhost:{port}"))
    };
    let one = Node::start(with("ca.pem"));
    let other = Node::start(with("ca.pem"));
    until("both are in", || {
        one.store.is_shared() && other.store.is_shared()
    })
    .await;
    assert_eq!(take(&one, &[charge("a", "x", "5/1h")], 10).await, (5, 5));
    // What is said on the listening connection comes over TLS, too.
    one.store
        .ban(ban("first.example"))
        .await
        .expect("on the disk");
    until("the ban is in force there", || {
        other.store.bans().iter().count() == 1
    })
    .await;
    let stranger = Node::start(with("other.pem"));
    until("it is refused", || {
        let said = tuskgate::telemetry::trouble::current().join("\n");
        said.contains("certificate")
    })
    .await;
    assert!(!stranger.store.is_shared());
    let clients = server.ask(&["CLIENT", "LIST"]);
    assert!(clients.contains("name="), "{clients}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_database_and_under_a_prefix_of_its_own() {
    let server = Server::start(Make::Redis, &[]);
    let url = format!("{}?db=3", server.url());
    let one = Node::start(settings(&url));
    let apart = Node::start(SharedSettings {
        prefix: "mastodon-two".to_owned(),
        ..settings(&url)
    });
    until("both are in", || {
        one.store.is_shared() && apart.store.is_shared()
    })
    .await;
    let budget = [charge("a", "x", "5/1h")];
    assert_eq!(take(&one, &budget, 10).await, (5, 5));
    assert_eq!(
        take(&apart, &budget, 10).await,
        (5, 5),
        "another installation"
    );
    flushed(&one.store).await;
    let spaces = server.ask(&["INFO", "keyspace"]);
    assert!(
        spaces.contains("db3:") && !spaces.contains("db0:"),
        "{spaces}"
    );
    let keys = server.ask(&["-n", "3", "--scan"]);
    let ours = |key: &str| key.contains("{tuskgate}") || key.contains("{mastodon-two}");
    assert!(keys.lines().all(ours), "{keys}");
}
