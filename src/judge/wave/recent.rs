//! Accounts made lately: through which app, and whether a cluster rule that only
//! observes would have refused them. So an app that is condemned later can be
//! told to have brought people in. Bounded; the oldest go.

use std::collections::VecDeque;

use crate::app::ClientId;

const MOST: usize = 4096;

/// An account that came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignUp {
    /// When, in seconds since 1970.
    pub at: i64,
    /// Through which app.
    pub app: Option<ClientId>,
    /// Whether what it shares was condemned already, by a rule that only observes.
    pub condemned: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Recent(VecDeque<SignUp>);

impl Recent {
    pub(super) fn add(&mut self, sign_up: SignUp) {
        if sign_up.app.is_none() && !sign_up.condemned {
            return;
        }
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(sign_up);
    }

    pub(super) fn since(&self, from: i64) -> impl Iterator<Item = &SignUp> {
        self.0.iter().filter(move |one| one.at >= from)
    }
}
