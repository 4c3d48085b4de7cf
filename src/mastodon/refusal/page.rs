//! Refusals as a page: one heading, what to do, whom to write to.
//!
//! Plain HTML that a screen reader, a text browser and a phone show alike, in
//! the reader's language and direction, light or dark as the system is set. No
//! script, nothing fetched, no form.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Matter;
use super::language::Language;
use crate::event::EventId;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;font:1.125rem/1.5 system-ui,sans-serif;color:#17191f;background:#fff}\
main{max-width:34rem;margin:12vh auto 0;padding:0 1.25rem}\
h1{font-size:1.5rem;line-height:1.25}\
code{font-size:1.25rem;letter-spacing:.06em;user-select:all}\
@media(prefers-color-scheme:dark){body{color:#e6e8ef;background:#17191f}}";

/// Allows the page's own style and nothing else.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

pub(super) fn page(matter: Matter, id: EventId, language: Language) -> String {
    let words = language.0;
    let (lang, dir) = (words.lang, words.dir);
    let (what, help) = (words.what(matter), words.help(matter));
    let appeal = words.appeal;
    format!(
        "<!DOCTYPE html>\n\
         <html lang=\"{lang}\" dir=\"{dir}\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n\
         <title>{what}</title>\n\
         <style>{STYLE}</style>\n\
         </head>\n\
         <body>\n\
         <main>\n\
         <h1>{what}</h1>\n\
         <p>{help}</p>\n\
         <p>{appeal} <code dir=\"ltr\" translate=\"no\">{id}</code></p>\n\
         </main>\n\
         </body>\n\
         </html>\n"
    )
}
