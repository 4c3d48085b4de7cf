//! `wave`: the breaker is up.
//!
//! It has a say only where an account or an address comes in. Whoever has an
//! account gets in at every step: no login, no token and no new installation is
//! ever asked about. A change of address is held to known providers from step 2
//! on, and never closed.

use std::time::Duration;

use crate::attempt::Attempt;
use crate::endpoint::Endpoint;
use crate::judge::app_sight::{self, AppSight};
use crate::verdict::{Because, Cause, Paused, Reason, Verdict};
use crate::wave::Step;

/// A domain that has been used here for so long is known, whoever carries its mail.
pub const KNOWN_AFTER: i64 = 14 * 86_400;

/// The mail provider behind an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Listed, learned, allowed, or its domain has long been used here. Also where no
    /// address came, which no version of Mastodon takes.
    Known,
    /// None of these.
    Unknown,
    /// Nobody can say: our resolver is down.
    ResolverDown,
}

/// The app that an attempt comes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// None: a browser.
    Web,
    /// One that many people depend on, or that is older than the gate.
    Established,
    /// Any other.
    Fresh,
    /// The register did not answer in time.
    Late,
}

/// All that it is judged by.
#[derive(Clone, Debug)]
pub struct Facts {
    /// How far the breaker is up.
    pub step: Step,
    /// Whether step 2 holds back fresh apps as well: bots come through apps, or it was put by hand.
    pub apps: bool,
    /// The door.
    pub door: Endpoint,
    /// The provider of the address.
    pub provider: Provider,
    /// The app.
    pub through: Through,
    /// Why the breaker is up.
    pub why: String,
    /// When to ask again.
    pub wait: Duration,
}

/// What is known of the app behind `attempt`; `allowed` if an entry excuses its `client_id`.
#[must_use]
pub fn through(attempt: &Attempt, app: &AppSight, allowed: bool) -> Through {
    match app {
        _ if allowed => Through::Established,
        AppSight::None => Through::Web,
        AppSight::Known(app) if app_sight::established(app, attempt.at) => Through::Established,
        // One whose making the gate did not see is older than the gate.
        AppSight::Id(_) => Through::Established,
        AppSight::Late(_) => Through::Late,
        AppSight::Known(_) | AppSight::Unresolved => Through::Fresh,
    }
}

/// The verdict.
#[must_use]
pub fn judge(facts: &Facts) -> Verdict {
    match held_back(facts) {
        Ok(()) => Verdict::Pass,
        Err(Held::Lapse(cause)) => Verdict::Abstain(cause),
        Err(Held::Back(what)) => Verdict::Refuse(Reason {
            because: Because::Paused {
                what,
                after: facts.wait,
            },
            fact: format!(
                "the breaker is at step {}: {}; {}",
                facts.step,
                facts.step.words(),
                facts.why
            )
            .into(),
            undo: Some("tuskgate contain --step 0 --for 2h".to_owned().into()),
        }),
    }
}

enum Held {
    Back(Paused),
    Lapse(Cause),
}

fn held_back(facts: &Facts) -> Result<(), Held> {
    let change = matches!(
        facts.door,
        Endpoint::EmailChange | Endpoint::EmailSetup | Endpoint::ApiEmailChange
    );
    if !change && facts.step >= Step::Closed {
        return Err(Held::Back(Paused::All));
    }
    if facts.door == Endpoint::ApiSignUp && facts.step >= Step::WebOnly {
        return Err(Held::Back(Paused::App));
    }
    if facts.step < Step::Known {
        return Ok(());
    }
    match facts.provider {
        Provider::Known => {}
        Provider::Unknown => return Err(Held::Back(Paused::Mail)),
        Provider::ResolverDown => return Err(Held::Lapse(Cause::ResolverDown)),
    }
    match facts.through {
        _ if !facts.apps => Ok(()),
        Through::Web | Through::Established => Ok(()),
        // A person who changes an address has an account already, whatever the app.
        Through::Fresh if change => Ok(()),
        Through::Fresh => Err(Held::Back(Paused::App)),
        Through::Late => Err(Held::Lapse(Cause::Lapse("the register of apps"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Provider::{Known, Unknown};
    use Through::{Established, Fresh, Web};

    fn refused(
        (step, apps): (Step, bool),
        door: Endpoint,
        provider: Provider,
        through: Through,
    ) -> Option<Paused> {
        let verdict = judge(&Facts {
            step,
            apps,
            door,
            provider,
            through,
            why: "a test".into(),
            wait: Duration::from_secs(60),
        });
        match verdict {
            Verdict::Refuse(Reason {
                because: Because::Paused { what, .. },
                ..
            }) => Some(what),
            Verdict::Refuse(_) => panic!("another reason"),
            Verdict::Pass | Verdict::Abstain(_) => None,
        }
    }

    /// For each step 0..4: what is held back. `m` mail, `a` app, `A` all.
    #[test]
    fn every_step_at_every_door() {
        let table = [
            (Endpoint::SignUp, Known, Web, "....A"),
            (Endpoint::SignUp, Unknown, Web, "..mmA"),
            (Endpoint::ApiSignUp, Known, Established, "...aA"),
            (Endpoint::ApiSignUp, Known, Fresh, "..aaA"),
            (Endpoint::ApiSignUp, Unknown, Established, "..maA"),
            (Endpoint::EmailChange, Known, Web, "....."),
            (Endpoint::EmailChange, Unknown, Web, "..mmm"),
            (Endpoint::EmailSetup, Known, Web, "....."),
            (Endpoint::EmailSetup, Unknown, Web, "..mmm"),
            (Endpoint::ApiEmailChange, Known, Fresh, "....."),
            (Endpoint::ApiEmailChange, Unknown, Established, "..mmm"),
            (Endpoint::Subscription, Known, Web, "....A"),
            (Endpoint::Subscription, Unknown, Web, "..mmA"),
        ];
        for (door, provider, through, cells) in table {
            for (step, cell) in Step::ALL.into_iter().zip(cells.chars()) {
                let expected = match cell {
                    'm' => Some(Paused::Mail),
                    'a' => Some(Paused::App),
                    'A' => Some(Paused::All),
                    _ => None,
                };
                let got = refused((step, true), door, provider, through);
                assert_eq!(got, expected, "{door:?} {provider:?} {through:?} at {step}");
                // Nobody at a known provider is held back by a wave that came through no app.
                let spared = step == Step::Known && (provider, through) == (Known, Fresh);
                let expected = expected.filter(|_| !spared);
                let got = refused((step, false), door, provider, through);
                assert_eq!(got, expected, "{door:?} {provider:?} {through:?} at {step}");
            }
        }
    }

    #[test]
    fn a_resolver_that_is_down_holds_nobody_back() {
        let down = Provider::ResolverDown;
        let at = |step| refused((step, true), Endpoint::SignUp, down, Web);
        assert_eq!(at(Step::Known), None);
        assert_eq!(at(Step::Closed), Some(Paused::All));
    }
}
