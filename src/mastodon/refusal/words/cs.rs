//! Czech.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "cs",
    dir: "ltr",
    tags: &["cs"],
    network: Text {
        what: "Tato akce není povolena",
        help: "Požadavky z vaší sítě nyní nejsou přijímány. Zkuste jiné připojení, například bez VPN.",
    },
    app: Text {
        what: "Tato aplikace není na tomto serveru povolena",
        help: "Použijte jinou aplikaci nebo webové stránky tohoto serveru.",
    },
    address: Text {
        what: "Tuto e-mailovou adresu zde nelze použít",
        help: "Použijte adresu u jiného poskytovatele e-mailu.",
    },
    unreachable: Text {
        what: "Tato e-mailová adresa zřejmě neexistuje",
        help: "Zkontrolujte, zda v ní není překlep, nebo použijte jinou adresu.",
    },
    address_form: Text {
        what: "Tuto e-mailovou adresu nelze přečíst",
        help: "Napište ji v nejjednodušší podobě, například jmeno@example.org, nebo použijte jinou adresu.",
    },
    request: Text {
        what: "Tento požadavek nebylo možné přečíst",
        help: "Vraťte se zpět, načtěte stránku znovu a zkuste to ještě jednou. Pokud používáte aplikaci, aktualizujte ji.",
    },
    try_again: Text {
        what: "Vašeho poskytovatele e-mailu se nyní nepodařilo ověřit",
        help: "Zkuste to znovu asi za {wait}.",
    },
    spent: Text {
        what: "Příliš mnoho požadavků",
        help: "Počkejte asi {wait} a zkuste to znovu.",
    },
    paused_mail: Text {
        what: "V tuto chvíli jsou přijímáni jen známí poskytovatelé e-mailu",
        help: "Použijte adresu u některého z nich, nebo to zkuste znovu asi za {wait}.",
    },
    paused_app: Text {
        what: "Registrace přes tuto aplikaci je pozastavena",
        help: "Zaregistrujte se na webu tohoto serveru, nebo to zkuste znovu asi za {wait}.",
    },
    paused: Text {
        what: "Registrace je pozastavena",
        help: "Zkuste to znovu asi za {wait}.",
    },
    appeal: "Pokud si myslíte, že jde o omyl, napište správcům tohoto serveru a uveďte toto číslo:",
    reference: "číslo",
    stop: ". ",
    minutes: "{n} min",
    hours: "{n} h",
};
