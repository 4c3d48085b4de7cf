//! Domains under which many unrelated people have their mailboxes.
//!
//! No rule asks for them: a ban of such a domain is meant if somebody says so, but
//! should not be a slip of the pen. What carries *other people's* domains is in
//! `providers.txt`, and every domain that is named there as a provider's own is
//! here. Deliberately without throw-away mailboxes.

use crate::mailbox::Domain;

/// Sorted. The providers' and access providers' own domains, as their sign-up pages offer them.
const PUBLIC: [&str; 187] = [
    "126.com",
    "163.com",
    "abv.bg",
    "addy.io",
    "aim.com",
    "aleeas.com",
    "alice.it",
    "anonaddy.com",
    "anonaddy.me",
    "aol.com",
    "att.net",
    "bellsouth.net",
    "bigpond.com",
    "bk.ru",
    "bluemail.ch",
    "bluewin.ch",
    "blueyonder.co.uk",
    "bol.com.br",
    "btinternet.com",
    "centrum.cz",
    "charter.net",
    "citromail.hu",
    "comcast.net",
    "cox.net",
    "daum.net",
    "disroot.org",
    "docomo.ne.jp",
    "duck.com",
    "eircom.net",
    "email.com",
    "email.cz",
    "ezweb.ne.jp",
    "fastmail.com",
    "fastmail.fm",
    "firemail.de",
    "foxmail.com",
    "free.fr",
    "freemail.hu",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.fr",
    "gmx.net",
    "googlemail.com",
    "hanmail.net",
    "hetnet.nl",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.es",
    "hotmail.fr",
    "hotmail.it",
    "hushmail.com",
    "i.ua",
    "icloud.com",
    "iinet.net.au",
    "inbox.lv",
    "inbox.ru",
    "interia.pl",
    "internet.ru",
    "kakao.com",
    "keemail.me",
    "kolabnow.com",
    "kpnmail.nl",
    "laposte.net",
    "libero.it",
    "list.ru",
    "live.co.uk",
    "live.com",
    "live.fr",
    "live.it",
    "live.nl",
    "mac.com",
    "mail.com",
    "mail.de",
    "mail.ee",
    "mail.ru",
    "mailbox.org",
    "mailfence.com",
    "me.com",
    "mozmail.com",
    "msn.com",
    "myyahoo.com",
    "nate.com",
    "naver.com",
    "neuf.fr",
    "ntlworld.com",
    "o2.pl",
    "onet.pl",
    "online.no",
    "op.pl",
    "optusnet.com.au",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.es",
    "outlook.fr",
    "outlook.jp",
    "passmail.net",
    "passport.com",
    "planet.nl",
    "pm.me",
    "pobox.com",
    "posteo.at",
    "posteo.ch",
    "posteo.de",
    "posteo.eu",
    "posteo.net",
    "privaterelay.appleid.com",
    "proton.me",
    "protonmail.ch",
    "protonmail.com",
    "proximus.be",
    "qq.com",
    "rambler.ru",
    "rediffmail.com",
    "riseup.net",
    "rocketmail.com",
    "rogers.com",
    "runbox.com",
    "sapo.pt",
    "sbcglobal.net",
    "sent.com",
    "seznam.cz",
    "sfr.fr",
    "shaw.ca",
    "simplelogin.co",
    "simplelogin.com",
    "sina.com",
    "sky.com",
    "skynet.be",
    "softbank.ne.jp",
    "sohu.com",
    "soverin.com",
    "soverin.net",
    "startmail.com",
    "stofa.dk",
    "sympatico.ca",
    "t-online.de",
    "talktalk.net",
    "telefonica.net",
    "telenet.be",
    "telia.com",
    "telus.net",
    "tim.it",
    "tiscali.it",
    "tuta.com",
    "tuta.io",
    "tutamail.com",
    "tutanota.com",
    "tutanota.de",
    "twc.com",
    "ukr.net",
    "uol.com.br",
    "verizon.net",
    "videotron.ca",
    "virgilio.it",
    "virginmedia.com",
    "wanadoo.fr",
    "wanadoo.nl",
    "web.de",
    "wp.pl",
    "xs4all.nl",
    "xtra.co.nz",
    "ya.ru",
    "yahoo.ca",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.com.br",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.it",
    "yandex.com",
    "yandex.ru",
    "yeah.net",
    "ymail.com",
    "ziggo.nl",
    "zoho.com",
    "zohomail.com",
    "zohomail.eu",
];

/// The domain of public mailboxes that is `domain` or lies below it, if there is one.
#[must_use]
pub fn public(domain: &Domain) -> Option<&'static str> {
    let wanted = domain.as_str();
    PUBLIC.into_iter().find(|one| {
        one.strip_suffix(wanted)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_of_domains() {
        assert!(PUBLIC.is_sorted());
        for one in PUBLIC {
            let domain = Domain::new(one).expect(one);
            assert_eq!(public(&domain), Some(one));
        }
    }

    #[test]
    fn what_lies_below_is_hit_too() {
        for (domain, hit) in [
            ("gmail.com", Some("gmail.com")),
            ("co.jp", Some("yahoo.co.jp")),
            ("appleid.com", Some("privaterelay.appleid.com")),
            ("sub.gmail.com", None),
            ("evilgmail.com", None),
            ("spam.example", None),
        ] {
            let domain = Domain::new(domain).expect(domain);
            assert_eq!(public(&domain), hit, "{domain}");
        }
    }

    /// `MX of a.example, b.example` names a provider's own domains.
    #[test]
    fn every_domain_that_the_list_of_providers_names_is_here() {
        let mut seen = 0;
        for line in include_str!("providers.txt").lines() {
            let mut fields = line.split(" | ");
            let (Some(kind), Some(source)) = (fields.nth(1), fields.nth(1)) else {
                continue;
            };
            if !matches!(kind, "mailbox" | "isp") {
                continue;
            }
            let Some((_, named)) = source.split_once("MX of ") else {
                continue;
            };
            let named = named.split(['(', ';']).next().unwrap_or(named);
            for domain in named.split(',').map(str::trim) {
                assert!(PUBLIC.contains(&domain), "{domain} of {line}");
                seen += 1;
            }
        }
        assert!(seen > 60, "{seen}");
    }
}
