//! `client-ban`, `app-ban`, `address` and `mail-domain`.

use super::{allow, app, attempt, ban, domain, entry, key, network, now, sight, word};
use crate::app::{AppName, ClientId, NewApp};
use crate::attempt::{Attempt, ClientIp, Unknown};
use crate::ban::{Ban, Effect, Scopes, Subject};
use crate::endpoint::Endpoint;
use crate::judge::app_sight::AppSight;
use crate::judge::rules::address::Mailbox;
use crate::judge::rules::{address, app_ban, client_ban, mail_domain};
use crate::lists::apps::fold;
use crate::mail::address as mail;
use crate::secret::{KeyedHash, Purpose};
use crate::verdict::Verdict;

const CLIENT: &str = "203.0.113.7/32";
const WIDE: &str = "203.0.113.0/24";

fn allowed_network(text: &str, scopes: Scopes) -> Ban {
    let network = text.parse().expect("a network");
    entry(Effect::Allow, Subject::Network(network), scopes)
}

#[test]
fn client_ban_table() {
    let expired = Ban {
        expires: Some(now()),
        ..network(CLIENT, Scopes::DEFAULT)
    };
    for (bans, expected) in [
        (vec![], "pass"),
        (vec![network(CLIENT, Scopes::DEFAULT)], "ban"),
        (vec![network(WIDE, Scopes::DEFAULT)], "ban"),
        (vec![network(WIDE, Scopes::ALL)], "ban"),
        (vec![network(WIDE, Scopes::MAIL)], "pass"),
        (vec![network("203.0.114.0/24", Scopes::DEFAULT)], "pass"),
        (vec![expired], "pass"),
        // The narrower one says something else of this address, the wider one still counts.
        (
            vec![
                network(WIDE, Scopes::DEFAULT),
                network(CLIENT, Scopes::MAIL),
            ],
            "ban",
        ),
        (
            vec![
                network(WIDE, Scopes::DEFAULT),
                allowed_network(CLIENT, Scopes::DEFAULT),
            ],
            "allowed",
        ),
        (
            vec![
                network(WIDE, Scopes::DEFAULT),
                allowed_network(CLIENT, Scopes::MAIL),
            ],
            "ban",
        ),
        (vec![allowed_network(CLIENT, Scopes::DEFAULT)], "pass"),
    ] {
        let attempt = attempt(Endpoint::SignUp, None);
        let found = client_ban::look(&attempt, &sight(bans.clone()));
        let verdict = client_ban::judge(attempt.client, found);
        assert_eq!(word(&verdict), expected, "{bans:?}");
    }
}

#[test]
fn an_unknown_client_is_nobody() {
    let sight = sight([network("0.0.0.0/0", Scopes::ALL)]);
    for unknown in [
        Unknown::Missing,
        Unknown::Private([10, 0, 0, 1].into()),
        Unknown::TrustedProxy([203, 0, 113, 7].into()),
    ] {
        let attempt = Attempt {
            client: ClientIp::Unknown(unknown),
            ..attempt(Endpoint::SignUp, None)
        };
        let found = client_ban::look(&attempt, &sight);
        let verdict = client_ban::judge(attempt.client, found);
        assert_eq!(word(&verdict), "client unknown", "{unknown:?}");
    }
}

fn by_name(name: &str) -> Subject {
    Subject::AppName(fold(&AppName::new(name)))
}

#[test]
fn app_ban_table() {
    let id = |id: &str| Subject::ClientId(ClientId::new(id));
    let known = || AppSight::Known(app("one", "AaA").into());
    let only_id = || AppSight::Id(ClientId::new("one"));
    for (bans, app, expected) in [
        (vec![ban(id("one"))], known(), "ban"),
        (vec![ban(id("one"))], only_id(), "ban"),
        (vec![ban(id("two"))], known(), "pass"),
        (vec![ban(id("one"))], AppSight::Unresolved, "pass"),
        (vec![ban(id("one"))], AppSight::None, "pass"),
        (vec![ban(by_name("aaa"))], known(), "ban"),
        (vec![ban(by_name("aaa"))], only_id(), "pass"),
        (
            vec![ban(Subject::RedirectUri("app.example".into()))],
            known(),
            "ban",
        ),
        (
            vec![ban(Subject::Website("app.example".into()))],
            known(),
            "ban",
        ),
        (
            vec![ban(by_name("aaa")), allow(id("one"))],
            known(),
            "allowed",
        ),
        (vec![ban(id("one")), allow(id("one"))], only_id(), "allowed"),
        (
            vec![ban(by_name("aaa")), allow(by_name("aaa"))],
            known(),
            "ban",
        ),
        (vec![ban(by_name("aaa")), allow(id("two"))], known(), "ban"),
        (vec![allow(id("one"))], known(), "pass"),
    ] {
        let attempt = attempt(Endpoint::Token, None);
        let verdict = app_ban::judge(app_ban::look(&attempt, &app, &sight(bans.clone())), &app);
        assert_eq!(word(&verdict), expected, "{app:?} {bans:?}");
    }
}

