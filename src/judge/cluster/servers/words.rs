//! Why a server is condemned, in words: what was seen, the score, the bar, and
//! why that is lower than usual and until when, if it is.

use super::Servers;
use crate::cluster::MailKey;
use crate::judge::cluster::tuning::seconds;
use crate::judge::cluster::weigh::{Finding, Lower};
use crate::judge::cluster::words::{span, time};
use crate::numeral::counted;

impl Servers {
    /// The evidence of a condemnation that is about to be made at `now`.
    pub(super) fn evidence(&self, key: &MailKey, finding: &Finding, now: i64) -> String {
        let weight = finding.weight;
        let lower = finding.lower.map_or_else(String::new, |why| {
            let why = self.lowered(why, key, now);
            format!(" (usually {:.1}; lower {why})", finding.usual)
        });
        format!(
            "{} and {} with them through {key} within {}, {} in all: score {:.1}, condemned from {:.1}{lower}",
            counted(weight.fresh, "new domain", "new domains"),
            counted(weight.sign_ups, "sign-up", "sign-ups"),
            span(finding.span),
            counted(weight.all, "domain", "domains"),
            weight.score,
            finding.bar,
        )
    }

    /// Why and until when the bar is lower than usual.
    fn lowered(&self, why: Lower, key: &MailKey, now: i64) -> String {
        let history = self.histories.peek(key);
        match why {
            Lower::Alert => {
                let alert = seconds(self.tuning.alert);
                let open = self.clusters.values().filter(|one| one.ended.is_none());
                let last = open.max_by_key(|one| (one.opened, one.id));
                last.map_or_else(String::new, |last| {
                    let until = time(last.opened + alert);
                    format!("until {until}: for {} after {}", span(alert), last.id)
                })
            }
            Lower::Reported => {
                let memory = seconds(self.tuning.report_memory);
                let reported = history.map(|history| history.reported(now - memory));
                let (people, accounts) = reported.unwrap_or_default();
                format!(
                    "for {} after each report: {people} people reported {} behind it",
                    span(memory),
                    counted(accounts, "account", "accounts")
                )
            }
            Lower::Again => {
                let memory = seconds(self.tuning.memory);
                let before = history.and_then(|history| self.counting(history, now));
                before.map_or_else(String::new, |before| {
                    let until = time(before.until + memory);
                    let memory = span(memory);
                    format!(
                        "until {until}: for {memory} after {} of the same server",
                        before.id
                    )
                })
            }
        }
    }
}
