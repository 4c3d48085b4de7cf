//! Observing: everything is judged and written down, nothing is refused, and
//! no answer changes.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tuskgate::admin::ask::Target;
use tuskgate::ban::Scopes;
use tuskgate::judge::limit::Limit;
use tuskgate::verdict::{Mode, Rule};

use crate::support::doors::DOORS;
use crate::support::judged::{ANA, BAD_SERVER, BEN, House, Plan};

/// Everything that the tests' clients could bring is banned, and every budget is spent.
fn ban_everything(house: &House) {
    for network in ["203.0.113.0/24", "198.51.100.0/24"] {
        house.ban_network(network, Scopes::ALL);
    }
    house.ban_network(BAD_SERVER, Scopes::MAIL);
    house.ban_network("192.0.2.0/24", Scopes::MAIL);
    house.ban(Target::MailDomain("example".into()));
    house.ban(Target::MailServer("example".into()));
    house.ban(Target::Address("ana@good.example".into()));
    house.ban(Target::AppName("Weekend project".into()));
    house.ban(Target::ClientId("some-client".into()));
}

fn strict() -> Plan {
    let limits = Limit::ALL.map(|limit| (limit, "1/1h"));
    Plan::default().with_limits(&limits)
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

const EMAILS: [&str; 6] = [
    "ana@good.example",
    "bot@bot.example",
    "x@nxdomain.example",
    "a@b@c",
    "",
    "X@[192.0.2.1]",
];

#[test]
fn observing_never_refuses() {
    let house = strict().observing().build();
    ban_everything(&house);
    let tried = runner(120).run(
        &(0..DOORS.len(), 0..EMAILS.len(), any::<bool>()),
        |(door, email, ana)| {
            let from = if ana { ANA } else { BEN };
            let (reached, answer) = DOORS[door].tries(&house, from, EMAILS[email]);
            prop_assert!(reached, "{:?}: {}", DOORS[door].endpoint, answer.text());
            prop_assert!(answer.header("x-tuskgate-reference").is_none());
            Ok(())
        },
    );
    tried.expect("nothing is refused");
    let events = house.events();
    assert!(events.iter().all(|event| event.admitted));
    let bans = Rule::ALL.into_iter();
    for rule in bans.filter(|rule| rule.default_mode() == Mode::Enforce) {
        let would = events.iter().flat_map(|event| &event.verdicts);
        let mut would = would.filter(|said| said.rule == rule && said.verdict == "refuse");
        assert!(
            would.next().is_some_and(|said| said.mode == Mode::Observe),
            "{rule}"
        );
    }
}

#[test]
fn observing_never_refuses_what_it_cannot_read_or_hold() {
    let mut plan = strict().observing();
    plan.bounds.all = 100_000;
    let house = plan.build();
    let sizes = [0, 10, 64 << 10, (64 << 10) + 1, 300_000];
    let kinds = [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
    ];
    let tried = runner(40).run(
        &(0..sizes.len(), 0..kinds.len(), any::<u8>()),
        |(size, kind, byte)| {
            let body = vec![byte; sizes[size]];
            let headers = [("Content-Type", kinds[kind])];
            let answer = house
                .person(ANA)
                .call("POST", "/auth", &headers, &body)
                .expect("an answer");
            let sent = house.stage.asked("/auth");
            let sent = sent.last().expect("it arrived");
            prop_assert_eq!(sent.received(), body.len() as u64, "{}", answer.text());
            prop_assert!(body.starts_with(&sent.body()));
            prop_assert!(answer.header("x-tuskgate-reference").is_none());
            Ok(())
        },
    );
    tried.expect("nothing is refused");
}

/// Two gates, alike but that one observes with a further rule, give the same answers.
#[test]
fn an_observing_rule_changes_no_answer() {
    let bans = Rule::ALL.into_iter();
    for rule in bans.filter(|rule| rule.default_mode() == Mode::Enforce) {
        let gates = [Mode::Off, Mode::Observe].map(|mode| {
            let house = Plan::default().with_mode(rule, mode).build();
            house.ban(Target::MailDomain("listed.example".into()));
            house.ban_network("198.51.100.0/24", Scopes::DEFAULT);
            house.ban_network(BAD_SERVER, Scopes::MAIL);
            house.ban(Target::Address("eve@good.example".into()));
            house.ban(Target::ClientId("some-client".into()));
            house
        });
        for door in DOORS {
            for (from, email) in [
                (ANA, "ana@good.example"),
                (ANA, "eve@good.example"),
                (ANA, "x@listed.example"),
                (ANA, "bot@bot.example"),
                (ANA, "a@b@c"),
                (BEN, "ben@good.example"),
            ] {
                let [(off, first), (observed, second)] =
                    gates.each_ref().map(|house| door.tries(house, from, email));
                let what = format!("{rule} at {:?} with {email} from {from}", door.endpoint);
                assert_eq!((off, first.status), (observed, second.status), "{what}");
            }
        }
    }
}

/// Observing only: it counts and says what it would have done.
#[test]
fn one_rule_may_observe_while_others_refuse() {
    let house = Plan::default()
        .with_mode(Rule::MailDomain, Mode::Observe)
        .build();
    house.ban(Target::MailDomain("bot.example".into()));
    let mut person = house.person(ANA);
    assert_eq!(person.web_sign_up("a", "a@bot.example").status, 302);
    let event = house.last_event();
    assert!(event.admitted);
    let said = event.verdicts.first().expect("a verdict");
    assert_eq!((said.rule, said.mode), (Rule::MailDomain, Mode::Observe));
    assert!(
        said.undo
            .as_deref()
            .is_some_and(|undo| undo.starts_with("tuskgate unban --id "))
    );
    house.ban_network(BAD_SERVER, Scopes::MAIL);
    assert_eq!(person.web_sign_up("b", "b@bot.example").status, 422);
    let event = house.last_event();
    let rules: Vec<_> = event
        .verdicts
        .iter()
        .map(|said| (said.rule, said.mode))
        .collect();
    assert_eq!(
        rules,
        [
            (Rule::MailDomain, Mode::Observe),
            (Rule::MailServer, Mode::Enforce)
        ]
    );
}
