//! Portuguese.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "pt",
    dir: "ltr",
    tags: &["pt"],
    network: Text {
        what: "Esta ação não é permitida",
        help: "De momento não são aceitos pedidos da sua rede. Tente outra conexão, por exemplo sem VPN.",
    },
    app: Text {
        what: "Este aplicativo não é permitido neste servidor",
        help: "Use outro aplicativo ou o site deste servidor.",
    },
    address: Text {
        what: "Este endereço de e-mail não pode ser usado aqui",
        help: "Use um endereço de outro provedor de e-mail.",
    },
    unreachable: Text {
        what: "Este endereço de e-mail parece não existir",
        help: "Verifique se há erros de digitação ou use outro endereço.",
    },
    address_form: Text {
        what: "Não foi possível ler este endereço de e-mail",
        help: "Escreva-o na forma mais simples, como nome@example.org, ou use outro endereço.",
    },
    request: Text {
        what: "Não foi possível ler este pedido",
        help: "Volte atrás, recarregue a página e tente de novo. Se usa um aplicativo, atualize-o.",
    },
    try_again: Text {
        what: "Não foi possível verificar agora o seu provedor de e-mail",
        help: "Tente de novo dentro de cerca de {wait}.",
    },
    spent: Text {
        what: "Demasiados pedidos",
        help: "Espere cerca de {wait} e tente de novo.",
    },
    paused_mail: Text {
        what: "De momento só são aceites fornecedores de e-mail conhecidos",
        help: "Use um endereço de um deles ou tente de novo dentro de cerca de {wait}.",
    },
    paused_app: Text {
        what: "O registo por esta aplicação está suspenso",
        help: "Registe-se no site deste servidor ou tente de novo dentro de cerca de {wait}.",
    },
    paused: Text {
        what: "O registo está suspenso",
        help: "Tente de novo dentro de cerca de {wait}.",
    },
    appeal: "Se acha que se trata de um engano, escreva à administração deste servidor e indique esta referência:",
    reference: "referência",
    stop: ". ",
    minutes: "{n} min",
    hours: "{n} h",
};
