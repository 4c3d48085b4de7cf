//! Dutch.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "nl",
    dir: "ltr",
    tags: &["nl"],
    network: Text {
        what: "Deze handeling is niet toegestaan",
        help: "Verzoeken vanaf jouw netwerk worden op dit moment niet aangenomen. Probeer een andere verbinding, bijvoorbeeld zonder VPN.",
    },
    app: Text {
        what: "Deze app is niet toegestaan op deze server",
        help: "Gebruik een andere app of de website van deze server.",
    },
    address: Text {
        what: "Dit e-mailadres kan hier niet worden gebruikt",
        help: "Gebruik een adres bij een andere e-mailprovider.",
    },
    unreachable: Text {
        what: "Dit e-mailadres lijkt niet te bestaan",
        help: "Controleer het op typefouten of gebruik een ander adres.",
    },
    address_form: Text {
        what: "Dit e-mailadres is niet leesbaar",
        help: "Schrijf het in de eenvoudigste vorm, zoals naam@example.org, of gebruik een ander adres.",
    },
    request: Text {
        what: "Dit verzoek kon niet worden gelezen",
        help: "Ga terug, laad de pagina opnieuw en probeer het nog eens. Gebruik je een app, werk die dan bij.",
    },
    try_again: Text {
        what: "Je e-mailprovider kon zojuist niet worden gecontroleerd",
        help: "Probeer het over ongeveer {wait} opnieuw.",
    },
    spent: Text {
        what: "Te veel verzoeken",
        help: "Wacht ongeveer {wait} en probeer het dan opnieuw.",
    },
    paused_mail: Text {
        what: "Op dit moment worden alleen bekende e-mailproviders geaccepteerd",
        help: "Gebruik een adres van een van hen of probeer het over ongeveer {wait} opnieuw.",
    },
    paused_app: Text {
        what: "Registreren via deze app is onderbroken",
        help: "Registreer je op de website van deze server of probeer het over ongeveer {wait} opnieuw.",
    },
    paused: Text {
        what: "Registreren is onderbroken",
        help: "Probeer het over ongeveer {wait} opnieuw.",
    },
    appeal: "Denk je dat dit een vergissing is, schrijf dan de beheerders van deze server en noem deze referentie:",
    reference: "referentie",
    stop: ". ",
    minutes: "{n} min.",
    hours: "{n} uur",
};
