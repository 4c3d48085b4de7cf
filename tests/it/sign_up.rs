//! Sign-ups and changed addresses: what each mail rule refuses, and at which door.

use tuskgate::admin::ask::Target;
use tuskgate::ban::Scopes;
use tuskgate::endpoint::Endpoint;
use tuskgate::judge::doors::applies;
use tuskgate::lists::Files;
use tuskgate::verdict::Rule;

use crate::support::doors::{DOORS, Door};
use crate::support::judged::{ANA, BAD_SERVER, BEN, House, Plan, list};

const MAIL: Scopes = Scopes::MAIL;

/// Whether an address gets in at the sign-up form; and who refused it.
fn refused_by(house: &House, email: &str) -> Option<Rule> {
    let (reached, answer) = Door::of(Endpoint::SignUp).tries(house, ANA, email);
    let event = house.last_event();
    assert_eq!(reached, event.admitted, "{email}: {}", answer.text());
    if reached {
        return None;
    }
    assert_eq!(answer.status, 422, "{email}: {}", answer.text());
    let refusing = event.verdicts.iter().find(|said| said.verdict == "refuse");
    Some(refusing.expect("who refused").rule)
}

/// What let an address pass that a rule would have refused.
fn abstained(house: &House, rule: Rule) -> String {
    let event = house.last_event();
    let said = event.verdicts.into_iter().find(|said| said.rule == rule);
    let said = said.expect("a word of the rule");
    assert_eq!(said.verdict, "abstain", "{}", said.fact);
    said.fact
}

/// One banned thing for each mail rule, and an address that meets it.
fn mail_rules(house: &House) -> [(Rule, &'static str); 3] {
    house.ban(Target::Address("mallory@good.example".into()));
    house.ban(Target::MailDomain("listed.example".into()));
    house.ban_network(BAD_SERVER, Scopes::DEFAULT);
    [
        (Rule::Address, "mallory@good.example"),
        (Rule::MailDomain, "eve@listed.example"),
        (Rule::MailServer, "bot@bot.example"),
    ]
}

#[test]
fn each_mail_rule_at_each_door() {
    let house = Plan::default().build();
    for (rule, email) in mail_rules(&house) {
        let mut seen = 0;
        for door in DOORS {
            let (reached, answer) = door.tries(&house, ANA, email);
            let refuses = applies(rule, door.endpoint);
            assert_eq!(
                !reached,
                refuses,
                "{rule} at {:?}: {} {}",
                door.endpoint,
                answer.status,
                answer.text()
            );
            if refuses {
                assert_eq!(answer.status, 422, "{rule} at {:?}", door.endpoint);
                assert!(answer.header("x-tuskgate-reference").is_some());
            }
            seen += usize::from(refuses);
        }
        assert_eq!(seen, 6, "{rule} at the doors where an address enters");
    }
}

#[test]
fn a_good_address_passes_every_door() {
    let house = Plan::default().build();
    mail_rules(&house);
    for door in DOORS {
        let (reached, answer) = door.tries(&house, ANA, "ana@good.example");
        assert!(reached, "{:?}: {}", door.endpoint, answer.text());
    }
}

/// December 2018: the ban on the machine's address did not count for the mail
/// servers behind the bots' addresses.
#[test]
fn the_banned_machine_behind_a_fresh_domain() {
    let house = Plan::default().build();
    house.ban_network(BAD_SERVER, Scopes::DEFAULT);
    for endpoint in [
        Endpoint::ApiSignUp,
        Endpoint::SignUp,
        Endpoint::EmailSetup,
        Endpoint::ApiEmailChange,
    ] {
        let door = Door::of(endpoint);
        let (reached, answer) = door.tries(&house, BEN, "aaa1@bot.example");
        assert!(!reached, "{endpoint:?}");
        assert_eq!(answer.status, 422, "{endpoint:?}: {}", answer.text());
        let event = house.last_event();
        assert_eq!(event.endpoint, Some(endpoint));
        assert!(event.mail_server.contains(&BAD_SERVER.to_owned()));
        let (reached, _) = door.tries(&house, BEN, "ana@good.example");
        assert!(reached, "an honest address at {endpoint:?}");
    }
    assert_eq!(house.stage.mastodon.accounts(), 1, "only the honest one");
}

#[test]
fn verbs_in_every_disguise_are_the_same_door() {
    let house = Plan::default().build();
    house.ban_network(BAD_SERVER, MAIL);
    let mut bot = house.person(BEN);
    let form = [("user[email]", "bot@bot.example")];
    let put = [("_method", "PUT"), form[0]];
    let answers = [
        bot.post("/auth/setup", &put),
        bot.post("/auth/setup/", &[("_method", "patch"), form[0]]),
        bot.post("//auth//setup", &put),
        bot.post("/auth/setup.json", &put),
        bot.post_with("/auth/setup", &[("X-HTTP-Method-Override", "PUT")], &form),
        bot.call(
            "PUT",
            "/auth/setup",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            b"user%5Bemail%5D=bot%40bot.example",
        )
        .expect("an answer"),
        bot.post("/auth.json", &form),
    ];
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, 422, "{number}: {}", answer.text());
    }
    let beside = bot.post("/auth?user%5Bemail%5D=ana%40good.example", &form);
    assert!(matches!(beside.status, 400 | 422), "{}", beside.text());
    assert_eq!(house.stage.mastodon.asked(), 0);
}

