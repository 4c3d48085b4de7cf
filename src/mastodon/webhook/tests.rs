//! Signatures by another tool, bodies as a running Mastodon writes them, and everything else.

use proptest::prelude::*;

use super::*;

/// As `GET /api/v1/admin/accounts/:id` of a running 4.1 shows one (`tests/wire`).
const ALICE: &str = r#"{"id":"117658791627706540","username":"alice","domain":null,"created_at":"2026-11-22T06:58:02.808Z","email":"Alice@good.test","ip":"45.33.178.229","confirmed":true,"suspended":false,"silenced":false,"sensitized":false,"disabled":false,"approved":true,"locale":"en","invite_request":null,"created_by_application_id":"10","ips":[{"ip":"45.33.178.229","used_at":"2026-11-22T06:58:02.950Z"}],"account":{"id":"117658791627706540","username":"alice","created_at":"2026-11-22T00:00:00.000Z","note":"","emojis":[]},"role":{"id":"-99"}}"#;
const REMOTE: &str = r#"{"id":"9","username":"r","domain":"far.example","created_at":"2020-01-02T03:04:05.000Z","email":null,"ip":null,"confirmed":null,"approved":null}"#;

fn body(event: &str, object: &str) -> String {
    format!(r#"{{"event":"{event}","created_at":"2026-11-22T06:58:03.001Z","object":{object}}}"#)
}

fn account(object: &str) -> Account {
    let hook = read(body("account.created", object).as_bytes()).expect("a webhook");
    match hook.news {
        News::Account(Stage::Created, account) => *account,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_account_as_mastodon_writes_it() {
    let alice = account(ALICE);
    assert_eq!(alice.id, 117_658_791_627_706_540);
    assert_eq!(alice.username, "alice");
    assert_eq!(alice.created.to_string(), "2026-11-22T06:58:02.808Z");
    assert_eq!(
        alice.email.as_ref().map(|e| e.exact.expose()),
        Some("alice@good.test")
    );
    assert_eq!(alice.ip, "45.33.178.229".parse().ok());
    assert!(alice.local && alice.confirmed && alice.approved && !alice.sanctioned);
    assert!(!format!("{alice:?}").contains("alice@"));
}

#[test]
fn older_and_odd_writings() {
    for (from, to) in [
        (
            r#""45.33.178.229""#,
            r#"{"user_id":1,"ip":"45.33.178.229","used_at":null}"#,
        ),
        (r#""45.33.178.229""#, r#""45.33.178.229/32""#),
        (r#""45.33.178.229""#, r#""::ffff:45.33.178.229""#),
        (r#""117658791627706540""#, "117658791627706540"),
    ] {
        let odd = account(&ALICE.replacen(from, to, 1));
        assert_eq!(
            (odd.id, odd.ip),
            (117_658_791_627_706_540, "45.33.178.229".parse().ok()),
            "{to}"
        );
    }
    for (to, domain) in [
        (r#""\"odd one\"@good.test""#, Some("good.test")),
        (r#""none""#, None),
        ("null", None),
    ] {
        let odd = account(&ALICE.replacen(r#""Alice@good.test""#, to, 1));
        assert_eq!(odd.email, None, "{to}");
        assert_eq!(odd.mail_domain.as_ref().map(Domain::as_str), domain, "{to}");
    }
    let actor = account(&REMOTE.replacen("\"9\"", "\"-99\"", 1));
    assert_eq!(actor.id, -99);
}

#[test]
fn a_report_names_both() {
    let report = format!(
        r#"{{"id":"3","comment":"spam","statuses":[{{"deep":[[{{}}]]}}],"account":{REMOTE},"target_account":{ALICE}}}"#
    );
    let hook = read(body("report.created", &report).as_bytes()).expect("a webhook");
    let News::Report { by, target } = hook.news else {
        panic!("{hook:?}");
    };
    assert!(!by.local && !by.confirmed && target.local);
}

#[test]
fn what_is_none() {
    let other = read(body("status.created", "[1,2]").as_bytes()).expect("a webhook");
    assert_eq!(other.news, News::Other);
    let cut = body("account.created", ALICE);
    for bad in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"event":"account.created"}"#,
        &cut[..cut.len() - 1],
        &body("account.created", "null"),
        &body(
            "account.created",
            &ALICE.replacen("\"username\":\"alice\",", "", 1),
        ),
        &body(
            "account.created",
            &ALICE.replacen("117658791627706540", "x", 1),
        ),
        &body("report.created", ALICE),
        &body("account.created", ALICE).replacen("2026-11-22T06:58:03.001Z", "yesterday", 1),
    ] {
        let fault = read(bad.as_bytes()).expect_err(bad).to_string();
        assert!(!fault.contains("alice") && fault.len() < 100, "{fault}");
    }
}

/// printf '%s' '{"a":1}' | openssl dgst -sha256 -hmac s3cret-s3cret-s3cret
const OF_OPENSSL: &str = "5069bca37cc1678100452206d122f1f2b7262923fb56e6706482811a3709f246";

#[test]
fn signatures() {
    let secret = || Secret::new("s3cret-s3cret-s3cret");
    let body = br#"{"a":1}"#;
    let header = format!("sha256={OF_OPENSSL}");
    assert!(is_signed(&[secret()], body, header.as_bytes()));
    assert!(is_signed(
        &[Secret::new("old"), secret()],
        body,
        header.as_bytes()
    ));
    assert!(is_signed(
        &[secret()],
        body,
        header.to_uppercase().replacen("SHA", "sha", 1).as_bytes()
    ));
    assert!(!is_signed(&[Secret::new("other")], body, header.as_bytes()));
    assert!(!is_signed(&[], body, header.as_bytes()));
    assert!(!is_signed(&[secret()], b"{\"a\":2}", header.as_bytes()));
    for bad in [
        "",
        "sha256=",
        OF_OPENSSL,
        "sha1=00",
        &header[..header.len() - 1],
        &format!("{header}0"),
        &format!("{header}, {header}"),
    ] {
        assert!(!is_signed(&[secret()], body, bad.as_bytes()), "{bad}");
    }
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), header in ".{0,90}") {
        let _ = read(&bytes);
        let _ = is_signed(&[Secret::new("s")], &bytes, header.as_bytes());
    }

    #[test]
    fn a_cut_or_changed_body_is_read_or_refused(at in 0_usize..1300, byte in any::<u8>()) {
        let mut bytes = body("account.updated", ALICE).into_bytes();
        let _ = read(bytes.get(..at).unwrap_or_default());
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        let _ = read(&bytes);
    }
}
