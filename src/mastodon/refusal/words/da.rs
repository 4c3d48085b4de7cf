//! Danish.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "da",
    dir: "ltr",
    tags: &["da"],
    network: Text {
        what: "Denne handling er ikke tilladt",
        help: "Forespørgsler fra dit netværk bliver ikke modtaget i øjeblikket. Prøv en anden forbindelse, for eksempel uden VPN.",
    },
    app: Text {
        what: "Denne app er ikke tilladt på denne server",
        help: "Brug en anden app eller serverens eget websted.",
    },
    address: Text {
        what: "Denne e-mailadresse kan ikke bruges her",
        help: "Brug en adresse hos en anden e-mailudbyder.",
    },
    unreachable: Text {
        what: "Denne e-mailadresse ser ikke ud til at findes",
        help: "Se efter, om der er slåfejl i den, eller brug en anden adresse.",
    },
    address_form: Text {
        what: "Denne e-mailadresse kan ikke læses",
        help: "Skriv den i sin enkleste form, for eksempel navn@example.org, eller brug en anden adresse.",
    },
    request: Text {
        what: "Denne forespørgsel kunne ikke læses",
        help: "Gå tilbage, genindlæs siden, og prøv igen. Hvis du bruger en app, så opdatér den.",
    },
    try_again: Text {
        what: "Din e-mailudbyder kunne ikke kontrolleres lige nu",
        help: "Prøv igen om cirka {wait}.",
    },
    spent: Text {
        what: "For mange forespørgsler",
        help: "Vent cirka {wait}, og prøv igen.",
    },
    paused_mail: Text {
        what: "I øjeblikket accepteres kun kendte e-mailudbydere",
        help: "Brug en adresse hos en af dem, eller prøv igen om cirka {wait}.",
    },
    paused_app: Text {
        what: "Tilmelding via denne app er sat på pause",
        help: "Tilmeld dig på denne servers eget websted, eller prøv igen om cirka {wait}.",
    },
    paused: Text {
        what: "Tilmelding er sat på pause",
        help: "Prøv igen om cirka {wait}.",
    },
    appeal: "Hvis du mener, at det er en fejl, så skriv til serverens administratorer og opgiv denne reference:",
    reference: "reference",
    stop: ". ",
    minutes: "{n} min.",
    hours: "{n} t.",
};
