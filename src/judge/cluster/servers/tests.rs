//! The register against stories: one after another, each with its own servers.

mod evidence;
mod reports;

use super::*;
use crate::judge::cluster::keys;
use crate::mail::dns::{MailServer, MxHost};

const T0: i64 = 1_545_000_000;
const DAY: i64 = 86_400;

fn domain(name: &str) -> Domain {
    Domain::new(name).expect("a domain")
}

fn sign_up(at: i64, name: &str, host: &str, ip: &str) -> SignUp {
    let hosts = vec![MxHost {
        name: domain(host),
        preference: 10,
        ips: vec![ip.parse().expect("an address")],
    }];
    SignUp {
        at,
        domain: domain(name),
        keys: keys::keys(&MailServer {
            hosts,
            implicit: false,
        }),
        client: None,
        client_id: None,
        username: None,
        account: None,
    }
}

fn register() -> Servers {
    Servers::new(Tuning::default())
}

fn let_in(register: &mut Servers, sign_up: SignUp) -> bool {
    !matches!(register.enter(sign_up), Sighting::Condemned { .. })
}

/// How many of `count` bots get in, each a minute after the last.
fn wave(
    register: &mut Servers,
    from: i64,
    count: i64,
    of: impl Fn(i64) -> (String, String, String),
) -> usize {
    let bots = (0..count).filter(|number| {
        let (name, host, ip) = of(*number);
        let_in(register, sign_up(from + number * 60, &name, &host, &ip))
    });
    bots.count()
}

fn bots_of_2018(number: i64) -> (String, String, String) {
    let name = format!("bot{}.example", number % 24);
    (name, "mx.bots.example".into(), "198.51.100.7".into())
}

#[test]
fn many_fresh_domains_on_one_server_are_condemned_within_a_handful() {
    let mut register = register();
    let admitted = wave(&mut register, T0, 40, bots_of_2018);
    assert!((3..=6).contains(&admitted), "{admitted}");
    let cluster = register.cluster(1).expect("condemned").clone();
    assert_eq!(cluster.until - cluster.opened, 3600);
    assert_eq!(cluster.suspects.len(), admitted);
    assert!(
        cluster.evidence.contains("new domains"),
        "{}",
        cluster.evidence
    );
}

#[test]
fn rotating_one_of_name_and_address_does_not_help() {
    let moving_ip = |n: i64| {
        let ip = format!("203.0.{}.9", n % 250);
        (format!("b{n}.example"), "mx.bots.example".into(), ip)
    };
    assert!(wave(&mut register(), T0, 200, moving_ip) <= 6);
    let moving_name = |n: i64| {
        let ip = format!("198.51.100.{}", n % 250);
        (format!("c{n}.example"), format!("mx.c{n}.example"), ip)
    };
    assert!(wave(&mut register(), T0, 200, moving_name) <= 12);
}

#[test]
fn a_domain_older_than_the_wave_passes() {
    let mut register = register();
    let old = |at| sign_up(at, "village.example", "mx.bots.example", "198.51.100.7");
    assert!(let_in(&mut register, old(T0 - 20 * DAY)));
    wave(&mut register, T0, 40, bots_of_2018);
    assert!(let_in(&mut register, old(T0 + 2400)));
    let fresh = sign_up(T0 + 2400, "z.example", "mx.bots.example", "198.51.100.7");
    assert!(!let_in(&mut register, fresh));
}

/// Each counts for less than a domain of its own, and one owner can have many.
#[test]
fn sub_domains_of_one_owner_tip_the_scale_too() {
    let bots = |n: i64| {
        let name = format!("b{n}.one.example");
        (name, "mx.one.example".into(), "198.51.100.7".into())
    };
    let passed = wave(&mut register(), T0, 40, bots);
    assert!((5..=10).contains(&passed), "{passed} got in");
    let alone = |_| bots(0);
    assert_eq!(
        wave(&mut register(), T0, 40, alone),
        40,
        "one domain is none"
    );
}

