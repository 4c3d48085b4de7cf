//! The domain of a mailbox in words, and what is behind it.

use jiff::Timestamp;

use super::tell as tell_server;
use crate::admin::mail_domain::{Behind, DomainReport};
use crate::mailbox::Domain;
use crate::numeral::counted;

/// The domain, its servers, and each of these.
pub(super) fn tell(report: &DomainReport) -> String {
    let domain = &report.domain;
    let mut text = match &report.seen {
        Some(seen) => {
            let time =
                |at| Timestamp::from_second(at).map_or_else(|_| String::new(), |at| at.to_string());
            format!(
                "{domain}: {} let in with it from {} to {}, {} confirmed as far as known\n",
                counted(seen.accounts, "account", "accounts"),
                time(seen.first),
                time(seen.last),
                seen.confirmed
            )
        }
        None => format!(
            "{domain}: nobody that the register counts was let in with it (it does not count listed providers)\n"
        ),
    };
    text.push_str(&match &report.behind {
        Behind::Register(hosts) => {
            format!("mail server when last seen: {}\n\n", names(hosts))
        }
        Behind::Dns(hosts) => format!("mail server, as DNS says now: {}\n\n", names(hosts)),
        Behind::NoMail => {
            "it says in DNS that it takes no mail, so nobody can sign up with it\n".to_owned()
        }
        Behind::Nowhere => {
            "DNS knows no mail server of it, so nobody can sign up with it\n".to_owned()
        }
        Behind::Lapse(why) => format!("its mail server could not be looked up: {why}\n"),
    });
    for server in &report.servers {
        text.push_str(&tell_server(server));
    }
    text
}

fn names(hosts: &[Domain]) -> String {
    let names: Vec<_> = hosts.iter().map(ToString::to_string).collect();
    names.join(" ")
}
