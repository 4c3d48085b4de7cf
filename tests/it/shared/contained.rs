//! What one gate contains all contain, in whatever order they hear of the cluster,
//! its apps and their tokens, and whatever was lost on the way.

use jiff::Timestamp;
use tuskgate::app::{App, AppName, AppSource, ClientId, Credential};
use tuskgate::attempt::{Attempt, Grant};
use tuskgate::cluster::{Cluster, ClusterId, ClusterKind, MailKey, Suspect};
use tuskgate::endpoint::Endpoint;
use tuskgate::event::Outcome as Came;
use tuskgate::judge::Judgement;
use tuskgate::judge::app_sight::Nobody;
use tuskgate::mailbox::Domain;
use tuskgate::mastodon::reply::Lesson;
use tuskgate::secret::{Purpose, Secret};
use tuskgate::stand_in::dns::StandInDns;
use tuskgate::told::Heard;

use super::gates::{Gate, gates, zone};
use super::{flushed, settings};
use crate::support::bots::{ask_for, attempt, nothing_learned};
use crate::support::judged::OOB;
use crate::support::redis::{Make, Server};
use crate::support::until;

const M1: ClusterId = ClusterId {
    kind: ClusterKind::Mail,
    number: 4_081_635,
};

/// A server that bots of one app came through.
fn condemned(app: &ClientId) -> Cluster {
    let now = Timestamp::now().as_second();
    Cluster {
        keys: vec![MailKey::Host(
            Domain::new("mx.bots.example").expect("a domain"),
        )],
        evidence: "5 new domains".to_owned(),
        suspects: vec![Suspect {
            client_id: Some(app.clone()),
            ..Suspect::at(now - 10)
        }],
        revision: 1,
        ..Cluster::opened(M1, now - 3600, now, now + 3600)
    }
}

fn bot() -> ClientId {
    ClientId::new("bot")
}

fn learn_app(gate: &Gate) {
    let app = App {
        client_id: bot(),
        name: AppName::new("Bot"),
        redirect_uris: vec!["urn:ietf:wg:oauth:2.0:oob".to_owned()],
        website: None,
        creator: None,
        created: Timestamp::now(),
        source: AppSource::Learn,
        credential: None,
    };
    gate.judge().store().learn_app(app, "bot".to_owned());
}

async fn learn_token(gate: &Gate, app: &ClientId) {
    let store = gate.judge().store();
    let token = store.key().hash(Purpose::Token, &[b"minted"]);
    store.learn_token(token, app).await;
}

/// Somebody gets a token of an app through this gate.
async fn hands_out(gate: &Gate, app: &ClientId, token: &str) {
    let mut asking = attempt(Endpoint::Token, 1);
    asking.grant = Some(Grant::ClientCredentials);
    asking.credential = Some(Credential {
        client_id: app.clone(),
        client_secret: None,
    });
    let judgement = gate.judge().judge(&asking, &Nobody).await;
    let mut lesson = nothing_learned(Came::Create);
    lesson.token = Some(Secret::new(token));
    gate.judge().settle(&asking, judgement, &lesson).await;
}

/// The register's bridge and the log are as if they had never been.
async fn nothing_to_look_up(server: &Server, gates: &[Gate]) {
    for gate in gates {
        flushed(gate.judge().store()).await;
    }
    let all = "for _, key in ipairs(redis.call('KEYS', '{tuskgate}:*')) do \
        if string.match(key, ':app:') or string.match(key, ':token:') or string.match(key, ':counted') \
        then redis.call('DEL', key) end end return 'gone'";
    assert_eq!(server.ask(&["EVAL", all, "0"]), "gone");
}

fn takes_in(gate: &Gate, cluster: Cluster) {
    let now = Timestamp::now().as_second();
    let registers = gate.judge().registers();
    registers.hear(Heard::Clusters(vec![cluster]), now);
}

async fn contain(gate: &Gate, id: ClusterId, contain: bool) {
    let done = gate.judge().contain(id, contain).await;
    assert!(done.expect("written").is_some());
}

async fn all_contain(gates: &[Gate], token: &str) {
    for (number, gate) in gates.iter().enumerate() {
        let what = format!("gate {number} contains {token}");
        until(&what, || gate.judge().contained(token)).await;
    }
}

async fn none_contains(gates: &[Gate]) {
    for (number, gate) in gates.iter().enumerate() {
        let what = format!("gate {number} lets it go");
        until(&what, || !gate.judge().contains_tokens()).await;
    }
}

/// Each gate knows the apps that it made itself; what it would look up is not there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apps_of_a_burst_are_contained_by_gates_that_cannot_look_them_up() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 3).await;
    for number in 0..30 {
        gates[1].makes_app(number).await;
    }
    let burst = |gate: &Gate| gate.in_force().first().map(|cluster| cluster.id);
    let id = burst(&gates[1]).expect("condemned");
    until("all have heard of the burst", || {
        gates.iter().all(|gate| burst(gate) == Some(id))
    })
    .await;
    nothing_to_look_up(&server, &gates).await;
    // Of an app that another gate made.
    learn_token(&gates[0], &ClientId::new("aaa3")).await;
    contain(&gates[2], id, true).await;
    all_contain(&gates, "minted").await;
}

/// One of Tusky's look on its way to be made, if it is let in.
async fn ask_for_tusky(
    gate: &Gate,
    number: usize,
    returns_to: &str,
) -> Option<(Attempt, Judgement, Lesson)> {
    ask_for(gate.judge(), "Tusky", returns_to, number).await
}

