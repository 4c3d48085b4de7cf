//! Refusals as JSON: Mastodon's validation errors, its plain errors, and OAuth's.
//!
//! In English the sentences are Mastodon's own, for whoever compares them; in
//! other languages they are ours. The reference is in every text that some
//! client shows.

use std::cell::RefCell;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use super::Matter;
use super::language::Language;
use super::words::{ENGLISH, Told};
use crate::event::EventId;
use crate::verdict::Paused;

/// The sign-up API: `error` for all, `details` where the address is at fault.
pub(super) fn detailed(matter: Matter, id: EventId, language: Language) -> String {
    let Some(code) = code(matter) else {
        return plain_value(matter, id, language).to_string();
    };
    let sentence = clause(matter, language).map_or_else(
        || sentence(matter, language),
        |clause| format!("Validation failed: E-mail address {clause}"),
    );
    let description =
        clause(matter, language).map_or_else(|| self::sentence(matter, language), str::to_owned);
    json!({
        "error": signed(sentence, id, language),
        "details": {
            "email": [{ "error": code, "description": signed(description, id, language) }]
        }
    })
    .to_string()
}

/// `error` alone.
pub(super) fn plain(status: StatusCode, matter: Matter, id: EventId, language: Language) -> String {
    let english = language.0.lang == ENGLISH.lang;
    let invalid = status == StatusCode::UNPROCESSABLE_ENTITY && english;
    let text = match clause(matter, language) {
        Some(clause) => format!("Validation failed: E-mail address {clause}"),
        None if invalid => format!("Validation failed: {}", sentence(matter, language)),
        None => return plain_value(matter, id, language).to_string(),
    };
    json!({ "error": signed(text, id, language) }).to_string()
}

fn plain_value(matter: Matter, id: EventId, language: Language) -> Value {
    json!({ "error": signed(sentence(matter, language), id, language) })
}

#[derive(Serialize)]
struct OAuth<'a> {
    error: &'a str,
    error_description: &'a str,
}

/// RFC 6749 §5.2. A spent budget has no code of its own there; its `error` is
/// the one that Mastodon's throttles give, which some apps show as it is.
pub(super) fn oauth(matter: Matter, id: EventId, language: Language) -> String {
    let error = match matter {
        Matter::Spent(..) | Matter::TryAgain(_) => ENGLISH.spent.what,
        Matter::Request(_) | Matter::AddressForm => "invalid_request",
        Matter::Network
        | Matter::App
        | Matter::Address
        | Matter::Mailbox
        | Matter::Unreachable
        | Matter::Paused(..) => "access_denied",
    };
    let description = signed(sentence(matter, language), id, language);
    if needs_no_escape(error) && needs_no_escape(&description) {
        let mut text = String::with_capacity(description.len() + 192);
        for part in [
            r#"{"error":""#,
            error,
            r#"","error_description":""#,
            &description,
            r#""}"#,
        ] {
            text.push_str(part);
        }
        return text;
    }
    let refusal = OAuth {
        error,
        error_description: &description,
    };
    serde_json::to_string(&refusal).expect("two texts are JSON")
}

/// Whether it is the inside of a JSON string as it stands (RFC 8259 §7).
fn needs_no_escape(text: &str) -> bool {
    // Without a way out in the middle the compiler looks at many bytes at once.
    !text.bytes().fold(false, |odd, byte| {
        odd | matches!(byte, ..b' ') | (byte == b'"') | (byte == b'\\')
    })
}

/// The code of the e-mail parameter's fault. `ERR_TRY_AGAIN` and `ERR_PAUSED` are not
/// Mastodon's: the official apps show the description of a code that they do not know, and
/// would show a sentence of their own, and a wrong one, for any that they do.
const fn code(matter: Matter) -> Option<&'static str> {
    match matter {
        Matter::Address => Some("ERR_BLOCKED"),
        Matter::Mailbox => Some("ERR_TAKEN"),
        Matter::Unreachable => Some("ERR_UNREACHABLE"),
        Matter::AddressForm => Some("ERR_INVALID"),
        Matter::TryAgain(_) => Some("ERR_TRY_AGAIN"),
        Matter::Paused(Paused::Mail, _) => Some("ERR_PAUSED"),
        Matter::Network
        | Matter::App
        | Matter::Request(_)
        | Matter::Spent(..)
        | Matter::Paused(Paused::App | Paused::All, _) => None,
    }
}

/// What Mastodon says after "E-mail address"; English only.
fn clause(matter: Matter, language: Language) -> Option<&'static str> {
    if language.0.lang != ENGLISH.lang {
        return None;
    }
    match matter {
        Matter::Address => Some("uses a disallowed e-mail provider"),
        Matter::Mailbox => Some("has already been taken"),
        Matter::Unreachable => Some("does not seem to exist"),
        Matter::AddressForm => Some("is invalid"),
        Matter::TryAgain(_) => Some("could not be checked just now, please try again in a minute"),
        Matter::Network
        | Matter::App
        | Matter::Request(_)
        | Matter::Spent(..)
        | Matter::Paused(..) => None,
    }
}

/// What happened, and what to do where waiting helps.
fn sentence(matter: Matter, language: Language) -> String {
    let mut text = String::with_capacity(LIKELY);
    match matter {
        Matter::Spent(..) | Matter::TryAgain(_) | Matter::Paused(..) => {
            LATELY.with_borrow_mut(|(kept, whole)| {
                let told = language.0.told(matter);
                if *kept != Some(told) {
                    (*kept, *whole) = (Some(told), with_help(matter, language));
                }
                text.push_str(whole);
            });
        }
        Matter::Network
        | Matter::App
        | Matter::Address
        | Matter::Mailbox
        | Matter::Unreachable
        | Matter::AddressForm
        | Matter::Request(_) => text.push_str(language.0.what(matter)),
    }
    text
}

thread_local! {
    /// The last sentence about a wait. To the minute it is the same for all of a flood.
    static LATELY: RefCell<(Option<Told>, String)> =
        const { RefCell::new((None, String::new())) };
}

fn with_help(matter: Matter, language: Language) -> String {
    let mut text = [language.0.what(matter), language.0.stop].concat();
    language.0.put_help(matter, &mut text);
    text.truncate(text.trim_end_matches(['.', '。']).len());
    text
}

/// Room for nearly every sentence.
const LIKELY: usize = 192;

fn signed(text: impl Into<String>, id: EventId, language: Language) -> String {
    let mut text = text.into();
    let id = id.digits();
    text.reserve(language.0.reference.len() + id.len() + 4);
    for part in [" (", language.0.reference, " "] {
        text.push_str(part);
    }
    text.push_str(std::str::from_utf8(&id).unwrap_or_default());
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_kept_sentence_is_told_for_what_it_was_made_of_only() {
        let german = Language::named("de").expect("spoken");
        let minute = Duration::from_secs(60);
        let told = [
            (Matter::Spent(5, minute), Language::default()),
            (Matter::Spent(7, minute / 2), Language::default()),
            (Matter::Spent(5, minute * 2), Language::default()),
            (Matter::Spent(5, minute * 120), Language::default()),
            (Matter::Spent(5, minute * 120), german),
            (Matter::TryAgain(minute * 120), german),
            (Matter::Paused(Paused::App, minute), german),
            (Matter::Paused(Paused::All, minute), german),
        ];
        for (matter, language) in told.into_iter().chain(told) {
            assert_eq!(
                sentence(matter, language),
                with_help(matter, language),
                "{matter:?}"
            );
        }
    }
}
