//! Swedish.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "sv",
    dir: "ltr",
    tags: &["sv"],
    network: Text {
        what: "Detta är inte tillåtet",
        help: "Förfrågningar från ditt nätverk tas inte emot just nu. Försök med en annan anslutning, till exempel utan VPN.",
    },
    app: Text {
        what: "Den här appen är inte tillåten på den här servern",
        help: "Använd en annan app eller serverns egen webbplats.",
    },
    address: Text {
        what: "Den här e-postadressen kan inte användas här",
        help: "Använd en adress hos en annan e-postleverantör.",
    },
    unreachable: Text {
        what: "Den här e-postadressen verkar inte finnas",
        help: "Kontrollera att den är rätt stavad eller använd en annan adress.",
    },
    address_form: Text {
        what: "Den här e-postadressen går inte att läsa",
        help: "Skriv den i sin enklaste form, till exempel namn@example.org, eller använd en annan adress.",
    },
    request: Text {
        what: "Det gick inte att läsa förfrågan",
        help: "Gå tillbaka, ladda om sidan och försök igen. Om du använder en app, uppdatera den.",
    },
    try_again: Text {
        what: "Din e-postleverantör kunde inte kontrolleras just nu",
        help: "Försök igen om ungefär {wait}.",
    },
    spent: Text {
        what: "För många förfrågningar",
        help: "Vänta ungefär {wait} och försök igen.",
    },
    paused_mail: Text {
        what: "Just nu godtas bara kända e-postleverantörer",
        help: "Använd en adress hos någon av dem, eller försök igen om ungefär {wait}.",
    },
    paused_app: Text {
        what: "Registrering via den här appen är pausad",
        help: "Registrera dig på den här serverns webbplats, eller försök igen om ungefär {wait}.",
    },
    paused: Text {
        what: "Registreringen är pausad",
        help: "Försök igen om ungefär {wait}.",
    },
    appeal: "Om du tror att det är ett misstag, skriv till serverns administratörer och ange den här referensen:",
    reference: "referens",
    stop: ". ",
    minutes: "{n} min",
    hours: "{n} tim",
};
