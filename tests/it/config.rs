//! The configuration: every example loads, every mistake is shown with its
//! line, value and remedy, and the commented file says what the code does.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tuskgate::config::{self, Environment, ListenAddress, Settings, UpstreamAddress};
use tuskgate::judge::limit::Limit;
use tuskgate::verdict::{Mode, Rule};

/// The TOML files of a folder; never none.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder exists")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension() == Some(OsStr::new("toml")))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no files in {folder}");
    files
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn load(path: &Path) -> Settings {
    config::load(path, &Environment::default()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

#[test]
fn every_example_loads() {
    for file in files("config") {
        load(&file);
    }
    for file in files("tests/config/valid") {
        load(&file);
    }
}

#[test]
fn every_mistake_is_shown() {
    for file in files("tests/config/invalid") {
        let mistakes = config::load(&file, &Environment::default())
            .expect_err(&format!("{} should not load", file.display()));
        let shown = format!("{mistakes}\n");
        let expected_file = file.with_extension("expected");
        if std::env::var_os("TUSKGATE_TEST_WRITE_EXPECTED").is_some() {
            fs::write(&expected_file, &shown).expect("a writable folder");
        }
        let expected = fs::read_to_string(&expected_file).expect("an .expected beside the .toml");
        assert_eq!(shown, expected, "{}", file.display());
    }
}

#[test]
fn the_commented_file_says_the_defaults() {
    assert_eq!(load(Path::new("config/tuskgate.toml")), Settings::default());
    assert_eq!(
        load(Path::new("tests/config/valid/empty.toml")),
        Settings::default()
    );
}

#[test]
fn the_commented_file_shows_every_key() {
    let text = fs::read_to_string("config/tuskgate.toml").expect("the file is there");
    let keys = config::keys();
    assert!(keys.len() > 60, "{}", keys.len());
    let mut section = String::new();
    let mut shown = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        }
        let line = line.strip_prefix("# ").unwrap_or(line);
        if let Some((key, _)) = line.split_once(" = ") {
            shown.push(format!("{section}{key}"));
        }
    }
    for key in keys {
        assert!(
            shown.contains(&key),
            "config/tuskgate.toml does not show {key}"
        );
    }
}

#[test]
fn every_kind_of_value_is_read() {
    let settings = load(Path::new("tests/config/valid/all-kinds.toml"));
    let folder = Path::new("tests/config/valid");
    assert!(settings.observe);
    assert_eq!(
        settings.listen.address,
        ListenAddress::Unix(folder.join("run/http.sock"))
    );
    assert_eq!(settings.listen.workers.get(), 2);
    assert_eq!(settings.listen.trusted_proxies.len(), 1);
    assert_eq!(
        settings.upstream.address,
        UpstreamAddress::Name("web".into(), 3000)
    );
    assert_eq!(settings.bounds.body, 16 * 1024);
    assert_eq!(settings.admin.address, None);
    assert_eq!(settings.admin.socket, folder.join("state/admin.sock"));
    assert_eq!(settings.dns.servers.len(), 2);
    assert_eq!(settings.lists.networks, [folder.join("drop.json")]);
    assert_eq!(
        settings.lists.mail_domains,
        [PathBuf::from("/srv/lists/a.txt"), folder.join("b.txt")]
    );
    assert_eq!(settings.rules.get(Rule::MailServer), Mode::Observe);
    assert_eq!(settings.rules.get(Rule::Rate), Mode::Off);
    assert_eq!(settings.rules.get(Rule::ClientBan), Mode::Enforce);
    let budget = |limit| settings.limits.budget(limit).to_string();
    assert_eq!(budget(Limit::TokenPerName), "10/30m");
    assert_eq!(
        budget(Limit::SignUpTotal),
        "100/1h",
        "a plain number enforces"
    );
    assert_eq!(budget(Limit::AppPerName), "5/1h observe");
    assert_eq!(budget(Limit::AppTotal), "off");
}

#[test]
fn the_environment_overrides_the_file() {
    let variables = environment(&[
        ("TUSKGATE_UPSTREAM_ADDRESS", "127.0.0.1:3001"),
        ("TUSKGATE_OBSERVE", "false"),
        ("TUSKGATE_LISTEN_WORKERS", "3"),
        ("TUSKGATE_LISTEN_TRUSTED_PROXIES", "10.0.0.1, 10.0.0.2"),
        ("TUSKGATE_RULES_MAIL_SERVER_MODE", "off"),
        ("TUSKGATE_LIMITS_TOKEN_PER_NAME", "7/1h"),
        ("TUSKGATE_CONFIG", "ignored"),
        ("UNRELATED", "ignored"),
    ]);
    let path = Path::new("tests/config/valid/all-kinds.toml");
    let settings = config::load(path, &variables).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    assert!(!settings.observe);
    assert_eq!(
        settings.upstream.address,
        UpstreamAddress::Tcp("127.0.0.1:3001".parse().expect("an address"))
    );
    assert_eq!(settings.listen.workers.get(), 3);
    assert_eq!(settings.listen.trusted_proxies.len(), 2);
    assert_eq!(settings.rules.get(Rule::MailServer), Mode::Off);
    assert_eq!(
        settings.limits.budget(Limit::TokenPerName).to_string(),
        "7/1h"
    );
}

#[test]
fn mistakes_in_the_environment_name_the_variable() {
    let variables = environment(&[
        ("TUSKGATE_UPSTREAM_ADRESS", "127.0.0.1:3001"),
        ("TUSKGATE_TIMEOUTS_DRAIN", "10"),
    ]);
    let path = Path::new("tests/config/valid/empty.toml");
    let shown = config::load(path, &variables)
        .expect_err("two mistakes")
        .to_string();
    assert_eq!(
        shown,
        "2 mistakes in the configuration

environment variable TUSKGATE_TIMEOUTS_DRAIN: timeouts.drain: is not a time
    found  10
    valid  a time from \"1ms\" to \"1d\", such as \"250ms\", \"10s\" or \"2m\"

environment variable TUSKGATE_UPSTREAM_ADRESS: no key belongs to this variable
    found  127.0.0.1:3001
    valid  TUSKGATE_ and the section and key in capitals, such as TUSKGATE_UPSTREAM_ADDRESS
    remedy did you mean TUSKGATE_UPSTREAM_ADDRESS?"
    );
}

#[test]
fn a_missing_file_says_what_to_do() {
    let path = Path::new("tests/config/no-such-file.toml");
    let mistakes = config::load(path, &Environment::default()).expect_err("no such file");
    let shown = mistakes.to_string();
    assert!(shown.contains("tests/config/no-such-file.toml"), "{shown}");
    assert!(shown.contains("--config"), "{shown}");
}
