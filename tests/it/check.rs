//! `check`, and the start of `serve`: the files that a configuration names are
//! as much a part of it as its numbers.

use std::fs;
use std::net::TcpListener;

use crate::support::program::{Program, stage};

/// `section`, `key`, what the file holds (`None`: it is not there), what is said of it.
const FILES: [(&str, &str, Option<&str>, &str); 10] = [
    ("lists", "networks", None, "No such file"),
    ("lists", "mail-domains", None, "No such file"),
    ("lists", "mail-domains-allow", None, "No such file"),
    ("lists", "mail-servers", None, "No such file"),
    ("lists", "apps", None, "No such file"),
    ("lists", "networks", Some(NO_LIST), "not such a list"),
    ("webhooks", "secret-file", None, "No such file"),
    (
        "webhooks",
        "secret-file",
        Some("short\n"),
        "no line of at least 16",
    ),
    ("store", "ca", None, "No such file"),
    (
        "store",
        "ca",
        Some("no certificate"),
        "holds no certificate",
    ),
];

const NO_LIST: &str =
    "<html>\n<head>\n<title>\n404\n</title>\n</head>\n<body>\n<p>\nno\n</p>\n</body>\n</html>\n";

/// What belongs beside a key.
fn beside(section: &str) -> &'static str {
    match section {
        "webhooks" => "address = \"127.0.0.1:0\"\n",
        "store" => "url = \"rediss://127.0.0.1:1\"\n",
        _ => "",
    }
}

/// The configuration with more keys in a section that is there already or not.
fn with(base: &str, section: &str, keys: &str) -> String {
    let heading = format!("[{section}]\n");
    if base.contains(&heading) {
        base.replace(&heading, &format!("{heading}{keys}"))
    } else {
        format!("{base}{heading}{keys}")
    }
}

#[test]
fn every_file_that_cannot_be_used_is_named_with_its_key() {
    let stage = stage();
    let program = Program::idle(&stage, "", "");
    let base = program.written();
    for (number, (section, key, text, said)) in FILES.into_iter().enumerate() {
        let name = format!("file-{number}");
        if let Some(text) = text {
            fs::write(program.folder().join(&name), text).expect("a writable folder");
        }
        let keys = format!("{}{key} = \"{name}\"\n", beside(section));
        let written = with(&base, section, &keys);
        program.write(&written);
        let line = written.lines().position(|line| line.contains(&name));
        let line = line.expect("just written") + 1;
        for verb in ["check", "serve"] {
            let output = program.verb(&[verb]);
            let heard = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(78), "{verb} {key}: {heard}");
            assert!(output.stdout.is_empty(), "{key}: it is not right");
            for part in [
                &format!("tuskgate.toml:{line}: {section}.{key}: "),
                &name,
                said,
                "remedy",
            ] {
                assert!(heard.contains(part), "{verb} {key}: {part}: {heard}");
            }
            assert!(!heard.contains("is up"), "{heard}");
        }
        let unread = program.does(&["check", "--no-lists"]);
        assert!(unread.contains("were not read"), "{unread}");
    }
}

#[test]
fn all_of_them_are_named_at_once() {
    let stage = stage();
    let program = Program::idle(&stage, "", "");
    let mut written = program.written();
    written = with(
        &written,
        "store",
        "url = \"rediss://127.0.0.1:1\"\nca = \"ca.pem\"\n",
    );
    written.push_str(
        "[lists]\nnetworks = [\n  \"here.txt\",\n  \"gone.txt\",\n]\nmail-domains = \"away.txt\"\n\
         [webhooks]\naddress = \"127.0.0.1:0\"\nsecret-file = \"secrets\"\n",
    );
    program.write(&written);
    fs::write(program.folder().join("here.txt"), "203.0.113.0/24\n").expect("a writable folder");
    let (code, said) = program.fails(&["check"]);
    assert_eq!((code, said.contains("4 mistakes")), (78, true), "{said}");
    assert!(!said.contains("here.txt"), "{said}");
    let line = written.lines().position(|line| line.contains("gone.txt"));
    let line = line.expect("just written") + 1;
    assert!(
        said.contains(&format!("tuskgate.toml:{line}: lists.networks")),
        "{said}"
    );
    for name in ["gone.txt", "away.txt", "secrets", "ca.pem"] {
        assert!(said.contains(name), "{name}: {said}");
    }
    let (told, code) = json(&program, &["check", "--json"]);
    assert_eq!((&told["right"], code), (&false.into(), Some(78)));
    let mistakes = told["mistakes"].as_array().expect("mistakes");
    assert_eq!(mistakes.len(), 4);
    let gone = mistakes.iter().find(|one| one["key"] == "lists.networks");
    let gone = gone.expect("the list that is not there");
    let place = gone["place"].as_str().expect("a place");
    assert!(place.ends_with(&format!("tuskgate.toml:{line}")), "{place}");
    assert!(gone["remedy"].is_string(), "{gone}");
}

fn json(program: &Program, words: &[&str]) -> (serde_json::Value, Option<i32>) {
    let output = program.verb(words);
    let told = serde_json::from_slice(&output.stdout).expect("one object");
    (told, output.status.code())
}

#[test]
fn what_is_right_is_told_to_programs_too() {
    let stage = stage();
    let program = Program::idle(&stage, "", "[lists]\nnetworks = \"here.txt\"\n");
    fs::write(
        program.folder().join("here.txt"),
        "203.0.113.0/24\n10.0.0.0/8\n",
    )
    .expect("a writable folder");
    let (told, code) = json(&program, &["check", "--json"]);
    assert_eq!((&told["right"], code), (&true.into(), Some(0)));
    assert_eq!(told["mistakes"], serde_json::json!([]));
    let list = &told["lists"][0];
    assert_eq!(list["list"], "networks");
    assert_eq!((&list["entries"], &list["skipped"]), (&1.into(), &1.into()));
    let (told, _) = json(&program, &["check", "--no-lists", "--json"]);
    assert_eq!((&told["right"], &told["lists"]), (&true.into(), &().into()));
}

/// Whoever waits for "is up" may go on then: what can fail has been done.
#[test]
fn a_gate_that_cannot_start_never_says_that_it_is_up() {
    let stage = stage();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    let program = Program::idle(&stage, "", "");
    let base = program.written();
    let webhooks = format!("address = \"{address}\"\nsecret = \"0123456789abcdef\"\n");
    for (written, key) in [
        (with(&base, "webhooks", &webhooks), "webhooks.address"),
        (
            base.replace(
                "[admin]\naddress = \"127.0.0.1:0\"",
                &format!("[admin]\naddress = \"{address}\""),
            ),
            "admin.address",
        ),
        (
            base.replace(
                "[listen]\naddress = \"127.0.0.1:0\"",
                &format!("[listen]\naddress = \"{address}\""),
            ),
            "listen",
        ),
    ] {
        assert_ne!(written, base, "{key}");
        program.write(&written);
        let (code, said) = program.fails(&["serve"]);
        assert_eq!(code, 1, "{key}: {said}");
        assert!(said.contains(&address.to_string()), "{key}: {said}");
        assert!(!said.contains("is up"), "{key}: {said}");
    }
    let mut program = Program::idle(&stage, "", "");
    program.serve(&[]);
    crate::support::judged::wait_until("it says that it is up", || program.log().contains("is up"));
}
