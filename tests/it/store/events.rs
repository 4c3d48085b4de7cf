//! Events: recorded, found again, completed, merged in a flood, swept.

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use tuskgate::endpoint::Endpoint;
use tuskgate::event::{Event, EventId, Outcome, VerdictRecord};
use tuskgate::mailbox::Domain;
use tuskgate::store::events::{Filter, FloodSettings, Onward};
use tuskgate::store::{Store, StoreSettings};
use tuskgate::verdict::{Mode, Rule};

use super::{open, wait};

/// In the future, so that the store's own sweep by the real clock takes none.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(4_000_000_000 + second).expect("in range")
}

pub(crate) fn event(second: i64, rule: Option<Rule>, client: &str, domain: &str) -> Event {
    Event {
        endpoint: Some(Endpoint::ApiSignUp),
        client: Some(client.parse::<IpAddr>().expect("an address")),
        username: Some("alice".to_owned()),
        mail_domain: Some(Domain::new(domain).expect("a domain")),
        mail_server: vec!["mx.example".to_owned()],
        admitted: rule.is_none(),
        verdicts: rule
            .map(|rule| VerdictRecord {
                rule,
                mode: Mode::Enforce,
                verdict: "refuse".to_owned(),
                fact: "a fact".to_owned(),
                undo: None,
            })
            .into_iter()
            .collect(),
        ..Event::blank(EventId::random().expect("randomness"), at(second))
    }
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.id).collect()
}

#[test]
fn an_event_is_found_again_with_its_outcome_also_after_a_restart() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let admitted = event(1, None, "203.0.113.9", "a.example");
    store.record(admitted.clone());
    store.outcome(admitted.id, Outcome::Create);
    let expected = Event {
        outcome: Some(Outcome::Create),
        ..admitted.clone()
    };
    let found = wait(store.event(admitted.id)).expect("read");
    assert_eq!(found.as_ref(), Some(&expected));
    drop(store);
    let again = open(folder.path());
    assert_eq!(
        wait(again.event(admitted.id)).expect("read"),
        Some(expected)
    );
    let unknown = EventId::random().expect("randomness");
    assert_eq!(wait(again.event(unknown)).expect("read"), None);
}

/// The first form of the file had references for keys.
#[test]
fn a_file_of_the_first_schema_is_brought_to_the_newest_whole() {
    let folder = tempfile::tempdir().expect("a directory");
    drop(open(folder.path()));
    let file = folder.path().join("events.sqlite3");
    std::fs::remove_file(&file).expect("it was there");
    let old = rusqlite::Connection::open(&file).expect("a file");
    old.execute_batch(
        "CREATE TABLE events (
            id INTEGER PRIMARY KEY, at INTEGER NOT NULL, endpoint TEXT, rules TEXT NOT NULL,
            mail_domain TEXT, client BLOB, admitted INTEGER NOT NULL, outcome TEXT,
            count INTEGER NOT NULL, body TEXT NOT NULL
        ) STRICT;
        CREATE INDEX events_at ON events (at);
        CREATE INDEX events_admitted_at ON events (admitted, at);
        PRAGMA user_version = 1;",
    )
    .expect("the first schema");
    let events: Vec<Event> = (0..50)
        .map(|second| event(second, None, "203.0.113.9", "a.example"))
        .collect();
    for event in events.iter().rev() {
        old.execute(
            "INSERT INTO events VALUES (?1, ?2, 'api-sign-up', ',', 'a.example', NULL, 1, 'create', 3, ?3)",
            rusqlite::params![
                i64::try_from(event.id.number()).expect("60 bits"),
                event.at.as_microsecond(),
                serde_json::to_string(event).expect("as JSON"),
            ],
        )
        .expect("a row");
    }
    drop(old);
    let store = open(folder.path());
    let expected = events.into_iter().map(|event| Event {
        outcome: Some(Outcome::Create),
        count: 3,
        ..event
    });
    let expected: Vec<Event> = expected.collect();
    let forward = Filter {
        onward: Some(Onward::Start),
        ..Filter::default()
    };
    assert_eq!(wait(store.events(forward)).expect("read"), expected);
    let found = wait(store.event(expected[7].id)).expect("read");
    assert_eq!(found.as_ref(), Some(&expected[7]));
}

#[test]
fn events_are_filtered() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let mail = event(1, Some(Rule::MailServer), "203.0.113.9", "a.example");
    let rate = event(2, Some(Rule::Rate), "203.0.114.9", "b.example");
    let pass = event(3, None, "2001:db8:1::5", "a.example");
    for event in [&mail, &rate, &pass] {
        store.record(event.clone());
    }
    let found = |filter: Filter| ids(&wait(store.events(filter)).expect("read"));
    let all = Filter::default;
    assert_eq!(found(all()), [pass.id, rate.id, mail.id]);
    assert_eq!(found(Filter { limit: 2, ..all() }), [pass.id, rate.id]);
    let table = [
        (
            Filter {
                since: Some(at(2)),
                until: Some(at(3)),
                ..all()
            },
            rate.id,
        ),
        (
            Filter {
                rule: Some(Rule::MailServer),
                ..all()
            },
            mail.id,
        ),
        (
            Filter {
                mail_domain: Domain::new("b.example").ok(),
                ..all()
            },
            rate.id,
        ),
        (
            Filter {
                client: "203.0.113.0/24".parse().ok(),
                ..all()
            },
            mail.id,
        ),
        (
            Filter {
                client: "2001:db8:1::/48".parse().ok(),
                ..all()
            },
            pass.id,
        ),
        (
            Filter {
                admitted: Some(true),
                ..all()
            },
            pass.id,
        ),
    ];
    for (filter, id) in table {
        assert_eq!(found(filter.clone()), [id], "{filter:?}");
    }
    assert_eq!(
        found(Filter {
            endpoint: Some(Endpoint::Token),
            ..all()
        }),
        []
    );
    assert_eq!(
        found(Filter {
            rule: Some(Rule::MailDomain),
            ..all()
        }),
        []
    );
}

