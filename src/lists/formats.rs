//! One line of a list, in any of the formats that lists come in.
//!
//! Networks: an address or CIDR per line, FireHOL `.netset`, Spamhaus DROP
//! (text and JSON lines). Domains: one per line, `*.name`, `.name`, hosts
//! files. Apps: `client-id X`, `name X`, `redirect-uri X`, `website X`.
//! `#` and `;` begin a comment. Pure; a line is either understood, blank or
//! at fault, and a fault says what the line should have been.

use std::fmt;

use ipnet::IpNet;

pub(super) mod app;
pub(super) mod domain;
pub(super) mod network;

/// Why a line of a list is left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineFault {
    /// Not text.
    #[error("the line is not UTF-8")]
    NotText,
    /// Neither an address, nor a network, nor a line of Spamhaus DROP.
    #[error("{0} is not a network; write an address or a CIDR such as 203.0.113.0/24")]
    NotANetwork(Excerpt),
    /// Something other than a scope after the network.
    #[error("{0} is not a scope; write scope=sign-up, scope=mail or scope=all")]
    NotAScope(Excerpt),
    /// Private or reserved.
    #[error("{0} is private or reserved; to ban it nevertheless, write a scope behind it")]
    Reserved(IpNet),
    /// Wider than /8 or /16.
    #[error(
        "{0} is wider than a /8 (IPv4) or /16 (IPv6); to ban it nevertheless, write a scope behind it"
    )]
    TooWide(IpNet),
    /// Not a domain name.
    #[error("{0} is not a domain name")]
    NotADomain(Excerpt),
    /// An address in a list of names.
    #[error("{0} is an address, not a name; it belongs in a list of networks")]
    AddressAmongNames(Excerpt),
    /// Not one of the four kinds of app entry.
    #[error("{0} is not an app; write client-id, name, redirect-uri or website and its value")]
    NotAnApp(Excerpt),
    /// The set holds four gigabytes of names.
    #[error("the list is full")]
    Full,
}

/// The beginning of a line, for people: escaped, at most 60 characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// The beginning of `text`.
    pub(super) fn new(text: &str) -> Self {
        let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
        if text.chars().nth(60).is_some() {
            short.push('…');
        }
        Self(short)
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The line without its comment and the space around it. By bytes: both marks
/// are ASCII, and a million lines go through here.
fn without_comment(line: &str) -> &str {
    let end = line.bytes().position(|b| matches!(b, b'#' | b';'));
    end.and_then(|end| line.get(..end)).unwrap_or(line).trim()
}
