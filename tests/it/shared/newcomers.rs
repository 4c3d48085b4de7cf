//! Which accounts came through which app is told to the other gates, so that
//! their breakers have the same evidence when its look is condemned.

use tuskgate::app::{ClientId, Credential};
use tuskgate::endpoint::Endpoint;
use tuskgate::event::Outcome as Came;
use tuskgate::judge::app_sight::Nobody;
use tuskgate::mail::address;
use tuskgate::stand_in::dns::StandInDns;
use tuskgate::wave::Kind;

use super::gates::{Gate, gates, zone};
use super::settings;
use crate::support::bots::{attempt, nothing_learned};
use crate::support::redis::{Make, Server};
use crate::support::until;

/// Somebody signs up on `gate` through the first of the look-alike apps.
async fn enters_through_app(gate: &Gate, number: usize) -> bool {
    let mut attempt = attempt(Endpoint::ApiSignUp, number);
    let mail = format!("b{number}@others{number}.example");
    attempt.email = address::read(&mail).expect("an address");
    attempt.credential = Some(Credential {
        client_id: ClientId::new("aaa0"),
        client_secret: None,
    });
    let judgement = gate.judge().judge(&attempt, &Nobody).await;
    let well = judgement.decision.refusal().is_none();
    let lesson = nothing_learned(if well { Came::Create } else { Came::Fail });
    gate.judge().settle(&attempt, judgement, &lesson).await;
    well
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_breaker_knows_of_the_accounts_that_came_through_a_condemned_look() {
    let server = Server::start(Make::Valkey, &[]);
    let dns = StandInDns::start(zone()).await.expect("it starts");
    let gates = gates(&dns, &settings(&server.url()), 3).await;
    assert!(gates[0].makes_app(0).await);
    for (number, gate) in gates.iter().enumerate() {
        assert!(enters_through_app(gate, number).await, "{number}");
    }
    until("all have counted the three", || {
        gates.iter().all(|gate| gate.came_to_be(Kind::SignUp) == 3)
    })
    .await;
    for number in 1..30 {
        gates[number % 3].makes_app(number).await;
    }
    // Each may have condemned it by itself; one is left, the same on all.
    until("all have the same evidence", || {
        let now = jiff::Timestamp::now().as_second();
        let ids = gates[0].in_force();
        let expected = ids.first().map(|first| {
            let id = first.id;
            format!("3 accounts let in before 1 condemnation ({id})")
        });
        let evidence = |gate: &Gate| gate.judge().standing(now).evidence;
        let agreed = |gate: &Gate| Some(evidence(gate)) == expected;
        ids.len() == 1 && gates.iter().all(agreed)
    })
    .await;
}
