//! What is left of the budgets that an app draws on, for an admin who asks.
//!
//! The very dimensions of `rate`, for an attempt at each door that an app is
//! used at; charged to nobody. With a shared store this is the node's own view.

use jiff::Timestamp;

use crate::app::App;
use crate::attempt::{Attempt, ClientIp, Grant, Unknown};
use crate::endpoint::Endpoint;
use crate::judge::Judge;
use crate::judge::app_sight::AppSight;
use crate::judge::limit::{Budget, Limit};
use crate::judge::rules::rate::{self, Asked};

impl Judge {
    /// Each limit that is counted by this app or its name: how it is set, and how much is left.
    #[must_use]
    pub fn app_budgets(&self, app: &App, now: Timestamp) -> Vec<(Limit, Budget, u32)> {
        let sight = AppSight::Known(app.clone().into());
        let policy = self.policy();
        let micros = now.as_microsecond().unsigned_abs();
        let mut budgets = Vec::new();
        for (endpoint, grant) in [
            (Endpoint::ApiSignUp, None),
            (Endpoint::Token, Some(Grant::ClientCredentials)),
            (Endpoint::Token, Some(Grant::AuthorizationCode)),
        ] {
            let nobody = ClientIp::Unknown(Unknown::Missing);
            let attempt = Attempt {
                grant,
                ..Attempt::blank(now, endpoint, nobody)
            };
            let asked = Asked {
                attempt: &attempt,
                mailbox: None,
                app: &sight,
                proven: true,
                own_servers: None,
            };
            let all = rate::dimensions(&asked, &policy.limits, self.store.key());
            for dimension in all.iter().filter(|d| d.limit.is_shared_by_app()) {
                let charge = &dimension.charge;
                let left = self.store.limiter().left(charge, micros);
                let budget = Budget {
                    quota: charge.quota,
                    mode: charge.mode,
                };
                budgets.push((dimension.limit, budget, left));
            }
        }
        budgets
    }
}
