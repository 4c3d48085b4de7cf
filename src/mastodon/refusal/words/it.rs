//! Italian.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "it",
    dir: "ltr",
    tags: &["it"],
    network: Text {
        what: "Questa azione non è consentita",
        help: "Al momento le richieste dalla tua rete non sono accettate. Prova con un’altra connessione, per esempio senza VPN.",
    },
    app: Text {
        what: "Questa app non è ammessa su questo server",
        help: "Usa un’altra app o il sito di questo server.",
    },
    address: Text {
        what: "Questo indirizzo e-mail non può essere usato qui",
        help: "Usa un indirizzo di un altro fornitore di posta.",
    },
    unreachable: Text {
        what: "Questo indirizzo e-mail non sembra esistere",
        help: "Controlla che non ci siano errori di battitura o usa un altro indirizzo.",
    },
    address_form: Text {
        what: "Questo indirizzo e-mail non è leggibile",
        help: "Scrivilo nella forma più semplice, per esempio nome@example.org, o usa un altro indirizzo.",
    },
    request: Text {
        what: "Non è stato possibile leggere questa richiesta",
        help: "Torna indietro, ricarica la pagina e riprova. Se usi un’app, aggiornala.",
    },
    try_again: Text {
        what: "In questo momento non è stato possibile verificare il tuo fornitore di posta",
        help: "Riprova tra circa {wait}.",
    },
    spent: Text {
        what: "Troppe richieste",
        help: "Attendi circa {wait} e riprova.",
    },
    paused_mail: Text {
        what: "Al momento sono accettati solo fornitori di posta conosciuti",
        help: "Usa un indirizzo di uno di essi, o riprova tra circa {wait}.",
    },
    paused_app: Text {
        what: "L’iscrizione tramite questa app è sospesa",
        help: "Iscriviti sul sito di questo server, o riprova tra circa {wait}.",
    },
    paused: Text {
        what: "Le iscrizioni sono sospese",
        help: "Riprova tra circa {wait}.",
    },
    appeal: "Se pensi che si tratti di un errore, scrivi agli amministratori di questo server e comunica loro questo riferimento:",
    reference: "riferimento",
    stop: ". ",
    minutes: "{n} min",
    hours: "{n} h",
};