#[test]
fn a_class_with_one_domain_of_its_own_is_no_cluster() {
    let class = |_| {
        (
            "school.example".into(),
            "mx.school.example".into(),
            "192.0.2.9".into(),
        )
    };
    assert_eq!(wave(&mut register(), T0, 60, class), 60);
}

#[test]
fn a_server_that_long_carried_confirmed_domains_is_shared() {
    let mut register = register();
    for number in 0..10 {
        let name = format!("customer{number}.example");
        let at = T0 - 40 * DAY + number * 2 * DAY;
        assert!(let_in(
            &mut register,
            sign_up(at, &name, "mx.hoster.example", "192.0.2.9")
        ));
        register.confirm(&domain(&name), at + 60);
    }
    let rush = |n| {
        (
            format!("new{n}.example"),
            "mx.hoster.example".into(),
            "192.0.2.9".into(),
        )
    };
    assert_eq!(wave(&mut register, T0, 60, rush), 60);
}

#[test]
fn what_came_to_nothing_leaves_no_trace() {
    let mut register = register();
    for number in 0..50 {
        let name = format!("typed{number}.example");
        match register.enter(sign_up(
            T0 + number,
            &name,
            "mx.victim.example",
            "192.0.2.9",
        )) {
            Sighting::Counted(ticket) => register.withdraw(ticket),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(register.clusters(), []);
    assert!(register.domains.is_empty());
}

#[test]
fn it_comes_back_sooner_and_stays_longer() {
    let mut register = register();
    wave(&mut register, T0, 40, bots_of_2018);
    let later = T0 + 2 * 3600;
    let more = |n| {
        (
            format!("late{n}.example"),
            "mx.bots.example".into(),
            "198.51.100.7".into(),
        )
    };
    assert_eq!(wave(&mut register, later, 40, more), 1);
    let again = register.cluster(2).expect("again");
    assert_eq!((again.times, again.until - again.opened), (2, 12 * 3600));
}

/// Held against the server, and kept in memory before all others, for as long as
/// it counts; no longer.
#[test]
fn the_mark_of_a_condemnation_goes_when_it_is_held_against_nobody() {
    let marked = |register: &Servers| {
        let histories = register.histories.iter();
        histories.filter(|(_, one)| one.cluster.is_some()).count()
    };
    let mut register = register();
    wave(&mut register, T0, 40, bots_of_2018);
    assert!(marked(&register) > 0);
    let until = register.cluster(1).expect("condemned").until;
    register.let_run_out(until + 29 * DAY);
    assert!(marked(&register) > 0, "it comes back sooner for a month");
    register.let_run_out(until + 31 * DAY);
    assert_eq!(marked(&register), 0);
    assert!(register.cluster(1).is_some(), "the record stays");
}

#[test]
fn released_means_left_alone() {
    let mut register = register();
    wave(&mut register, T0, 40, bots_of_2018);
    let released = register
        .release(1, T0 + 3000, "by hand")
        .expect("it is there");
    assert!(!released.in_force(T0 + 3000));
    assert_eq!(wave(&mut register, T0 + 3000, 40, bots_of_2018), 40);
}

/// Two admins, or one who was not sure that it had worked.
#[test]
fn released_twice_is_released_once() {
    let mut register = register();
    wave(&mut register, T0, 40, bots_of_2018);
    let first = register.release(1, T0 + 3000, "a school").expect("there");
    drop(register.changes());
    let again = register.release(1, T0 + 5 * DAY, "a mistake");
    assert_eq!(again, Some(first.clone()));
    assert_eq!(first.ended, Some((T0 + 3000, "a school".to_owned())));
    assert_eq!(register.changes(), [], "nothing to write or to tell");
    let pardoned = T0 + 3000 + 7 * DAY;
    assert_eq!(wave(&mut register, pardoned - 3600, 40, bots_of_2018), 40);
    // The second release did not make the pardon longer.
    let late = |n| {
        let name = format!("late{n}.example");
        (name, "mx.bots.example".into(), "198.51.100.7".into())
    };
    let admitted = wave(&mut register, pardoned + DAY, 40, late);
    assert!(admitted < 40, "{admitted}");
    assert_eq!(register.release(99, T0, "no such cluster"), None);
}

#[test]
fn honest_confirmations_lift_it() {
    let mut register = register();
    for n in 0..4 {
        let name = format!("old{n}.example");
        let at = T0 - 12 * DAY + n * DAY;
        assert!(let_in(
            &mut register,
            sign_up(at, &name, "mx.bots.example", "198.51.100.7")
        ));
    }
    wave(&mut register, T0, 40, bots_of_2018);
    assert!(register.cluster(1).expect("condemned").in_force(T0 + 2400));
    for n in 0..3 {
        register.confirm(&domain(&format!("old{n}.example")), T0 + 2400 + n);
    }
    assert!(!register.cluster(1).expect("lifted").in_force(T0 + 2500));
}

#[test]
fn without_a_single_confirmation_it_never_grows() {
    let mut register = register();
    let elsewhere = sign_up(T0 - DAY, "a.example", "mx.a.example", "192.0.2.77");
    assert!(let_in(&mut register, elsewhere));
    register.confirm(&domain("a.example"), T0 - DAY + 60);
    wave(&mut register, T0, 40, bots_of_2018);
    let more = |n| {
        (
            format!("late{n}.example"),
            "mx.bots.example".into(),
            "198.51.100.7".into(),
        )
    };
    wave(&mut register, T0 + DAY * 8, 40, more);
    let again = register.cluster(2).expect("condemned anew");
    assert_eq!((again.times, again.until - again.opened), (1, 3600));
}

#[test]
fn a_start_finds_everything_as_it_was() {
    let mut register = register();
    wave(&mut register, T0, 40, bots_of_2018);
    let mut kept = crate::cluster::Kept::default();
    let mut domains = BTreeMap::new();
    for change in register.changes() {
        match change {
            Change::SignUp(serial, sign_up) => kept.sign_ups.push((serial, sign_up)),
            Change::Withdraw(_)
            | Change::Account(..)
            | Change::Heard(..)
            | Change::Confirm(..)
            | Change::App(_)
            | Change::Adopt(_) => {}
            Change::Domain(domain, seen) => {
                domains.insert(domain, seen.expect("known"));
            }
            Change::Cluster(cluster) => kept.clusters.push(*cluster),
        }
    }
    kept.domains = domains.into_iter().collect();
    let mut again = Servers::restore(Tuning::default(), kept);
    assert!(again.changes().is_empty());
    let fresh = sign_up(T0 + 2400, "z.example", "mx.bots.example", "198.51.100.7");
    assert!(!let_in(&mut again, fresh));
    let other = sign_up(T0 + 2400, "z.example", "mx.other.example", "192.0.2.1");
    assert!(let_in(&mut again, other));
}

const HOSTER: (&str, &str) = ("mx.hoster.example", "192.0.2.9");

fn hash(number: u8) -> crate::secret::KeyedHash {
    crate::secret::KeyedHash([number; 16])
}

/// A hoster with `old` customers known for a month, then a wave through it.
fn condemned_hoster(old: i64) -> Servers {
    let mut register = register();
    for number in (0..old).rev() {
        let name = format!("village{number}.example");
        let at = T0 - (30 + number * 10) * DAY;
        let old = sign_up(at, &name, HOSTER.0, HOSTER.1);
        assert!(let_in(&mut register, old));
    }
    wave(&mut register, T0, 40, |n| {
        (format!("b{n}.example"), HOSTER.0.into(), HOSTER.1.into())
    });
    assert!(register.cluster(1).expect("condemned").in_force(T0 + 2400));
    register
}

#[test]
fn links_lift_only_by_twice_as_many_long_known_domains_and_teach_nothing_else() {
    let mut register = condemned_hoster(6);
    for number in 0..6 {
        let new = domain(&format!("b{}.example", number % 3));
        register.confirm_by_link(&new, T0 + 2400);
        let village = domain(&format!("village{number}.example"));
        for _ in 0..9 {
            register.confirm_by_link(&village, T0 + 2400);
        }
        let ended = register.cluster(1).expect("remembered").ended.is_some();
        assert_eq!(ended, number == 5);
    }
    assert!(!register.confirmations_known);
    let village = domain("village0.example");
    assert_eq!(register.domains.peek(&village).expect("known").confirmed, 0);
}

#[test]
fn an_account_is_written_beside_its_sign_up_and_in_the_cluster() {
    let mut register = register();
    let mut suspects: Vec<_> = (0..6)
        .map(|n| {
            sign_up(
                T0 + n,
                &format!("b{n}.example"),
                "mx.bots.example",
                "198.51.100.7",
            )
        })
        .collect();
    for (n, suspect) in suspects.iter_mut().enumerate() {
        suspect.username = Some(format!("bot{n}"));
    }
    let account = |id, confirmed| crate::cluster::CameToBe { id, confirmed };
    let first = domain("b0.example");
    for suspect in suspects {
        register.enter(suspect);
        assert!(register.name_account(&first, T0, "Bot0", account(1, false)));
    }
    // Before the condemnation, and after it.
    let second = domain("b1.example");
    assert!(register.name_account(&second, T0 + 1, "bot1", account(2, true)));
    assert!(!register.name_account(&second, T0 + 1, "another", account(3, true)));
    assert!(!register.name_account(&second, T0 + 9, "bot1", account(3, true)));
    assert!(!register.name_account(&domain("x.example"), T0, "x", account(3, true)));
    let cluster = register.cluster(1).expect("condemned");
    let named: Vec<_> = cluster.suspects.iter().filter_map(|s| s.account).collect();
    assert!(named.contains(&account(1, false)) && named.contains(&account(2, true)));
    assert_eq!(named.len(), 2);
}

#[test]
fn only_the_sites_of_fresh_domains_behind_a_suspicious_server_are_worth_a_look_once() {
    let mut register = register();
    let two = |n: i64| {
        (
            format!("b{n}.example"),
            "mx.bots.example".into(),
            "198.51.100.7".into(),
        )
    };
    wave(&mut register, T0, 2, two);
    assert!(
        !register.is_worth_a_look(&domain("b1.example"), T0 + 60),
        "nothing odd yet"
    );
    wave(&mut register, T0 + 120, 1, |_| two(2));
    assert!(register.is_worth_a_look(&domain("b1.example"), T0 + 180));
    assert!(
        !register.is_worth_a_look(&domain("b1.example"), T0 + 2 * DAY),
        "no longer fresh"
    );
    assert!(!register.is_worth_a_look(&domain("unknown.example"), T0 + 180));
    register.note_site(&domain("b0.example"), false);
    register.note_site(&domain("b1.example"), true);
    assert!(!register.is_worth_a_look(&domain("b1.example"), T0 + 180));
    wave(&mut register, T0 + 240, 20, |n| two(n + 3));
    let cluster = register.cluster(1).expect("condemned").clone();
    assert_eq!((cluster.sites.looked, cluster.sites.dead), (2, 1));
    register.note_site(&domain("b2.example"), false);
    register.note_site(&domain("b2.example"), false);
    let cluster = register.cluster(1).expect("condemned").clone();
    assert_eq!((cluster.sites.looked, cluster.sites.dead), (3, 2));
    let report = register.report_name(&domain("mx.bots.example"), T0 + 600);
    assert_eq!(report.first().expect("a host").sites.looked, 3);
}
