//! The policy in force: each rule's mode, each limit's quota, which doors are
//! guarded. One value, swapped whole on reload.

use std::collections::BTreeSet;

use crate::endpoint::Endpoint;
use crate::judge::cluster::size::DEFAULT_SIZE;
use crate::judge::limit::{Budget, Limit};
use crate::judge::wave;
use crate::verdict::{Mode, Rule};

/// What the configuration says of judging.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Refuse nothing, whatever the rules' own modes.
    pub observe: bool,
    /// The rules' own modes.
    pub modes: Modes,
    /// The limits that are on.
    pub limits: Limits,
    /// What the breaker may do by itself.
    pub breaker: wave::Settings,
    /// Doors whose guard is switched off.
    pub unguarded: BTreeSet<Endpoint>,
    /// How many bytes the registers of clusters may take.
    pub register_size: RegisterSize,
}

/// Bytes, all registers together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterSize(pub usize);

impl Default for RegisterSize {
    fn default() -> Self {
        Self(DEFAULT_SIZE)
    }
}

impl Policy {
    /// The mode that counts for `rule`.
    #[must_use]
    pub fn mode(&self, rule: Rule) -> Mode {
        match self.modes.get(rule) {
            Mode::Enforce if self.observe => Mode::Observe,
            mode => mode,
        }
    }

    /// Whether `endpoint` is guarded at all.
    #[must_use]
    pub fn guards(&self, endpoint: Endpoint) -> bool {
        !self.unguarded.contains(&endpoint)
    }
}

/// The modes of the rules, in the order of [`Rule::ALL`]: an attempt asks for one two
/// dozen times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Modes([Mode; Rule::ALL.len()]);

impl Modes {
    /// The mode of `rule`, as set.
    #[must_use]
    pub fn get(&self, rule: Rule) -> Mode {
        let own = self.0.get(rule as usize).copied();
        own.unwrap_or_else(|| rule.default_mode())
    }

    /// Sets the mode of `rule`.
    pub fn insert(&mut self, rule: Rule, mode: Mode) {
        if let Some(place) = self.0.get_mut(rule as usize) {
            *place = mode;
        }
    }
}

impl Default for Modes {
    fn default() -> Self {
        Self(Rule::ALL.map(Rule::default_mode))
    }
}

impl FromIterator<(Rule, Mode)> for Modes {
    /// Those not named have [`Rule::default_mode`].
    fn from_iter<I: IntoIterator<Item = (Rule, Mode)>>(set: I) -> Self {
        let mut modes = Self::default();
        for (rule, mode) in set {
            modes.insert(rule, mode);
        }
        modes
    }
}

impl<const N: usize> From<[(Rule, Mode); N]> for Modes {
    fn from(set: [(Rule, Mode); N]) -> Self {
        set.into_iter().collect()
    }
}

/// The limits as set, in the order of [`Limit::ALL`]; one that is not here is off.
#[derive(Clone, Debug, Default)]
pub struct Limits([Option<Budget>; Limit::ALL.len()]);

impl Limits {
    /// The setting of `limit`; `None` if it is off.
    #[must_use]
    pub fn get(&self, limit: Limit) -> Option<Budget> {
        let budget = self.0.get(limit as usize).copied().flatten();
        budget.filter(|budget| budget.mode != Mode::Off)
    }

    /// As from step 1 of the breaker on: what strangers share at sign-up is a third.
    #[must_use]
    pub fn tightened(&self) -> Self {
        let set = Limit::ALL.into_iter().zip(self.0);
        let set = set.filter_map(|(limit, budget)| Some((limit, budget?)));
        let third = |(limit, budget): (Limit, Budget)| {
            let quota = match limit.is_tightened() {
                true => budget.quota.third(),
                false => budget.quota,
            };
            (limit, Budget { quota, ..budget })
        };
        set.map(third).collect()
    }
}

impl FromIterator<(Limit, Budget)> for Limits {
    fn from_iter<I: IntoIterator<Item = (Limit, Budget)>>(limits: I) -> Self {
        let mut set = Self::default();
        for (limit, budget) in limits {
            if let Some(place) = set.0.get_mut(limit as usize) {
                *place = Some(budget);
            }
        }
        set
    }
}