#[test]
fn a_mailbox_exactly_or_with_its_variants() {
    let house = Plan::default().build();
    house.ban(Target::Address("Mallory.One@good.example".into()));
    house.ban(Target::AddressWithVariants("eve@good.example".into()));
    for (email, refused) in [
        ("mallory.one@good.example", true),
        (" MALLORY.ONE@Good.Example ", true),
        ("malloryone@good.example", false),
        ("mallory.one+x@good.example", false),
        ("eve@good.example", true),
        ("e.v.e@good.example", true),
        ("Eve+anything@good.example", true),
        ("eva@good.example", false),
    ] {
        let expected = refused.then_some(Rule::Address);
        assert_eq!(refused_by(&house, email), expected, "{email}");
    }
}

#[test]
fn a_mail_domain_and_all_below_it() {
    let (_folder, listed) = list("listed.example\n*.tk\n");
    let (_other, excused) = list("good.listed.example\n");
    let files = Files {
        mail_domains: vec![listed],
        mail_domains_allow: vec![excused],
        ..Files::default()
    };
    let mut plan = Plan {
        files,
        ..Plan::default()
    };
    for domain in [
        "a.listed.example",
        "good.listed.example",
        "bot.tk",
        "notlisted.example",
    ] {
        plan.zone.mx(domain, 10, "mx.good.example");
    }
    plan.zone.mx("live.banned.example", 10, "mx.good.example");
    let house = plan.build();
    house.ban(Target::MailDomain("Banned.Example.".into()));
    for (email, refused) in [
        ("x@listed.example", true),
        ("x@a.listed.example", true),
        ("x@LISTED.example", true),
        ("x@bot.tk", true),
        ("x@live.banned.example", true),
        ("x@notlisted.example", false),
        ("x@good.example", false),
    ] {
        let expected = refused.then_some(Rule::MailDomain);
        assert_eq!(refused_by(&house, email), expected, "{email}");
    }
    assert_eq!(refused_by(&house, "x@good.listed.example"), None);
    assert!(abstained(&house, Rule::MailDomain).contains("allowed"));
    house.allow(Target::MailDomain("live.banned.example".into()));
    assert_eq!(refused_by(&house, "x@live.banned.example"), None);
}

