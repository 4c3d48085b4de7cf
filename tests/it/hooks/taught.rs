//! What webhooks and links teach the judge.

use jiff::Span;
use serde_json::{Value, json};
use tuskgate::event::Note;
use tuskgate::verdict::{Mode, Rule};

use super::super::support::judged::{ANA, BEN, Plan, wait_until};
use super::{PATIENT, account, deliver, ear, hook, now};

#[test]
fn an_account_that_the_gate_never_saw_is_a_bypass() {
    let house = Plan::default().build();
    let address = ear(&house, PATIENT);
    let created = |id, email| hook("account.created", &account(id, email, false), now());
    // The gate has just come to be: it cannot tell.
    assert_eq!(deliver(address, &created(1, "early@good.example")), 200);
    assert_eq!(house.judge.heard().bypasses, 0);

    let mut ana = house.person(ANA);
    assert_eq!(ana.web_sign_up("ana", "ana@good.example").status, 302);
    assert_eq!(deliver(address, &created(2, "Ana@good.example")), 200);
    assert_eq!(house.judge.heard().bypasses, 0, "let through");
    // A later word of somebody unknown says nothing of where they came from.
    let updated = hook(
        "account.updated",
        &account(3, "zoe@good.example", true),
        now(),
    );
    assert_eq!(deliver(address, &updated), 200);
    assert_eq!(house.judge.heard().bypasses, 0);

    let beside = created(4, "eve@good.example");
    assert_eq!(deliver(address, &beside), 200);
    assert_eq!(deliver(address, &beside), 200);
    assert_eq!(house.judge.heard().bypasses, 1);
    let noted: Vec<_> = house
        .events()
        .into_iter()
        .filter(|e| e.note == Some(Note::Bypass))
        .collect();
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0].username.as_deref(), Some("eve"));
    assert!(!format!("{noted:?}").contains("eve@"));
    // Whoever came in beside the gate vouches for nothing.
    assert_eq!(
        deliver(
            address,
            &hook(
                "account.approved",
                &account(4, "eve@good.example", true),
                now()
            )
        ),
        200
    );
    assert_eq!(house.judge.heard().confirmed, 0);
    let remote = {
        let mut remote = account(5, "x@good.example", false);
        remote["domain"] = json!("far.example");
        hook("account.created", &remote, now())
    };
    assert_eq!(deliver(address, &remote), 200);
    assert_eq!(
        house.judge.heard().bypasses,
        1,
        "remote accounts are nobody's sign-up"
    );
}

#[test]
fn what_the_gate_let_in_unread_is_no_bypass() {
    let house = Plan::default().observing().build();
    let address = ear(&house, PATIENT);
    let mut ana = house.person(ANA);
    assert_eq!(ana.web_sign_up("ana", "ana@good.example").status, 302);
    let odd = [("Content-Type", "text/plain")];
    ana.call("POST", "/auth", &odd, b"user[email]=b@good.example")
        .expect("an answer");
    let body = hook(
        "account.created",
        &account(9, "b@good.example", false),
        now(),
    );
    assert_eq!(deliver(address, &body), 200);
    assert_eq!(house.judge.heard().bypasses, 0);
}

#[test]
fn links_count_anonymously_until_mastodon_tells() {
    let house = Plan::default().build();
    let address = ear(&house, PATIENT);
    let mut ana = house.person(ANA);
    assert_eq!(ana.web_sign_up("ana", "ana@good.example").status, 302);
    wait_until("it is counted", || house.judge.heard().admitted == 1);
    let link = |token: &str| format!("/auth/confirmation?confirmation_token={token}");
    assert_eq!(ana.get(&link("bad1")).status, 200);
    assert_eq!(house.judge.heard().links, 0);
    for _ in 0..3 {
        assert_eq!(ana.get(&link("good1")).status, 302);
    }
    assert_eq!(house.judge.heard().links, 1, "a token counts once");
    let mut ben = house.person(BEN);
    for number in 0..50 {
        assert_eq!(ben.get(&link(&format!("good-ben{number}"))).status, 302);
    }
    assert_eq!(house.judge.heard().links, 9, "a network a few times a day");
    assert_eq!(house.judge.heard().confirmed, 0);
    let body = hook(
        "account.approved",
        &account(2, "ana@good.example", true),
        now(),
    );
    assert_eq!(deliver(address, &body), 200);
    assert_eq!(house.judge.heard().confirmed, 1);
}

#[test]
fn reports_by_grown_local_accounts_are_remembered_behind_the_server() {
    let house = Plan::default()
        .with_mode(Rule::MailCluster, Mode::Observe)
        .build();
    let address = ear(&house, PATIENT);
    let mut ana = house.person(ANA);
    for name in ["eve", "mallory"] {
        let email = format!("{name}@good.example");
        assert_eq!(ana.web_sign_up(name, &email).status, 302);
    }
    let targets = [
        account(2, "eve@good.example", false),
        account(3, "mallory@good.example", false),
    ];
    let grown = |id, days: i64| {
        let mut grown = account(id, "old@elsewhere.example", true);
        grown["created_at"] = json!((now() - Span::new().hours(24 * days)).to_string());
        grown
    };
    let mut remote = grown(10, 900);
    remote["domain"] = json!("far.example");
    let report = |id: u64, by: &Value, target: &Value| {
        let report = json!({"id": id.to_string(), "comment": "spam", "statuses": [{"id": "1"}],
            "account": by, "target_account": target});
        assert_eq!(
            deliver(address, &hook("report.created", &report, now())),
            200
        );
    };
    let behind = || {
        let server = house
            .judge
            .registers()
            .server("mx.good.example", now().as_second());
        server.expect("a name").first().expect("a host").reports
    };
    report(1, &remote, &targets[0]);
    report(2, &grown(11, 3), &targets[0]);
    report(3, &grown(12, 90), &grown(13, 90));
    assert_eq!((house.judge.heard().reports, behind()), (0, (0, 0)));
    for number in 0..9 {
        report(10 + number, &grown(12, 90), &targets[0]);
    }
    assert_eq!((house.judge.heard().reports, behind()), (3, (1, 1)));
    report(30, &grown(14, 90), &targets[1]);
    assert_eq!(behind(), (2, 2));
    assert_eq!(
        house.judge.registers().clusters(),
        [],
        "no word condemns anybody"
    );
    assert_eq!(ana.web_sign_up("zoe", "zoe@good.example").status, 302);
}
