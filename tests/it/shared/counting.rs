//! What several gates count, they count together: each seeing a tenth of the
//! bots, they condemn when one gate that sees all of them would. Real judges,
//! real DNS, one real server behind them.

use std::time::Duration;

use jiff::Timestamp;
use tuskgate::cluster::ClusterId;
use tuskgate::event::Outcome as Came;
use tuskgate::secret::Purpose;
use tuskgate::stand_in::dns::StandInDns;
use tuskgate::store::SharedSettings;
use tuskgate::wave::Kind;

use super::gates::{BOTS, Gate, SECOND, gates, join_all, within_a_second, zone};
use super::settings;
use crate::support::redis::{Make, Server};
use crate::support::{assert_once_within, until};

/// How many bots one gate lets in that sees all of them.
async fn let_in_by_one(dns: &StandInDns) -> usize {
    let gate = Gate::alone(dns);
    let mut passed = 0;
    for number in 0..BOTS {
        passed += usize::from(gate.enters("bots", number, Came::Create).await);
    }
    assert!((3..=6).contains(&passed), "{passed}");
    passed
}

/// Ten gates that each see a tenth, in turn and then at once; then a release.
async fn ten_count_as_one(shared: SharedSettings) {
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let by_one = let_in_by_one(&dns).await;
    let gates = gates(&dns, &shared, 10).await;
    let (mut passed, mut took) = (0, Vec::new());
    for number in 0..BOTS {
        if gates[number % 10]
            .enters("bots", number, Came::Create)
            .await
        {
            passed += 1;
            let told = |gate: &Gate| gate.knows_of("mx.bots.example") == passed as u64;
            took.push(within_a_second("all have heard of it", || gates.iter().all(told)).await);
        }
    }
    assert_once_within(SECOND, &took);
    assert_eq!(passed, by_one, "ten gates in turn are as one");
    let id = all_condemn_one(&gates).await;
    within_a_second("all have counted them in the breaker", || {
        gates
            .iter()
            .all(|gate| gate.came_to_be(Kind::SignUp) == passed as u32)
    })
    .await;
    assert_eq!(gates[7].in_force()[0].suspects.len(), by_one);
    at_once(&gates, by_one).await;
    released_everywhere(&gates, id).await;
}

/// Several may condemn it in the same moment, and agree on the first.
async fn all_condemn_one(gates: &[Gate]) -> ClusterId {
    within_a_second("all have condemned it as one", || {
        let of = |gate: &Gate| gate.in_force().iter().map(|one| one.id).collect::<Vec<_>>();
        let first = of(&gates[0]);
        first.len() == 1 && gates.iter().all(|gate| of(gate) == first)
    })
    .await;
    gates[0].in_force()[0].id
}

/// All ten are asked at the same moment, again and again, as soon as all have
/// heard of the last time: beyond what one gate lets in at most what is under
/// way on the nine others.
async fn at_once(gates: &[Gate], by_one: usize) {
    let mut passed = 0;
    for round in 0..BOTS / 10 {
        let mut asked = Vec::new();
        for (place, gate) in gates.iter().enumerate() {
            asked.push(gate.enters("others", round * 10 + place, Came::Create));
        }
        for entered in join_all(asked).await {
            passed += usize::from(entered);
        }
        let told = |gate: &Gate| gate.knows_of("mx.others.example") == passed as u64;
        until("all have heard of it", || gates.iter().all(told)).await;
    }
    assert!(
        passed <= by_one + 9,
        "{passed} passed, {by_one} by one gate"
    );
    // However many condemned it at once: one is left, the same on all.
    until("all agree on one", || {
        let of = |gate: &Gate| {
            let mut ids: Vec<_> = gate.in_force().iter().map(|cluster| cluster.id).collect();
            ids.sort_unstable();
            ids
        };
        let first = of(&gates[0]);
        first.len() == 2 && gates.iter().all(|gate| of(gate) == first)
    })
    .await;
}

