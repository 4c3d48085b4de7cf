//! What the upstream really received, by the stand-in's own record.

use std::net::IpAddr;

use http::Method;
use serde::Serialize;

use super::cast::is_bot;
use super::tally::Door;
use crate::stand_in::upstream::{Recorded, StandIn};

/// Counts by sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Received {
    pub(super) bots: Doors,
    pub(super) people: Doors,
    /// Asked by the gate on its own behalf, to learn whose a token is.
    pub(super) gate: u64,
    /// Pages, and what the bots did before the gate stood there.
    pub(super) other: u64,
}

/// Requests by door.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Doors {
    pub(super) apps: u64,
    pub(super) tokens: u64,
    pub(super) sign_ups: u64,
}

impl Doors {
    const fn of(&mut self, door: Door) -> &mut u64 {
        match door {
            Door::App => &mut self.apps,
            Door::Token => &mut self.tokens,
            Door::SignUp => &mut self.sign_ups,
        }
    }
}

impl Received {
    pub(super) fn by(upstream: &StandIn) -> Self {
        let mut received = Self::default();
        for request in upstream.requests() {
            received.count(&request);
        }
        received
    }

    fn count(&mut self, request: &Recorded) {
        let from = request.header("x-forwarded-for");
        let from: Option<IpAddr> = from.and_then(|text| text.parse().ok());
        let path = request.target.split('?').next().unwrap_or_default();
        let place = match (from, door(&request.method, path)) {
            (Some(ip), Some(door)) if is_bot(ip) => self.bots.of(door),
            (Some(_), Some(door)) => self.people.of(door),
            _ if is_own_question(path) => &mut self.gate,
            _ => &mut self.other,
        };
        *place += 1;
    }
}

fn door(method: &Method, path: &str) -> Option<Door> {
    match (method, path) {
        (&Method::POST, "/api/v1/apps") => Some(Door::App),
        (&Method::POST, "/oauth/token") => Some(Door::Token),
        (&Method::POST, "/api/v1/accounts" | "/auth") => Some(Door::SignUp),
        _ => None,
    }
}

fn is_own_question(path: &str) -> bool {
    matches!(
        path,
        "/oauth/token/info" | "/api/v1/apps/verify_credentials"
    )
}
