//! Who takes part: the bots of December 2018 and honest people, where they
//! come from, and where their mail goes.
//!
//! The numbers are those of the incident: 60 apps called AaA, 4,500 token
//! requests from 900 addresses, and addresses at 40 domains whose mail servers
//! have 40 names and one IP. Everybody's addresses are documentation addresses
//! (RFC 3849, RFC 5737) and all mail hosts have made-up ones: nobody real is named.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::clients::{self, Client};
use super::dice::Dice;
use super::mail::{self, MailHost};

/// The one address behind all the bots' mail servers.
pub(super) const BOT_MAIL_IP: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 66);
/// What every one of their apps is called.
pub(super) const BOT_APP: &str = "AaA";

const TOKENS: usize = 4500;
const APPS: usize = 60;
const ADDRESSES: usize = 900;
const SIGN_UPS: usize = 100;
const DOMAINS: usize = 40;

/// Everybody.
#[derive(Debug)]
pub(super) struct Cast {
    pub(super) bots: Bots,
    pub(super) people: Vec<Person>,
}

/// The bots, by what they do.
#[derive(Debug)]
pub(super) struct Bots {
    pub(super) apps: usize,
    pub(super) tokens: usize,
    pub(super) sign_ups: usize,
    pub(super) addresses: usize,
    pub(super) domains: Vec<String>,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Form,
    Json,
    Multipart,
}

impl Format {
    pub(super) const ALL: [Self; 3] = [Self::Form, Self::Json, Self::Multipart];
}

/// How a person signs up.
#[derive(Debug)]
pub(super) enum Way {
    /// In a browser, by the form.
    Web,
    /// Through an app that registers itself, gets a token, and signs up.
    App(Client),
}

/// One honest person.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) from: IpAddr,
    pub(super) username: String,
    pub(super) mail: MailHost,
    pub(super) way: Way,
    pub(super) format: Format,
}

impl Cast {
    /// `tokens` scales everything that the bots do.
    pub(super) fn new(people: usize, tokens: usize, dice: &mut Dice) -> Self {
        let scale = |full: usize, least: usize| (full * tokens / TOKENS).clamp(least, full);
        let bots = Bots {
            apps: scale(APPS, 4),
            tokens,
            sign_ups: scale(SIGN_UPS, 10),
            addresses: scale(ADDRESSES, 8),
            domains: (0..DOMAINS).map(|n| mail::throwaway(n, dice)).collect(),
        };
        let people = (0..people).map(|n| Person::new(n, dice)).collect();
        Self { bots, people }
    }
}

impl Bots {
    /// The address of the bot that makes request `n`, each in a network of its own.
    pub(super) fn address(&self, n: usize) -> IpAddr {
        own_network(BOTS, n % self.addresses)
    }

    pub(super) fn domain(&self, n: usize) -> &str {
        let domain = self.domains.get(n % self.domains.len().max(1));
        domain.map_or("", String::as_str)
    }
}

/// Whether `ip` is one of the bots'.
pub(super) const fn is_bot(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V6(ip) => ip.segments()[2] & 0xf000 == BOTS,
        IpAddr::V4(_) => false,
    }
}

const BOTS: u16 = 0xb000;
const PEOPLE: u16 = 0x5000;

fn own_network(kind: u16, n: usize) -> IpAddr {
    let network = kind | (u16::try_from(n).unwrap_or(u16::MAX) & 0x0fff);
    Ipv6Addr::new(0x2001, 0xdb8, network, 0, 0, 0, 0, 1).into()
}

impl Person {
    fn new(n: usize, dice: &mut Dice) -> Self {
        // One in five in a browser, which sends two of the three formats.
        let (way, format) = match n % 5 {
            0 if n.is_multiple_of(2) => (Way::Web, Format::Form),
            0 => (Way::Web, Format::Multipart),
            _ => (Way::App(clients::of_person(n)), Format::ALL[n % 3]),
        };
        Self {
            from: address(n),
            username: username(n, dice),
            mail: mail::of_person(n),
            way,
            format,
        }
    }

    pub(super) fn email(&self) -> String {
        format!("{}@{}", self.username, self.mail.domain)
    }
}

/// Every fifth person shares one carrier's address with all the others of them.
fn address(n: usize) -> IpAddr {
    match u8::try_from(n) {
        _ if n % 5 == 1 => Ipv4Addr::new(192, 0, 2, 250).into(),
        Ok(low) if n % 5 == 2 => Ipv4Addr::new(198, 51, 100, low).into(),
        _ => own_network(PEOPLE, n),
    }
}

fn username(n: usize, dice: &mut Dice) -> String {
    const FIRST: [&str; 12] = [
        "ada", "bram", "chidi", "dilek", "emre", "freya", "goran", "hana", "ines", "jonas",
        "katya", "liam",
    ];
    const LAST: [&str; 10] = [
        "knits", "codes", "paints", "bakes", "reads", "hikes", "sings", "draws", "rows", "sews",
    ];
    format!("{}_{}{n}", dice.pick(&FIRST), dice.pick(&LAST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_full_cast_has_the_numbers_of_the_incident() {
        let cast = Cast::new(200, TOKENS, &mut Dice::new(1));
        let bots = &cast.bots;
        let numbers = (bots.apps, bots.tokens, bots.sign_ups, bots.domains.len());
        assert_eq!(numbers, (60, 4500, 100, 40));
        let from: HashSet<_> = (0..bots.tokens).map(|n| bots.address(n)).collect();
        assert_eq!(from.len(), 900);
        assert!(from.iter().all(|ip| is_bot(*ip)));
        assert!(!cast.people.iter().any(|person| is_bot(person.from)));
        let domains: HashSet<_> = bots.domains.iter().collect();
        assert_eq!(domains.len(), 40);
        let names: HashSet<_> = cast.people.iter().map(|p| &p.username).collect();
        assert_eq!(names.len(), 200);
    }

    #[test]
    fn people_use_every_format_in_apps_and_both_of_browsers() {
        let cast = Cast::new(200, TOKENS, &mut Dice::new(1));
        for format in Format::ALL {
            let by_app = cast
                .people
                .iter()
                .any(|person| person.format == format && matches!(person.way, Way::App(_)));
            assert!(by_app, "{format:?}");
        }
        for format in [Format::Form, Format::Multipart] {
            let by_web =
                |person: &Person| person.format == format && matches!(person.way, Way::Web);
            assert!(cast.people.iter().any(by_web), "{format:?}");
        }
    }

    #[test]
    fn one_seed_makes_one_cast() {
        let names = |seed| {
            let cast = Cast::new(20, 450, &mut Dice::new(seed));
            let people = cast.people.into_iter().map(|person| person.username);
            people.chain(cast.bots.domains).collect::<Vec<_>>()
        };
        assert_eq!(names(7), names(7));
        assert_ne!(names(7), names(8));
    }
}
