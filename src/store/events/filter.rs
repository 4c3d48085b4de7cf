//! Which events are asked for.

use ipnet::IpNet;
use jiff::Timestamp;

use crate::endpoint::Endpoint;
use crate::event::EventId;
use crate::mailbox::Domain;
use crate::verdict::Rule;

/// Every part that is `Some` must hold.
#[derive(Clone, Debug)]
pub struct Filter {
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// This rule did not plainly pass.
    pub rule: Option<Rule>,
    /// This door.
    pub endpoint: Option<Endpoint>,
    /// This domain of the address, not those below it.
    pub mail_domain: Option<Domain>,
    /// A client in this network.
    pub client: Option<IpNet>,
    /// Forwarded or not.
    pub admitted: Option<bool>,
    /// This many at most, the newest.
    pub limit: usize,
    /// From the oldest on, beginning behind this event if there is one: page by
    /// page through all. `None` begins at the newest.
    pub onward: Option<Onward>,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            rule: None,
            endpoint: None,
            mail_domain: None,
            client: None,
            admitted: None,
            limit: 100,
            onward: None,
        }
    }
}

/// Where a page begins, and which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onward {
    /// At the oldest.
    Start,
    /// Behind this one.
    Behind(Timestamp, EventId),
    /// Before this one, the newest first: back through all.
    Before(Timestamp, EventId),
}
