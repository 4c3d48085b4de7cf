//! What the players saw: who asked at which door, and what they were told.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use parking_lot::Mutex;
use serde::Serialize;

use super::caller::Answer;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    People,
    Bots,
}

/// For what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    App,
    Token,
    SignUp,
}

impl Door {
    pub(super) const ALL: [Self; 3] = [Self::App, Self::Token, Self::SignUp];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::App => "apps",
            Self::Token => "tokens",
            Self::SignUp => "sign-ups",
        }
    }
}

/// Live counts, shared by all who play.
#[derive(Debug, Default)]
pub(super) struct Tally {
    cells: [[Cell; 3]; 2],
    settled: AtomicU64,
    apps_from_before: AtomicU64,
    lost: Mutex<Vec<Lost>>,
    refused: Mutex<[Option<String>; 3]>,
}

#[derive(Debug, Default)]
struct Cell {
    let_in: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

/// The counts of one door at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Count {
    pub(super) let_in: u64,
    /// By the gate.
    pub(super) refused: u64,
    /// No answer, or a fault that is not the gate's refusal.
    pub(super) failed: u64,
}

impl Count {
    pub(super) const fn asked(self) -> u64 {
        self.let_in + self.refused + self.failed
    }
}

/// A person who did not get in.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Lost {
    pub(super) username: String,
    pub(super) why: String,
    pub(super) reference: Option<String>,
}

impl Tally {
    /// Counts an answer; whether it was let in.
    pub(super) fn count(&self, who: Who, door: Door, answer: &anyhow::Result<Answer>) -> bool {
        let cell = self.cell(who, door);
        match answer {
            Ok(answer) if answer.reference().is_some() => {
                cell.refused.fetch_add(1, Relaxed);
                if who == Who::Bots {
                    self.remember(door, answer.reference());
                }
                false
            }
            Ok(answer) if answer.status.is_success() || answer.status.is_redirection() => {
                cell.let_in.fetch_add(1, Relaxed);
                true
            }
            Ok(_) | Err(_) => {
                cell.failed.fetch_add(1, Relaxed);
                false
            }
        }
    }

    /// The first refusal at each door: those that come later may be merged in the record.
    fn remember(&self, door: Door, reference: Option<&str>) {
        let mut refused = self.refused.lock();
        if let Some(first) = refused.get_mut(door as usize)
            && first.is_none()
        {
            *first = reference.map(str::to_owned);
        }
    }

    /// The reference of a bot that was refused, for `explain`: one refused for
    /// its mail server, if there is one.
    pub(super) fn example(&self) -> Option<String> {
        let [app, token, sign_up] = self.refused.lock().clone();
        sign_up.or(token).or(app)
    }

    /// A person has an account.
    pub(super) fn settle(&self) {
        self.settled.fetch_add(1, Relaxed);
    }

    /// How many people have an account.
    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Relaxed)
    }

    pub(super) fn lose(&self, lost: Lost) {
        self.lost.lock().push(lost);
    }

    pub(super) fn lost(&self) -> Vec<Lost> {
        self.lost.lock().clone()
    }

    /// The bots use an app that they made before the gate stood there.
    pub(super) fn take_app_from_before(&self) {
        self.apps_from_before.fetch_add(1, Relaxed);
    }

    pub(super) fn apps_from_before(&self) -> u64 {
        self.apps_from_before.load(Relaxed)
    }

    pub(super) fn of(&self, who: Who, door: Door) -> Count {
        let cell = self.cell(who, door);
        Count {
            let_in: cell.let_in.load(Relaxed),
            refused: cell.refused.load(Relaxed),
            failed: cell.failed.load(Relaxed),
        }
    }

    /// All answers so far.
    pub(super) fn answered(&self) -> u64 {
        let doors = |who| Door::ALL.map(|door| self.of(who, door).asked());
        doors(Who::People).iter().sum::<u64>() + doors(Who::Bots).iter().sum::<u64>()
    }

    fn cell(&self, who: Who, door: Door) -> &Cell {
        &self.cells[who as usize][door as usize]
    }
}
