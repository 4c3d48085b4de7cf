//! French.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "fr",
    dir: "ltr",
    tags: &["fr"],
    network: Text {
        what: "Cette action n’est pas autorisée",
        help: "Les requêtes venant de votre réseau ne sont pas acceptées pour le moment. Essayez une autre connexion, par exemple sans VPN.",
    },
    app: Text {
        what: "Cette application n’est pas autorisée sur ce serveur",
        help: "Utilisez une autre application ou le site de ce serveur.",
    },
    address: Text {
        what: "Cette adresse e-mail ne peut pas être utilisée ici",
        help: "Utilisez une adresse chez un autre fournisseur de messagerie.",
    },
    unreachable: Text {
        what: "Cette adresse e-mail ne semble pas exister",
        help: "Vérifiez qu’elle ne contient pas de faute de frappe ou utilisez une autre adresse.",
    },
    address_form: Text {
        what: "Cette adresse e-mail est illisible",
        help: "Écrivez-la sous sa forme la plus simple, par exemple nom@example.org, ou utilisez une autre adresse.",
    },
    request: Text {
        what: "Cette requête n’a pas pu être lue",
        help: "Revenez en arrière, rechargez la page et réessayez. Si vous utilisez une application, mettez-la à jour.",
    },
    try_again: Text {
        what: "Votre fournisseur de messagerie n’a pas pu être vérifié à l’instant",
        help: "Réessayez dans environ {wait}.",
    },
    spent: Text {
        what: "Trop de requêtes",
        help: "Attendez environ {wait}, puis réessayez.",
    },
    paused_mail: Text {
        what: "Seuls les fournisseurs d’e-mail connus sont acceptés pour le moment",
        help: "Utilisez une adresse de l’un d’eux, ou réessayez dans environ {wait}.",
    },
    paused_app: Text {
        what: "L’inscription par cette application est suspendue",
        help: "Inscrivez-vous sur le site de ce serveur, ou réessayez dans environ {wait}.",
    },
    paused: Text {
        what: "Les inscriptions sont suspendues",
        help: "Réessayez dans environ {wait}.",
    },
    appeal: "Si vous pensez qu’il s’agit d’une erreur, écrivez à l’administration de ce serveur en indiquant cette référence :",
    reference: "référence",
    stop: ". ",
    minutes: "{n} min",
    hours: "{n} h",
};