#[test]
fn a_mail_server_by_name_parent_and_every_address() {
    let mut plan = Plan::default();
    let (_folder, listed) = list("mx.listed.example\n");
    plan.files.mail_servers = vec![listed];
    let bad: std::net::IpAddr = BAD_SERVER.parse().expect("an address");
    let bad_v6: std::net::Ipv6Addr = "2001:db8:bad::25".parse().expect("an address");
    let good = std::net::Ipv4Addr::new(192, 0, 2, 25);
    plan.zone
        .mx("by-name.example", 10, "mx7.farm.example")
        .ip("mx7.farm.example", good)
        .mx("by-list.example", 10, "a.mx.listed.example")
        .ip("a.mx.listed.example", good)
        .mx("backup.example", 10, "mx.good.example")
        .mx("backup.example", 90, "mail.bot.example")
        .mx("v6.example", 10, "mx.v6.example")
        .ip("mx.v6.example", good)
        .ip("mx.v6.example", bad_v6)
        .ip("implicit.example", bad)
        .null_mx("null.example")
        .mx("nowhere.example", 10, "gone.nowhere.example")
        .empty("empty.example");
    let house = plan.build();
    house.ban(Target::MailServer("farm.example".into()));
    house.ban_network(BAD_SERVER, MAIL);
    house.ban_network("2001:db8:bad::/48", Scopes::DEFAULT);
    for domain in [
        "by-name.example",
        "by-list.example",
        "backup.example",
        "v6.example",
        "implicit.example",
        "null.example",
        "nowhere.example",
        "empty.example",
        "nxdomain.example",
    ] {
        let email = format!("x@{domain}");
        assert_eq!(
            refused_by(&house, &email),
            Some(Rule::MailServer),
            "{domain}"
        );
    }
    let undeliverable = Door::of(Endpoint::ApiSignUp);
    let (_, answer) = undeliverable.tries(&house, ANA, "x@null.example");
    assert_eq!(
        answer.json()["details"]["email"][0]["error"],
        "ERR_UNREACHABLE"
    );
    house.allow(Target::MailServer("mx7.farm.example".into()));
    assert_eq!(refused_by(&house, "x@by-name.example"), None);
    house.allow(Target::MailDomain("implicit.example".into()));
    assert_eq!(refused_by(&house, "x@implicit.example"), None);
    assert!(abstained(&house, Rule::MailServer).contains("allowed"));
}

/// A server of many unrelated people is not refused for a range that happens to
/// cover it, only by a ban that says mail and nothing else.
#[test]
fn a_shared_provider_is_refused_outright_or_not_at_all() {
    let mut plan = Plan::default();
    let google = std::net::Ipv4Addr::new(142, 250, 1, 27);
    plan.zone
        .mx("family.example", 1, "aspmx.l.google.com")
        .ip("aspmx.l.google.com", google);
    let house = plan.build();
    house.ban_network("142.250.0.0/15", Scopes::DEFAULT);
    assert_eq!(refused_by(&house, "x@family.example"), None);
    assert!(abstained(&house, Rule::MailServer).contains("shared provider"));
    house.ban_network("142.250.1.0/24", MAIL);
    assert_eq!(
        refused_by(&house, "x@family.example"),
        Some(Rule::MailServer)
    );
}

/// Row 2's form always carries the current address.
#[test]
fn an_unchanged_address_passes_the_account_form() {
    let house = Plan::default().build();
    let mut person = house.person(ANA);
    let session = person.web_sign_up("ana", "ana@good.example");
    assert_eq!(session.status, 302, "{}", session.text());
    house.ban(Target::MailDomain("good.example".into()));
    let change = |person: &mut crate::support::judged::Person, email: &str| {
        let fields = [("_method", "put"), ("user[email]", email)];
        person.post("/auth", &fields)
    };
    assert_eq!(change(&mut person, "ana@good.example").status, 302);
    let asked = house.stage.asked("/auth/edit");
    let cookie = asked.last().and_then(|request| request.header("cookie"));
    assert!(cookie.is_some_and(|cookie| cookie.contains("_session_id=")));
    assert_eq!(change(&mut person, "else@good.example").status, 422);
    assert_eq!(
        change(&mut house.person(BEN), "ana@good.example").status,
        422
    );
    let untouched = house.stage.asked("/auth/edit").len();
    house.person(BEN).web_sign_up("ben", "ana@good.example");
    assert_eq!(
        house.stage.asked("/auth/edit").len(),
        untouched,
        "asked only at the door of the account form"
    );
}
