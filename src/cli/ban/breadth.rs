//! Whom a ban would hit beside those it is meant for.
//!
//! A moderator in the middle of an attack is tired, and a slip (`/0` for `/24`,
//! the provider's domain for the bot's) would lock out everyone until somebody
//! notices. So what would hit nearly everybody, or thousands of people who have
//! nothing to do with it, is refused unless `--force` says that it is meant; what
//! is merely wide is done, with a word. It hangs on the target alone: nothing is
//! looked up, so that it is the same with and without a gate, by night and by day.

use ipnet::IpNet;

use crate::admin::ask::Target;
use crate::app::AppName;
use crate::ban::Effect;
use crate::lists::apps::{redirect_subject, website_subject};
use crate::lists::{canonical, clients, too_wide};
use crate::mail::{domain, mailboxes, providers};
use crate::mailbox::Domain;

/// How many an entry would be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Breadth {
    /// Those it is meant for, as far as can be told.
    Narrow,
    /// More, in words.
    Wide(String),
    /// So many that it takes `--force`, and what would be better.
    Reckless(String),
}

/// Of an entry about `target`.
pub(super) fn of(target: &Target, effect: Effect) -> Breadth {
    match (target, effect) {
        (Target::Network(network), _) => of_network(*network, effect),
        (Target::MailDomain(text), _) => with(text, |domain| of_mail_domain(domain, effect)),
        (Target::MailServer(text), _) => with(text, |host| of_mail_server(host, effect)),
        // An app is allowed by its client_id, which is one app.
        (Target::AppName(name), Effect::Ban) => of_app_name(name),
        (Target::RedirectUri(text), Effect::Ban) => of_app_mark(redirect_subject(text), text),
        (Target::Website(text), Effect::Ban) => of_app_mark(website_subject(text), text),
        (
            Target::AppName(_)
            | Target::RedirectUri(_)
            | Target::Website(_)
            | Target::Address(_)
            | Target::AddressWithVariants(_)
            | Target::ClientId(_),
            _,
        ) => Breadth::Narrow,
    }
}

/// What cannot be read is refused elsewhere.
fn with(text: &str, weigh: impl FnOnce(&Domain) -> Breadth) -> Breadth {
    domain::read(text).map_or(Breadth::Narrow, |domain| weigh(&domain))
}

fn of_network(network: IpNet, effect: Effect) -> Breadth {
    // As it will be in force: `::ffff:0:0/96` is all of IPv4.
    let network = canonical(network);
    let wide = match network {
        IpNet::V4(net) => net.prefix_len() < 16,
        IpNet::V6(net) => net.prefix_len() < 32,
    };
    let instead = match effect {
        Effect::Ban => "; to close sign-up for a while: tuskgate contain --step 4 --for 2h",
        Effect::Allow => "",
    };
    if network.prefix_len() == 0 {
        return Breadth::Reckless(format!("{network} is every address there is{instead}"));
    }
    if too_wide(&network) {
        return Breadth::Reckless(format!(
            "{network} is wider than a /8 (IPv4) or /16 (IPv6), with millions of people in it{instead}"
        ));
    }
    if wide {
        return Breadth::Wide(format!(
            "{network} is as wide as whole access providers with all their customers"
        ));
    }
    Breadth::Narrow
}

fn of_mail_domain(domain: &Domain, effect: Effect) -> Breadth {
    if let Some(breadth) = of_suffix(domain) {
        return breadth;
    }
    match (mailboxes::public(domain), effect) {
        (Some(public), Effect::Ban) => Breadth::Reckless(format!(
            "{public} is where many unrelated people have their mail; to refuse one of them: \
             tuskgate ban address SOMEBODY@{public} --with-variants"
        )),
        // Nothing of the mail dimension refuses them as it is.
        (Some(_), Effect::Allow) | (None, _) => Breadth::Narrow,
    }
}

fn of_mail_server(host: &Domain, effect: Effect) -> Breadth {
    if let Some(breadth) = of_suffix(host) {
        return breadth;
    }
    match (providers::hit_by(host), effect) {
        (Some(provider), Effect::Ban) => Breadth::Reckless(format!(
            "{host} takes the mail of {}, which carries many unrelated people's domains; to \
             refuse a domain behind it: tuskgate ban mail-domain DOMAIN",
            provider.name
        )),
        (Some(_), Effect::Allow) | (None, _) => Breadth::Narrow,
    }
}

/// A name under which anybody can have one.
fn of_suffix(domain: &Domain) -> Option<Breadth> {
    let name = domain.as_str();
    if !name.contains('.') {
        return Some(Breadth::Reckless(format!(
            "{name} is a whole top-level domain, with everybody who has a name in it"
        )));
    }
    let suffix = psl::suffix(name.as_bytes())?;
    if suffix.as_bytes() != name.as_bytes() {
        return None;
    }
    Some(match suffix.typ() {
        Some(psl::Type::Private) => Breadth::Wide(format!(
            "anybody can have a name below {name} (public-suffix list)"
        )),
        Some(psl::Type::Icann) | None => Breadth::Reckless(format!(
            "{name} is a public suffix: everybody in it has a name below it"
        )),
    })
}

