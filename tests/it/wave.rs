//! The breaker through the gate: what each step holds back at each door, what
//! it never touches, what moves it and what does not, by hand and by itself.

mod alone;
mod by_hand;

use jiff::Timestamp;
use tuskgate::endpoint::Endpoint;
use tuskgate::judge::limit::Limit;
use tuskgate::judge::wave::Invites;
use tuskgate::stand_in::dns::Zone;
use tuskgate::verdict::{Mode, Rule};
use tuskgate::wave::{Pin, Step};

use crate::support::caller::Answer;
use crate::support::doors::DOORS;
use crate::support::judged::{ANA, BEN, House, Person, Plan, zone};

/// A listed provider, and somebody's own server.
const KNOWN: &str = "ana@gmail.com";
const UNKNOWN: &str = "ana@good.example";

fn with_gmail() -> Zone {
    let mut zone = zone();
    zone.mx("gmail.com", 5, "gmail-smtp-in.l.google.com")
        .ip("gmail-smtp-in.l.google.com", [142, 250, 1, 26]);
    zone
}

fn plan() -> Plan {
    Plan {
        zone: with_gmail(),
        ..Plan::default()
    }
}

fn put(house: &House, step: Option<Step>) {
    let judge = std::sync::Arc::clone(&house.judge);
    let now = Timestamp::now().as_second();
    let pin = step.map(|step| Pin {
        step,
        since: now,
        until: None,
    });
    let done = house.block(async move { judge.pin_step(pin, now).await });
    let standing = done.expect("on the disk");
    assert_eq!(standing.step, step.unwrap_or_default());
}

/// Whether a door is held back at a step; the bearer of the API doors is nobody's.
fn held_back(endpoint: Endpoint, step: Step, known: bool) -> bool {
    match endpoint {
        Endpoint::SignUp | Endpoint::Subscription => {
            step >= Step::Closed || (step >= Step::Known && !known)
        }
        Endpoint::ApiSignUp => step >= Step::Known,
        Endpoint::EmailChange | Endpoint::EmailSetup | Endpoint::ApiEmailChange => {
            step >= Step::Known && !known
        }
        _ => false,
    }
}

#[test]
fn every_door_at_every_step() {
    // What else would have a say about the same few, again and again.
    let house = plan()
        .with_mode(Rule::Rate, Mode::Off)
        .with_mode(Rule::MailCluster, Mode::Off)
        .with_mode(Rule::AppCluster, Mode::Off)
        .build();
    for step in Step::ALL {
        put(&house, Some(step));
        for email in [KNOWN, UNKNOWN] {
            for (at, door) in DOORS.iter().enumerate() {
                // Refusals of one network would be merged into one row.
                let from = format!("93.{step}.{at}.{}", 1 + u8::from(email == KNOWN));
                let (reached, answer) = door.tries(&house, &from, email);
                let held = held_back(door.endpoint, step, email == KNOWN);
                let place = format!("{:?} at step {step}, {email}", door.endpoint);
                assert_eq!(reached, !held, "{place}: {}", answer.text());
                if held {
                    assert!(matches!(answer.status, 403 | 422), "{place}");
                    assert!(answer.header("retry-after").is_some(), "{place}");
                    let event = house.last_event();
                    let said = event.verdicts.iter().find(|said| said.rule == Rule::Wave);
                    let said = said.expect("it says why");
                    assert!(said.fact.contains("put by hand"), "{}", said.fact);
                    assert_eq!(
                        said.undo.as_deref(),
                        Some("tuskgate contain --step 0 --for 2h")
                    );
                }
            }
        }
    }
}

/// The whole way of a new installation, at the highest step.
#[test]
fn whoever_has_an_account_gets_in_at_every_step() {
    let house = plan().build();
    for step in Step::ALL {
        put(&house, Some(step));
        let mut ana = house.person(ANA);
        let app = ana.app(&format!("A client at step {step}"));
        ana.token(&app);
        let login = ana.ask_token(&app, "authorization_code", "some-code");
        assert_eq!(login.status, 200, "step {step}: {}", login.text());
        let sign_in = [("user[email]", UNKNOWN), ("user[password]", "x")];
        assert_ne!(ana.post("/auth/sign_in", &sign_in).status, 403);
    }
}

