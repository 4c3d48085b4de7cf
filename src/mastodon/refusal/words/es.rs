//! Spanish.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "es",
    dir: "ltr",
    tags: &["es"],
    network: Text {
        what: "Esta acción no está permitida",
        help: "En este momento no se aceptan solicitudes desde tu red. Prueba con otra conexión, por ejemplo sin VPN.",
    },
    app: Text {
        what: "Esta aplicación no está permitida en este servidor",
        help: "Usa otra aplicación o la web de este servidor.",
    },
    address: Text {
        what: "Esta dirección de correo no se puede usar aquí",
        help: "Usa una dirección de otro proveedor de correo.",
    },
    unreachable: Text {
        what: "Esta dirección de correo no parece existir",
        help: "Comprueba si hay errores de escritura o usa otra dirección.",
    },
    address_form: Text {
        what: "Esta dirección de correo no se puede leer",
        help: "Escríbela en su forma más simple, como nombre@example.org, o usa otra dirección.",
    },
    request: Text {
        what: "No se ha podido leer esta solicitud",
        help: "Vuelve atrás, recarga la página e inténtalo de nuevo. Si usas una aplicación, actualízala.",
    },
    try_again: Text {
        what: "Ahora mismo no se ha podido comprobar tu proveedor de correo",
        help: "Inténtalo de nuevo dentro de unos {wait}.",
    },
    spent: Text {
        what: "Demasiadas solicitudes",
        help: "Espera unos {wait} e inténtalo de nuevo.",
    },
    paused_mail: Text {
        what: "Por ahora solo se aceptan proveedores de correo conocidos",
        help: "Usa una dirección de uno de ellos o inténtalo de nuevo dentro de unos {wait}.",
    },
    paused_app: Text {
        what: "El registro mediante esta aplicación está en pausa",
        help: "Regístrate en el sitio web de este servidor o inténtalo de nuevo dentro de unos {wait}.",
    },
    paused: Text {
        what: "El registro está en pausa",
        help: "Inténtalo de nuevo dentro de unos {wait}.",
    },
    appeal: "Si crees que se trata de un error, escribe a la administración de este servidor e indica esta referencia:",
    reference: "referencia",
    stop: ". ",
    minutes: "{n} min",
    hours: "{n} h",
};
