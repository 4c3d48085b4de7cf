//! A bot's own name server may change its answer once it has been believed:
//! fresh domains are looked at again.

use std::time::Duration;

use tuskgate::ban::Scopes;
use tuskgate::endpoint::Endpoint;
use tuskgate::event::Event;
use tuskgate::stand_in::dns::{RecordType, Zone};
use tuskgate::verdict::Rule;

use crate::support::doors::Door;
use crate::support::judged::{ANA, BAD_SERVER, House, Plan, wait_until};

fn house(delays: &[u64]) -> House {
    let delays = delays.iter().map(|delay| Duration::from_millis(*delay));
    let plan = Plan {
        delays: Some(delays.collect()),
        ..Plan::default()
    };
    let house = plan.build();
    house.ban_network(BAD_SERVER, Scopes::MAIL);
    house
}

fn suspects(house: &House) -> Vec<Event> {
    let suspect = |event: &Event| event.verdicts.iter().any(|said| said.verdict == "suspect");
    house.events().into_iter().filter(suspect).collect()
}

fn points_at(zone: &mut Zone, domain: &str, server: &str) {
    zone.remove(domain).mx(domain, 10, server);
}

#[test]
fn an_answer_that_changes_makes_a_suspect() {
    // The last is late enough for the change on a busy machine.
    let house = house(&[100, 500, 3_000, 15_000]);
    house
        .stage
        .dns
        .edit(|zone| points_at(zone, "turncoat.example", "mx.good.example"));
    let (reached, _) = Door::of(Endpoint::SignUp).tries(&house, ANA, "x@turncoat.example");
    assert!(reached);
    let admitted = house.last_event();
    house
        .stage
        .dns
        .edit(|zone| points_at(zone, "turncoat.example", "mail.bot.example"));
    wait_until("the change is seen", || !suspects(&house).is_empty());
    let suspects = suspects(&house);
    let [suspect] = suspects.as_slice() else {
        panic!("one suspect, not {suspects:?}");
    };
    assert_ne!(suspect.id, admitted.id);
    assert_eq!(suspect.mailbox, admitted.mailbox);
    let said = suspect.verdicts.first().expect("a verdict");
    assert_eq!(said.rule, Rule::MailServer);
    assert!(
        said.fact.contains(&admitted.id.to_string()),
        "{}",
        said.fact
    );
    assert!(said.fact.contains(BAD_SERVER), "{}", said.fact);
    let (reached, _) = Door::of(Endpoint::SignUp).tries(&house, ANA, "y@turncoat.example");
    assert!(!reached, "the new answer is what the next one is judged by");
}

#[test]
fn a_domain_is_looked_at_again_after_each_delay_and_only_while_it_is_fresh() {
    let house = house(&[100, 300]);
    let door = Door::of(Endpoint::SignUp);
    for n in 0..3 {
        assert!(door.tries(&house, ANA, &format!("x{n}@good.example")).0);
    }
    let asked = || house.stage.dns.asked("good.example", RecordType::MX);
    wait_until("it was looked at twice again", || asked() == 3);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(asked(), 3, "once for the sign-ups, once for each delay");
    assert!(suspects(&house).is_empty());
}

/// Nobody is suspected at doors that merely look an address up.
#[test]
fn only_an_address_that_was_let_in_is_looked_at_again() {
    let house = house(&[100, 300]);
    for endpoint in [Endpoint::SignIn, Endpoint::ConfirmationResend] {
        assert!(Door::of(endpoint).tries(&house, ANA, "x@good.example").0);
    }
    assert!(
        !Door::of(Endpoint::SignUp)
            .tries(&house, ANA, "x@bot.example")
            .0
    );
    let before = house.stage.dns.asked("bot.example", RecordType::MX);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(house.stage.dns.asked("good.example", RecordType::MX), 0);
    assert_eq!(house.stage.dns.asked("bot.example", RecordType::MX), before);
}
