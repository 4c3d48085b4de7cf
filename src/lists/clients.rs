//! Well-known clients of Mastodon, told apart by where their logins return.
//!
//! Thousands of honest people register an app of the same name, so a known
//! client has no shared budget by name. The name alone proves nothing; what a
//! client cannot work without is a redirect URI that comes back to it, so
//! every redirect URI must be one of the client's own. One that only uses
//! `urn:ietf:wg:oauth:2.0:oob`, which is anybody's, must bring its website too.
//! An impostor can copy all of it: that is why the budgets per `client_id`
//! and per network stay. Clients whose redirect URI could not be found in
//! public, or that run on every server under its own host (Soapbox, Mangane),
//! are deliberately not here.

use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::app::AppName;
use crate::lists::apps::{fold, website_subject, with_fold, with_parents};

mod table;

/// A client that many people use.
#[derive(Debug, PartialEq, Eq)]
pub struct KnownClient {
    /// As people call it.
    pub name: &'static str,
    /// The names it registers under, as typed.
    pub registers_as: &'static [&'static str],
    /// Where its logins return.
    pub returns_to: &'static [Return],
    /// Its website, as a host (and what is below it) or host and path.
    pub websites: &'static [&'static str],
    /// How many people stand behind one `client_id`.
    pub shape: Shape,
    /// Where these facts come from.
    pub source: &'static str,
}

/// Where a login returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// A redirect URI that begins so, scheme in any case.
    Begin(&'static str),
    /// A web page on this host or below it, over https.
    Host(&'static str),
    /// `urn:ietf:wg:oauth:2.0:oob`: the person copies the code.
    OutOfBand,
}

/// How many people stand behind one `client_id` of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One installation on one device registers an app of its own.
    Installed,
    /// One app serves all users of a web client or service.
    Web,
}

/// The known client that this app is, if its name, every redirect URI and (where
/// the redirect URI proves nothing) its website fit.
#[must_use]
pub fn known(
    name: &AppName,
    redirect_uris: &[String],
    website: Option<&str>,
) -> Option<&'static KnownClient> {
    // Outside, for making it folds names.
    let by_name = &*BY_NAME;
    with_fold(name, |folded| by_name.get(folded))?
        .iter()
        .copied()
        .find(|client| client.fits(redirect_uris, website))
}

/// Whether a known client registers under this name. A name proves nothing:
/// for apps of which the name is all that can be known.
#[must_use]
pub fn named(name: &AppName) -> bool {
    let by_name = &*BY_NAME;
    with_fold(name, |folded| by_name.contains_key(folded))
}

/// A known client that a ban would hit whose subject is this: a redirect URI, the
/// host of one, or the host of a website.
#[must_use]
pub fn hit_by(subject: &str) -> Option<&'static KnownClient> {
    let above = |host: &str| with_parents(host).any(|parent| parent == subject);
    table::CLIENTS.iter().find(|client| {
        let returns = client.returns_to.iter().any(|own| match own {
            Return::OutOfBand => false,
            Return::Host(host) => above(host),
            Return::Begin(_) => own.takes(subject),
        });
        let websites = client.websites.iter();
        let mut hosts = websites.filter_map(|site| site.split('/').next());
        returns || hosts.any(above)
    })
}

/// The redirect URI by which a person copies the code: anybody's, of thousands of apps.
pub const OUT_OF_BAND: &str = "urn:ietf:wg:oauth:2.0:oob";

static BY_NAME: LazyLock<HashMap<String, Vec<&'static KnownClient>>> = LazyLock::new(|| {
    let mut by_name: HashMap<_, Vec<_>> = HashMap::new();
    for client in &table::CLIENTS {
        for name in client.registers_as {
            by_name
                .entry(fold(&AppName::new(name)))
                .or_default()
                .push(client);
        }
    }
    by_name
});

impl KnownClient {
    fn fits(&self, redirect_uris: &[String], website: Option<&str>) -> bool {
        let proven = redirect_uris.iter().any(|uri| uri.as_str() != OUT_OF_BAND)
            || website.is_some_and(|website| self.owns(website));
        proven
            && !redirect_uris.is_empty()
            && redirect_uris
                .iter()
                .all(|uri| self.returns_to.iter().any(|own| own.takes(uri)))
    }

