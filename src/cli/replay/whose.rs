//! Whose attempt it was, as far as what came of it tells.
//!
//! Nobody writes on an attempt that it is a bot's. What can be said afterwards:
//! it belongs to a cluster that was condemned and not released, or a ban that
//! is in force today would refuse it. Whatever else came to be is counted as
//! people's, and what never came to be is nobody's.

use std::collections::HashSet;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;

use crate::app::ClientId;
use crate::attempt::narrow_network;
use crate::ban::Ban;
use crate::cluster::{Cluster, ClusterId};
use crate::event::{Event, Outcome};
use crate::judge::cluster::{apps, tuning::Tuning};
use crate::judge::policy::Policy;
use crate::judge::replay::{Past, Replay};
use crate::judge::sight::Sight;
use crate::lists::{Lists, Overlay};
use crate::mailbox::Domain;
use crate::verdict::{Mode, Rule};

/// Whose it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Whose {
    /// Condemned or banned since.
    Bot,
    /// Something came of it, and nothing was said against it since.
    Person,
    /// Nothing came of it, or the reply did not tell.
    Unknown,
}

/// What is known by now.
pub(super) struct Hindsight {
    suspects: HashSet<Mark>,
    apps: HashSet<ClientId>,
    released: HashSet<ClusterId>,
    bans: Replay,
}

/// A suspect is named with second, domain and network.
type Mark = (i64, Option<Domain>, Option<IpNet>);

impl Hindsight {
    /// From the clusters and bans of today.
    pub(super) fn new(clusters: Vec<Cluster>, bans: &[Ban]) -> Self {
        let mut suspects = HashSet::new();
        let mut apps = HashSet::new();
        let (released, standing): (Vec<_>, Vec<_>) = clusters
            .into_iter()
            .partition(|cluster| cluster.ended.is_some());
        for suspect in standing.into_iter().flat_map(|cluster| cluster.suspects) {
            // The app of a mail cluster's suspect may be anybody's.
            if suspect.domain.is_none() {
                apps.extend(suspect.client_id);
            }
            suspects.insert((suspect.at, suspect.domain, suspect.client));
        }
        Self {
            suspects,
            apps,
            released: released.into_iter().map(|cluster| cluster.id).collect(),
            bans: banned_today(bans),
        }
    }

    /// Whose `event` was.
    pub(super) fn whose(&mut self, event: &Event) -> Whose {
        if self.condemned(event) || self.suspected(event) || self.banned(event) {
            return Whose::Bot;
        }
        match event.outcome {
            Some(Outcome::Create) => Whose::Person,
            Some(Outcome::Fail | Outcome::Unclear) | None => Whose::Unknown,
        }
    }

    /// Refused, or watched being refused, for a cluster that nobody released.
    fn condemned(&self, event: &Event) -> bool {
        let clusters = event.verdicts.iter().filter_map(|said| said.cluster());
        clusters.into_iter().any(|id| !self.released.contains(&id))
    }

    fn suspected(&self, event: &Event) -> bool {
        let second = event.at.as_second();
        // An address that stood for nobody in particular is not named with a suspect.
        let shared = event
            .facts
            .as_ref()
            .is_some_and(|facts| facts.shared_address);
        let network = event.client.filter(|_| !shared).map(narrow_network);
        let own = event.client_id.as_ref();
        self.suspects
            .contains(&(second, event.mail_domain.clone(), network))
            || own.is_some_and(|id| self.apps.contains(id))
    }

    fn banned(&mut self, event: &Event) -> bool {
        let ruling = self.bans.again(event);
        // A ban can be undone; "no such mail server" cannot.
        ruling.moot || ruling.undo.is_some()
    }
}

/// A judge that knows today's bans and nothing else.
fn banned_today(bans: &[Ban]) -> Replay {
    let modes = Rule::ALL.map(|rule| match rule {
        Rule::ClientBan | Rule::AppBan | Rule::Address | Rule::MailDomain | Rule::MailServer => {
            (rule, Mode::Enforce)
        }
        Rule::Unreadable | Rule::MailCluster | Rule::AppCluster | Rule::Wave | Rule::Rate => {
            (rule, Mode::Off)
        }
    });
    let policy = Policy {
        modes: modes.into(),
        ..Policy::default()
    };
    let sight = Sight {
        lists: Arc::new(Lists::empty()),
        bans: Arc::new(Overlay::new(bans.iter().cloned().map(Arc::new))),
        now: Timestamp::UNIX_EPOCH,
    };
    let past = Past::none(Tuning::default(), apps::Tuning::default());
    Replay::new(policy, sight, past, 0)
}
