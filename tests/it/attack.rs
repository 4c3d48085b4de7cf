//! December 2018 again: 4,500 token requests over 60 apps named AaA from 900
//! addresses, and sign-ups with addresses of 40 domains whose mail all goes to
//! one banned server, while 200 honest people sign up in every body format.
//!
//! Counted is what reached Rails, by Rails' own journal. The same wave with the
//! gate left out is the control: it shows that the attack would have worked.
//! Deliberately with the default limits: they are what is being proven.

mod addresses;
mod people;

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::caller::{Caller, Encoding};
use super::support::chain::Chain;
use addresses::{address, bot_domain, zone};
use people::{App, client_credentials, credentials, honest_sign_up, person, web_sign_up};

const TOKEN_REQUESTS: usize = 4_500;
const APPS: usize = 60;
const BOT_ADDRESSES: usize = 900;
const BOT_DOMAINS: usize = 40;
const BOT_SIGN_UPS: usize = 200;
const HONEST: usize = 200;
/// Of the honest, those who share one address, as behind a carrier's NAT.
const BEHIND_ONE_ADDRESS: usize = 40;
/// The one server behind all the bots' domains, as in the incident report.
const BANNED: Ipv4Addr = Ipv4Addr::new(45, 9, 9, 9);
/// All of it, on two cores that have ten times more to do than they can: half a
/// minute when they are idle.
const LONGEST: Duration = Duration::from_secs(480);
const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";
const TOKENS: &str = "Oauth::TokensController#create";

#[test]
fn without_the_gate_the_attack_works() {
    let chain = Chain::direct();
    let wave = Wave::run(&chain);
    let count = Count::of(&chain.state());
    println!("without the gate: {count:?} in {:?}", wave.took);
    assert_eq!(wave.failed_people, Vec::<String>::new());
    assert_eq!(
        count.bot_tokens, TOKEN_REQUESTS,
        "every one of the bots' token requests is answered"
    );
    assert!(count.bot_requests >= TOKEN_REQUESTS + BOT_SIGN_UPS);
    assert_eq!(count.bot_accounts, BOT_SIGN_UPS);
    assert_eq!(count.honest_accounts, HONEST);
}

#[test]
fn the_gate_stops_the_attack_and_no_one_else() {
    let chain = Chain::gated(&zone(), "");
    let ban = chain.tuskgate(&[
        "ban",
        "network",
        &format!("{BANNED}/32"),
        "--reason",
        "mail server of the bots",
    ]);
    assert!(
        ban.status.success(),
        "ban: {}{}",
        String::from_utf8_lossy(&ban.stdout),
        String::from_utf8_lossy(&ban.stderr)
    );
    let wave = Wave::run(&chain);
    let count = Count::of(&chain.state());
    println!("through the gate: {count:?} in {:?}", wave.took);
    assert_eq!(
        wave.failed_people,
        Vec::<String>::new(),
        "an honest person was refused"
    );
    assert_eq!(count.honest_accounts, HONEST);
    assert_eq!(
        count.bot_accounts, 0,
        "an account whose mail goes to the banned server"
    );
    assert!(
        count.bot_tokens <= TOKEN_REQUESTS / 10,
        "{} of the bots' token requests reached Rails",
        count.bot_tokens
    );
    // The rest are pages with the form, apps, and what the limits admit.
    assert!(
        count.bot_requests <= TOKEN_REQUESTS / 5,
        "{} of the bots' requests reached Rails",
        count.bot_requests
    );
    assert!(wave.took < LONGEST, "the wave took {:?}", wave.took);
}

/// What reached Rails and what came to be there.
#[derive(Debug)]
struct Count {
    /// Token requests from the bots' addresses that Rails answered with a token.
    bot_tokens: usize,
    bot_accounts: usize,
    honest_accounts: usize,
    /// Everything that reached an action from the bots' addresses.
    bot_requests: usize,
}

