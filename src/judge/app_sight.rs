//! Which app an attempt comes through, as far as the gate can tell.
//!
//! A `client_id` is public and comes with the request; a bearer token names an
//! app only to whoever minted it, so the gate learns tokens from replies and
//! asks the upstream for those it has not seen ([`Asking`]).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::app::{App, AppSource, ClientId};
use crate::attempt::Attempt;
use crate::lists::clients::Shape;
use crate::lists::{apps, clients};

/// An app stands on its own feet after this long: honest users depend on it.
pub const ESTABLISHED_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What is known of the app behind an attempt.
#[derive(Clone, Debug, Default)]
pub enum AppSight {
    /// The door is not reached through an app, or none was named.
    #[default]
    None,
    /// Known by name and more.
    Known(Arc<App>),
    /// Only the `client_id` is known.
    Id(ClientId),
    /// The register did not answer in time; the `client_id`, where the request named it.
    Late(Option<ClientId>),
    /// A bearer token that nobody could resolve in time: such share one bucket.
    Unresolved,
}

impl AppSight {
    /// The `client_id`, if known.
    #[must_use]
    pub fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Known(app) => Some(&app.client_id),
            Self::Id(id) | Self::Late(Some(id)) => Some(id),
            Self::None | Self::Late(None) | Self::Unresolved => None,
        }
    }

    /// The app, if known.
    #[must_use]
    pub fn app(&self) -> Option<&App> {
        match self {
            Self::Known(app) => Some(app),
            Self::None | Self::Id(_) | Self::Late(_) | Self::Unresolved => None,
        }
    }
}

/// Whether `app` is a client that many honest people share: listed, imported or long known.
#[must_use]
pub fn established(app: &App, now: Timestamp) -> bool {
    // An app whose creation the gate did not see is older than the gate.
    listed(app)
        || app.source != AppSource::Learn
        || now.duration_since(app.created) >= ESTABLISHED_AFTER
}

/// Whether `app` is on the list of known clients, by name *and* redirect URI.
/// An upstream that was asked and tells no redirect URIs (before Mastodon 4.3)
/// is taken at the app's name: such an app is older than the gate.
#[must_use]
pub fn listed(app: &App) -> bool {
    let untold = app.source == AppSource::Ask && app.redirect_uris.is_empty();
    clients::known(&app.name, &app.redirect_uris, app.website.as_deref()).is_some()
        || (untold && clients::named(&app.name))
}

/// How many times the budget of one installation a `client_id` has: one app of a
/// listed web client serves all its users. Not before it is established, or an
/// app made for an attack would have it at once by taking the client's name and
/// redirect URI.
#[must_use]
pub fn share(app: &App, now: Timestamp) -> u32 {
    let old =
        app.source != AppSource::Learn || now.duration_since(app.created) >= ESTABLISHED_AFTER;
    let web = || {
        clients::known(&app.name, &app.redirect_uris, app.website.as_deref())
            .is_some_and(|client| client.shape == Shape::Web)
    };
    if old && web() { WEB_SHARE } else { 1 }
}

/// What one app of a listed web client has, in budgets of one installation.
const WEB_SHARE: u32 = 10;

/// The folded name under which look-alikes share a budget; none for a listed client.
#[must_use]
pub fn shared_name(app: &App) -> Option<String> {
    (!listed(app)).then(|| apps::fold(&app.name))
}

/// A boxed future, for the places that ask the upstream.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a judgement may ask beyond lists, store and DNS.
///
/// The live gate asks the upstream; `replay` and `check` ask nobody.
pub trait Asking: Send + Sync {
    /// The app behind the attempt's credential or bearer token.
    fn app<'a>(&'a self, attempt: &'a Attempt) -> Answer<'a, AppSight>;

    /// Whether the attempt's address is the account's current one (row 2's form
    /// always carries it). `None` if the upstream did not say.
    fn unchanged<'a>(&'a self, attempt: &'a Attempt) -> Answer<'a, Option<bool>>;

    /// Whether the attempt's invite can be used. `None` if the upstream did not say.
    fn invited<'a>(&'a self, _: &'a Attempt) -> Answer<'a, Option<bool>> {
        Box::pin(std::future::ready(None))
    }
}

/// Nobody to ask: what the attempt itself says has to do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Asking for Nobody {
    fn app<'a>(&'a self, attempt: &'a Attempt) -> Answer<'a, AppSight> {
        let id = attempt
            .credential
            .as_ref()
            .map(|credential| credential.client_id.clone());
        Box::pin(std::future::ready(id.map_or(AppSight::None, AppSight::Id)))
    }

    fn unchanged<'a>(&'a self, _: &'a Attempt) -> Answer<'a, Option<bool>> {
        Box::pin(std::future::ready(None))
    }
}
