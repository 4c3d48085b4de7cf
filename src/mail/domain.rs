//! A domain as an admin types it: in a list file, a form or a command.
//!
//! Kinder than [`super::address`]: blanks around it, capitals, a trailing dot,
//! international letters and single labels (`tk` bans a whole top level) are
//! taken. The ASCII form is the one registered today (UTS 46); an address is
//! judged under IDNA 2003's reading too, so either finds its ban.

use crate::mailbox::Domain;

use super::idn;

/// Reads a domain or mail-server name.
///
/// # Errors
/// If the text is not a domain name; the fault says what it looks like instead.
pub fn read(text: &str) -> Result<Domain, DomainFault> {
    let name = text.trim();
    if name.is_empty() {
        return Err(DomainFault::Empty);
    }
    if name.contains('@') {
        return Err(DomainFault::Address);
    }
    if name.starts_with("*.") || name.starts_with('.') {
        return Err(DomainFault::Wildcard);
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if is_ip(name) {
        return Err(DomainFault::Network);
    }
    let lower = name.to_lowercase();
    // Underscores are no host names, yet mail servers have been seen under them.
    if lower.contains('_') && lower.is_ascii() {
        return Domain::new(&lower).map_err(|_| DomainFault::Malformed);
    }
    idn::to_ascii(&lower)
        .and_then(|ascii| Domain::new(&ascii).ok())
        .ok_or(DomainFault::Malformed)
}

fn is_ip(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let host = bare.split_once('/').map_or(bare, |(host, _)| host);
    host.parse::<std::net::IpAddr>().is_ok()
}

/// Why a text is not a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum DomainFault {
    /// Nothing there.
    #[error("an empty domain")]
    Empty,
    /// A mailbox.
    #[error("an e-mail address, not a domain: leave out everything up to the @")]
    Address,
    /// An IP address or network.
    #[error("an IP address, not a domain: ban it as a network")]
    Network,
    /// `*.example.com` or `.example.com`.
    #[error("a wildcard: write the domain alone, its sub-domains are always covered")]
    Wildcard,
    /// Anything else.
    #[error("not a domain name")]
    Malformed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_admins_type() {
        for (text, domain) in [
            ("spam.example", "spam.example"),
            (" Spam.EXAMPLE. ", "spam.example"),
            ("tk", "tk"),
            ("BÜCHER.example", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
            ("straße.test", "xn--strae-oqa.test"),
            ("mx_1.spam.example", "mx_1.spam.example"),
        ] {
            assert_eq!(read(text).expect(text).as_str(), domain);
        }
    }

    #[test]
    fn mistakes_are_told_apart() {
        for (text, fault) in [
            ("", DomainFault::Empty),
            (" ", DomainFault::Empty),
            ("@spam.example", DomainFault::Address),
            ("a@spam.example", DomainFault::Address),
            ("192.0.2.1", DomainFault::Network),
            ("192.0.2.0/24", DomainFault::Network),
            ("[2001:db8::1]", DomainFault::Network),
            ("*.spam.example", DomainFault::Wildcard),
            (".spam.example", DomainFault::Wildcard),
            ("spam..example", DomainFault::Malformed),
            ("http://spam.example", DomainFault::Malformed),
            ("spam.example # note", DomainFault::Malformed),
            ("spam.example..", DomainFault::Malformed),
        ] {
            assert_eq!(read(text), Err(fault), "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in proptest::prelude::any::<String>()) {
            let _ = read(&text);
        }
    }
}