/// Somebody installs the real one while bots take its name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_client_is_never_named_in_a_burst_of_its_name() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 2).await;
    // The burst begins at the other gate, whether or not that hears of these in time.
    let first = ask_for_tusky(&gates[1], 2, OOB).await.expect("let in");
    let bots = ask_for_tusky(&gates[0], 0, OOB).await.expect("let in");
    let real = "oauth2redirect://com.keylesspalace.tusky/";
    let real = ask_for_tusky(&gates[0], 1, real).await.expect("let in");
    let (mut next, mut number) = (Some(first), 2);
    while let Some((asking, judgement, lesson)) = next {
        gates[1].judge().settle(&asking, judgement, &lesson).await;
        number += 1;
        next = ask_for_tusky(&gates[1], number, OOB).await;
    }
    until("both have condemned it", || {
        gates.iter().all(|gate| !gate.in_force().is_empty())
    })
    .await;
    // Both replies come only now, and are told in this order.
    for (asking, judgement, lesson) in [real, bots] {
        gates[0].judge().settle(&asking, judgement, &lesson).await;
    }
    for (place, gate) in gates.iter().enumerate() {
        let named = |id: &str| {
            let id = ClientId::new(id);
            let all = gate.in_force();
            let mut suspects = all.iter().flat_map(|cluster| &cluster.suspects);
            suspects.any(|one| one.client_id.as_ref() == Some(&id))
        };
        let what = format!("gate {place} names the bots'");
        until(&what, || named("tusky0")).await;
        assert!(!named("tusky1"), "gate {place}");
    }
}

/// One gate has the app and another its token; neither can be looked up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_knows_an_app_says_so_to_those_who_do_not() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 3).await;
    learn_app(&gates[0]);
    learn_token(&gates[1], &bot()).await;
    nothing_to_look_up(&server, &gates).await;
    takes_in(&gates[2], condemned(&bot()));
    contain(&gates[2], M1, true).await;
    all_contain(&gates, "minted").await;
    hands_out(&gates[2], &bot(), "later").await;
    all_contain(&gates, "later").await;
    contain(&gates[1], M1, false).await;
    none_contains(&gates).await;
}

/// It is met for the first time, and asked for, long after its server was contained.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_that_nobody_knew_is_contained_once_somebody_does() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 2).await;
    learn_token(&gates[1], &bot()).await;
    takes_in(&gates[1], condemned(&bot()));
    contain(&gates[1], M1, true).await;
    until("gate 0 has heard of it", || {
        let cluster = gates[0].judge().registers().cluster(M1);
        cluster.is_some_and(|cluster| cluster.contained)
    })
    .await;
    assert!(gates.iter().all(|gate| !gate.judge().contains_tokens()));
    learn_app(&gates[0]);
    all_contain(&gates, "minted").await;
}

/// The log has been trimmed, and another time the whole server emptied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_joins_late_contains_what_the_others_do() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let shared = settings(&server.url());
    let mut all = gates(&dns, &shared, 1).await;
    learn_app(&all[0]);
    learn_token(&all[0], &bot()).await;
    takes_in(&all[0], condemned(&bot()));
    contain(&all[0], M1, true).await;
    nothing_to_look_up(&server, &all).await;
    all.push(Gate::join(&dns, shared.clone()).await);
    all_contain(&all, "minted").await;
    server.ask(&["FLUSHALL"]);
    all.push(Gate::join(&dns, shared.clone()).await);
    all_contain(&all, "minted").await;
    let lasting = "local n = 0 for _, key in ipairs(redis.call('KEYS', '{tuskgate}:contained*')) do \
        if redis.call('PTTL', key) < 0 then n = n + 1 end end return n";
    until("what lies there ends by itself", || {
        server.ask(&["EVAL", lasting, "0"]) == "0"
    })
    .await;
    // Who starts again has none of them in memory.
    all[1].start_again(&dns, shared).await;
    all[1].judge().recontain().await.expect("read");
    all_contain(&all, "minted").await;
}

/// The connection may break between the two.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_down_gets_its_end_though_that_failed_at_first() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 2).await;
    learn_app(&gates[0]);
    learn_token(&gates[0], &bot()).await;
    assert_eq!(server.ask(&["ACL", "SETUSER", "default", "-pexpire"]), "OK");
    takes_in(&gates[0], condemned(&bot()));
    contain(&gates[0], M1, true).await;
    all_contain(&gates, "minted").await;
    let ends = |key| server.ask(&["PTTL", key]) != "-1";
    let keys = ["{tuskgate}:contained", "{tuskgate}:clusters"];
    assert!(!keys.into_iter().any(ends));
    assert_eq!(server.ask(&["ACL", "SETUSER", "default", "+pexpire"]), "OK");
    until("both end by themselves", || keys.into_iter().all(ends)).await;
}

/// Tokens given out, and tokens let go, while the store is away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_the_store_is_away_is_made_up_for() {
    let mut server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 2).await;
    learn_app(&gates[0]);
    hands_out(&gates[0], &bot(), "minted").await;
    takes_in(&gates[0], condemned(&bot()));
    contain(&gates[0], M1, true).await;
    all_contain(&gates, "minted").await;
    let away = || gates.iter().all(|gate| !gate.judge().store().is_shared());
    server.kill();
    until("it is known to be gone", away).await;
    hands_out(&gates[0], &bot(), "meanwhile").await;
    hands_out(&gates[1], &bot(), "there").await;
    server.start_again();
    all_contain(&gates, "meanwhile").await;
    all_contain(&gates, "there").await;
    server.kill();
    until("it is known to be gone", away).await;
    contain(&gates[1], M1, false).await;
    assert!(gates[0].judge().contained("minted"));
    server.start_again();
    none_contains(&gates).await;
}
