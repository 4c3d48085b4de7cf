//! What refused people read, in each language: one file a language.
//!
//! Each matter has two sentences, what happened and what to do. `{wait}` stands
//! for a span such as "5 min". The texts hold no `<`, `>` or `&`, so that they
//! go into a page as they are (a test sees to it).

mod ar;
mod cs;
mod da;
mod de;
mod en;
mod es;
mod fr;
mod it;
mod ja;
mod ko;
mod nl;
mod pl;
mod pt;
mod ru;
mod sv;
mod tr;
mod uk;
mod zh_hans;
mod zh_hant;

use std::time::Duration;

use super::Matter;
use crate::verdict::Paused;

pub(super) use en::WORDS as ENGLISH;

/// Every language, English first.
pub(super) static WORDS: [&Words; 19] = [
    &ENGLISH,
    &ar::WORDS,
    &cs::WORDS,
    &da::WORDS,
    &de::WORDS,
    &es::WORDS,
    &fr::WORDS,
    &it::WORDS,
    &ja::WORDS,
    &ko::WORDS,
    &nl::WORDS,
    &pl::WORDS,
    &pt::WORDS,
    &ru::WORDS,
    &sv::WORDS,
    &tr::WORDS,
    &uk::WORDS,
    &zh_hans::WORDS,
    &zh_hant::WORDS,
];

/// One language.
pub(super) struct Words {
    /// For `<html lang>`.
    pub(super) lang: &'static str,
    /// For `<html dir>`.
    pub(super) dir: &'static str,
    /// Lower-case tags that it serves, with all that are longer.
    pub(super) tags: &'static [&'static str],
    pub(super) network: Text,
    pub(super) app: Text,
    pub(super) address: Text,
    pub(super) unreachable: Text,
    pub(super) address_form: Text,
    pub(super) request: Text,
    pub(super) try_again: Text,
    pub(super) spent: Text,
    pub(super) paused_mail: Text,
    pub(super) paused_app: Text,
    pub(super) paused: Text,
    /// Invites an appeal; the reference follows.
    pub(super) appeal: &'static str,
    /// The word before the reference in an app's message.
    pub(super) reference: &'static str,
    /// Ends a sentence before another.
    pub(super) stop: &'static str,
    /// `{n}` minutes, abbreviated so that it needs no plural.
    pub(super) minutes: &'static str,
    /// `{n}` hours, likewise.
    pub(super) hours: &'static str,
}

/// What happened, and what to do.
pub(super) struct Text {
    pub(super) what: &'static str,
    pub(super) help: &'static str,
}

impl Words {
    /// What happened.
    pub(super) const fn what(&self, matter: Matter) -> &'static str {
        self.text(matter).what
    }

    /// What to do, with the wait filled in.
    pub(super) fn help(&self, matter: Matter) -> String {
        let mut text = String::new();
        self.put_help(matter, &mut text);
        text
    }

    /// The same, after what is in `into`.
    pub(super) fn put_help(&self, matter: Matter, into: &mut String) {
        let (before, after) = around_mark(self.text(matter).help);
        into.push_str(before);
        if let Some(after) = after {
            self.put_span(matter.wait().unwrap_or_default(), into);
            into.push_str(after);
        }
    }

    const fn text(&self, matter: Matter) -> &Text {
        match matter {
            Matter::Network => &self.network,
            Matter::App => &self.app,
            Matter::Address | Matter::Mailbox => &self.address,
            Matter::Unreachable => &self.unreachable,
            Matter::AddressForm => &self.address_form,
            Matter::Request(_) => &self.request,
            Matter::TryAgain(_) => &self.try_again,
            Matter::Spent(..) => &self.spent,
            Matter::Paused(Paused::Mail, _) => &self.paused_mail,
            Matter::Paused(Paused::App, _) => &self.paused_app,
            Matter::Paused(Paused::All, _) => &self.paused,
        }
    }

    /// What a text about this matter depends on: two that are told alike read alike.
    pub(super) fn told(&'static self, matter: Matter) -> Told {
        Told {
            text: self.text(matter),
            span: Span::of(matter.wait().unwrap_or_default()),
        }
    }

    fn put_span(&self, wait: Duration, into: &mut String) {
        let (unit, count) = match Span::of(wait) {
            Span::Hours(count) => (self.hours, count),
            Span::Minutes(count) => (self.minutes, count),
        };
        let (before, after) = around_mark(unit);
        into.push_str(before);
        into.push_str(&count.to_string());
        into.push_str(after.unwrap_or_default());
    }
}

/// A wait as it is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Span {
    Minutes(u64),
    Hours(u64),
}

impl Span {
    /// Rounded up: whoever waits as told is not refused again.
    fn of(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        match seconds.max(1) {
            long @ 5401.. => Self::Hours(long.div_ceil(3600)),
            short => Self::Minutes(short.div_ceil(60)),
        }
    }
}

/// The text about a matter in one language, and the wait.
#[derive(Clone, Copy)]
pub(super) struct Told {
    text: &'static Text,
    span: Span,
}

impl PartialEq for Told {
    fn eq(&self, other: &Self) -> bool {
        // Each is there once.
        std::ptr::eq(self.text, other.text) && self.span == other.span
    }
}

/// What stands before and after the one mark in braces, if there is one.
fn around_mark(text: &'static str) -> (&'static str, Option<&'static str>) {
    let around = text.split_once('{').and_then(|(before, rest)| {
        // A mark is a few letters: looked at one by one.
        let end = rest.bytes().position(|byte| byte == b'}')?;
        Some((before, rest.get(end + 1..)?))
    });
    around.map_or((text, None), |(before, after)| (before, Some(after)))
}
