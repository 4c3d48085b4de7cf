//! What the gate promises of this attack, and whether it kept its word.
//!
//! A limit N/P admits at most N + ⌈N·W/P⌉ over any span W. Of an app older than
//! the gate it must first see one request succeed to know whose it is, and a
//! second may be under way by then. An address behind a banned server: none.

use std::time::Duration;

use crate::config::Limits;
use crate::judge::limit::{Budget, Limit};

use super::summary::Summary;

/// The most that may be let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Promise {
    pub(super) apps: u64,
    pub(super) tokens: u64,
    pub(super) sign_ups: u64,
}

impl Promise {
    /// Over `span`, with `before` apps that the gate has not seen made.
    pub(super) fn over(span: Duration, before: u64, limits: &Limits) -> Self {
        Self {
            apps: most(limits.budget(Limit::AppPerName), span),
            tokens: most(limits.budget(Limit::TokenPerName), span) + 2 * before,
            sign_ups: 0,
        }
    }
}

/// N + ⌈N·W/P⌉.
pub(super) fn most(budget: Budget, span: Duration) -> u64 {
    let burst = u64::from(budget.quota.burst().get());
    let period = budget.quota.period().as_millis().max(1);
    let refilled = (u128::from(burst) * span.as_millis()).div_ceil(period);
    burst.saturating_add(u64::try_from(refilled).unwrap_or(u64::MAX))
}

/// Everything that was not as promised; empty is well.
pub(super) fn broken(summary: &Summary) -> Vec<String> {
    let mut broken = Vec::new();
    let people = &summary.people;
    if people.got_in < people.all {
        let out = people.all - people.got_in;
        broken.push(format!("{out} of {} people did not get in", people.all));
    }
    if people.accounts < people.got_in {
        broken.push(format!(
            "the upstream heard of {} people's sign-ups, not of all {}",
            people.accounts, people.got_in
        ));
    }
    if summary.observe {
        broken.push("the bots were not held: with --observe nothing is refused".into());
    }
    let bots = &summary.bots;
    let received = summary.received.bots;
    for (what, reached, promised) in [
        ("apps called AaA", received.apps, bots.promise.apps),
        ("token requests", received.tokens, bots.promise.tokens),
        ("sign-ups", received.sign_ups, bots.promise.sign_ups),
    ] {
        if reached > promised && !summary.observe {
            broken.push(format!(
                "{reached} of the bots' {what} reached the upstream, at most {promised} were promised"
            ));
        }
    }
    if summary.failed > 0 {
        broken.push(format!(
            "{} requests had no answer, or one that is no decision",
            summary.failed
        ));
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_of_the_limits_over_the_real_40_minutes() {
        let over = |seconds| Promise::over(Duration::from_secs(seconds), 0, &Limits::default());
        assert_eq!((over(40 * 60).tokens, over(40 * 60).apps), (67, 34));
        assert_eq!((over(20).tokens, over(20).apps), (41, 21));
        assert_eq!(over(20).sign_ups, 0);
    }
}
