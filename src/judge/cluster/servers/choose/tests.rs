//! Domains that name far more than the host that takes their mail.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::judge::cluster::servers::Sighting;
use crate::judge::cluster::tuning::Tuning;
use crate::mail::dns::{MailServer, MxHost};
use crate::mailbox::Domain;

const T0: i64 = 1_545_000_000;
const DAY: i64 = 86_400;

/// Where all the mail goes: last by name, and last by address.
const REAL: (&str, IpAddr) = (
    "zz.zz.example",
    IpAddr::V4(Ipv4Addr::new(223, 255, 254, 254)),
);

fn domain(name: &str) -> Domain {
    Domain::new(name).expect("a domain")
}

fn host(name: &str, ips: Vec<IpAddr>) -> MxHost {
    MxHost {
        name: domain(name),
        preference: 10,
        ips,
    }
}

fn sign_up(at: i64, name: &str, hosts: Vec<MxHost>) -> SignUp {
    let implicit = false;
    SignUp {
        at,
        domain: domain(name),
        keys: keys::keys(&MailServer { hosts, implicit }),
        client: None,
        client_id: None,
        username: None,
        account: None,
    }
}

/// The numbers from `from` on, spread over many networks, all before the real address.
fn addresses(from: u32, count: u32) -> Vec<IpAddr> {
    let spread = |n: u32| Ipv4Addr::from(0x0100_0000 + n.wrapping_mul(0x9E37_79B1) % 0xD000_0000);
    (from..from + count).map(|n| spread(n).into()).collect()
}

fn let_in(register: &mut Servers, sign_up: SignUp) -> bool {
    !matches!(register.enter(sign_up), Sighting::Condemned { .. })
}

/// How many of 60 domains get in, a minute apart, each with the decoys of its own.
fn admitted(register: &mut Servers, hosts: impl Fn(u32) -> Vec<MxHost>) -> usize {
    let bots = (0..60).filter(|number| {
        let name = format!("bot{number}.example");
        let at = T0 + i64::from(*number) * 60;
        let_in(register, sign_up(at, &name, hosts(*number)))
    });
    bots.count()
}

fn register() -> Servers {
    Servers::new(Tuning::default())
}

#[test]
fn the_real_host_is_found_among_fifteen_decoys_of_each_domain_s_own() {
    let got_in = admitted(&mut register(), |number| {
        let decoy = |n: u32| {
            let name = format!("a{n}.decoys{number}-{n}.example");
            host(&name, addresses(number * 1000 + n * 32, 1))
        };
        let real = host(REAL.0, vec![REAL.1]);
        (0..15).map(decoy).chain([real]).collect()
    });
    assert!(got_in <= 8, "{got_in}");
}

/// The name is each domain's own, too, and there are as many addresses as a look-up takes.
#[test]
fn the_real_address_is_found_among_five_hundred_decoys_of_each_domain_s_own() {
    let got_in = admitted(&mut register(), |number| {
        let one = |n: u32| {
            let mut ips = addresses(number * 1000 + n * 32, 31);
            ips.push(match n {
                15 => REAL.1,
                _ => Ipv4Addr::new(7, 7, number as u8, n as u8).into(),
            });
            host(&format!("mx{n}.bot{number}.example"), ips)
        };
        (0..16).map(one).collect()
    });
    assert!(got_in <= 8, "{got_in}");
}

/// Decoys that were met before are no better: the real one was met by all.
#[test]
fn decoys_that_take_turns_hide_nobody() {
    let got_in = admitted(&mut register(), |number| {
        let pool = addresses(0, 400);
        let turn = pool.iter().skip(number as usize * 31 % 370);
        let mut ips: Vec<_> = turn.take(31).copied().collect();
        ips.push(REAL.1);
        vec![host(&format!("mx.bot{number}.example"), ips)]
    });
    assert!(got_in <= 16, "{got_in}");
}

#[test]
fn what_is_condemned_is_seen_among_any_decoys() {
    let mut register = register();
    let real = || host(REAL.0, vec![REAL.1]);
    let before = admitted(&mut register, |_| vec![real()]);
    assert_eq!(before, 4);
    let decoys = |n: u32| host(&format!("a{n}.decoy{n}.example"), addresses(n * 32, 31));
    let hosts = (0..15).map(decoys).chain([real()]).collect();
    let one = sign_up(T0 + 3000, "late.example", hosts);
    assert!(!let_in(&mut register, one));
}

/// All gates agree, another installation does not, and a second run does.
#[test]
fn of_what_nobody_met_the_installation_s_key_chooses() {
    let one = sign_up(
        T0,
        "a.example",
        vec![host("mx.a.example", addresses(0, 32))],
    );
    let under = |byte: u8| {
        let key = crate::secret::HashKey::new(&[byte; 32]);
        let register =
            Servers::restore_under(Tuning::default(), crate::cluster::Kept::default(), &key);
        register.choose(&one.keys, T0).1
    };
    assert_eq!(under(1), under(1));
    assert_ne!(under(1), under(2));
    assert_eq!(under(1).len(), 1 + 1 + 12 + 10 + 10);
}

