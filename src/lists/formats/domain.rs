//! A line of a list of domains: a name, or a hosts file's `0.0.0.0 name…`.
//!
//! `*.name` and `.name` mean `name`: an entry always covers what is below it.
//! A single label is taken as it stands (`tk` bans a whole country). The
//! names that every hosts file gives to the machine itself are skipped.

use std::net::IpAddr;

use super::{Excerpt, LineFault, without_comment};
use crate::lists::name;
use crate::mailbox::Domain;

/// Names that hosts files give to the machine itself; none is anybody's domain.
const LOCAL: [&str; 11] = [
    "0.0.0.0",
    "broadcasthost",
    "ip6-allhosts",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-localhost",
    "ip6-localnet",
    "ip6-loopback",
    "ip6-mcastprefix",
    "localhost",
    "local",
];

/// Reads one line and hands on each name; the number of names handed on.
///
/// # Errors
/// What is wrong with the line, or what `take` says. Names before the fault have been handed on.
pub(in crate::lists) fn read(
    line: &str,
    mut take: impl FnMut(&Domain) -> Result<(), LineFault>,
) -> Result<usize, LineFault> {
    let line = without_comment(line);
    let mut words = line.split_ascii_whitespace();
    let Some(first) = words.next() else {
        return Ok(0);
    };
    if let Ok(ip) = first.parse::<IpAddr>() {
        return hosts(ip, first, words, take);
    }
    if words.next().is_some() {
        return Err(LineFault::NotADomain(Excerpt::new(line)));
    }
    take(&domain(first)?)?;
    Ok(1)
}

fn hosts<'a>(
    ip: IpAddr,
    written: &str,
    names: impl Iterator<Item = &'a str>,
    mut take: impl FnMut(&Domain) -> Result<(), LineFault>,
) -> Result<usize, LineFault> {
    let (mut seen, mut taken) = (0, 0);
    for name in names {
        seen += 1;
        if LOCAL.contains(&name) || name.starts_with("localhost.") {
            continue;
        }
        // A hosts file blocks by pointing a name nowhere or at the machine
        // itself; any other address means that two lists were mixed up.
        if !ip.is_unspecified() && !ip.is_loopback() {
            return Err(LineFault::AddressAmongNames(Excerpt::new(written)));
        }
        take(&domain(name)?)?;
        taken += 1;
    }
    if seen == 0 {
        return Err(LineFault::AddressAmongNames(Excerpt::new(written)));
    }
    Ok(taken)
}

fn domain(text: &str) -> Result<Domain, LineFault> {
    let name = text
        .strip_prefix("*.")
        .or_else(|| text.strip_prefix('.'))
        .unwrap_or(text);
    name::read(name).ok_or_else(|| LineFault::NotADomain(Excerpt::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Result<Vec<String>, LineFault> {
        let mut names = Vec::new();
        let count = read(line, |domain| {
            names.push(domain.to_string());
            Ok(())
        })?;
        assert_eq!(count, names.len());
        Ok(names)
    }

    #[test]
    fn table() {
        for (line, expected) in [
            ("", &[][..]),
            ("# a comment", &[]),
            ("example.com", &["example.com"]),
            ("  Example.COM.  # why", &["example.com"]),
            ("*.example.com", &["example.com"]),
            (".example.com", &["example.com"]),
            ("tk", &["tk"]),
            ("bücher.example", &["xn--bcher-kva.example"]),
            ("xn--bcher-kva.example", &["xn--bcher-kva.example"]),
            ("0.0.0.0 a.example", &["a.example"]),
            (
                "127.0.0.1\ta.example b.example",
                &["a.example", "b.example"],
            ),
            ("127.0.0.1 localhost localhost.localdomain", &[]),
            ("::1 ip6-localhost", &[]),
            ("255.255.255.255 broadcasthost", &[]),
            ("0.0.0.0 0.0.0.0", &[]),
        ] {
            assert_eq!(names(line).expect(line), expected, "{line}");
        }
    }

    #[test]
    fn faults() {
        for (line, expected) in [
            ("203.0.113.7", "\"203.0.113.7\" is an address"),
            ("203.0.113.7 mail.example", "\"203.0.113.7\" is an address"),
            (
                "someone@example.com",
                "\"someone@example.com\" is not a domain",
            ),
            (
                "https://example.com/",
                "\"https://example.com/\" is not a domain",
            ),
            ("two words", "\"two words\" is not a domain"),
            ("a..b", "\"a..b\" is not a domain"),
            ("0.0.0.0 203.0.113.9", "\"203.0.113.9\" is not a domain"),
            ("0.0.0.0 a_b@c", "\"a_b@c\" is not a domain"),
        ] {
            let fault = names(line).expect_err(line).to_string();
            assert!(fault.starts_with(expected), "{line}: {fault}");
        }
    }
}
