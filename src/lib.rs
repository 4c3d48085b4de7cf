//! tuskgate: a sign-up gate for Mastodon.
//!
//! A reverse proxy that lets everything through untouched, except the few
//! requests by which an account, an app, an access token or a changed e-mail
//! address can come to be. Those it reads exactly as Rails would, judges, and
//! forwards byte for byte or refuses in Mastodon's own voice.
//!
//! ```text
//! connection → peer → client IP → ban? → door? ── no ──→ upstream, streamed both ways
//!                                           │ yes
//!                                   bounded body → parameters (as Rails) → Attempt
//!                                           │
//!                             rules in order: look → judge → Verdicts → Decision
//!                                           │                       │
//!                         refuse: Mastodon's error shape    forward same bytes → learn from the reply
//!                                           └────────── Event (store, metrics) ──────┘
//! ```
//!
//! # The house
//!
//! Imports run downward only; a test fails on an arrow that runs up.
//!
//! | room | subject |
//! |---|---|
//! | [`cli`] | one file per verb |
//! | [`config`], [`admin`] | the TOML file; the admin socket and listener |
//! | [`proxy`] | connections, client address, upstream, and the gate itself ([`proxy::gate`]) |
//! | [`judge`] | rules in order, which rule at which door, limits, settling |
//! | [`store`] | bans, register, events (SQLite), the keyed limiter |
//! | [`mastodon`] | doors, attempts, refusals, what a reply teaches |
//! | [`lists`], [`mail`], [`rack`] | list files; addresses and mail servers; bytes to parameters |
//! | [`endpoint`], [`attempt`], [`verdict`], [`event`], … | the words: values only |
//!
//! # As a layer
//!
//! The gate is a tower [`Layer`](tower_layer::Layer) over any service that
//! answers [`proxy::Body`]s:
//!
//! ```
//! use std::sync::Arc;
//!
//! use http::{Request, Response, StatusCode};
//! use tower_layer::Layer;
//! use tower_service::Service;
//! use tuskgate::judge::{Judge, policy::Policy};
//! use tuskgate::lists::Lists;
//! use tuskgate::mail::dns::{DnsSettings, Resolver};
//! use tuskgate::proxy::Body;
//! use tuskgate::proxy::gate::{Access, Bounds, GateLayer, service};
//! use tuskgate::store::{Store, StoreSettings};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("store");
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let store = Store::open(&StoreSettings::new(path))?;
//! let control = tokio::runtime::Handle::current();
//! let dns = DnsSettings { servers: vec!["127.0.0.1:53".parse()?], ..DnsSettings::default() };
//! let resolver = Resolver::new(&dns, control.clone())?;
//! let judge = Judge::new(store, resolver, Lists::empty(), Policy::default(), control);
//!
//! let mastodon = service(|_request| async { Response::new(Body::from("made".to_owned())) });
//! let layer = GateLayer::new(Arc::new(judge), Bounds::default(), Access::Silent);
//! let mut gated = layer.layer(mastodon);
//!
//! // No door: passed on. A door, but nothing that Rails could read: refused.
//! let passed = gated.call(Request::get("/about").body(Body::empty())?).await?;
//! assert_eq!(passed.status(), StatusCode::OK);
//! let odd = Request::post("/api/v1/apps")
//!     .header("content-type", "application/json")
//!     .body(Body::from("{".to_owned()))?;
//! assert_eq!(gated.call(odd).await?.status(), StatusCode::BAD_REQUEST);
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

pub mod account;
mod address_text;
pub mod app;
pub mod attempt;
pub mod ban;
pub mod cluster;
pub mod endpoint;
pub mod event;
pub mod mailbox;
mod moment;
mod numeral;
pub mod quota;
pub mod secret;
mod standing;
pub mod told;
pub mod verdict;
pub mod wave;

pub mod admin;
pub mod cli;
pub mod config;
pub mod judge;
pub mod lists;
pub mod mail;
pub mod mastodon;
pub mod proxy;
pub mod rack;
pub mod stand_in;
pub mod store;
pub mod telemetry;
