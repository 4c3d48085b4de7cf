//! The end of the play in numbers.

use std::time::Duration;

use serde::Serialize;

use super::act::Play;
use super::promise::{self, Promise};
use super::received::Received;
use super::refusals::{self, Refusal};
use super::stage::Stage;
use super::tally::{Count, Door, Lost, Who};

/// What `--json` prints.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Summary {
    pub(super) seed: u64,
    pub(super) observe: bool,
    /// How long it took, in seconds.
    pub(super) seconds: f64,
    pub(super) requests: u64,
    pub(super) people: People,
    pub(super) bots: Bots,
    /// What reached the stand-in upstream.
    pub(super) received: Received,
    pub(super) refused_by: Vec<Refusal>,
    pub(super) failed: u64,
    /// Empty: the gate held as promised.
    pub(super) broken: Vec<String>,
    pub(super) held: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct People {
    pub(super) all: u64,
    pub(super) got_in: u64,
    /// Sign-ups of theirs that the upstream received.
    pub(super) accounts: u64,
    pub(super) apps: Count,
    pub(super) tokens: Count,
    pub(super) sign_ups: Count,
    pub(super) lost: Vec<Lost>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Bots {
    pub(super) apps: Count,
    pub(super) tokens: Count,
    pub(super) sign_ups: Count,
    /// Apps that were made before the gate stood there.
    pub(super) apps_from_before: u64,
    /// The most that may reach the upstream.
    pub(super) promise: Promise,
}

impl Summary {
    pub(super) fn of(play: &Play, stage: &Stage, seed: u64, took: Duration) -> Self {
        let tally = &play.tally;
        let received = Received::by(&stage.stand_ins.upstream);
        let of = |who| Door::ALL.map(|door| tally.of(who, door));
        let (people, bots) = (of(Who::People), of(Who::Bots));
        let failed = people.iter().chain(&bots).map(|count| count.failed).sum();
        let before = tally.apps_from_before();
        let mut summary = Self {
            seed,
            observe: stage.settings.observe,
            seconds: took.as_secs_f64(),
            requests: tally.answered(),
            people: People {
                all: play.cast.people.len() as u64,
                got_in: tally.settled(),
                accounts: received.people.sign_ups,
                apps: people[Door::App as usize],
                tokens: people[Door::Token as usize],
                sign_ups: people[Door::SignUp as usize],
                lost: tally.lost(),
            },
            bots: Bots {
                apps: bots[Door::App as usize],
                tokens: bots[Door::Token as usize],
                sign_ups: bots[Door::SignUp as usize],
                apps_from_before: before,
                promise: Promise::over(took, before, &stage.settings.limits),
            },
            received,
            refused_by: refusals::so_far(),
            failed,
            broken: Vec::new(),
            held: false,
        };
        summary.broken = promise::broken(&summary);
        summary.held = summary.broken.is_empty();
        summary
    }
}
