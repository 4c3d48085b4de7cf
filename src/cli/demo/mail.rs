//! Where everybody's mail goes, as the stand-in name server tells it.
//!
//! Half of the honest have their mail at large providers, a quarter at small
//! hosters that nobody has on a list (two at each), the rest on servers
//! of their own: rented all over the world, and three from one company that put
//! them side by side. Not more at one hoster: the demo squeezes 40 minutes into
//! seconds, and three new customers of one small hoster within ten minutes of an
//! attack are what the gate takes for bots, for an hour. Names of hosts are the
//! providers' own; addresses are of the range set aside for benchmarks
//! (RFC 2544), which has room for hosters.

use std::net::Ipv4Addr;

use super::cast::Cast;
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
    let block = n / 8;
    match n % 8 {
        at @ 0..4 => {
            let (domain, host) = PROVIDERS[at];
            MailHost {
                domain: domain.into(),
                host: host.into(),
                ip: far(400 + at, 25),
            }
        }
        4 if block < 16 && block.is_multiple_of(8) => MailHost {
            domain: format!("club-{n}.example"),
            host: "mail.village-hosting.example".into(),
            ip: far(500, 240),
        },
        4 | 5 => MailHost {
            domain: format!("club-{n}.example"),
            host: format!("mail.hoster-{block}.example"),
            ip: far(block, 240),
        },
        _ => MailHost {
            domain: format!("family-{n}.example"),
            host: format!("mail.family-{n}.example"),
            ip: match u8::try_from(n) {
                Ok(low) if n < 24 && n % 8 == 7 => far(501, low),
                Ok(_) | Err(_) => far(200 + n, 25),
            },
        },
    }
}

/// An address in network `n` of 509 that lie far from each other.
fn far(n: usize, low: u8) -> Ipv4Addr {
    let [.., high, middle] = u32::try_from(n * 37 % 509).unwrap_or(0).to_be_bytes();
    Ipv4Addr::new(198, 18 + high, middle, low)
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
    let domains = cast.bots.domains.iter();
    let bots = domains.map(|domain| MailHost {
        domain: domain.clone(),
        host: format!("mx.{domain}"),
        ip: cast.bots.mail_ip(domain),
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