#[test]
fn an_observed_breaker_holds_nobody_back_and_cuts_no_limit() {
    let house = plan()
        .with_limits(&[(Limit::SignUpPerMailDomain, "3/1h")])
        .with_mode(Rule::Wave, Mode::Observe)
        .build();
    put(&house, Some(Step::Closed));
    let mut ana = house.person(ANA);
    for number in 0..3 {
        let mail = format!("u{number}@good.example");
        let answer = ana.web_sign_up(&format!("u{number}"), &mail);
        assert_eq!(answer.status, 302, "{}", answer.text());
    }
    assert_eq!(ana.web_sign_up("u3", "u3@good.example").status, 429);
}

#[test]
fn from_step_one_on_what_strangers_share_is_a_third() {
    let house = plan()
        .with_limits(&[
            (Limit::SignUpPerMailDomain, "6/1h"),
            (Limit::SignUpPerNetwork, "6/1h"),
        ])
        .build();
    put(&house, Some(Step::Tighten));
    let tries = |from: &str, mail: &str| {
        let mut person = house.person(from);
        let count = (0..7).filter(|number| {
            let name = format!("{}{number}", mail.split('.').next().expect("a label"));
            let address = format!("{name}@{mail}");
            person.web_sign_up(&name, &address).status == 302
        });
        count.count()
    };
    assert_eq!(tries(ANA, "good.example"), 2);
    assert_eq!(tries(BEN, "gmail.com"), 6, "a network's own is not cut");
}

fn invited(person: &mut Person, number: usize, code: &str) -> Answer {
    let (name, mail) = (format!("u{number}"), format!("u{number}@good.example"));
    let fields = [
        ("user[account_attributes][username]", name.as_str()),
        ("user[email]", &mail),
        ("user[password]", "correct horse battery"),
        ("user[invite_code]", code),
    ];
    person.post("/auth", &fields)
}

#[test]
fn an_invite_that_mastodon_confirms_passes_within_its_own_budget() {
    let mut plan = plan().with_limits(&[
        (Limit::SignUpPerInvite, "2/1d"),
        (Limit::SignUpPerNetwork, "1/1d"),
    ]);
    plan.policy.breaker.invites = Invites::Pass;
    let house = plan.build();
    put(&house, Some(Step::Closed));
    let mut ana = house.person(ANA);
    for code in ["bad22222", "../../x", "", "goodbut-not-a-code"] {
        assert_eq!(invited(&mut ana, 9, code).status, 403, "{code}");
    }
    assert_eq!(invited(&mut ana, 1, "goodCode").status, 302);
    let said = &house.last_event().verdicts;
    assert!(
        said.iter()
            .any(|said| said.rule == Rule::Wave && said.fact.contains("invite"))
    );
    assert_eq!(invited(&mut ana, 2, "goodCode").status, 302);
    assert_eq!(invited(&mut ana, 3, "goodCode").status, 403, "its budget");
    assert_eq!(invited(&mut ana, 3, "goodOther").status, 302);
    assert_eq!(house.reached("/invite/goodCode"), 1, "asked once a minute");

    // Open again: an invite excuses from the limits of sign-up as well.
    put(&house, Some(Step::Normal));
    let mut ben = house.person(BEN);
    assert_eq!(ben.web_sign_up("u4", "u4@good.example").status, 302);
    assert_eq!(ben.web_sign_up("u5", "u5@good.example").status, 429);
    assert_eq!(invited(&mut ben, 5, "goodOther").status, 302);
    let text = format!("{:?}", house.events());
    assert!(!text.contains("goodCode") && !text.contains("goodOther"));
}

#[test]
fn invites_are_worth_nothing_unless_configured() {
    let house = plan().build();
    put(&house, Some(Step::Closed));
    assert_eq!(invited(&mut house.person(ANA), 1, "goodCode").status, 403);
    assert_eq!(house.reached("/invite/goodCode"), 0);
}

#[test]
fn people_read_it_in_their_own_language() {
    let house = plan().build();
    put(&house, Some(Step::Closed));
    let page = house.person(ANA).call(
        "POST",
        "/auth",
        &[
            ("Accept", "text/html"),
            ("Accept-Language", "de-AT"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ],
        b"user[email]=a@gmail.com",
    );
    let page = page.expect("an answer");
    assert_eq!(page.status, 403);
    assert!(page.text().contains("Registrierung ist unterbrochen"));
    assert_eq!(page.header("retry-after"), Some("3600"));
}
