//! The register against stories: one after another, each with its own servers.

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
            Change::Withdraw(_) => {}
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
