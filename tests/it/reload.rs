//! New configuration and lists on a running gate, and how it ends.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::actor::{Actor, json};
use crate::support::judged::{ANA, BEN, Person, wait_until};
use crate::support::program::{Program, stage};

fn sign_up(person: &mut Person, number: usize, domain: &str) -> u16 {
    let name = format!("user{number}");
    person
        .web_sign_up(&name, &format!("{name}@{domain}"))
        .status
}

fn listing(text: &str) -> (crate::support::judged::Stage, Program) {
    let stage = stage();
    let mut program = Program::idle(&stage, "", "[lists]\nmail-domains = \"domains.txt\"\n");
    fs::write(program.folder().join("domains.txt"), text).expect("a writable folder");
    program.serve(&[]);
    (stage, program)
}

#[test]
fn a_changed_list_comes_into_force_on_reload() {
    let (_stage, program) = listing("other.example\n");
    let list = program.folder().join("domains.txt");
    let mut person = program.person(ANA);
    assert_eq!(sign_up(&mut person, 1, "good.example"), 302);
    fs::write(&list, "good.example\n").expect("writable");
    assert_eq!(
        sign_up(&mut person, 2, "good.example"),
        302,
        "not before it is told"
    );
    assert!(program.does(&["reload"]).starts_with("reloaded"));
    let told = program.does(&["reload", "--json"]);
    assert_eq!(told, "{\"restart\":[]}\n");
    assert_eq!(sign_up(&mut person, 3, "good.example"), 422);
    fs::write(&list, "").expect("writable");
    program.signal("HUP");
    wait_until("the hangup is heard", || {
        sign_up(&mut person, 4, "good.example") == 302
    });
}

#[test]
fn a_bad_file_keeps_the_old_state_and_says_why() {
    let (_stage, program) = listing("good.example\n");
    let good = program.written();
    let mut person = program.person(ANA);
    program.write(&good.replace("[lists]", "[rules.rate]\nmode = \"maybe\"\n[lists]"));
    let (code, said) = program.fails(&["reload"]);
    assert!(code == 78 || code == 1, "{code}");
    assert!(said.contains("maybe") && said.contains("enforce"), "{said}");
    program.signal("HUP");
    wait_until("the log says why", || program.log().contains("maybe"));
    assert_eq!(sign_up(&mut person, 1, "good.example"), 422);
    program.write(&good);
    fs::remove_file(program.folder().join("domains.txt")).expect("it was there");
    let (code, said) = program.fails(&["reload"]);
    assert_eq!((code, said.contains("domains.txt")), (1, true), "{said}");
    assert_eq!(
        sign_up(&mut person, 2, "good.example"),
        422,
        "the old list stays"
    );
    fs::write(program.folder().join("domains.txt"), "").expect("writable");
    program.does(&["reload"]);
    assert_eq!(sign_up(&mut person, 3, "good.example"), 302);
}

#[test]
fn rules_limits_guards_and_observing_change_without_a_restart() {
    let stage = stage();
    let program = Program::serving(&stage, "", "");
    let good = program.written();
    program.does(&["ban", "mail-domain", "good.example"]);
    let mut person = program.person(ANA);
    assert_eq!(sign_up(&mut person, 1, "good.example"), 422);
    let with = |more: &str| {
        program.write(&format!("{good}{more}"));
        program.does(&["reload"])
    };
    with("[rules.mail-domain]\nmode = \"observe\"\n");
    assert_eq!(sign_up(&mut person, 2, "good.example"), 302);
    with("[guards]\nsign-up = false\n");
    assert_eq!(sign_up(&mut person, 3, "good.example"), 302);
    with("[rules.mail-domain]\nmode = \"off\"\n[limits]\nsign-up-per-network = \"1/1h\"\n");
    let mut other = program.person(BEN);
    assert_eq!(sign_up(&mut other, 4, "good.example"), 302);
    assert_eq!(sign_up(&mut other, 5, "good.example"), 429);
    program.write(&format!("observe = true\n{good}"));
    program.does(&["reload"]);
    assert_eq!(sign_up(&mut person, 6, "good.example"), 302);
    assert!(program.does(&["status"]).contains("observing"));
    program.write(&good.replace("workers = 1", "workers = 2"));
    let said = program.does(&["reload"]);
    assert!(
        said.contains("[listen]") && said.contains("restart"),
        "{said}"
    );
    assert_eq!(sign_up(&mut person, 7, "good.example"), 422);
}