impl Count {
    fn of(state: &Value) -> Self {
        let bots: Vec<String> = (0..BOT_ADDRESSES)
            .map(|n| address(45, n).to_string())
            .collect();
        let journal: Vec<&Value> = state["journal"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|entry| {
                entry["ip"]
                    .as_str()
                    .is_some_and(|ip| bots.iter().any(|bot| bot == ip))
            })
            .collect();
        let users: Vec<&str> = state["users"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|user| user["email"].as_str())
            .collect();
        let bot_accounts = users
            .iter()
            .filter(|email| email.contains("@throwaway-"))
            .count();
        Self {
            bot_tokens: journal
                .iter()
                .filter(|entry| entry["action"] == TOKENS && entry["status"] == 200)
                .count(),
            bot_accounts,
            honest_accounts: users.len() - bot_accounts,
            bot_requests: journal.len(),
        }
    }
}

/// The attack and the people, at the same time.
struct Wave {
    took: Duration,
    failed_people: Vec<String>,
}

impl Wave {
    fn run(chain: &Chain) -> Self {
        let begun = Instant::now();
        let apps = bot_apps(chain);
        let (tokens, sign_ups, people) = (
            AtomicUsize::new(0),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        let failed = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    each(chain, &tokens, TOKEN_REQUESTS, |caller, n| {
                        ask_token(caller, &apps, n)
                    })
                });
            }
            for _ in 0..2 {
                scope.spawn(|| {
                    each(chain, &sign_ups, BOT_SIGN_UPS, |caller, n| {
                        bot_sign_up(chain, caller, n, &apps)
                    })
                });
            }
            for _ in 0..4 {
                scope.spawn(|| {
                    each(chain, &people, HONEST, |caller, n| {
                        if let Err(fault) = honest_sign_up(caller, n) {
                            failed
                                .lock()
                                .expect("no holder panics")
                                .push(format!("person {n}: {fault}"));
                        }
                    });
                });
            }
        });
        Self {
            took: begun.elapsed(),
            failed_people: failed.into_inner().expect("no holder panics"),
        }
    }
}

/// One worker: takes the next number until all are taken.
fn each(chain: &Chain, next: &AtomicUsize, all: usize, mut act: impl FnMut(&mut Caller, usize)) {
    let mut caller = chain.caller(Ipv4Addr::LOCALHOST);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= all {
            return;
        }
        act(&mut caller, n);
    }
}

/// Sixty apps named AaA. What the gate refuses was made before it stood there.
fn bot_apps(chain: &Chain) -> Vec<App> {
    let mut through = chain.caller(address(45, 0));
    let mut around = Caller::new(chain.rails, None);
    (0..APPS)
        .map(|n| {
            through.become_other(address(45, n));
            let name = ["AaA", "aAa", "AAa", "A a A"][n % 4];
            let fields = [
                ("client_name", name),
                ("redirect_uris", OOB),
                ("scopes", "read write follow"),
            ];
            let made = through
                .post("/api/v1/apps", Encoding::Urlencoded, &fields, None)
                .expect("an answer");
            let made = if made.status == 200 {
                made
            } else {
                around
                    .post("/api/v1/apps", Encoding::Urlencoded, &fields, None)
                    .expect("an answer")
            };
            credentials(&made.json())
        })
        .collect()
}

fn ask_token(caller: &mut Caller, apps: &[App], n: usize) {
    caller.become_other(address(45, n % BOT_ADDRESSES));
    let app = &apps[n % APPS];
    caller
        .post(
            "/oauth/token",
            Encoding::ALL[n % 3],
            &client_credentials(app),
            None,
        )
        .expect("an answer, of whatever kind");
}

/// A bot signs up, half by API with a token it holds, half by the web form.
fn bot_sign_up(chain: &Chain, caller: &mut Caller, n: usize, apps: &[App]) {
    caller.become_other(address(45, (n * 4) % BOT_ADDRESSES));
    let email = format!("bot{n}@{}", bot_domain(n));
    let name = format!("bot{n}");
    if n.is_multiple_of(2) {
        // Got long before: what is proven here is the sign-up.
        let held = Caller::new(chain.rails, None)
            .post(
                "/oauth/token",
                Encoding::Urlencoded,
                &client_credentials(&apps[n % APPS]),
                None,
            )
            .expect("an answer")
            .json();
        let person = person(&name, &email);
        let bearer = held["access_token"].as_str();
        caller
            .post("/api/v1/accounts", Encoding::ALL[n % 3], &person, bearer)
            .expect("an answer, of whatever kind");
    } else {
        // Refused or not, Rails knows.
        let _ = web_sign_up(caller, &name, &email, Encoding::Urlencoded);
    }
}
