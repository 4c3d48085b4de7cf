//! Who was let in before something was condemned, for an admin to look at.
//!
//! A cluster of mail keeps its own list. One of apps keeps the apps; who signed
//! up through them is looked for here, among sign-ups behind servers that are
//! counted and among the accounts that webhooks told of.

use std::collections::BTreeSet;

use crate::account::Origin;
use crate::app::ClientId;
use crate::cluster::{CameToBe, Cluster, ClusterId, ClusterKind, Suspect};
use crate::judge::Judge;

/// People shown with a cluster of apps at most, the latest first kept.
const MOST: usize = 1024;

impl Judge {
    /// A cluster with everybody known to have been let in through what it condemns.
    pub async fn cluster_with_suspects(&self, id: ClusterId) -> Option<Cluster> {
        let mut cluster = self.registers.cluster(id)?;
        if id.kind == ClusterKind::App {
            let apps: BTreeSet<ClientId> = cluster
                .suspects
                .iter()
                .filter_map(|suspect| suspect.client_id.clone())
                .collect();
            let people = self.people_through(&apps).await;
            cluster.suspects.extend(people);
        }
        Some(cluster)
    }

    async fn people_through(&self, apps: &BTreeSet<ClientId>) -> Vec<Suspect> {
        let mut people = self.registers.sign_ups_through(apps);
        let named: BTreeSet<i64> = people
            .iter()
            .filter_map(|one| Some(one.account?.id))
            .collect();
        let others = self.accounts_where(|id, known| match &known.origin {
            Origin::Gate {
                at,
                domain,
                client_id: Some(app),
            } if apps.contains(app) && !named.contains(&id) => Some(Suspect {
                domain: Some(domain.clone()),
                client_id: Some(app.clone()),
                username: Some(known.username.clone()),
                account: Some(CameToBe {
                    id,
                    confirmed: known.confirmed,
                }),
                ..Suspect::at(*at)
            }),
            Origin::Gate { .. } | Origin::Beside | Origin::Untold => None,
        });
        people.extend(others.await);
        people.sort_by_key(|one| std::cmp::Reverse(one.at));
        people.truncate(MOST);
        people
    }
}
