//! English.

use super::{Text, Words};

pub(in crate::mastodon::refusal) static WORDS: Words = Words {
    lang: "en",
    dir: "ltr",
    tags: &["en"],
    network: Text {
        what: "This action is not allowed",
        help: "Requests from your network are not accepted at the moment. Please try another connection, for example without a VPN.",
    },
    app: Text {
        what: "This app is not allowed on this server",
        help: "Please use another app, or this server’s own website.",
    },
    address: Text {
        what: "This e-mail address cannot be used here",
        help: "Please use an address from another e-mail provider.",
    },
    unreachable: Text {
        what: "This e-mail address does not seem to exist",
        help: "Please check it for typing mistakes, or use another address.",
    },
    address_form: Text {
        what: "This e-mail address cannot be read",
        help: "Please write it in its simplest form, such as name@example.org, or use another address.",
    },
    request: Text {
        what: "This request could not be read",
        help: "Please go back, reload the page and try again. If you use an app, please update it.",
    },
    try_again: Text {
        what: "Your e-mail provider could not be checked just now",
        help: "Please try again in about {wait}.",
    },
    spent: Text {
        what: "Too many requests",
        help: "Please wait about {wait} and try again.",
    },
    paused_mail: Text {
        what: "Only well-known e-mail providers are accepted at the moment",
        help: "Please use an address from one of them, or try again in about {wait}.",
    },
    paused_app: Text {
        what: "Sign-up through this app is paused",
        help: "Please sign up on this server’s own website, or try again in about {wait}.",
    },
    paused: Text {
        what: "Sign-up is paused",
        help: "Please try again in about {wait}.",
    },
    appeal: "If you think that this is a mistake, please write to the administrators of this server and give them this reference:",
    reference: "reference",
    stop: ". ",
    minutes: "{n} min",
    hours: "{n} h",
};
