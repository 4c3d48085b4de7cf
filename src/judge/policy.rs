//! The policy in force: each rule's mode, each limit's quota, which doors are
//! guarded. One value, swapped whole on reload.

use std::collections::{BTreeMap, BTreeSet};

use crate::endpoint::Endpoint;
use crate::judge::limit::{Budget, Limit};
use crate::verdict::{Mode, Rule};

/// What the configuration says of judging.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Refuse nothing, whatever the rules' own modes.
    pub observe: bool,
    /// Modes that differ from [`Rule::default_mode`].
    pub modes: BTreeMap<Rule, Mode>,
    /// The limits that are on.
    pub limits: Limits,
    /// Doors whose guard is switched off.
    pub unguarded: BTreeSet<Endpoint>,
}

impl Policy {
    /// The mode that counts for `rule`.
    #[must_use]
    pub fn mode(&self, rule: Rule) -> Mode {
        let own = self.modes.get(&rule).copied();
        match own.unwrap_or_else(|| rule.default_mode()) {
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

/// The limits as set, by name; one that is not here is off.
#[derive(Clone, Debug, Default)]
pub struct Limits(BTreeMap<Limit, Budget>);

impl Limits {
    /// The setting of `limit`; `None` if it is off.
    #[must_use]
    pub fn get(&self, limit: Limit) -> Option<Budget> {
        self.0
            .get(&limit)
            .copied()
            .filter(|budget| budget.mode != Mode::Off)
    }
}

impl FromIterator<(Limit, Budget)> for Limits {
    fn from_iter<I: IntoIterator<Item = (Limit, Budget)>>(limits: I) -> Self {
        Self(limits.into_iter().collect())
    }
}
