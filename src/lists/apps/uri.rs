//! What of an app's redirect URI or website a ban can be about: the host.
//!
//! A custom scheme (`tusky://oauth`) has no host in any useful sense, and
//! neither has `urn:ietf:wg:oauth:2.0:oob`; for those the whole URI counts.
//! Hosts are cut out as browsers do it (WHATWG URL: back-slashes, user info,
//! ports), because a browser is what follows a redirect.

use std::net::{IpAddr, Ipv4Addr};

use crate::lists::name;

/// The most characters of a URI that are compared; Mastodon takes 2000 in all.
const MOST_CHARACTERS: usize = 2000;

/// A redirect URI, cut down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lists) enum RedirectKey {
    /// `http` or `https`: the host.
    Host(String),
    /// Any other scheme: the whole, scheme in lower case.
    Whole(String),
}

impl RedirectKey {
    /// Every ban subject that would hit it, most specific first.
    pub(in crate::lists) fn subjects(&self) -> impl Iterator<Item = &str> {
        let (host, whole) = match self {
            Self::Host(host) => (Some(host), None),
            Self::Whole(uri) => (None, Some(uri)),
        };
        host.into_iter()
            .flat_map(|host| with_parents(host))
            .chain(whole.map(String::as_str))
    }
}

/// Cuts an app's own redirect URI, which its creator chose, down.
pub(in crate::lists) fn redirect_key(uri: &str) -> RedirectKey {
    let uri = bounded(uri.trim());
    if let Some(host) = web_host(uri) {
        return RedirectKey::Host(host);
    }
    RedirectKey::Whole(match uri.split_once(':') {
        Some((scheme, rest)) => format!("{}:{rest}", scheme.to_ascii_lowercase()),
        None => uri.to_ascii_lowercase(),
    })
}

/// The ban subject that an admin means by a host or a redirect URI:
/// the host if there is one, otherwise the whole URI. `None` if it is neither.
#[must_use]
pub fn redirect_subject(text: &str) -> Option<String> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return None;
    }
    if !text.contains(':') {
        return plain_host(text);
    }
    match redirect_key(text) {
        RedirectKey::Host(host) | RedirectKey::Whole(host) => Some(host),
    }
}

/// The ban subject that a website's URL or host comes to: its host. `None` if it has none.
#[must_use]
pub fn website_subject(text: &str) -> Option<String> {
    let text = bounded(text.trim());
    web_host(text).or_else(|| plain_host(text))
}

/// A host itself, then each parent; an IP address has none.
pub(in crate::lists) fn with_parents(host: &str) -> impl Iterator<Item = &str> {
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    std::iter::successors(Some(host), move |name| {
        let (_, parent) = name.split_once('.')?;
        (!is_address).then_some(parent)
    })
}

fn plain_host(text: &str) -> Option<String> {
    if text.parse::<Ipv4Addr>().is_ok() {
        return Some(text.into());
    }
    name::read(text).map(|domain| domain.as_str().to_owned())
}

fn bounded(text: &str) -> &str {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => text.get(..end).unwrap_or(text),
        None => text,
    }
}

/// The host of an `http` or `https` URL as a browser sees it; `None` for any other.
fn web_host(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
        return None;
    }
    let rest = rest.trim_start_matches(['/', '\\']);
    let authority = rest.split(['/', '\\', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = match host.split_once(']') {
        Some((v6, _)) => format!("{v6}]"),
        None => host.split(':').next()?.to_owned(),
    };
    (!host.is_empty()).then(|| plain_host(&host).unwrap_or_else(|| host.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_cut_out_as_browsers_do() {
        for (uri, expected) in [
            ("https://Evil.Example/cb?x=1", "evil.example"),
            ("HTTPS://evil.example.:8443#f", "evil.example"),
            ("https://tusky.app@evil.example/", "evil.example"),
            ("https:\\\\evil.example\\@tusky.app", "evil.example"),
            ("https:/evil.example", "evil.example"),
            ("http://bücher.example/", "xn--bcher-kva.example"),
            ("http://[2001:DB8::1]:80/", "[2001:db8::1]"),
            ("http://192.0.2.1:3000/cb", "192.0.2.1"),
        ] {
            assert_eq!(
                redirect_key(uri),
                RedirectKey::Host(expected.into()),
                "{uri}"
            );
        }
        for (uri, expected) in [
            ("Tusky://oauth", "tusky://oauth"),
            ("urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob"),
            ("https://", "https://"),
            ("", ""),
        ] {
            assert_eq!(
                redirect_key(uri),
                RedirectKey::Whole(expected.into()),
                "{uri}"
            );
        }
    }

    #[test]
    fn a_host_is_hit_by_bans_on_its_parents() {
        let key = redirect_key("https://a.b.example/cb");
        let subjects: Vec<&str> = key.subjects().collect();
        assert_eq!(subjects, ["a.b.example", "b.example", "example"]);
        assert_eq!(with_parents("192.0.2.1").count(), 1);
    }

    #[test]
    fn websites_are_urls_or_hosts() {
        assert_eq!(
            website_subject("https://x.example/a").as_deref(),
            Some("x.example")
        );
        assert_eq!(website_subject("x.example").as_deref(), Some("x.example"));
        assert_eq!(website_subject("mailto:a@b"), None);
        assert_eq!(website_subject("192.0.2.1").as_deref(), Some("192.0.2.1"));
        assert_eq!(redirect_subject("not a host"), None);
    }
}
