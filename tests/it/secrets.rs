//! Nothing secret in clear: marker secrets are planted in every place where a
//! request, a reply or a command can carry one, at admitted and at refused
//! requests, with the log at its most talkative; then store, log and metrics
//! are searched for them.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::support::caller::Encoding;
use crate::support::judged::{ANA, BAD_SERVER, BEN, Credential, Person, wait_until};
use crate::support::program::{Program, stage};

/// Each is planted in another place.
const MARKS: [&str; 16] = [
    "planted-password",
    "planted-bearer",
    "planted-query-token",
    "planted-body-token",
    "planted-client-secret",
    "planted-basic-secret",
    "planted-code",
    "planted-local-part",
    "planted-invite",
    "planted-cookie",
    "planted-refresh",
    "planted-banned-mailbox",
    "planted-app-secret",
    "planted-header-secret",
    "planted-resend",
    "planted-odd-address",
];

/// All files below `folder`, and what is in them.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a readable folder").path();
        let kind = fs::metadata(&path).expect("a file").file_type();
        if kind.is_dir() {
            all.extend(files(&path));
        } else if kind.is_file() {
            let bytes = fs::read(&path).expect("a readable file");
            all.push((path, bytes));
        }
    }
    all
}

fn holds(hay: &[u8], needle: &str) -> bool {
    let lower = hay.to_ascii_lowercase();
    let needle = needle.to_ascii_lowercase();
    lower
        .windows(needle.len())
        .any(|part| part == needle.as_bytes())
}

const COOKIE: (&str, &str) = (
    "Cookie",
    "_session_id=planted-cookie; remember=planted-cookie",
);

/// A sign-up through an app, with everything in it.
fn sign_up(person: &mut Person, encoding: Encoding, bearer: &str, domain: &str) -> u16 {
    let bearer = format!("Bearer {bearer}");
    let email = format!("planted-local-part@{domain}");
    let fields = [
        ("username", "openly"),
        ("email", email.as_str()),
        ("password", "planted-password"),
        ("agreement", "true"),
        ("invite_code", "planted-invite"),
    ];
    let headers = [("Authorization", bearer.as_str()), COOKIE];
    let answer = person.post_as(encoding, "/api/v1/accounts", &headers, &fields);
    assert!(
        MARKS.iter().all(|mark| !holds(&answer.body, mark)),
        "{}",
        answer.text()
    );
    answer.status
}

/// The web form, the changed address, the doors that look one up.
fn pages(person: &mut Person, domain: &str) {
    let email = format!("planted-local-part@{domain}");
    let odd = [
        "planted-odd-address@@x",
        "\"planted-odd-address\"@good.example",
    ];
    let user = [
        ("user[email]", email.as_str()),
        ("user[password]", "planted-password"),
        ("user[invite_code]", "planted-invite"),
        ("user[account_attributes][username]", "openly"),
    ];
    let mut put = user.to_vec();
    put.push(("_method", "put"));
    person.post_with("/auth?access_token=planted-query-token", &[COOKIE], &user);
    person.post_with("/auth", &[COOKIE], &put);
    person.post_with("/auth/setup", &[COOKIE], &put);
    person.post_with(
        "/auth/confirmation",
        &[COOKIE],
        &[("user[email]", "planted-resend@good.example")],
    );
    person.post_with("/auth/sign_in", &[COOKIE], &user);
    for address in odd {
        person.post_with("/auth", &[COOKIE], &[("user[email]", address)]);
    }
    person.get("/invite/planted-invite");
    person.get("/api/v1/timelines/home?access_token=planted-query-token");
    person
        .call(
            "GET",
            "/settings/applications/7?token=planted-query-token",
            &[COOKIE],
            b"",
        )
        .expect("an answer");
}

