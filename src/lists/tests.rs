use std::fs;
use std::path::Path;

use crate::app::AppName;

use super::*;

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("a writable folder");
    path
}

#[test]
fn every_list_from_every_format() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name, text| write(folder.path(), name, text);
    let files = Files {
        networks: vec![
            file("own.txt", "203.0.113.0/24 scope=all\n2001:db8:7::/48\n"),
            file(
                "fire.netset",
                "# FireHOL\r\n10.0.0.0/8\r\n198.51.100.0/24\r\n",
            ),
            file(
                "drop.json",
                "{\"cidr\":\"192.0.2.0/25\",\"sblid\":\"SBL1\"}\n{\"type\":\"metadata\"}\n",
            ),
        ],
        mail_domains: vec![
            file("plain.txt", "\u{feff}evil.example\n*.tk\n"),
            file("hosts.txt", "0.0.0.0 trash.example\n"),
        ],
        mail_domains_allow: vec![file("allow.txt", "good.evil.example\n")],
        mail_servers: vec![file("mx.txt", "mx.evil.example\n")],
        apps: vec![file("apps.txt", "name AaA\nwebsite spam.example\n")],
    };
    let (lists, warnings) = Lists::load(&files).expect("all readable");
    let told: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    let [warning] = told.as_slice() else {
        panic!("one warning: {told:?}");
    };
    assert!(
        warning.contains("fire.netset:2: 10.0.0.0/8 is private"),
        "{warning}"
    );
    let network = |ip: &str| lists.network(ip.parse().expect("an address"));
    let entry = network("203.0.113.9").expect("listed");
    assert_eq!(entry.scopes, Scopes::ALL);
    assert!(entry.source.ends_with("own.txt"));
    assert!(
        network("192.0.2.1")
            .expect("listed")
            .source
            .ends_with("drop.json")
    );
    assert!(network("2001:db8:7::1").is_some());
    assert!(network("10.1.1.1").is_none());
    let domain = |name: &str| Domain::new(name).expect("a domain");
    let asked = domain("x.trash.example");
    let entry = lists.mail_domain(&asked).expect("listed");
    assert_eq!(entry.domain, "trash.example");
    assert!(entry.source.ends_with("hosts.txt"));
    assert!(lists.mail_domain(&domain("any.tk")).is_some());
    assert!(
        lists
            .mail_domain_allow(&domain("good.evil.example"))
            .is_some()
    );
    assert!(lists.mail_server(&domain("a.mx.evil.example")).is_some());
    assert!(
        lists
            .app_name(&apps::fold(&AppName::new("a-A-a")))
            .is_some()
    );
    assert!(lists.website("https://www.spam.example").is_some());
    assert_eq!(lists.loaded().len(), 8);
    assert_eq!(lists.files(), &files);
}

#[test]
fn all_mistakes_at_once_and_a_feed_is_not_lost_for_its_bad_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad = "nonsense\n".repeat(30);
    let files = Files {
        networks: vec![write(
            folder.path(),
            "feed.txt",
            &format!("{bad}203.0.113.7\n"),
        )],
        ..Files::default()
    };
    let (lists, warnings) = Lists::load(&files).expect("one good line");
    assert!(
        lists
            .network("203.0.113.7".parse().expect("an address"))
            .is_some()
    );
    assert_eq!(warnings.len(), 21);
    assert_eq!(lists.loaded().first().map(|file| file.skipped), Some(30));

    let files = Files {
        networks: vec![folder.path().join("missing.txt")],
        mail_domains: vec![write(
            folder.path(),
            "page.html",
            &"<b>an error page</b>\n".repeat(10),
        )],
        mail_servers: vec![folder.path().to_owned()],
        ..Files::default()
    };
    let errors = Lists::load(&files).expect_err("three bad files");
    assert_eq!(errors.len(), 3, "{errors:?}");
    assert!(
        errors
            .iter()
            .any(|error| error.to_string().contains("is not such a list"))
    );
}

#[test]
fn a_list_of_nothing_but_reserved_networks_is_still_a_list() {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: String = (0..12).map(|n| format!("10.{n}.0.0/16\n")).collect();
    let files = Files {
        networks: vec![write(folder.path(), "bogons.txt", &lines)],
        ..Files::default()
    };
    let (_, warnings) = Lists::load(&files).expect("understood, if left out");
    assert_eq!(warnings.len(), 12);
}
