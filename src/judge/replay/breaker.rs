//! The breaker in a replay: looked at as the live gate's watch does, counted as
//! the live gate does when the reply has told that something came to be.

use super::{Replay, Ruling};
use crate::attempt::Attempt;
use crate::judge::app_sight::AppSight;
use crate::judge::doors;
use crate::judge::mail_sight::MailSight;
use crate::judge::rules::wave as breaker;
use crate::judge::wave::live as watch;
use crate::verdict::{Mode, Rule, Verdict};
use crate::wave::{Kind, Newcomer, Step};

/// How often the breaker is looked at while nobody asks, in seconds.
const WATCH: i64 = 60;

impl Replay {
    pub(super) fn look_at_wave(&mut self, now: i64) {
        if self.policy.mode(Rule::Wave) == Mode::Off {
            return;
        }
        // As the live gate's watch does while nobody asks.
        while let Some(at) = self.wave.looked().filter(|at| at + WATCH < now) {
            self.move_wave(at + WATCH);
        }
        if self.wave.is_due(now) {
            self.move_wave(now);
        }
    }

    fn move_wave(&mut self, now: i64) {
        let evidence = watch::weigh(&self.wave, now, &self.policy, &self.servers, &self.apps);
        let moved = self.wave.look(now, &self.policy.breaker, &evidence);
        self.moves.extend(moved);
    }

    pub(super) fn hold_back(&self, attempt: &Attempt, app: &AppSight, mail: &MailSight) -> Verdict {
        if self.wave.step() < Step::Known {
            return Verdict::Pass;
        }
        let now = attempt.at.as_second();
        breaker::judge(&breaker::Facts {
            step: self.wave.step(),
            apps: self.wave.holds_apps(),
            door: attempt.endpoint,
            provider: mail.provider(attempt, app, &self.sight, |known| known(&self.servers)),
            through: breaker::through(attempt, app, false),
            why: self.wave.why(),
            wait: self.wave.wait(now),
        })
    }

    /// As the live gate does when the reply has told that something came to be.
    pub(super) fn count_in_wave(&mut self, ruling: &Ruling) {
        let Some(attempt) = ruling.attempt.as_deref() else {
            return;
        };
        let tickets = ruling.counted.servers.iter();
        let fresh = tickets.filter(|ticket| self.servers.is_first(**ticket));
        let counts = watch::counts(attempt, fresh.count(), true);
        self.wave.count(&counts);
        if doors::counted(attempt.endpoint) == Some(Kind::SignUp) {
            let credential = attempt.credential.as_ref();
            self.wave.signed_up(Newcomer {
                at: counts.at,
                app: credential.map(|own| own.client_id.clone()),
                condemned: watch::was_condemned(&ruling.decision, &self.policy),
            });
        }
    }
}
