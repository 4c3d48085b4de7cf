//! Metrics of what Mastodon tells afterwards.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// One webhook.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Came {
    event: &'static str,
    result: &'static str,
}

/// One confirmation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct By {
    by: &'static str,
}

/// One look at a web site.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Seen {
    found: &'static str,
}

/// Counters of webhooks, confirmations, by-passes and reports.
#[derive(Debug, Default)]
pub struct HookMetrics {
    webhooks: Family<Came, Counter>,
    confirmations: Family<By, Counter>,
    bypasses: Counter,
    reports: Counter,
    probes: Family<Seen, Counter>,
}

impl HookMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "webhooks",
            "Webhooks by event and what became of them",
            self.webhooks.clone(),
        );
        registry.register(
            "confirmations",
            "Accounts known to have confirmed, and links that seemed to work",
            self.confirmations.clone(),
        );
        registry.register(
            "bypasses",
            "Accounts that came to be and that the gate never let through",
            self.bypasses.clone(),
        );
        registry.register(
            "reports",
            "Reports that weigh something",
            self.reports.clone(),
        );
        registry.register(
            "site_probes",
            "Looks at the web sites of fresh domains behind suspicious servers",
            self.probes.clone(),
        );
    }

    /// Counts one look at a web site.
    pub fn probed(&self, found: &'static str) {
        self.probes.get_or_create(&Seen { found }).inc();
    }

    /// Counts one webhook; both words are of closed sets.
    pub fn came(&self, event: &'static str, result: &'static str) {
        self.webhooks.get_or_create(&Came { event, result }).inc();
    }

    /// Counts one confirmation, by webhook or by a link.
    pub fn confirmed(&self, by_webhook: bool) {
        let by = if by_webhook { "webhook" } else { "link" };
        self.confirmations.get_or_create(&By { by }).inc();
    }

    /// Counts one account that came in beside the gate.
    pub fn bypassed(&self) {
        self.bypasses.inc();
    }

    /// Counts one report that weighs something.
    pub fn reported(&self) {
        self.reports.inc();
    }
}
