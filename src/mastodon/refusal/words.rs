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
        let wait = matter.wait().unwrap_or_default();
        self.text(matter).help.replace("{wait}", &self.span(wait))
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

    /// Rounded up: whoever waits as told is not refused again.
    fn span(&self, wait: Duration) -> String {
        let minutes = wait.as_secs_f64().max(1.0) / 60.0;
        let (unit, count) = if minutes > 90.0 {
            (self.hours, minutes / 60.0)
        } else {
            (self.minutes, minutes)
        };
        unit.replace("{n}", &format!("{:.0}", count.ceil()))
    }
}