    fn owns(&self, website: &str) -> bool {
        self.websites.iter().any(|own| {
            let (host, path) = own.split_once('/').unwrap_or((own, ""));
            below(website, host)
                && (path.is_empty() || path_of(website).is_some_and(|at| covers(path, at)))
        })
    }
}

impl Return {
    fn takes(self, uri: &str) -> bool {
        match self {
            Self::Begin(own) => uri
                .split_at_checked(own.len())
                .is_some_and(|(head, _)| head.eq_ignore_ascii_case(own)),
            Self::Host(own) => {
                let https = uri
                    .split_once(':')
                    .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"));
                https && below(uri, own)
            }
            Self::OutOfBand => uri == OUT_OF_BAND,
        }
    }
}

/// Whether the URL's host is `host` or below it.
fn below(url: &str, host: &str) -> bool {
    website_subject(url).is_some_and(|at| with_parents(&at).any(|parent| parent == host))
}

fn path_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("//")?;
    rest.split_once('/').map(|(_, path)| path)
}

/// Whether `path` is `own` or below it.
fn covers(own: &str, path: &str) -> bool {
    path.strip_prefix(own)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(name: &str, redirect_uris: &[&str], website: Option<&str>) -> Option<&'static str> {
        let uris: Vec<String> = redirect_uris.iter().map(ToString::to_string).collect();
        known(&AppName::new(name), &uris, website).map(|client| client.name)
    }

    #[test]
    fn a_name_and_where_it_returns_to() {
        let android = ["mastodon-android-auth://callback"];
        for (name, uris, website, expected) in [
            (
                "Mastodon for Android",
                &android[..],
                None,
                Some("Mastodon for Android"),
            ),
            (
                "MASTODON FOR ANDROID",
                &android,
                None,
                Some("Mastodon for Android"),
            ),
            ("AaA", &android, None, None),
            ("Mastodon for Android", &[], None, None),
            (
                "Mastodon for Android",
                &["urn:ietf:wg:oauth:2.0:oob"],
                None,
                None,
            ),
            (
                "Mastodon for Android",
                &[android[0], "https://evil.example/"],
                None,
                None,
            ),
            (
                "Ivory for iOS",
                &["com.tapbots.Ivory.23600:/request_token/39A4"],
                None,
                Some("Ivory"),
            ),
            (
                "Phanpy",
                &["https://phanpy.social/"],
                Some("https://phanpy.social"),
                Some("Phanpy"),
            ),
            (
                "Phanpy",
                &["https://dev.phanpy.social/"],
                None,
                Some("Phanpy"),
            ),
            (
                "Phanpy",
                &["https://phanpy.social.evil.example/"],
                None,
                None,
            ),
            (
                "Phanpy",
                &["https://phanpy.social@evil.example/"],
                None,
                None,
            ),
            ("Phanpy", &["http://phanpy.social/"], None, None),
            (
                "Elk",
                &["https://elk.zone/api/a.example/oauth/https%3A%2F%2Felk.zone"],
                None,
                Some("Elk"),
            ),
        ] {
            assert_eq!(called(name, uris, website), expected, "{name} {uris:?}");
        }
    }

    #[test]
    fn out_of_band_needs_the_website() {
        let oob = ["urn:ietf:wg:oauth:2.0:oob"];
        let name = "toot - a Mastodon CLI client";
        assert_eq!(called(name, &oob, None), None);
        assert_eq!(
            called(name, &oob, Some("https://github.com/ihabunek/toot")),
            Some("toot")
        );
        assert_eq!(
            called(name, &oob, Some("https://github.com/ihabunek/toot-evil")),
            None
        );
        assert_eq!(
            called(name, &oob, Some("https://github.com/evil/toot")),
            None
        );
    }

    #[test]
    fn every_client_fits_itself() {
        for client in &table::CLIENTS {
            assert!(!client.source.is_empty(), "{}", client.name);
            for name in client.registers_as {
                for own in client.returns_to {
                    let uri = match own {
                        Return::Begin(uri) => (*uri).to_owned(),
                        Return::Host(host) => format!("https://{host}/cb"),
                        Return::OutOfBand => OUT_OF_BAND.to_owned(),
                    };
                    let website = client.websites.first().map(|own| format!("https://{own}"));
                    assert_eq!(
                        called(name, &[uri.as_str()], website.as_deref()),
                        Some(client.name),
                        "{uri}"
                    );
                }
            }
        }
    }
}