/// Failing on purpose is free, so it must not make decoys look as if they were met.
#[test]
fn what_came_to_nothing_makes_no_decoy_better() {
    let mut register = register();
    let decoys = |number: u32| vec![host(&format!("mx{number}.example"), addresses(0, 32))];
    for number in 0..300 {
        let name = format!("typed{number}.example");
        let Sighting::Counted(ticket) = register.enter(sign_up(T0, &name, decoys(number))) else {
            panic!("condemned for what came to nothing");
        };
        register.withdraw(ticket);
    }
    let address = MailKey::Address(addresses(0, 1)[0]);
    assert_eq!(register.met.times(register.met.mark(&address)), 0);
}

const HOSTER: (&str, IpAddr) = ("mx.hoster.example", IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)));

fn hoster() -> MxHost {
    host(HOSTER.0, vec![HOSTER.1])
}

/// Customers of a hoster, each of them for longer than a month.
fn with_customers(count: i64) -> Servers {
    let mut register = register();
    for number in (0..count).rev() {
        let name = format!("village{number}.example");
        let at = T0 - (35 + number * 2) * DAY;
        let one = sign_up(at, &name, vec![hoster()]);
        assert!(let_in(&mut register, one));
    }
    register
}

/// Who names a learned provider beside their own host neither hides behind it...
#[test]
fn a_learned_provider_hides_nobody_beside_it_and_is_not_condemned() {
    let mut register = with_customers(12);
    let got_in = admitted(&mut register, |_| {
        vec![hoster(), host(REAL.0, vec![REAL.1])]
    });
    assert_eq!(got_in, 4);
    let all = register.clusters();
    let keys = all.iter().flat_map(|cluster| &cluster.keys);
    let about_hoster = |key: &&MailKey| match key {
        MailKey::Host(name) | MailKey::Registrable(name) => {
            name.as_str().ends_with("hoster.example")
        }
        MailKey::Address(ip) => *ip == HOSTER.1,
        MailKey::Network(net) | MailKey::Range(net) => net.contains(&HOSTER.1),
    };
    assert_eq!(keys.filter(about_hoster).count(), 0);
    // ...nor costs its newest customer anything.
    let customer = sign_up(T0 + 3700, "new.example", vec![hoster()]);
    assert!(matches!(register.enter(customer), Sighting::Learned(_)));
    let step_two = sign_up(
        T0 + 3700,
        "bot.example",
        vec![hoster(), host(REAL.0, vec![REAL.1])],
    );
    assert!(!register.all_shared(&step_two.keys, T0 + 3700));
}

/// Nor does its address among those of one's own host.
#[test]
fn a_learned_address_hides_no_other_of_the_same_name() {
    let mut register = with_customers(12);
    let both = || vec![host(REAL.0, vec![HOSTER.1, REAL.1])];
    assert_eq!(admitted(&mut register, |_| both()), 4);
    let vanity = sign_up(
        T0 + 3700,
        "new.example",
        vec![host("mx.new.example", vec![HOSTER.1])],
    );
    assert!(matches!(register.enter(vanity), Sighting::Learned(_)));
    let kept = &register.clusters()[0].keys;
    assert!(!kept.contains(&MailKey::Address(HOSTER.1)));
}

/// One that is neither listed nor learned can be framed: for an hour, never its
/// customers from before, and their confirmations end it.
#[test]
fn an_honest_host_that_is_named_beside_the_bots_own_loses_an_hour_of_newcomers_at_most() {
    let mut register = with_customers(4);
    let framed = |number: u32| {
        let own = host(
            &format!("mx.bot{number}.example"),
            addresses(number * 77, 1),
        );
        vec![hoster(), own]
    };
    assert!(admitted(&mut register, framed) < 10);
    let cluster = register.clusters().pop().expect("condemned");
    assert!(cluster.keys.contains(&MailKey::Host(domain(HOSTER.0))));
    assert_eq!(cluster.until - cluster.opened, 3600);
    let at = cluster.opened + 60;
    let known = sign_up(at, "village1.example", vec![hoster()]);
    assert!(let_in(&mut register, known));
    for number in 0..3 {
        register.confirm(&domain(&format!("village{number}.example")), at + number);
    }
    let open = register
        .clusters()
        .iter()
        .filter(|one| one.in_force(at + 9))
        .count();
    assert_eq!(open, 0);
    let new = sign_up(at + 10, "new.example", vec![hoster()]);
    assert!(let_in(&mut register, new));
}