#[test]
fn a_flood_is_a_few_rows_that_count_it_all() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut settings = StoreSettings::new(folder.path());
    settings.flood = FloodSettings {
        rows: 5,
        window: Duration::from_secs(60),
    };
    let store = Store::open(&settings).expect("opens");
    for number in 0..20_000 {
        let client = format!("198.51.{}.{}", number / 250 % 250, number % 250);
        store.record(event(
            number / 1000,
            Some(Rule::MailDomain),
            &client,
            "spam.example",
        ));
        if number % 4000 == 3999 {
            // The queue is bounded, and on a busy machine the writer may be behind.
            wait(store.flush()).expect("written");
        }
    }
    for _ in 0..20 {
        store.record(event(5, None, "203.0.113.9", "honest.example"));
    }
    let found = wait(store.events(Filter {
        limit: 1000,
        ..Filter::default()
    }))
    .expect("read");
    let (honest, flood): (Vec<_>, Vec<_>) = found.into_iter().partition(|event| event.admitted);
    assert_eq!(honest.len(), 20, "an admitted event was merged");
    assert_eq!(flood.len(), 5);
    assert_eq!(flood.iter().map(|event| event.count).sum::<u32>(), 20_000);
}

/// Somebody banned everywhere under an observing gate, and a body nobody can
/// read: nothing comes of either, so a million of them are a few rows. What is
/// judged at a door keeps its row, because an outcome comes later.
#[test]
fn observed_refusals_of_which_nothing_comes_are_merged_too() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    let observed = |number: i64, rule, endpoint| {
        let mut event = event(number / 100, Some(rule), "198.51.100.7", "a.example");
        event.admitted = true;
        event.endpoint = endpoint;
        event.verdicts[0].mode = Mode::Observe;
        event
    };
    for number in 0..1000 {
        store.record(observed(number, Rule::ClientBan, None));
        store.record(observed(number, Rule::Unreadable, Some(Endpoint::Token)));
    }
    let judged: Vec<_> = (0..30)
        .map(|number| observed(number, Rule::ClientBan, Some(Endpoint::SignUp)))
        .collect();
    for event in &judged {
        store.record(event.clone());
        store.outcome(event.id, Outcome::Create);
    }
    let all = wait(store.events(Filter {
        limit: 5000,
        ..Filter::default()
    }))
    .expect("read");
    let (at_doors, merged): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|event| event.endpoint == Some(Endpoint::SignUp));
    assert_eq!(at_doors.len(), 30);
    assert!(
        at_doors
            .iter()
            .all(|event| event.outcome == Some(Outcome::Create))
    );
    assert_eq!(merged.len(), 20, "ten rows of each kind");
    assert_eq!(merged.iter().map(|event| event.count).sum::<u32>(), 2000);
}

#[test]
fn pages_from_the_oldest_on_hold_every_event_once() {
    let folder = tempfile::tempdir().expect("a directory");
    let store = open(folder.path());
    for number in 0..100 {
        // Many at the same moment.
        store.record(event(number / 30, None, "203.0.113.9", "a.example"));
    }
    let mut onward = Onward::Start;
    let mut seen = Vec::new();
    loop {
        let page = wait(store.events(Filter {
            limit: 7,
            onward: Some(onward),
            ..Filter::default()
        }))
        .expect("read");
        let Some(last) = page.last() else { break };
        onward = Onward::Behind(last.at, last.id);
        seen.extend(page.iter().map(|event| (event.at, event.id)));
    }
    assert_eq!(seen.len(), 100);
    assert!(seen.is_sorted());
    seen.dedup();
    assert_eq!(seen.len(), 100);
}

#[test]
fn old_and_surplus_events_go() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut settings = StoreSettings::new(folder.path());
    settings.event_rows = 50;
    settings.retention = Duration::from_secs(100);
    let store = Store::open(&settings).expect("opens");
    for second in 0..200 {
        store.record(event(second, None, "203.0.113.9", "a.example"));
    }
    wait(store.sweep(at(200))).expect("swept");
    let all = Filter {
        limit: 1000,
        ..Filter::default()
    };
    let left = wait(store.events(all.clone())).expect("read");
    assert_eq!(left.len(), 50);
    assert_eq!(left.last().map(|event| event.at), Some(at(150)));
    wait(store.sweep(at(280))).expect("swept");
    let left = wait(store.events(all)).expect("read");
    assert_eq!(left.last().map(|event| event.at), Some(at(180)));
}
