//! A step of the breaker put by hand on one gate holds on all, and so does letting
//! it go; over restarts, an outage of the shared store, and for who joins later.

use std::time::Duration;

use jiff::Timestamp;
use tuskgate::stand_in::dns::StandInDns;
use tuskgate::store::SharedSettings;
use tuskgate::wave::{Pin, Step};

use super::gates::{Gate, within_a_second, zone};
use super::settings;
use crate::support::redis::{Make, Server};
use crate::support::until;

async fn put(gate: &Gate, step: Option<Step>, until: Option<i64>) {
    let since = Timestamp::now().as_second();
    let pin = step.map(|step| Pin { step, since, until });
    let put = gate.judge().pin_step(pin, since).await;
    assert_eq!(put.expect("on the disk").pin, pin);
}

/// The step in force, and the one put by hand.
fn stands(gate: &Gate) -> (Step, Option<Step>) {
    let standing = gate.judge().standing(Timestamp::now().as_second());
    (standing.step, standing.pin.map(|pin| pin.step))
}

fn hold(gates: &[&Gate], step: Step) -> bool {
    gates.iter().all(|gate| stands(gate) == (step, Some(step)))
}

fn are_free(gates: &[&Gate]) -> bool {
    gates
        .iter()
        .all(|gate| stands(gate) == (Step::Normal, None))
}

async fn one_word_for_all(make: Make, arguments: &[&str]) {
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let mut server = Server::start(make, arguments);
    let shared = settings(&server.url());
    let mut first = Gate::join(&dns, shared.clone()).await;
    let second = Gate::join(&dns, shared.clone()).await;
    put(&first, Some(Step::Known), None).await;
    within_a_second("both hold it", || hold(&[&first, &second], Step::Known)).await;
    let mut told = String::new();
    while !told.contains("put by hand on another gate") {
        // The test's own time-out ends this.
        stands(&second);
        let events = second.judge().store().events(Default::default()).await;
        told = format!("{:?}", events.expect("read"));
    }

    // Who joins later learns of it, and who comes back has it from its disk.
    let third = Gate::join(&dns, shared.clone()).await;
    within_a_second("it is learned", || hold(&[&third], Step::Known)).await;
    first.start_again(&dns, shared.clone()).await;
    assert!(hold(&[&first], Step::Known), "it is on the disk");

    // The last word holds, whoever says it.
    put(&second, Some(Step::Closed), None).await;
    let all = [&first, &second, &third];
    within_a_second("all hold it", || hold(&all, Step::Closed)).await;
    put(&third, None, None).await;
    within_a_second("all are let go", || are_free(&all)).await;

    // Said during an outage: known to the others when it is over.
    server.kill();
    until("it is known to be gone", || {
        !second.judge().store().is_shared()
    })
    .await;
    put(&second, Some(Step::WebOnly), None).await;
    assert!(hold(&[&second], Step::WebOnly) && are_free(&[&first, &third]));
    server.start_again();
    until("all have heard of it", || hold(&all, Step::WebOnly)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_put_by_hand_holds_on_all_gates_of_a_redis() {
    one_word_for_all(Make::Redis, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_put_by_hand_holds_on_all_gates_of_a_valkey() {
    one_word_for_all(Make::Valkey, &[]).await;
}

/// The pin ends on every gate by its own clock, and nobody brings it back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_that_has_run_out_is_not_learned_again() {
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let server = Server::start(Make::Redis, &[]);
    let shared = SharedSettings {
        timeout: Duration::from_secs(1),
        ..settings(&server.url())
    };
    let first = Gate::join(&dns, shared.clone()).await;
    let second = Gate::join(&dns, shared.clone()).await;
    let end = Timestamp::now().as_second() + 4;
    put(&first, Some(Step::Known), Some(end)).await;
    within_a_second("both hold it", || hold(&[&first, &second], Step::Known)).await;
    until("it is over on both", || are_free(&[&first, &second])).await;
    let third = Gate::join(&dns, shared).await;
    until("it has looked", || {
        server.ask(&["EXISTS", "{tuskgate}:by-hand"]) == "1" && are_free(&[&third])
    })
    .await;
    let ttl = server.ask(&["PTTL", "{tuskgate}:by-hand"]);
    assert!(ttl.parse::<i64>().is_ok_and(|millis| millis > 0), "{ttl}");
}