/// What is asked for is judged by what it calls itself; no `client_id` excuses it yet.
#[test]
fn an_app_that_is_asked_for() {
    let wanted = |name: &str, uri: &str, website: Option<&str>| Attempt {
        new_app: Some(NewApp {
            name: AppName::new(name),
            redirect_uris: vec!["urn:x".into(), uri.into()],
            website: website.map(str::to_owned),
        }),
        ..attempt(Endpoint::AppCreate, None)
    };
    let sight = sight([
        ban(by_name("AaA")),
        ban(Subject::RedirectUri("evil.example".into())),
        ban(Subject::Website("spam.example".into())),
    ]);
    for (attempt, expected) in [
        (wanted("Fine", "https://fine.example", None), "pass"),
        (wanted(" a\u{410}a", "https://fine.example", None), "ban"),
        (wanted("Fine", "https://EVIL.example:1/x", None), "ban"),
        (
            wanted(
                "Fine",
                "https://fine.example",
                Some("https://spam.example/"),
            ),
            "ban",
        ),
        (wanted("Fine", "https://spam.example", None), "pass"),
    ] {
        let verdict = app_ban::judge(
            app_ban::look(&attempt, &AppSight::None, &sight),
            &AppSight::None,
        );
        assert_eq!(word(&verdict), expected, "{:?}", attempt.new_app);
    }
}

fn hash(purpose: Purpose, text: &str) -> KeyedHash {
    key().hash(purpose, &[text.as_bytes()])
}

fn exactly(text: &str) -> Subject {
    Subject::Address(hash(Purpose::Mailbox, text))
}

fn canonically(text: &str) -> Subject {
    Subject::CanonicalAddress(hash(Purpose::CanonicalMailbox, text))
}

#[test]
fn address_table() {
    let excused = || allow(Subject::MailDomain(domain("good.example")));
    for (bans, email, expected) in [
        (
            vec![ban(exactly("a.b@good.example"))],
            Some("A.B@Good.Example"),
            "mailbox",
        ),
        (
            vec![ban(exactly("a.b@good.example"))],
            Some("ab@good.example"),
            "pass",
        ),
        (
            vec![ban(canonically("ab@good.example"))],
            Some("a.b+c@good.example"),
            "mailbox",
        ),
        (
            vec![ban(canonically("a.b@good.example"))],
            Some("ab@good.example"),
            "pass",
        ),
        (vec![ban(exactly("ab@good.example"))], None, "pass"),
        (
            vec![ban(exactly("ab@good.example")), excused()],
            Some("ab@good.example"),
            "allowed",
        ),
        (vec![excused()], Some("ab@good.example"), "pass"),
    ] {
        let attempt = attempt(Endpoint::SignUp, email);
        let mailbox = Mailbox::of(&attempt, &key());
        let facts = address::look(&attempt, mailbox, &sight(bans));
        assert_eq!(word(&address::judge(facts)), expected, "{email:?}");
    }
}

#[test]
fn mail_domain_table() {
    let of = |name: &str| Subject::MailDomain(domain(name));
    for (bans, email, expected) in [
        (vec![ban(of("listed.example"))], "x@listed.example", "ban"),
        (
            vec![ban(of("listed.example"))],
            "x@a.b.listed.example",
            "ban",
        ),
        (
            vec![ban(of("listed.example"))],
            "x@unlisted.example",
            "pass",
        ),
        (
            vec![ban(of("a.listed.example"))],
            "x@listed.example",
            "pass",
        ),
        (vec![ban(of("tk"))], "x@anything.tk", "ban"),
        (
            vec![ban(of("tk")), allow(of("fine.tk"))],
            "x@fine.tk",
            "allowed",
        ),
        (
            vec![ban(of("tk")), allow(of("fine.tk"))],
            "x@other.tk",
            "ban",
        ),
        (vec![allow(of("fine.tk"))], "x@fine.tk", "pass"),
    ] {
        let attempt = attempt(Endpoint::SignUp, Some(email));
        let verdict = mail_domain::judge(mail_domain::look(&attempt, &sight(bans)));
        assert_eq!(word(&verdict), expected, "{email}");
    }
}

/// Where IDNA versions differ, either reading of a domain condemns it.
#[test]
fn every_reading_of_a_domain_counts() {
    let email = mail::read("x@straße.example")
        .expect("an address")
        .expect("one");
    assert_eq!(email.domains.len(), 2, "the versions differ");
    for reading in &email.domains {
        let attempt = attempt(Endpoint::SignUp, Some("x@straße.example"));
        let sight = sight([ban(Subject::MailDomain(reading.clone()))]);
        let verdict = mail_domain::judge(mail_domain::look(&attempt, &sight));
        assert_eq!(word(&verdict), "ban", "{reading}");
    }
}

/// The admin sees who decided, why, and how to undo it.
#[test]
fn a_refusal_names_its_source_and_its_remedy() {
    let attempt = attempt(Endpoint::SignUp, Some("x@listed.example"));
    let sight = sight([ban(Subject::MailDomain(domain("listed.example")))]);
    let Verdict::Refuse(reason) = mail_domain::judge(mail_domain::look(&attempt, &sight)) else {
        panic!("refused");
    };
    assert!(
        reason
            .fact
            .words()
            .contains("listed.example (somebody: why)"),
        "{}",
        reason.fact
    );
    let undo = reason.undo.map(|undo| undo.to_string());
    assert_eq!(undo.as_deref(), Some("tuskgate unban --id 7"));
}
