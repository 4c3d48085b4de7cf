//! German.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "de",
    dir: "ltr",
    tags: &["de"],
    network: Text {
        what: "Das ist nicht erlaubt",
        help: "Anfragen aus deinem Netz werden zurzeit nicht angenommen. Bitte versuche es über eine andere Verbindung, zum Beispiel ohne VPN.",
    },
    app: Text {
        what: "Diese App ist auf diesem Server nicht zugelassen",
        help: "Bitte benutze eine andere App oder die Website dieses Servers.",
    },
    address: Text {
        what: "Diese E-Mail-Adresse kann hier nicht verwendet werden",
        help: "Bitte benutze eine Adresse bei einem anderen E-Mail-Anbieter.",
    },
    unreachable: Text {
        what: "Diese E-Mail-Adresse scheint es nicht zu geben",
        help: "Bitte prüfe sie auf Tippfehler oder benutze eine andere Adresse.",
    },
    address_form: Text {
        what: "Diese E-Mail-Adresse ist nicht lesbar",
        help: "Bitte schreibe sie in ihrer einfachsten Form, etwa name@example.org, oder benutze eine andere Adresse.",
    },
    request: Text {
        what: "Diese Anfrage war nicht lesbar",
        help: "Bitte gehe zurück, lade die Seite neu und versuche es noch einmal. Wenn du eine App benutzt, aktualisiere sie bitte.",
    },
    try_again: Text {
        what: "Dein E-Mail-Anbieter konnte gerade nicht geprüft werden",
        help: "Bitte versuche es in etwa {wait} noch einmal.",
    },
    spent: Text {
        what: "Zu viele Anfragen",
        help: "Bitte warte etwa {wait} und versuche es dann noch einmal.",
    },
    paused_mail: Text {
        what: "Zurzeit werden nur bekannte E-Mail-Anbieter angenommen",
        help: "Bitte benutze eine Adresse bei einem von ihnen oder versuche es in etwa {wait} noch einmal.",
    },
    paused_app: Text {
        what: "Die Registrierung über diese App ist unterbrochen",
        help: "Bitte registriere dich auf der Website dieses Servers oder versuche es in etwa {wait} noch einmal.",
    },
    paused: Text {
        what: "Die Registrierung ist unterbrochen",
        help: "Bitte versuche es in etwa {wait} noch einmal.",
    },
    appeal: "Wenn du das für einen Irrtum hältst, schreibe bitte der Administration dieses Servers und nenne ihr diese Kennung:",
    reference: "Kennung",
    stop: ". ",
    minutes: "{n} Min.",
    hours: "{n} Std.",
};
