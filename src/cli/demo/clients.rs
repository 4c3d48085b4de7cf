//! The apps that honest people sign up through: well-known clients as they
//! register themselves, and small ones that nobody has heard of.

/// An app as it registers itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) redirect_uri: &'static str,
    pub(super) website: &'static str,
}

const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

/// Name, redirect URI, website.
const KNOWN: [(&str, &str, &str); 7] = [
    (
        "Tusky",
        "oauth2redirect://com.keylesspalace.tusky/",
        "https://tusky.app",
    ),
    (
        "Mastodon for Android",
        "mastodon-android-auth://callback",
        "https://app.joinmastodon.org/android",
    ),
    (
        "Mastodon for iOS",
        "mastodon://joinmastodon.org/oauth",
        "https://app.joinmastodon.org/ios",
    ),
    (
        "Ice Cubes",
        "icecubesapp://",
        "https://github.com/Dimillian/IceCubesApp",
    ),
    ("Phanpy", "https://phanpy.social/", "https://phanpy.social"),
    ("Elk", "https://elk.zone/api/oauth", "https://elk.zone"),
    ("Tuba", "tuba://auth_code", "https://tuba.geopjr.dev"),
];

/// What people's own scripts and weekend projects are called.
const OWN: [&str; 6] = [
    "my mastodon script",
    "Weekend project",
    "cross-poster",
    "Test",
    "Ruby bot",
    "mastodon.el",
];

/// Two of three come with a well-known client.
pub(super) fn of_person(n: usize) -> Client {
    if (n / 3) % 3 == 2 {
        let name = OWN[n % OWN.len()];
        return Client {
            name: name.to_owned(),
            redirect_uri: OOB,
            website: "",
        };
    }
    let (name, redirect_uri, website) = KNOWN[n % KNOWN.len()];
    Client {
        name: name.to_owned(),
        redirect_uri,
        website,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::AppName;
    use crate::lists::clients::known;

    #[test]
    fn the_known_are_known_and_the_others_are_not() {
        for (name, redirect_uri, website) in KNOWN {
            let uris = [redirect_uri.to_owned()];
            assert!(
                known(&AppName::new(name), &uris, Some(website)).is_some(),
                "{name}"
            );
        }
        for name in OWN {
            assert!(
                known(&AppName::new(name), &[OOB.to_owned()], None).is_none(),
                "{name}"
            );
        }
    }
}