async fn released_everywhere(gates: &[Gate], id: ClusterId) {
    assert!(!gates[3].enters("bots", 51, Came::Create).await);
    let now = Timestamp::now().as_second();
    let released = gates[8]
        .judge()
        .registers()
        .release(id, now, "by hand")
        .await;
    assert!(released.expect("written").is_some());
    within_a_second("it is released on all", || {
        gates.iter().all(|gate| gate.in_force().len() == 1)
    })
    .await;
    assert!(gates[3].enters("bots", 52, Came::Create).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_gates_on_redis_count_as_one() {
    let server = Server::start(Make::Redis, &[]);
    ten_count_as_one(settings(&server.url())).await;
    let longest = server.ask(&["XLEN", "{tuskgate}:counted"]);
    assert!(longest.parse::<u32>().expect("a number") > 0);
    let ttl = server.ask(&["PTTL", "{tuskgate}:counted"]);
    assert!(ttl.parse::<i64>().expect("a number") > 0, "{ttl}");
    let text = server.ask(&["XRANGE", "{tuskgate}:counted", "-", "+"]);
    assert!(text.contains("bots0.example"), "{text}");
    assert!(
        !text.contains("b0@") && !text.contains("\"b0\""),
        "a local part was told"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_gates_on_valkey_count_as_one() {
    let server = Server::start(Make::Valkey, &[]);
    ten_count_as_one(settings(&server.url())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_gates_on_a_cluster_count_as_one() {
    let servers = super::cluster::masters(Make::Redis);
    super::cluster::ready(&servers).await;
    ten_count_as_one(super::cluster::settings(&servers, "tuskgate")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_to_nothing_is_withdrawn_everywhere() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 3).await;
    for number in 0..BOTS {
        let gate = &gates[number % 3];
        assert!(gate.enters("bots", number, Came::Fail).await, "{number}");
        // So at most one of each gate is under way at any time.
        until("all have heard of it", || {
            gates
                .iter()
                .all(|gate| gate.knows_of("mx.bots.example") == 0)
        })
        .await;
    }
    assert!(gates.iter().all(|gate| gate.in_force().is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn look_alike_apps_are_counted_together_and_contained_everywhere() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let alone = Gate::alone(&dns);
    let mut by_one = 0;
    for number in 0..30 {
        by_one += usize::from(alone.makes_app(number).await);
    }
    let gates = gates(&dns, &settings(&server.url()), 3).await;
    let mut made = 0;
    for number in 0..30 {
        made += usize::from(gates[number % 3].makes_app(number).await);
        // What the breakers count is told after what the registers count.
        let heard = |gate: &Gate| gate.came_to_be(Kind::App) == made as u32;
        until("all have heard of it", || gates.iter().all(heard)).await;
    }
    assert!(
        (by_one..=by_one + 2).contains(&made),
        "{made}, {by_one} by one gate"
    );
    all_condemn_one(&gates).await;
    let cluster = gates[1].in_force().remove(0);
    assert!(
        cluster
            .suspects
            .iter()
            .all(|suspect| suspect.client_id.is_some())
    );
    // A token that one gate has seen is contained by all, whoever decides.
    let store = gates[0].judge().store();
    let token = store.key().hash(Purpose::Token, &[b"minted"]);
    let app = cluster.suspects[0].client_id.clone().expect("an app");
    store.learn_token(token, &app).await;
    let contained = gates[2].judge().contain(cluster.id, true).await;
    assert!(contained.expect("written").is_some());
    within_a_second("all contain it", || {
        gates.iter().all(|gate| gate.judge().contained("minted"))
    })
    .await;
    gates[1]
        .judge()
        .contain(cluster.id, false)
        .await
        .expect("written");
    within_a_second("all let it go", || {
        gates.iter().all(|gate| !gate.judge().contains_tokens())
    })
    .await;
}

/// One gate starts again, the server is emptied, another gate joins: each goes
/// on from its own disk, the log, and what the others know.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_away_goes_on_from_disk_and_others() {
    let server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let shared = settings(&server.url());
    let mut gates = gates(&dns, &shared, 2).await;
    for number in 0..3 {
        assert!(gates[number % 2].enters("bots", number, Came::Create).await);
    }
    let know = |gates: &[Gate], count| {
        let of = |gate: &Gate| gate.knows_of("mx.bots.example");
        gates.iter().all(|gate| of(gate) == count)
    };
    until("both know of three", || know(&gates, 3)).await;
    gates[1].start_again(&dns, shared.clone()).await;
    // Its own and the other's, from the disk and from the log: each once.
    assert!(gates[0].enters("bots", 3, Came::Create).await);
    until("both know of four", || know(&gates, 4)).await;
    let mut passed = 4;
    for number in 4..BOTS {
        passed += u64::from(gates[number % 2].enters("bots", number, Came::Create).await);
        until("both know of them", || know(&gates, passed)).await;
    }
    assert!(passed <= 7, "{passed}");
    let id = all_condemn_one(&gates).await;
    server.ask(&["FLUSHALL"]);
    // A third one hears of it: the two have told what they hold once more.
    let third = Gate::join(&dns, shared.clone()).await;
    let holds = |gate: &Gate| gate.in_force().iter().map(|one| one.id).eq([id]);
    until("the new one holds it, too", || holds(&third)).await;
    assert!(!third.enters("bots", 55, Came::Create).await);
    let now = Timestamp::now().as_second();
    gates[0]
        .judge()
        .registers()
        .release(id, now, "by hand")
        .await
        .expect("written");
    until("it is released on all", || {
        gates
            .iter()
            .chain([&third])
            .all(|gate| gate.in_force().is_empty())
    })
    .await;
    // Released is released, over a start and with all its evidence in the log.
    gates[1].start_again(&dns, shared).await;
    assert!(gates[1].enters("bots", 56, Came::Create).await);
}

/// While the server is away each counts alone; what was counted meanwhile is
/// told afterwards, and two condemnations of one server become one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_counted_apart_comes_together() {
    let mut server = Server::start(Make::Redis, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 2).await;
    server.kill();
    let mut passed = [0, 0];
    for number in 0..BOTS {
        let gate = number % 2;
        passed[gate] += u64::from(gates[gate].enters("bots", number, Came::Create).await);
    }
    assert!(
        passed.iter().all(|passed| (3..=6).contains(passed)),
        "{passed:?}"
    );
    for (number, gate) in gates.iter().enumerate() {
        assert!(gate.enters("others", number, Came::Create).await);
    }
    server.start_again();
    until("both count what both let in", || {
        let both = |gate: &Gate| {
            gate.knows_of("mx.others.example") == 2
                && gate.knows_of("mx.bots.example") == passed[0] + passed[1]
        };
        gates.iter().all(both)
    })
    .await;
    until("both agree on one", || {
        let (one, other) = (gates[0].in_force(), gates[1].in_force());
        one.len() == 1 && other.len() == 1 && one[0].id == other[0].id
    })
    .await;
    let all = passed[0] + passed[1];
    until("with the suspects of both", || {
        gates
            .iter()
            .all(|gate| gate.in_force()[0].suspects.len() as u64 == all)
    })
    .await;
    // The number that stands for it no more still leads to it.
    let folded = gates[0].judge().registers().clusters();
    let folded = folded.into_iter().find(|cluster| cluster.same_as.is_some());
    let id = folded.expect("one of two").id;
    let now = Timestamp::now().as_second();
    gates[1]
        .judge()
        .registers()
        .release(id, now, "by hand")
        .await
        .expect("written");
    until("it is released on both", || {
        gates.iter().all(|gate| gate.in_force().is_empty())
    })
    .await;
    // Then there is nothing more to say: they do not talk each other up.
    let version = || server.ask(&["GET", "{tuskgate}:clusters:version"]);
    for _ in 0..20 {
        let before = version();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        if version() == before {
            return;
        }
    }
    panic!("they go on and on: version {}", version());
}
