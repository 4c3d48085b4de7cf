//! Polish.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "pl",
    dir: "ltr",
    tags: &["pl"],
    network: Text {
        what: "Ta czynność jest niedozwolona",
        help: "Żądania z Twojej sieci nie są obecnie przyjmowane. Spróbuj innego połączenia, na przykład bez VPN.",
    },
    app: Text {
        what: "Ta aplikacja jest niedozwolona na tym serwerze",
        help: "Użyj innej aplikacji lub strony internetowej tego serwera.",
    },
    address: Text {
        what: "Tego adresu e-mail nie można tutaj użyć",
        help: "Użyj adresu u innego dostawcy poczty.",
    },
    unreachable: Text {
        what: "Ten adres e-mail prawdopodobnie nie istnieje",
        help: "Sprawdź, czy nie ma w nim literówki, lub użyj innego adresu.",
    },
    address_form: Text {
        what: "Nie można odczytać tego adresu e-mail",
        help: "Zapisz go w najprostszej postaci, na przykład nazwa@example.org, lub użyj innego adresu.",
    },
    request: Text {
        what: "Nie udało się odczytać tego żądania",
        help: "Wróć, odśwież stronę i spróbuj ponownie. Jeśli używasz aplikacji, zaktualizuj ją.",
    },
    try_again: Text {
        what: "Nie udało się teraz sprawdzić Twojego dostawcy poczty",
        help: "Spróbuj ponownie za około {wait}.",
    },
    spent: Text {
        what: "Zbyt wiele żądań",
        help: "Odczekaj około {wait} i spróbuj ponownie.",
    },
    paused_mail: Text {
        what: "W tej chwili przyjmowani są tylko znani dostawcy poczty",
        help: "Użyj adresu u jednego z nich lub spróbuj ponownie za około {wait}.",
    },
    paused_app: Text {
        what: "Rejestracja przez tę aplikację jest wstrzymana",
        help: "Zarejestruj się na stronie tego serwera lub spróbuj ponownie za około {wait}.",
    },
    paused: Text {
        what: "Rejestracja jest wstrzymana",
        help: "Spróbuj ponownie za około {wait}.",
    },
    appeal: "Jeśli uważasz, że to pomyłka, napisz do administracji tego serwera i podaj ten numer:",
    reference: "numer",
    stop: ". ",
    minutes: "{n} min",
    hours: "{n} godz.",
};
