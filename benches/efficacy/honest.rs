//! Honest people: a server's daily traffic, a provider mix with a long tail,
//! popular apps re-registering under one name, and the rush of 2022.
//!
//! Assumptions, since no server publishes its mix: 93 of 100 use a listed
//! provider (2 of them with a domain of their own there), 3 an access provider
//! or university of their own, 2 a domain at one of 3,000 small hosters (Zipf:
//! the busiest carries about an eighth of them) and 2 a machine of their own
//! in one of 6,000 networks of hosting companies.

use crate::dice::Dice;
use crate::people::{Act, AppLook, Grant, Kind, What, Who};
use crate::world::{self, CUSTOM, LARGE, MailAt};

/// A server by size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// Sign-ups on a normal day.
    pub(crate) sign_ups: f64,
    /// Logins with a fresh installation on a normal day.
    pub(crate) logins: f64,
}

pub(crate) const SIZES: [Size; 3] = [
    Size {
        name: "1k",
        sign_ups: 3.0,
        logins: 25.0,
    },
    Size {
        name: "20k",
        sign_ups: 40.0,
        logins: 300.0,
    },
    Size {
        name: "300k",
        sign_ups: 600.0,
        logins: 1500.0,
    },
];

/// A stretch of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// When the rush of 2022 begins: 50 times the normal for an hour, then it wears off.
    pub(crate) rush: Option<i64>,
    /// Whether people log in, too; a long past is told without.
    pub(crate) logins: bool,
}

/// Everybody honest within `span`, in order; people are numbered from `first`.
pub(crate) fn people(size: Size, span: Span, dice: &mut Dice, first: u32) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut number = first;
    let mut minute = span.from;
    while minute < span.to {
        let level = level(minute, span.rush);
        for (each_day, login) in [(size.sign_ups, false), (size.logins, true)] {
            if login && !span.logins {
                continue;
            }
            let mut expected = each_day / 1440.0 * level;
            while expected > 0.0 {
                if dice.chance(expected.min(1.0)) {
                    number += 1;
                    let at = minute + dice.below(60) as i64;
                    if login {
                        log_in(at, number, dice, &mut acts);
                    } else {
                        sign_up(at, number, dice, &mut acts);
                    }
                }
                expected -= 1.0;
            }
        }
        minute += 60;
    }
    acts.sort_by_key(|act| act.at);
    acts
}

/// Day and night, and the rush.
fn level(at: i64, rush: Option<i64>) -> f64 {
    let hour = (at % 86_400) as f64 / 3600.0;
    let day = 1.0 + 0.7 * ((hour - 15.0) / 24.0 * std::f64::consts::TAU).cos();
    let factor = match rush.map(|begin| at - begin) {
        Some(since @ 0..) if since < 3600 => 50.0,
        Some(since @ 3600..) => 1.0 + 49.0 * (-(since - 3600) as f64 / 14_400.0).exp(),
        Some(_) | None => 1.0,
    };
    day * factor
}

fn sign_up(at: i64, number: u32, dice: &mut Dice, acts: &mut Vec<Act>) {
    let (mail, kind) = mail(dice);
    let who = Who::Person(number, kind);
    let ip = world::client(dice);
    let local = format!("{}{}", world::word(dice), number % 1000);
    let mut act = |at, what| acts.push(Act { at, who, ip, what });
    if dice.chance(0.5) {
        act(at, What::SignUp(None, mail, local));
        return;
    }
    let look = app(dice);
    act(at, What::Make(number, look));
    act(at + 2, What::Token(number, Grant::App));
    act(at + 60, What::SignUp(Some(number), mail, local));
    act(at + 300, What::Token(number, Grant::Code));
}

fn log_in(at: i64, number: u32, dice: &mut Dice, acts: &mut Vec<Act>) {
    let rare = dice.chance(0.04);
    let kind = if rare { Kind::RareLogin } else { Kind::Login };
    let look = if rare {
        rare_app(dice)
    } else {
        listed_app(dice)
    };
    let who = Who::Person(number, kind);
    let ip = world::client(dice);
    let mut act = |at, what| acts.push(Act { at, who, ip, what });
    act(at, What::Make(number, look));
    act(at + 20, What::Token(number, Grant::Code));
}