fn of_app_name(name: &str) -> Breadth {
    if clients::named(&AppName::new(name)) {
        return Breadth::Reckless(format!(
            "{name:?} is what a well-known client calls itself, so all who use it would be \
             locked out; an impostor is banned by --client-id or --redirect-uri (tuskgate apps --name shows them)"
        ));
    }
    Breadth::Narrow
}

fn of_app_mark(subject: Option<String>, text: &str) -> Breadth {
    let Some(subject) = subject else {
        return Breadth::Narrow;
    };
    if subject.eq_ignore_ascii_case(clients::OUT_OF_BAND) {
        return Breadth::Reckless(format!(
            "{text} is what thousands of apps that have no page of their own return to"
        ));
    }
    if let Some(client) = clients::hit_by(&subject) {
        return Breadth::Reckless(format!(
            "{text} belongs to {}, so all who use it would be locked out",
            client.name
        ));
    }
    if matches!(subject.as_str(), "localhost" | "127.0.0.1" | "[::1]") {
        return Breadth::Wide(format!(
            "many programs on people's own machines return to {text}"
        ));
    }
    let host = Domain::new(&subject).ok();
    host.and_then(|host| of_suffix(&host))
        .unwrap_or(Breadth::Narrow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum How {
        Narrow,
        Wide,
        Reckless,
    }
    use How::{Narrow, Reckless, Wide};

    fn how(target: &Target, effect: Effect) -> How {
        match of(target, effect) {
            Breadth::Narrow => Narrow,
            Breadth::Wide(_) => Wide,
            Breadth::Reckless(_) => Reckless,
        }
    }

    #[test]
    fn networks() {
        for (network, expected) in [
            ("0.0.0.0/0", Reckless),
            ("::/0", Reckless),
            ("128.0.0.0/1", Reckless),
            ("8.0.0.0/7", Reckless),
            ("2000::/3", Reckless),
            ("2a00::/12", Reckless),
            ("::ffff:0:0/96", Reckless),
            ("::ffff:8.0.0.0/103", Reckless),
            ("::ffff:8.0.0.0/104", Wide),
            ("::ffff:45.9.9.0/120", Narrow),
            ("8.0.0.0/8", Wide),
            ("45.8.0.0/15", Wide),
            ("2a00::/16", Wide),
            ("45.9.0.0/16", Narrow),
            ("45.9.9.0/24", Narrow),
            ("203.0.113.7/32", Narrow),
            ("2001:db8::/32", Narrow),
        ] {
            let target = Target::Network(network.parse().expect(network));
            for effect in [Effect::Ban, Effect::Allow] {
                assert_eq!(how(&target, effect), expected, "{network}");
            }
        }
    }

    #[test]
    fn names_of_mail() {
        for (name, domain, server, allowed) in [
            ("com", Reckless, Reckless, Reckless),
            ("TK.", Reckless, Reckless, Reckless),
            ("co.uk", Reckless, Reckless, Reckless),
            ("xn--p1ai", Reckless, Reckless, Reckless),
            ("duckdns.org", Wide, Wide, Wide),
            ("gmail.com", Reckless, Narrow, Narrow),
            ("GMail.com", Reckless, Narrow, Narrow),
            ("google.com", Narrow, Reckless, Narrow),
            ("aspmx.l.google.com", Narrow, Reckless, Narrow),
            ("in1-smtp.messagingengine.com", Narrow, Reckless, Narrow),
            ("spam.example", Narrow, Narrow, Narrow),
            ("mx.spam.example", Narrow, Narrow, Narrow),
            ("", Narrow, Narrow, Narrow),
        ] {
            let target = Target::MailDomain(name.into());
            assert_eq!(how(&target, Effect::Ban), domain, "domain {name}");
            assert_eq!(how(&target, Effect::Allow), allowed, "allow {name}");
            let target = Target::MailServer(name.into());
            assert_eq!(how(&target, Effect::Ban), server, "server {name}");
        }
    }

    #[test]
    fn marks_of_apps() {
        for (target, expected) in [
            (Target::AppName("AaA".into()), Narrow),
            (Target::AppName("Tusky".into()), Reckless),
            (Target::AppName("mastodon for ANDROID".into()), Reckless),
            (Target::RedirectUri(clients::OUT_OF_BAND.into()), Reckless),
            (Target::RedirectUri("elk.zone".into()), Reckless),
            (Target::RedirectUri("https://elk.zone/cb".into()), Reckless),
            (
                Target::RedirectUri("mastodon-android-auth://callback".into()),
                Reckless,
            ),
            (Target::RedirectUri("http://localhost:8000/".into()), Wide),
            (
                Target::RedirectUri("https://evil.example/cb".into()),
                Narrow,
            ),
            (Target::RedirectUri("com".into()), Reckless),
            (Target::Website("https://github.com/x".into()), Reckless),
            (Target::Website("tusky.app".into()), Reckless),
            (Target::Website("evil.example".into()), Narrow),
            (Target::Website("netlify.app".into()), Wide),
            (Target::ClientId("abc".into()), Narrow),
            (Target::Address("eve@gmail.com".into()), Narrow),
        ] {
            assert_eq!(how(&target, Effect::Ban), expected, "{target:?}");
        }
    }
}
