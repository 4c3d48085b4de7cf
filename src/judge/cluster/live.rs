//! The registers in the live gate: behind a lock, with the disk behind them.
//!
//! The lock is held for microseconds and never across an await. A condemnation
//! counts at once; the request that caused it waits until it is on the disk.

use parking_lot::Mutex;

use crate::cluster::{Change, Cluster, ClusterId, ClusterKind, SignUp};
use crate::judge::cluster::servers::{ServerReport, Servers, Sighting, Ticket};
use crate::judge::cluster::tuning::Tuning;
use crate::mailbox::Domain;
use crate::store::Store;

/// The registers of a running gate.
#[derive(Debug)]
pub struct Registers {
    servers: Mutex<Servers>,
    store: Store,
}

impl Registers {
    /// The registers as `store` kept them.
    #[must_use]
    pub fn open(store: &Store) -> Self {
        let servers = Servers::restore(Tuning::default(), store.take_kept_clusters());
        Self {
            servers: Mutex::new(servers),
            store: store.clone(),
        }
    }

    /// Judges and counts sign-ups, one for each domain of an address: all or none.
    pub async fn enter(&self, sign_ups: Vec<SignUp>) -> Vec<Sighting> {
        let (sightings, changes) = {
            let mut servers = self.servers.lock();
            let sightings: Vec<_> = sign_ups
                .into_iter()
                .map(|sign_up| servers.enter(sign_up))
                .collect();
            if sightings
                .iter()
                .any(|s| matches!(s, Sighting::Condemned { .. }))
            {
                for ticket in tickets(&sightings) {
                    servers.withdraw(ticket);
                }
            }
            (sightings, servers.changes())
        };
        let condemned = changes
            .iter()
            .any(|change| matches!(change, Change::Cluster(_)));
        self.keep(changes);
        if condemned && let Err(error) = self.store.flush_clusters().await {
            tracing::error!(%error, "a condemnation is in force but not on the disk");
        }
        sightings
    }

    /// Takes counted sign-ups back: nothing came of them.
    pub fn withdraw(&self, tickets: &[Ticket]) {
        if tickets.is_empty() {
            return;
        }
        self.change(|servers| tickets.iter().for_each(|ticket| servers.withdraw(*ticket)));
    }

    /// An account with an address of this domain is known to have confirmed.
    pub fn confirm(&self, domain: &Domain, now: i64) {
        self.change(|servers| servers.confirm(domain, now));
    }

    /// Every cluster that is remembered, newest first.
    #[must_use]
    pub fn clusters(&self) -> Vec<Cluster> {
        self.servers.lock().clusters()
    }

    /// One cluster.
    #[must_use]
    pub fn cluster(&self, id: ClusterId) -> Option<Cluster> {
        match id.kind {
            ClusterKind::Mail => self.servers.lock().cluster(id.number).cloned(),
            ClusterKind::App => None,
        }
    }

    /// Lets a cluster go as a whole.
    ///
    /// # Errors
    /// If that is not on the disk; it is in force all the same.
    pub async fn release(
        &self,
        id: ClusterId,
        now: i64,
        why: &str,
    ) -> Result<Option<Cluster>, crate::store::StoreError> {
        let released = match id.kind {
            ClusterKind::Mail => self.change(|servers| servers.release(id.number, now, why)),
            ClusterKind::App => None,
        };
        self.store.flush_clusters().await?;
        Ok(released)
    }

    /// What is known of a mail server, by name or address.
    #[must_use]
    pub fn server(&self, text: &str, now: i64) -> Option<Vec<ServerReport>> {
        let servers = self.servers.lock();
        if let Ok(ip) = text.parse() {
            return Some(servers.report_address(ip, now));
        }
        let name = crate::mail::domain::read(text).ok()?;
        Some(servers.report_name(&name, now))
    }

    fn change<T>(&self, work: impl FnOnce(&mut Servers) -> T) -> T {
        let mut servers = self.servers.lock();
        let done = work(&mut servers);
        let changes = servers.changes();
        drop(servers);
        self.keep(changes);
        done
    }

    fn keep(&self, changes: Vec<Change>) {
        for change in changes {
            if let Change::Cluster(cluster) = &change
                && cluster.ended.is_none()
                && cluster.refused == 0
            {
                tracing::warn!(cluster = %cluster.id, evidence = %cluster.evidence, "a mail server is condemned");
            }
            self.store.keep_cluster(change);
        }
    }
}

/// The tickets among what was said.
pub fn tickets(sightings: &[Sighting]) -> impl Iterator<Item = Ticket> {
    sightings.iter().filter_map(|sighting| match sighting {
        Sighting::Learned(ticket) | Sighting::Counted(ticket) => Some(*ticket),
        Sighting::Exempt | Sighting::Condemned { .. } => None,
    })
}
