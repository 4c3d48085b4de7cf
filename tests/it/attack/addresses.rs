//! Where everybody of the attack test is and where their mail goes: made-up
//! public addresses, and a zone for the name server that the gate asks.

use std::net::{IpAddr, Ipv4Addr};

use super::super::support::chain::Record;
use super::{BANNED, BOT_DOMAINS, HONEST};

/// Where everybody's mail goes.
pub(super) fn zone() -> Vec<Record> {
    let mut zone = Vec::new();
    for n in 0..BOT_DOMAINS {
        let host = format!("mx.{}", bot_domain(n));
        zone.push(Record::mx(&bot_domain(n), &host));
        zone.push(Record::address(&host, BANNED));
    }
    for n in 0..HONEST {
        let (domain, host, ip) = honest_mail(n);
        zone.push(Record::mx(&domain, &host));
        zone.push(Record::address(&host, ip));
    }
    zone
}

pub(super) fn bot_domain(n: usize) -> String {
    format!("throwaway-{}.example", n % BOT_DOMAINS)
}

/// A made-up public address: 900 and more of them, no two in one /24.
pub(super) fn address(net: u8, n: usize) -> IpAddr {
    let [.., high, low] = n.to_be_bytes();
    Ipv4Addr::new(net, 20 + high, low, 7).into()
}

/// Half of the honest have their mail with one of the large providers, the
/// others on servers of their own.
pub(super) fn honest_mail(n: usize) -> (String, String, Ipv4Addr) {
    let (domain, host, last) = match n % 8 {
        0 => ("gmail.com", "gmail-smtp-in.l.google.com", 26),
        1 => ("outlook.com", "outlook-com.olc.protection.outlook.com", 27),
        2 => ("icloud.com", "mx01.mail.icloud.com", 28),
        3 => ("proton.me", "mail.protonmail.ch", 29),
        _ => {
            let low = u8::try_from(n).unwrap_or(u8::MAX);
            return (
                format!("family-{n}.example"),
                format!("mail.family-{n}.example"),
                Ipv4Addr::new(5, 8, low, 25),
            );
        }
    };
    (
        domain.to_owned(),
        host.to_owned(),
        Ipv4Addr::new(142, 250, 1, last),
    )
}
