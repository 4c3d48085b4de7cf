//! A line of a list of apps: a kind and its value, one entry per line.
//!
//! A `#` or `;` begins a comment only at the start of a line, because an app
//! may have either in its name.

use super::{Excerpt, LineFault};
use crate::app::{AppName, ClientId};
use crate::lists::apps::{self, fold};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lists) enum Entry {
    /// An app by its `client_id`.
    ClientId(ClientId),
    /// Apps by their folded name.
    Name(String),
    /// Apps by a redirect URI's host, or the whole URI.
    RedirectUri(String),
    /// Apps by their website's host.
    Website(String),
}

/// Reads one line; `None` for a blank one or a comment.
pub(in crate::lists) fn read(line: &str) -> Result<Option<Entry>, LineFault> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', ';']) {
        return Ok(None);
    }
    let fault = || LineFault::NotAnApp(Excerpt::new(line));
    let (kind, value) = line.split_once(char::is_whitespace).ok_or_else(fault)?;
    let value = value.trim();
    let entry = match kind {
        "client-id" => Some(Entry::ClientId(ClientId::new(value))),
        "name" => Some(fold(&AppName::new(value)))
            .filter(|folded| !folded.is_empty())
            .map(Entry::Name),
        "redirect-uri" => apps::redirect_subject(value).map(Entry::RedirectUri),
        "website" => apps::website_subject(value).map(Entry::Website),
        _ => None,
    };
    entry.map(Some).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let name = |text: &str| Entry::Name(fold(&AppName::new(text)));
        for (line, expected) in [
            ("  # comment", None),
            (
                "client-id 7aBc-_",
                Some(Entry::ClientId(ClientId::new("7aBc-_"))),
            ),
            ("name  A a A #1", Some(name("AaA#1"))),
            (
                "redirect-uri https://Evil.example:8443/cb",
                Some(Entry::RedirectUri("evil.example".into())),
            ),
            (
                "redirect-uri evil.example",
                Some(Entry::RedirectUri("evil.example".into())),
            ),
            (
                "redirect-uri EvilApp://cb",
                Some(Entry::RedirectUri("evilapp://cb".into())),
            ),
            (
                "website https://www.evil.example/",
                Some(Entry::Website("www.evil.example".into())),
            ),
        ] {
            assert_eq!(read(line), Ok(expected), "{line}");
        }
        for line in [
            "AaA",
            "name",
            "nam AaA",
            "website not a host",
            "redirect-uri two words",
        ] {
            assert!(matches!(read(line), Err(LineFault::NotAnApp(_))), "{line}");
        }
    }
}
