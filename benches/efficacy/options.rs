//! What the command line says.

use std::ops::Range;

use tuskgate::judge::cluster::{apps, tuning::Tuning};
use tuskgate::judge::replay::Past;

/// Seeds on which numbers are chosen, and those that are reported.
const TUNE: u64 = 1;
const REPORT: u64 = 1001;

/// The options.
pub(crate) struct Options {
    words: &'static [String],
    /// The seeds to run.
    pub(crate) seeds: Range<u64>,
    /// Only the server of this size.
    pub(crate) sizes: Option<&'static str>,
    /// Over sockets instead.
    pub(crate) sockets: bool,
    mail: Tuning,
    apps: apps::Tuning,
}

impl Options {
    /// As the command line says; `None` if nothing is to be done (`cargo test --benches`).
    pub(crate) fn read() -> Option<Self> {
        let words: &'static [String] = Vec::leak(std::env::args().collect());
        let after = |name: &str| after(words, name).next();
        let first = if has(words, "--tune") { TUNE } else { REPORT };
        let many = after("--seeds").and_then(|text| text.parse().ok());
        let mut options = Self {
            words,
            seeds: first..first + many.unwrap_or(20),
            sizes: after("--size"),
            sockets: has(words, "--sockets"),
            mail: Tuning::default(),
            apps: apps::Tuning::default(),
        };
        for setting in self::after(words, "--set") {
            let (name, value) = setting.split_once('=').expect("--set NAME=NUMBER");
            let value = value.parse().expect("--set NAME=NUMBER");
            options.set(name, value);
        }
        (!has(words, "--test")).then_some(options)
    }

    /// Whether the results are the ones to be written down.
    pub(crate) fn is_report(&self) -> bool {
        let other = ["--tune", "--only", "--set", "--size"];
        !other.iter().any(|name| has(self.words, name))
    }

    /// Whether this attack is to be run.
    pub(crate) fn wants(&self, attack: &str) -> bool {
        let only = after(self.words, "--only").next();
        only.is_none_or(|only| only.split(',').any(|key| key == attack))
    }

    /// Registers that have seen nothing.
    pub(crate) fn nothing(&self) -> Past {
        Past::none(self.mail.clone(), self.apps.clone())
    }

    /// Tries another number than the default; several with a `+` between their places.
    fn set(&mut self, name: &str, value: f32) {
        let (mail, apps) = (&mut self.mail, &mut self.apps);
        let number = match name {
            "window-0" => &mut mail.windows[0].score,
            "window-1" => &mut mail.windows[1].score,
            "window-2" => &mut mail.windows[2].score,
            "window-3" => &mut mail.windows[3].score,
            "least-domains" => &mut mail.least_domains,
            "repeat" => &mut mail.repeat,
            "repeats" => &mut mail.repeats,
            "registrable" => &mut mail.registrable,
            "network" => &mut mail.network,
            "range" => &mut mail.range,
            "elsewhere-0" => &mut mail.elsewhere[0],
            "elsewhere-1" => &mut mail.elsewhere[1],
            "elsewhere-2" => &mut mail.elsewhere[2],
            "elsewhere-3" => &mut mail.elsewhere[3],
            "rush-share" => &mut mail.rush_share,
            "alerted" => &mut mail.alerted,
            "again" => &mut mail.again,
            "made-hour" => &mut apps.made[0],
            "made-day" => &mut apps.made[1],
            other => panic!("no such number: {other}"),
        };
        *number = value;
    }
}

fn has(words: &[String], name: &str) -> bool {
    words.iter().any(|word| word == name)
}

/// The words after each `name`.
fn after<'a>(words: &'a [String], name: &str) -> impl Iterator<Item = &'a str> {
    let pairs = words.windows(2).filter(move |pair| pair[0] == name);
    pairs.map(|pair| pair[1].as_str())
}
