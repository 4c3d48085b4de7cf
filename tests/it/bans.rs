//! What `ban` does not take, and what it takes only if it is meant.

use crate::support::program::{Program, stage};

fn words<'a>(verb: &'a str, rest: &'a str) -> Vec<&'a str> {
    let mut words = vec![verb];
    words.extend(
        rest.split(' ')
            .map(|word| if word == "''" { "" } else { word }),
    );
    words
}

#[test]
fn what_names_nothing_is_refused_with_words() {
    let stage = stage();
    let program = Program::idle(&stage, "", "");
    program.does(&["ban", "mail-domain", "first.example"]);
    for (rest, said) in [
        ("app --name ''", "name of an app"),
        ("app --name \u{a0}", "name of an app"),
        ("app --client-id ''", "client_id"),
        ("app --redirect-uri ''", "redirect URI"),
        ("app --redirect-uri https:", "redirect URI"),
        ("app --website ''", "website"),
        ("app --website https://", "website"),
        ("mail-domain ''", "empty"),
        ("mail-domain .", "wildcard"),
        ("mail-domain a@b.example", "address"),
        ("mail-domain *.spam.example", "wildcard"),
        ("mail-server ''", "empty"),
        ("mail-server 45.9.9.9", "network"),
        ("address ''", "address"),
        ("address eve", "not an address"),
        ("network ''", "network"),
        ("network 45.9.9", "network"),
        ("network 45.9.9.0/24 --for 0s", "duration"),
    ] {
        for verb in ["ban", "unban"] {
            if verb == "unban" && rest.contains("--for") {
                continue;
            }
            let (code, heard) = program.fails(&words(verb, rest));
            assert!(matches!(code, 1 | 64), "{verb} {rest}: {code}");
            let heard = heard.to_lowercase();
            assert!(
                heard.contains(&said.to_lowercase()),
                "{verb} {rest}: {said}: {heard}"
            );
        }
    }
    assert_eq!(program.does(&["bans"]).lines().count(), 1);
}

#[test]
fn a_whole_domain_is_no_mailbox() {
    let stage = stage();
    let mut program = Program::idle(&stage, "", "");
    program.does(&["ban", "mail-domain", "first.example"]);
    for serving in [false, true] {
        if serving {
            program.serve(&[]);
        }
        for (address, domain) in [
            ("*@spam.example", "spam.example"),
            (" *@Spam.Example. ", "spam.example"),
            ("*@*.spam.example", "spam.example"),
            ("@spam.example", "spam.example"),
            ("*@bücher.example", "xn--bcher-kva.example"),
        ] {
            for verb in ["ban", "allow"] {
                for more in [None, Some("--with-variants")] {
                    let words = [verb, "address", address].into_iter().chain(more);
                    let (code, said) = program.fails(&words.collect::<Vec<_>>());
                    assert_eq!(code, 1, "{verb} {address}");
                    let instead = format!("tuskgate {verb} mail-domain {domain}");
                    assert!(said.contains(&instead), "{verb} {address}: {said}");
                }
            }
        }
        let (_, said) = program.fails(&["ban", "address", "*@*"]);
        assert!(said.contains("not an address"), "{said}");
    }
    assert_eq!(program.does(&["bans"]).lines().count(), 1);
    // A star in a name is a letter like others.
    program.does(&["ban", "address", "b*t@spam.example"]);
}

/// A slip of the pen in the middle of an attack must not lock everybody out.
#[test]
fn what_would_hit_nearly_everybody_takes_force() {
    let stage = stage();
    let mut program = Program::idle(&stage, "", "");
    program.serve(&[]);
    for (rest, instead) in [
        ("network 0.0.0.0/0", "contain --step 4"),
        ("network ::/0", "contain --step 4"),
        ("network 45.9.9.9/1", "contain --step 4"),
        ("mail-domain com", "top-level"),
        ("mail-domain co.uk", "public suffix"),
        ("mail-domain gmail.com", "ban address"),
        ("mail-server google.com", "ban mail-domain"),
        ("mail-server mx00.ionos.de", "IONOS"),
        ("app --name Tusky", "--client-id"),
        ("app --redirect-uri urn:ietf:wg:oauth:2.0:oob", "thousands"),
    ] {
        let (code, said) = program.fails(&words("ban", rest));
        assert_eq!(code, 1, "{rest}");
        for part in [instead, "--force", "Nothing was done"] {
            assert!(said.contains(part), "{rest}: {part}: {said}");
        }
        assert!(program.does(&["bans"]).is_empty(), "{rest}");
        let mut forced = words("ban", rest);
        forced.extend(["--force", "--for", "1h"]);
        let output = program.verb(&forced);
        assert!(output.status.success(), "{rest}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("forced: "), "{rest}: {said}");
        program.does(&words("unban", rest));
    }
    let (_, said) = program.fails(&["apps", "ban", "--name", "Tusky"]);
    assert!(said.contains("--force"), "{said}");
    assert!(
        program
            .does(&["apps", "ban", "--name", "Tusky", "--force"])
            .contains("tusky")
    );
    let (_, said) = program.fails(&["allow", "network", "0.0.0.0/0"]);
    assert!(said.contains("--force"), "{said}");
    program.does(&["allow", "mail-domain", "gmail.com"]);
}

#[test]
fn what_is_merely_wide_is_done_with_a_word() {
    let stage = stage();
    let program = Program::idle(&stage, "", "");
    program.does(&["ban", "mail-domain", "first.example"]);
    for rest in ["network 45.8.0.0/15", "mail-domain duckdns.org"] {
        let output = program.verb(&words("ban", rest));
        assert!(output.status.success(), "{rest}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            said.contains("wide: ") && said.contains("unban"),
            "{rest}: {said}"
        );
    }
    let narrow = program.verb(&["ban", "network", "45.9.9.0/24", "--json"]);
    assert!(narrow.stderr.is_empty(), "{narrow:?}");
}

/// `::ffff:45.9.9.0/120` is 45.9.9.0/24, however it is typed and wherever it was kept.
#[test]
fn a_mapped_network_is_the_ipv4_network_that_it_means() {
    let stage = stage();
    let mut program = Program::idle(&stage, "", "");
    program.does(&["ban", "network", "45.9.9.7"]);
    let file = program.folder().join("store/bans.sqlite3");
    let as_it_was_kept = || {
        let store = rusqlite::Connection::open(&file).expect("the bans");
        let changed = store.execute(
            "UPDATE bans SET value = '::ffff:45.9.9.7/128' WHERE value = '45.9.9.7/32'",
            [],
        );
        assert_eq!(changed, Ok(1));
    };
    as_it_was_kept();
    assert!(program.does(&["bans"]).contains("45.9.9.7/32"));
    as_it_was_kept();
    program.does(&["unban", "network", "45.9.9.7"]);
    for serving in [false, true] {
        if serving {
            program.serve(&[]);
        }
        for verb in ["ban", "allow"] {
            let made = program.does(&[verb, "network", "::ffff:45.9.9.0/120"]);
            assert!(made.contains(" 45.9.9.0/24"), "{made}");
            program.does(&[verb, "network", "45.9.9.1/24"]);
        }
        assert_eq!(program.does(&["bans"]).lines().count(), 2, "one of each");
        program.does(&["unban", "network", "::ffff:45.9.9.0/120"]);
        program.does(&["unban", "--allow", "network", "45.9.9.0/24"]);
        assert!(program.does(&["bans"]).is_empty());
    }
}
