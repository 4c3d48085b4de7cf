//! Where everybody's mail goes, as the stand-in name server tells it.
//!
//! Half of the honest have their mail at large providers, a quarter at one
//! small hoster that nobody has on a list, the others on servers of their own.
//! Names of hosts are the providers' own; their addresses are made up.

use std::net::Ipv4Addr;

use super::cast::{BOT_MAIL_IP, Cast};
use super::dice::Dice;
use crate::stand_in::dns::Zone;

/// A domain and the server its mail goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MailHost {
    pub(super) domain: String,
    pub(super) host: String,
    pub(super) ip: Ipv4Addr,
}

const PROVIDERS: [(&str, &str); 4] = [
    ("gmail.com", "gmail-smtp-in.l.google.com"),
    ("outlook.com", "outlook-com.olc.protection.outlook.com"),
    ("icloud.com", "mx01.mail.icloud.com"),
    ("proton.me", "mail.protonmail.ch"),
];

/// The mail of person `n`.
pub(super) fn of_person(n: usize) -> MailHost {
    let low = u8::try_from(n % 200).unwrap_or(0);
    match n % 8 {
        at @ 0..4 => {
            let (domain, host) = PROVIDERS[at];
            MailHost {
                domain: domain.into(),
                host: host.into(),
                ip: Ipv4Addr::new(198, 51, 100, 201 + low % 8),
            }
        }
        4 | 5 => MailHost {
            domain: format!("club-{}.example", n / 24),
            host: "mail.village-hosting.example".into(),
            ip: Ipv4Addr::new(198, 51, 100, 240),
        },
        _ => MailHost {
            domain: format!("family-{n}.example"),
            host: format!("mail.family-{n}.example"),
            ip: Ipv4Addr::new(198, 51, 100, low),
        },
    }
}

/// A domain as the bots' owner registers them by the dozen.
pub(super) fn throwaway(n: usize, dice: &mut Dice) -> String {
    const PARTS: [&str; 16] = [
        "xo", "qel", "mar", "tiv", "zen", "bok", "lur", "pix", "dra", "fen", "gol", "hux", "jas",
        "kev", "nim", "vor",
    ];
    let (a, b) = (dice.pick(&PARTS), dice.pick(&PARTS));
    format!("{a}{b}{n}.example")
}

/// The zone of everybody's domains. The bots' mail servers differ by name and
/// not by address: that is what a ban on names cannot see.
pub(super) fn zone(cast: &Cast) -> Zone {
    let mut zone = Zone::new();
    let bots = cast.bots.domains.iter().map(|domain| MailHost {
        domain: domain.clone(),
        host: format!("mx.{domain}"),
        ip: BOT_MAIL_IP,
    });
    let people = cast.people.iter().map(|person| person.mail.clone());
    let mut servers: Vec<MailHost> = bots.chain(people).collect();
    servers.sort_unstable_by(|a, b| (&a.domain, &a.host).cmp(&(&b.domain, &b.host)));
    servers.dedup_by(|a, b| a.domain == b.domain);
    for server in &servers {
        zone.mx(&server.domain, 10, &server.host);
    }
    servers.sort_unstable_by(|a, b| a.host.cmp(&b.host));
    servers.dedup_by(|a, b| a.host == b.host);
    for server in &servers {
        zone.ip(&server.host, server.ip);
    }
    zone
}
