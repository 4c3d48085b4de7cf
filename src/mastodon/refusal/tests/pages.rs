//! The pages: every language has every text, the HTML is well-formed and
//! accessible, and nothing in it runs or is fetched.

use std::collections::BTreeSet;

use super::*;
use crate::mastodon::refusal::words::{ENGLISH, Text, WORDS, Words};

const VOID: &[&str] = &["meta"];

fn texts(words: &Words) -> [&Text; 8] {
    [
        &words.network,
        &words.app,
        &words.address,
        &words.unreachable,
        &words.address_form,
        &words.request,
        &words.try_again,
        &words.spent,
    ]
}

fn sentences(words: &Words) -> Vec<&'static str> {
    let mut all: Vec<&str> = texts(words).iter().flat_map(|t| [t.what, t.help]).collect();
    all.push(words.appeal);
    all
}

fn pages() -> Vec<(Language, String, Response<Bytes>)> {
    let mut pages = Vec::new();
    for language in Language::all() {
        let asker = Asker {
            language,
            ..browser()
        };
        for (rule, because) in refusals() {
            let answer = refuse(Some(Endpoint::SignUp), rule, because, &asker);
            pages.push((language, text(&answer).to_owned(), answer));
        }
    }
    pages
}

/// Panics unless every tag is closed in order and every attribute quoted.
fn well_formed(page: &str) {
    let mut open = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>\n").expect("a doctype");
    while let Some((_, tail)) = rest.split_once('<') {
        let (tag, tail) = tail.split_once('>').expect("a closed tag");
        rest = tail;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{page}");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert_eq!(
            tag.matches('=').count(),
            tag.matches("=\"").count()
                + tag.matches("width=device").count()
                + tag.matches("scale=1").count()
        );
        let name = tag.split(' ').next().expect("a name");
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!rest.contains('>'));
}

#[test]
fn every_language_has_every_text() {
    assert!(WORDS.len() >= 18);
    let tags: BTreeSet<&str> = Language::all().map(Language::tag).collect();
    assert_eq!(tags.len(), WORDS.len(), "no language twice");
    for must in [
        "en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "zh-Hans", "ru", "uk", "ar",
    ] {
        assert!(tags.contains(must), "{must}");
    }
    for words in WORDS {
        let all = sentences(words);
        let distinct: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(distinct.len(), all.len(), "{}: a text twice", words.lang);
        for sentence in &all {
            assert!(sentence.chars().count() > 3, "{}: {sentence}", words.lang);
            assert!(!sentence.contains(['<', '>', '&', '"', '\'']), "{sentence}");
            assert_eq!(sentence.trim(), *sentence);
        }
        for text in texts(words) {
            let waits = text.what == words.spent.what || text.what == words.try_again.what;
            assert_eq!(
                text.help.contains("{wait}"),
                waits,
                "{}: {}",
                words.lang,
                text.help
            );
            assert!(!text.what.contains('{') && !text.what.ends_with(['.', '。']));
        }
        assert!(words.minutes.contains("{n}") && words.hours.contains("{n}"));
        assert!(!words.reference.is_empty() && !words.stop.is_empty());
        assert_eq!(words.dir, if words.lang == "ar" { "rtl" } else { "ltr" });
    }
}

#[test]
fn no_translation_is_english() {
    let english: BTreeSet<&str> = sentences(&ENGLISH).into_iter().collect();
    for words in WORDS.iter().filter(|words| words.lang != "en") {
        for sentence in sentences(words) {
            assert!(!english.contains(sentence), "{}: {sentence}", words.lang);
        }
    }
}

#[test]
fn every_page_is_well_formed_and_accessible() {
    for (language, page, _) in pages() {
        well_formed(&page);
        let tag = language.tag();
        assert!(
            page.contains(&format!("<html lang=\"{tag}\" dir=\"")),
            "{tag}"
        );
        for element in ["<title>", "<main>", "<h1>", "name=\"viewport\""] {
            assert_eq!(page.matches(element).count(), 1, "{tag} {element}");
        }
        assert!(page.contains("prefers-color-scheme:dark"));
        assert!(page.contains(&format!(
            "<code dir=\"ltr\" translate=\"no\">{REFERENCE}</code>"
        )));
        assert!(!page.contains('{') || page.matches('{').count() == page.matches('}').count());
        assert!(!page.contains("{wait}") && !page.contains("{n}"), "{tag}");
    }
}

#[test]
fn nothing_in_a_page_runs_or_is_fetched() {
    for (_, page, answer) in pages() {
        for never in [
            "<script", "<img", "<link", "<iframe", "<form", "src=", "href=", "url(", "onload",
            "http:", "https:",
        ] {
            assert!(!page.contains(never), "{never}");
        }
        let policy = header(&answer, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(header(&answer, "x-content-type-options"), "nosniff");
        assert!(page.len() < 4096, "small: {}", page.len());
    }
}

#[test]
fn the_policy_allows_the_pages_own_style() {
    use base64::Engine;
    use sha2::Digest;
    let (_, page, answer) = pages().remove(0);
    let (_, style) = page.split_once("<style>").expect("a style");
    let (style, _) = style.split_once("</style>").expect("its end");
    let hash = base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(style));
    assert!(header(&answer, "content-security-policy").contains(&format!("'sha256-{hash}'")));
}