/// `--observe` on the command line outlives a reload of a file without it.
#[test]
fn observing_from_the_command_line_stays() {
    let stage = stage();
    let mut program = Program::idle(&stage, "", "");
    program.serve(&["--observe"]);
    program.does(&["ban", "mail-domain", "good.example"]);
    program.does(&["reload"]);
    assert_eq!(sign_up(&mut program.person(ANA), 1, "good.example"), 302);
}

/// Not a request is dropped or refused while configuration and lists are swapped.
#[test]
fn nothing_is_dropped_under_load() {
    let (stage, program) = listing("other.example\n");
    let (over, done) = (AtomicBool::new(false), AtomicUsize::new(0));
    let address = program.address();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let (over, done) = (&over, &done);
            scope.spawn(move || {
                let mut person = Person::new(address, &format!("45.0.{worker}.1"));
                while !over.load(Ordering::Relaxed) {
                    let n = done.fetch_add(1, Ordering::Relaxed);
                    if n.is_multiple_of(5) {
                        // A known client: others of one name would be a burst.
                        person.app_at("Tusky", "oauth2redirect://com.keylesspalace.tusky/");
                    } else {
                        assert_eq!(person.get("/health").status, 200);
                    }
                }
            });
        }
        for round in 0..12 {
            let text = if round % 2 == 0 {
                "a.example\n"
            } else {
                "b.example\n"
            };
            fs::write(program.folder().join("domains.txt"), text).expect("writable");
            if round % 3 == 0 {
                program.signal("HUP");
            } else {
                program.does(&["reload"]);
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    let done = done.load(Ordering::Relaxed);
    assert!(done > 50, "{done}");
    assert_eq!(stage.mastodon.asked() as usize, done);
}

/// SIGTERM: what is under way is finished, nothing new begins.
#[test]
fn termination_drains() {
    use std::io::{Read as _, Write as _};
    let stage = stage();
    let mut program = Program::serving(&stage, "", "");
    let address = program.address();
    let mut upload = std::net::TcpStream::connect(address).expect("a connection");
    let head =
        "POST /stand-in/upload HTTP/1.1\r\nHost: mastodon.test\r\nContent-Length: 10\r\n\r\n";
    upload.write_all(head.as_bytes()).expect("a reader");
    upload.write_all(b"01234").expect("a reader");
    wait_until("the first half has arrived", || {
        let asked = stage.asked("/stand-in/upload");
        asked.first().is_some_and(|upload| upload.received() == 5)
    });
    program.signal("TERM");
    wait_until("nobody new gets in", || {
        std::net::TcpStream::connect(address).is_err()
    });
    upload.write_all(b"56789").expect("a reader");
    let mut answer = String::new();
    upload.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("10"), "{answer}");
    assert!(program.ended().success(), "{}", program.log());
    assert!(program.log().contains("tuskgate has ended"));
    assert!(!program.folder().join("admin.sock").exists());
}

/// What the last reply taught is on disk, although the client had left.
#[test]
fn the_last_reply_is_learned_from() {
    use std::io::Write as _;
    let stage = stage();
    let actor = Actor::new(|asked| {
        if asked.path() == "/api/v1/apps" {
            std::thread::sleep(Duration::from_millis(500));
        }
        json(
            "200 OK",
            "{\"client_id\":\"last-one\",\"client_secret\":\"s\",\"name\":\"Last\"}",
        )
    });
    let mut program = Program::idle(&stage, "", "");
    let written = program.written();
    let stand_in = stage.mastodon.address().to_string();
    program.write(&written.replace(&stand_in, &actor.address.to_string()));
    program.serve(&[]);
    let body = "client_name=Last&redirect_uris=urn:x";
    let request = format!(
        "POST /api/v1/apps HTTP/1.1\r\nHost: mastodon.test\r\nX-Forwarded-For: {ANA}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut hasty = std::net::TcpStream::connect(program.address()).expect("a connection");
    hasty.write_all(request.as_bytes()).expect("a reader");
    wait_until("it has arrived", || !actor.asked("/api/v1/apps").is_empty());
    drop(hasty);
    program.signal("TERM");
    assert!(program.ended().success(), "{}", program.log());
    program.serve(&[]);
    program.does(&["ban", "app", "--name", "LAST"]);
    let page = program
        .person(ANA)
        .get("/oauth/authorize?client_id=last-one");
    assert_eq!(page.status, 403, "its name is known: {}", page.text());
}