fn app(dice: &mut Dice) -> AppLook {
    if dice.chance(0.04) {
        rare_app(dice)
    } else {
        listed_app(dice)
    }
}

fn listed_app(dice: &mut Dice) -> AppLook {
    let (name, redirect, website) = match dice.below(10) {
        0..=3 => (
            "Mastodon for Android",
            "mastodon-android-auth://callback",
            "https://app.joinmastodon.org/android",
        ),
        4..=6 => (
            "Mastodon for iOS",
            "mastodon://joinmastodon.org/oauth",
            "https://app.joinmastodon.org/ios",
        ),
        7..=8 => (
            "IceCubesApp",
            "icecubesapp://",
            "https://github.com/Dimillian/IceCubesApp",
        ),
        _ => ("Fedilab", "fedilab://backtofedilab", "https://fedilab.app"),
    };
    AppLook {
        name: name.into(),
        redirect,
        website: Some(website),
    }
}

/// One of 200 clients that are on no list, the first ones more often.
fn rare_app(dice: &mut Dice) -> AppLook {
    let mut names = Dice::new(dice.zipf(200, 1.0) + 77_000);
    AppLook {
        name: format!("{} client", world::word(&mut names)),
        redirect: "https://client.example/back",
        website: None,
    }
}

fn mail(dice: &mut Dice) -> (MailAt, Kind) {
    let roll = dice.part();
    if roll < 0.91 {
        (listed(dice), Kind::Listed)
    } else if roll < 0.93 {
        let (host, ip) = CUSTOM[dice.below(6) as usize];
        let ip = ip.parse().expect("an address");
        (world::at(&own_domain(dice), host, ip), Kind::Listed)
    } else if roll < 0.96 {
        (isp(dice), Kind::Isp)
    } else if roll < 0.98 {
        let number = dice.zipf(3000, 1.0);
        (
            at_hoster(number, &own_domain(dice), dice),
            Kind::Hoster(number as u32),
        )
    } else {
        let name = own_domain(dice);
        let ip = world::hosted(dice, 6000, [10, 20]);
        let ip = public(ip);
        (world::at(&name, &format!("mail.{name}"), ip), Kind::Own)
    }
}

fn public(ip: std::net::IpAddr) -> std::net::IpAddr {
    match ip {
        std::net::IpAddr::V4(v4) => {
            let [_, b, c, d] = v4.octets();
            std::net::Ipv4Addr::new(95, b, c, d).into()
        }
        v6 @ std::net::IpAddr::V6(_) => v6,
    }
}

fn listed(dice: &mut Dice) -> MailAt {
    let mut roll = dice.part();
    for (domain, host, ip, part) in LARGE {
        if roll < part {
            return world::at(domain, host, ip.parse().expect("an address"));
        }
        roll -= part;
    }
    world::at(
        "gmail.com",
        "gmail-smtp-in.l.google.com",
        "142.250.102.26".parse().expect("an address"),
    )
}

/// An own domain: some people come twice, or bring their family.
fn own_domain(dice: &mut Dice) -> String {
    let tops = ["com", "net", "org", "de", "fr", "co.uk", "io", "social"];
    format!("{}.{}", world::word(dice), tops[dice.below(8) as usize])
}

/// One of 500 access providers and universities, with up to three domains each.
fn isp(dice: &mut Dice) -> MailAt {
    let number = dice.zipf(500, 0.9);
    let name = format!("isp{number}.net");
    let domain = match dice.below(8) {
        0 => format!("mail.isp{number}.net"),
        1 => format!("isp{number}.com"),
        _ => name.clone(),
    };
    let ip = std::net::Ipv4Addr::new(89, (number / 250) as u8, (number % 250) as u8, 25);
    world::at(&domain, &format!("mx.{name}"), ip.into())
}

/// A customer's domain at a small hoster; the larger ones have several machines.
pub(crate) fn at_hoster(number: u64, name: &str, dice: &mut Dice) -> MailAt {
    let machines = 1 + 12 / (number + 1);
    let machine = dice.below(machines);
    // Hosters are scattered over the world, the busy ones too.
    let (b, c) = (number * 37 % 251, number * 101 % 253);
    let ip = std::net::Ipv4Addr::new(91, b as u8, c as u8, 10 + machine as u8);
    world::at(
        name,
        &format!("server{machine}.hoster{number}.com"),
        ip.into(),
    )
}
