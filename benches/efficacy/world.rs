//! Names, mail servers and addresses: the parts of both people and bots.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use tuskgate::mail::dns::{MailServer, MxHost};
use tuskgate::mailbox::Domain;

use crate::dice::Dice;

/// A domain and the server behind it.
#[derive(Clone, Debug)]
pub(crate) struct MailAt {
    pub(crate) domain: Domain,
    pub(crate) server: Arc<MailServer>,
}

/// Real exchanges of large providers, which the curated list must know.
pub(crate) const LARGE: [(&str, &str, &str, f64); 12] = [
    (
        "gmail.com",
        "gmail-smtp-in.l.google.com",
        "142.250.102.26",
        0.56,
    ),
    (
        "outlook.com",
        "outlook-com.olc.protection.outlook.com",
        "52.101.73.1",
        0.08,
    ),
    (
        "hotmail.com",
        "hotmail-com.olc.protection.outlook.com",
        "52.101.73.2",
        0.06,
    ),
    ("icloud.com", "mx01.mail.icloud.com", "17.57.155.25", 0.06),
    ("yahoo.com", "mta5.am0.yahoodns.net", "67.195.228.94", 0.05),
    ("proton.me", "mail.protonmail.ch", "185.70.42.128", 0.07),
    ("gmx.de", "mx00.gmx.net", "212.227.15.9", 0.03),
    ("web.de", "mx-ha02.web.de", "212.227.15.17", 0.02),
    ("mail.ru", "mxs.mail.ru", "217.69.139.150", 0.01),
    ("yandex.ru", "mx.yandex.ru", "77.88.21.249", 0.01),
    (
        "fastmail.com",
        "in1-smtp.messagingengine.com",
        "103.168.172.216",
        0.02,
    ),
    ("posteo.de", "mx01.posteo.de", "185.67.36.61", 0.01),
];

/// Exchanges that carry customers' own domains, and are on the curated list.
pub(crate) const CUSTOM: [(&str, &str); 6] = [
    ("aspmx.l.google.com", "142.250.102.27"),
    ("customer.mail.protection.outlook.com", "52.101.68.5"),
    ("in2-smtp.messagingengine.com", "103.168.172.220"),
    ("mail.protonmail.ch", "185.70.42.128"),
    ("mx01.mail.icloud.com", "17.57.155.25"),
    ("route1.mx.cloudflare.net", "162.159.205.11"),
];

pub(crate) fn domain(name: &str) -> Domain {
    Domain::new(name).expect("made of letters, digits and dots")
}

pub(crate) fn at(name: &str, host: &str, ip: IpAddr) -> MailAt {
    let host = MxHost {
        name: domain(host),
        preference: 10,
        ips: vec![ip],
    };
    let server = MailServer {
        hosts: vec![host],
        implicit: false,
    };
    MailAt {
        domain: domain(name),
        server: server.into(),
    }
}

/// An address in one of `networks` /24s, the first ones more often.
pub(crate) fn hosted(dice: &mut Dice, networks: u64, from: [u8; 2]) -> IpAddr {
    let network = dice.zipf(networks, 0.6);
    let [a, b] = from;
    let b = u64::from(b) + network / 256;
    let last = 1 + dice.below(254);
    Ipv4Addr::new(a, b as u8, (network % 256) as u8, last as u8).into()
}

/// Anybody's address at home or on a phone.
pub(crate) fn client(dice: &mut Dice) -> IpAddr {
    let bits = dice.roll();
    Ipv4Addr::new(
        60 + (bits % 60) as u8,
        (bits >> 8) as u8,
        (bits >> 16) as u8,
        1 + ((bits >> 24) % 254) as u8,
    )
    .into()
}

/// A word nobody has used before.
pub(crate) fn word(dice: &mut Dice) -> String {
    const SOUNDS: [&str; 16] = [
        "ba", "do", "ke", "li", "mo", "nu", "pa", "ri", "so", "ta", "ve", "wi", "xa", "yo", "zu",
        "fe",
    ];
    let mut word = String::new();
    for _ in 0..5 {
        word.push_str(SOUNDS[dice.below(16) as usize]);
    }
    word
}
