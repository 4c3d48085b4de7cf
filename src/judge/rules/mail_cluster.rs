//! `mail-cluster`: the mail server has been condemned, because many fresh
//! domains signed up through it in a short time.
//!
//! Its *look* counts the sign-up as well, under one lock, so that many at the
//! same moment cannot all be the first. Shared providers, listed or learned,
//! are never judged, and neither is a domain that was here before the wave.

use jiff::Timestamp;

use crate::judge::cluster::servers::Sighting;
use crate::judge::sight::Hit;
use crate::verdict::{Because, Cause, Reason, Undo, Verdict};

/// What the register says of the domains of an address.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Of each domain.
    pub sightings: Vec<Sighting>,
    /// An allow entry on domain or server.
    pub allow: Option<Hit>,
}

/// The verdict: one condemned server is enough.
#[must_use]
pub fn judge(facts: &Facts) -> Verdict {
    let condemned = facts.sightings.iter().find_map(|sighting| match sighting {
        Sighting::Condemned {
            cluster,
            evidence,
            until,
        } => Some((cluster, evidence, *until)),
        Sighting::Exempt | Sighting::Learned(_) | Sighting::Counted(_) => None,
    });
    match (condemned, &facts.allow) {
        (None, _) => Verdict::Pass,
        (Some(_), Some(allow)) => Verdict::Abstain(Cause::Allow(allow.phrase())),
        (Some((cluster, evidence, until)), None) => {
            let until = Timestamp::from_second(until).unwrap_or(Timestamp::MAX);
            Verdict::Refuse(Reason {
                because: Because::Ban,
                fact: format!(
                    "the mail server is condemned as {cluster} until {until:.0}: {evidence}"
                )
                .into(),
                undo: Some(Undo::Release(*cluster)),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ban::Scopes;
    use crate::cluster::{ClusterId, ClusterKind};

    #[test]
    fn condemned_refuses_unless_allowed() {
        let condemned = Sighting::Condemned {
            cluster: ClusterId {
                kind: ClusterKind::Mail,
                number: 7,
            },
            evidence: "6 new domains".into(),
            until: 1_545_000_000,
        };
        let mut facts = Facts {
            sightings: vec![Sighting::Exempt, condemned],
            allow: None,
        };
        let Verdict::Refuse(reason) = judge(&facts) else {
            panic!("passed");
        };
        let undo = reason.undo.map(|undo| undo.to_string());
        assert_eq!(undo.as_deref(), Some("tuskgate clusters release M7"));
        facts.allow = Some(Hit::of_list("a.example", "friends", Scopes::DEFAULT));
        assert!(matches!(judge(&facts), Verdict::Abstain(Cause::Allow(_))));
        facts.sightings.truncate(1);
        assert_eq!(judge(&facts), Verdict::Pass);
    }
}