fn tokens(person: &mut Person, app: &Credential) {
    let basic = BASE64_STANDARD.encode(format!("{}:planted-basic-secret", app.id));
    let basic = format!("Basic {basic}");
    for grant in [
        "client_credentials",
        "authorization_code",
        "password",
        "refresh_token",
    ] {
        let fields = [
            ("grant_type", grant),
            ("client_id", app.id.as_str()),
            ("client_secret", "planted-client-secret"),
            ("code", "planted-code"),
            ("refresh_token", "planted-refresh"),
            ("username", "planted-local-part@good.example"),
            ("password", "planted-password"),
            ("access_token", "planted-body-token"),
        ];
        person.post("/oauth/token", &fields);
        let headers = [("Authorization", basic.as_str())];
        person.post_with("/oauth/token", &headers, &fields[..1]);
    }
    person
        .get("/oauth/authorize?client_id=x&client_secret=planted-client-secret&state=planted-code");
    let broken =
        b"{\"email\":\"planted-local-part@good.example\",\"password\":\"planted-password\"";
    for target in ["/oauth/token", "/api/v1/accounts", "/api/v1/apps", "/auth"] {
        let kinds = [
            "application/json",
            "text/plain",
            "application/x-www-form-urlencoded; charset=x",
        ];
        for kind in kinds {
            let headers = [
                ("Content-Type", kind),
                ("Authorization", "Bearer planted-header-secret"),
            ];
            person
                .call("POST", target, &headers, broken)
                .expect("an answer");
        }
    }
}

#[test]
fn no_secret_is_written_anywhere() {
    let stage = stage();
    let tables = "[log]\nlevel = \"trace\"\n[events]\naccess = true\n";
    let mut program = Program::serving(&stage, "", tables);
    program.does(&["ban", "network", BAD_SERVER, "--scope", "mail"]);
    program.does(&[
        "ban",
        "address",
        "planted-banned-mailbox@good.example",
        "--with-variants",
    ]);
    program.does(&["ban", "address", "planted-banned-mailbox@good.example"]);
    program.does(&["bans", "--json"]);

    let mut person = program.person(ANA);
    let app = person.app("Openly");
    let token = person.token(&app);
    assert_eq!(
        sign_up(&mut person, Encoding::Json, &token, "good.example"),
        200
    );
    assert_eq!(
        sign_up(&mut person, Encoding::Multipart, &token, "bot.example"),
        422
    );
    assert_eq!(
        sign_up(
            &mut person,
            Encoding::Urlencoded,
            "planted-bearer",
            "good.example"
        ),
        401
    );
    let banned = person.sign_up(&token, "other", "Planted-Banned-Mail.Box+x@good.example");
    assert_eq!(banned.status, 422, "{}", banned.text());
    for domain in ["good.example", "bot.example"] {
        pages(&mut person, domain);
    }
    tokens(&mut person, &app);
    tokens(
        &mut program.person(BEN),
        &Credential {
            id: "unknown-client".into(),
            secret: "planted-app-secret".into(),
        },
    );
    let user = person
        .ask_token(&app, "authorization_code", "planted-code")
        .json();
    let user = user["access_token"].as_str().expect("a token").to_owned();

    let metrics = program.admin("/metrics").text();
    wait_until("the events are on disk", || {
        let events = program.folder().join("store/events.sqlite3-wal");
        fs::read(events).is_ok_and(|wal| holds(&wal, "bot.example"))
    });
    search(&program, &metrics, &[&app.secret, &token, &user]);
    program.signal("TERM");
    program.ended();
    search(&program, &metrics, &[&app.secret, &token, &user]);
}

/// Fails on any mark in store, log or metrics; and on a search that finds nothing at all.
fn search(program: &Program, metrics: &str, minted: &[&String]) {
    let mut places = files(program.folder());
    places.push(("metrics".into(), metrics.as_bytes().to_vec()));
    let seen = |text: &str| places.iter().any(|(_, bytes)| holds(bytes, text));
    assert!(
        seen("Openly") && seen("bot.example"),
        "what is no secret is there"
    );
    assert!(places.len() > 5, "{}", places.len());
    assert!(program.log().contains("TRACE") && program.log().contains("access"));
    let marks = MARKS.iter().copied();
    for mark in marks.chain(minted.iter().map(|text| text.as_str())) {
        for (place, bytes) in &places {
            if holds(bytes, mark) {
                let text = String::from_utf8_lossy(bytes);
                let line = text.lines().find(|line| holds(line.as_bytes(), mark));
                panic!("{mark} in {}: {line:?}", place.display());
            }
        }
    }
}
