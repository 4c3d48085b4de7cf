//! The breaker's words: its steps, what is counted, what a count is, a pin,
//! and how it stands. Values only.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::app::ClientId;
use crate::event::EventId;
use crate::verdict::Mode;

/// How far the breaker is up. Each step holds back what the one below does, and more.
///
/// None of them touches a login, a token or the making of an app: whoever has an
/// account gets in at every step, with a new installation, too.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub enum Step {
    /// 0: nothing is held back.
    #[default]
    Normal,
    /// 1: the sign-up budgets that strangers share are cut to a third.
    Tighten,
    /// 2: only known mail providers; only established apps, too, where bots come through apps.
    Known,
    /// 3: and not through apps.
    WebOnly,
    /// 4: no sign-up at all.
    Closed,
}

impl Step {
    /// Every step, from the lowest.
    pub const ALL: [Self; 5] = [
        Self::Normal,
        Self::Tighten,
        Self::Known,
        Self::WebOnly,
        Self::Closed,
    ];

    /// Its number, as it is written and shown.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The next one up; the last stays.
    #[must_use]
    pub const fn up(self) -> Self {
        match self {
            Self::Normal => Self::Tighten,
            Self::Tighten => Self::Known,
            Self::Known => Self::WebOnly,
            Self::WebOnly | Self::Closed => Self::Closed,
        }
    }

    /// The next one down; the first stays.
    #[must_use]
    pub const fn down(self) -> Self {
        match self {
            Self::Normal | Self::Tighten => Self::Normal,
            Self::Known => Self::Tighten,
            Self::WebOnly => Self::Known,
            Self::Closed => Self::WebOnly,
        }
    }

    /// What it means, in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Normal => "nothing is held back",
            Self::Tighten => "sign-up budgets are tightened",
            Self::Known => {
                "only known mail providers may sign up, and only through established apps if bots come through apps"
            }
            Self::WebOnly => {
                "sign-up through apps is closed, on the web only with known mail providers"
            }
            Self::Closed => "all sign-up is closed",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// Not a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a step is a number from 0 (nothing is held back) to 4 (all sign-up is closed)")]
pub struct NotAStep;

impl TryFrom<u8> for Step {
    type Error = NotAStep;

    fn try_from(number: u8) -> Result<Self, NotAStep> {
        Self::ALL.get(usize::from(number)).copied().ok_or(NotAStep)
    }
}

impl From<Step> for u8 {
    fn from(step: Step) -> Self {
        step.number()
    }
}

impl FromStr for Step {
    type Err = NotAStep;

    fn from_str(text: &str) -> Result<Self, NotAStep> {
        text.parse::<u8>().map_err(|_| NotAStep)?.try_into()
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Accounts made.
    SignUp,
    /// Apps made.
    App,
    /// Distinct tokens given.
    Token,
    /// Mail domains, behind servers that are no listed provider's, that nobody has used here before.
    Domain,
}

impl Kind {
    /// Every kind, in the order of the counts.
    pub const ALL: [Self; 4] = [Self::SignUp, Self::App, Self::Token, Self::Domain];

    /// The word in metrics and in what an admin reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::App => "app",
            Self::Token => "token",
            Self::Domain => "domain",
        }
    }
}

/// What came to be at one moment, by [`Kind`]: small, so that a log between
/// several gates can carry it. Adding is all there is: order does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// When, in seconds since 1970.
    pub at: i64,
    /// How many of each kind.
    pub of: [u32; 4],
}

impl Counts {
    /// One of `kind`.
    #[must_use]
    pub const fn one(kind: Kind, at: i64) -> Self {
        let mut of = [0; 4];
        of[kind as usize] = 1;
        Self { at, of }
    }

    /// Whether nothing is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of == [0; 4]
    }
}

/// An account that came to be, in case what it came through is condemned later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newcomer {
    /// When, in seconds since 1970.
    pub at: i64,
    /// Through which app.
    pub app: Option<ClientId>,
    /// Whether what it shares was condemned already, by a rule that only observes.
    pub condemned: bool,
}

impl Newcomer {
    /// Whether it may ever be evidence: what came neither through an app nor against
    /// the word of a rule is a suspect of its mail server, or nothing.
    #[must_use]
    pub const fn may_tell(&self) -> bool {
        self.app.is_some() || self.condemned
    }
}

/// A step put by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Which.
    pub step: Step,
    /// Since when, in seconds since 1970.
    pub since: i64,
    /// Until when; until it is released if nobody said.
    pub until: Option<i64>,
}

impl Pin {
    /// Whether it holds at `now`.
    #[must_use]
    pub fn in_force(&self, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What an admin said last: a step put by hand, or `None` if it was let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByHand {
    /// The step.
    pub pin: Option<Pin>,
    /// When, in microseconds since 1970; greater than that of the word before it,
    /// whatever the clock says. Of two words the later one holds.
    pub stamp: i64,
}

/// The step has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// When, in seconds since 1970.
    pub at: i64,
    /// From.
    pub from: Step,
    /// To.
    pub to: Step,
    /// Why, with numbers.
    pub why: String,
}

/// How many of one kind there are, and how many there normally are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Of what.
    pub kind: Kind,
    /// Within the last ten minutes, and the last hour.
    pub now: [u32; 2],
    /// What is normal for ten minutes, and for an hour, at this time of the week.
    pub normal: [f32; 2],
    /// More than this is far above normal.
    pub bar: [f32; 2],
}

/// How the breaker stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The step in force.
    pub step: Step,
    /// Whether it holds anybody back, or is only watched.
    pub mode: Mode,
    /// Whether everything is only observed, whatever the rule's own mode.
    #[serde(default)]
    pub observe: bool,
    /// The step that it would be at by itself.
    pub by_itself: Step,
    /// The step put by hand, if any.
    pub pin: Option<Pin>,
    /// The last change.
    pub last: Option<Move>,
    /// Its event, for `tuskgate explain`.
    pub reference: Option<EventId>,
    /// What counts as evidence at the moment.
    pub evidence: String,
    /// Present rates and learned normals.
    pub rates: Vec<Rate>,
    /// How many hours of normal life have been learned; under 24 it is a cold start.
    pub learned: u32,
    /// Seconds of the last 24 hours that it was at step 2 or above by itself.
    pub held: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_read_as_it_is_written() {
        for step in Step::ALL {
            assert_eq!(step.to_string().parse(), Ok(step));
            assert_eq!(Step::try_from(u8::from(step)), Ok(step));
            assert!(step.down() <= step && step <= step.up());
        }
        for text in ["5", "-1", "auto", ""] {
            assert_eq!(text.parse::<Step>(), Err(NotAStep));
        }
    }

    #[test]
    fn kinds_are_in_the_order_of_the_counts() {
        for (at, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at);
            assert_eq!(Counts::one(kind, 7).of[at], 1);
        }
    }
}
