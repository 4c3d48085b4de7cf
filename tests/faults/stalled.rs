//! Everything that a guarded request may wait for stalls at once: the shared
//! store is stopped, no name server answers, the upstream answers the first
//! question at the last moment and the second not at all. The request goes on
//! all the same, within the number that ARCHITECTURE.md states.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tuskgate::stand_in::dns::Behaviour;
use tuskgate::store::SharedSettings;

use crate::support::TRIES;
use crate::support::judged::{ANA, Plan, wait_until};
use crate::support::redis::{Make, Server};

/// "Limits of time" in ARCHITECTURE.md, at the API sign-up.
const WORST: Duration = Duration::from_secs(7);

/// Less would mean that not all of it stalled: DNS, and two questions to the upstream.
const LEAST: Duration = Duration::from_millis(1_500 + 1_700 + 2_000);

/// An upstream whose own look-ups stall; says when the sign-up arrives.
fn stalling() -> (SocketAddr, Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (arrived, arrivals) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let arrived = arrived.clone();
            std::thread::spawn(move || answer(connection, &arrived));
        }
    });
    (address, arrivals)
}

fn answer(connection: TcpStream, arrived: &Sender<Instant>) {
    let mut reader = BufReader::new(connection);
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a head");
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let body = if first.contains("/oauth/token/info") {
            std::thread::sleep(Duration::from_millis(1_700));
            r#"{"application":{"uid":"an-app"}}"#
        } else if first.contains("verify_credentials") {
            std::thread::sleep(Duration::from_secs(30));
            return;
        } else {
            arrived.send(Instant::now()).expect("the test waits");
            r#"{"access_token":"t"}"#
        };
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
        let reply = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        reader.get_mut().write_all(reply.as_bytes()).expect("sent");
    }
}

#[test]
fn a_sign_up_waits_no_longer_than_stated() {
    let page = std::fs::read_to_string("ARCHITECTURE.md").expect("the page is there");
    let stated = format!("under {} s at the API sign-up", WORST.as_secs());
    assert!(page.contains(&stated), "the page states another number");
    // The quickest of several: what a busy machine adds is not the gate's.
    let mut all = Vec::new();
    while all.len() < TRIES && all.last().is_none_or(|waited| *waited > WORST) {
        all.push(waits());
    }
    println!("it waited {all:?} for store, DNS and upstream together");
    assert!(
        all.iter().all(|waited| *waited >= LEAST),
        "not everything stalled"
    );
    assert!(all.last() <= Some(&WORST), "{all:?}");
}

/// How long a sign-up takes to get to the upstream while everything stalls.
fn waits() -> Duration {
    let server = Server::start(Make::Redis, &[]);
    let (upstream, arrivals) = stalling();
    let mut plan = Plan {
        upstream: Some(upstream),
        ..Plan::default()
    };
    plan.zone.behave_always(Behaviour::Stall);
    let house = plan.build();
    let shared = SharedSettings::new(server.url());
    house.judge.store().share(shared, &house.stage.runtime);
    wait_until("the shared store is in use", || {
        house.judge.store().is_shared()
    });
    server.signal("STOP");
    let begun = Instant::now();
    let answer = house
        .person(ANA)
        .sign_up("bearer", "ana", "ana@good.example");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let waited = arrivals.recv().expect("it arrived") - begun;
    server.signal("CONT");
    waited
}
