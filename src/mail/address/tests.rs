use proptest::prelude::*;

use super::*;
use crate::mailbox::Domain;

fn parts(text: &str) -> (String, String, Vec<String>) {
    let address = read(text).expect(text).expect(text);
    (
        address.exact.expose().to_owned(),
        address.canonical.expose().to_owned(),
        address.domains.iter().map(Domain::to_string).collect(),
    )
}

#[test]
fn addresses_that_mastodon_takes() {
    for (text, exact, canonical, domain) in [
        (
            "a@example.com",
            "a@example.com",
            "a@example.com",
            "example.com",
        ),
        (
            " A@EXAMPLE.com ",
            "a@example.com",
            "a@example.com",
            "example.com",
        ),
        (
            "a@example.com\r\n",
            "a@example.com",
            "a@example.com",
            "example.com",
        ),
        (
            "\0a@example.com\0",
            "a@example.com",
            "a@example.com",
            "example.com",
        ),
        (
            "J.Doe+x+y@b.test",
            "j.doe+x+y@b.test",
            "jdoe@b.test",
            "b.test",
        ),
        (".a..b.@b.test", ".a..b.@b.test", "ab@b.test", "b.test"),
        ("+x@b.test", "+x@b.test", "@b.test", "b.test"),
        ("'a'/b@b.test", "'a'/b@b.test", "'a'/b@b.test", "b.test"),
        ("É@b.test", "é@b.test", "é@b.test", "b.test"),
        ("ΑΣ@b.test", "ασ@b.test", "ασ@b.test", "b.test"),
        ("a@\u{212a}it.com", "a@kit.com", "a@kit.com", "kit.com"),
        (
            "a@EXÄMPLE.com",
            "a@exämple.com",
            "a@xn--exmple-cua.com",
            "xn--exmple-cua.com",
        ),
    ] {
        let found = parts(text);
        assert_eq!(found.0, exact, "{text:?}");
        assert_eq!(found.1, canonical, "{text:?}");
        assert_eq!(found.2, [domain], "{text:?}");
    }
}

#[test]
fn a_sharp_s_is_judged_as_both_domains() {
    assert_eq!(
        parts("a@straße.test").2,
        ["strasse.test", "xn--strae-oqa.test"]
    );
}

#[test]
fn a_blank_is_no_address() {
    for text in ["", " ", "\0\t\n\u{b}\u{c}\r "] {
        assert_eq!(read(text), Ok(None), "{text:?}");
    }
}

#[test]
fn what_every_version_refuses() {
    for text in [
        "a",
        "a@",
        "@b.test",
        "a@b@c.test",
        "\"a@b\"@c.test",
        "a b@c.test",
        "a@c .test",
        "a\0b@c.test",
        "a@c.test\0.evil",
        "a@c.test\nb",
        "Foo <a@c.test>",
        "a @c.test",
        "\u{3000}",
    ] {
        assert_eq!(read(text), Err(AddressFault::Invalid), "{text:?}");
    }
}

#[test]
fn what_versions_read_differently() {
    for text in [
        "a@b.test.",
        "a@b.test..",
        "a@.b.test",
        "a@b..test",
        "a@localhost",
        "a@com",
        "a@192.0.2.1",
        "a@[192.0.2.1]",
        "a@[IPv6:2001:db8::1]",
        "a@b.test.1",
        "a@b.test:25",
        "a@b.test/",
        "a@b.test#x",
        "a@b.test?x",
        "a@b.test;x",
        "a@b%2etest.com",
        "a%b.test@c.test",
        "a@(c)b.test",
        "a@b.test(c)",
        "a(c)@b.test",
        "<a@b.test>",
        "\"a\"@b.test",
        "mailto:a@b.test",
        "a\\b@c.test",
        "a,b@c.test",
        "a@-b.test",
        "a@b_c.test",
        "a@*.com",
        "\u{1}a@b.test",
        "\u{feff}a@b.test",
        "a\u{200b}@b.test",
        "a@b.test\u{a0}",
        "a@b.test\u{3000}",
        "a@b.test\u{200b}",
        "a@b。test",
        "a@b．test",
        "a@go\u{ad}od.test",
        "a@𝐠𝐨𝐨𝐝.test",
        "=?utf-8?q?a?=@b.test",
        "a@xn--zzzzzzzzz.test",
        "a\u{a0}b@c.test",
    ] {
        assert_eq!(read(text), Err(AddressFault::Ambiguous), "{text:?}");
    }
    let long = format!("{}@b.test", "a".repeat(LONGEST));
    assert_eq!(read(&long), Err(AddressFault::Ambiguous));
    let grows = format!(
        "İ{}@b.test",
        "a".repeat(LONGEST - "İ@b.test".chars().count())
    );
    assert_eq!(
        read(&grows),
        Err(AddressFault::Ambiguous),
        "one too long in lower case"
    );
    let label = format!("a@{}.test", "b".repeat(64));
    assert_eq!(read(&label), Err(AddressFault::Ambiguous));
}

#[test]
fn a_long_local_part_is_taken() {
    let long = format!("{}@b.test", "a".repeat(LONGEST - "@b.test".len()));
    assert_eq!(parts(&long).0, long);
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        let _ = read(&text);
    }

    #[test]
    fn a_plain_address_is_read_as_a_closer_look_reads_it(
        local in "[a-zA-Z0-9.+_]{1,8}|[ -~]{0,6}|[\\x00-\\x7fé]{0,4}|[a-z]{310,325}",
        at in "@|@|@|@|@@|",
        host in "[a-zA-Z0-9]{1,4}(\\.[a-zA-Z0-9-]{1,4}){1,3}|[ -~]{0,8}|[a-z]{1,9}\\.[a-z]{2,3}[ .\\x00]?|xn--[a-z]{1,4}\\.test",
        any in any::<String>(),
    ) {
        let text = format!("{local}{at}{host}");
        prop_assert_eq!(read(&text), read_closely(&text));
        prop_assert_eq!(read(&any), read_closely(&any));
    }

    #[test]
    fn what_is_read_is_in_order(text in "[ \\x00]?[a-zA-Z0-9.+'/é]{1,6}@[a-zA-ZäßÄ。．\\-_.ｅ\u{200d}0-9]{1,12}[ \n]?") {
        if let Ok(Some(address)) = read(&text) {
            prop_assert!(!address.domains.is_empty());
            for domain in &address.domains {
                prop_assert!(domain.as_str().contains('.'));
                prop_assert!(Domain::new(domain.as_str()).is_ok());
            }
            prop_assert_eq!(address.exact.expose().matches('@').count(), 1);
            let again = read(address.exact.expose());
            prop_assert_eq!(again.ok().flatten(), Some(address));
        }
    }

    #[test]
    fn dots_case_and_tags_name_one_mailbox(name in "[a-z]{1,8}", tag in "[a-z]{0,4}", at in 0_usize..8) {
        let (head, tail) = name.split_at(at.min(name.len()));
        let other = format!("{head}.{}+{tag}@Example.COM", tail.to_uppercase());
        let plain = format!("{name}@example.com");
        prop_assert_eq!(parts(&other).1, parts(&plain).1);
    }
}
