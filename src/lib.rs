//! tuskgate: a sign-up gate for Mastodon.

pub mod app;
pub mod attempt;
pub mod ban;
pub mod endpoint;
pub mod event;
pub mod mailbox;
pub mod quota;
pub mod secret;
pub mod verdict;

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
