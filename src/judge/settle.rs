//! After the reply: what came to be is learned, what did not is given back.
//!
//! Runs off the request's path. Nothing here can fail a request: an odd reply
//! teaches nothing and keeps every charge.

use crate::app::{App, AppSource};
use crate::attempt::{Attempt, narrow_network};
use crate::event::Outcome;
use crate::judge::cluster::live::Counted;
use crate::judge::rules::rate::{self, Asked, Keep};
use crate::judge::{Judge, Judgement, Reserved};
use crate::lists::apps;
use crate::mastodon::reply::{CreatedApp, Lesson};
use crate::secret::Purpose;
use crate::told::Containable;

impl Judge {
    /// Settles the charges of `judgement` and learns from the reply.
    pub async fn settle(&self, attempt: &Attempt, judgement: Judgement, lesson: &Lesson) {
        if let Some(reserved) = judgement.reserved {
            self.settle_charges(reserved, lesson.outcome);
        }
        self.hearing.signed_up(attempt, lesson.outcome);
        if lesson.outcome == Outcome::Fail {
            self.registers.withdraw(&judgement.counted);
        }
        if lesson.outcome != Outcome::Fail && !judgement.counted.servers.is_empty() {
            self.look_at_sites(attempt);
        }
        if lesson.outcome != Outcome::Create {
            return;
        }
        if let Some(created) = &lesson.app {
            let contained = self.learn_app(attempt, created, &judgement.counted);
            if contained && let Err(error) = self.recontain().await {
                tracing::error!(%error, "an app of a contained cluster came late, and its tokens are not contained");
            }
        }
        let mut new_token = false;
        let app = judgement.app.client_id().cloned();
        let credential = rate::credential_hash(attempt, self.store.key());
        if let (Some(id), Some(hash), false) = (&app, credential, judgement.proven) {
            self.store.learn_credential(id, hash);
        }
        if let (Some(id), Some(token)) = (&app, &lesson.token) {
            let hash = self
                .store
                .key()
                .hash(Purpose::Token, &[token.expose().as_bytes()]);
            let held = self.contained.learn(id, &[hash]);
            new_token = self.store.learn_token(hash, id).await;
            // Its app may have come to be contained meanwhile, by a look that missed it.
            if self.contained.learn(id, &[hash]) || held {
                let token = Containable::Token(id.clone(), hash);
                self.store.contain(vec![token]);
            }
        }
        let servers = &judgement.counted.servers;
        self.count_in_wave(
            attempt,
            &judgement.decision,
            app.as_ref(),
            servers,
            new_token,
        );
        if !judgement.proven && attempt.credential.is_some() {
            self.charge_late(attempt, &judgement.app).await;
        }
    }

    /// Gives every charge back: the attempt never reached the upstream.
    pub fn forget(&self, reserved: Reserved) {
        self.store.settle(reserved.held, |_| true);
    }

    fn settle_charges(&self, reserved: Reserved, outcome: Outcome) {
        let Reserved { dimensions, held } = reserved;
        let back = |at: usize| {
            let dimension = dimensions.get(at);
            dimension.is_some_and(|d| rate::settle(d.limit, outcome) == Keep::GiveBack)
        };
        self.store.settle(held, back);
    }

    /// An unproven credential charges the shared dimensions only once it succeeds,
    /// so that wrong-secret requests in flight cannot hold a budget.
    async fn charge_late(&self, attempt: &Attempt, app: &super::AppSight) {
        let asked = Asked {
            attempt,
            mailbox: None,
            app,
            proven: true,
            own_servers: None,
        };
        let policy = self.policy();
        let all = rate::dimensions(&asked, &policy.limits, self.store.key());
        let now = attempt.at.as_microsecond().unsigned_abs();
        for dimension in all.into_iter().filter(|d| d.limit.is_shared_by_app()) {
            // One by one: a spent budget must not keep the others from being charged.
            if let Ok(held) = self.store.reserve(&[dimension.charge], now).await {
                self.store.settle(held, |_| false);
            }
        }
    }

    /// Whether its tokens are to be contained: its look was while it was made.
    fn learn_app(&self, attempt: &Attempt, created: &CreatedApp, counted: &Counted) -> bool {
        let credential = created.client_secret.as_ref().map(|secret| {
            let parts = [
                created.client_id.as_str().as_bytes(),
                secret.expose().as_bytes(),
            ];
            self.store.key().hash(Purpose::Credential, &parts)
        });
        let folded = apps::fold(&created.name);
        let creator = attempt.client.known().map(narrow_network);
        let at = attempt.at.as_second();
        // Only what was counted belongs to its look: a listed client does not, and named
        // there it would be contained by gates that do not know it.
        let contained = !counted.apps.is_empty()
            && (self.registers)
                .apps(|register| register.made(&folded, &created.client_id, creator, at));
        let app = App {
            credential,
            client_id: created.client_id.clone(),
            name: created.name.clone(),
            redirect_uris: created.redirect_uris.clone(),
            website: created.website.clone(),
            creator,
            created: attempt.at,
            source: AppSource::Learn,
        };
        self.store.learn_app(app, folded);
        contained
    }
}
