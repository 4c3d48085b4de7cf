//! The rules, one file each: *look*, then *judge*.
//!
//! A look gathers facts (from lists, bans, store or DNS, under a deadline); a
//! judge is a pure function of attempt, facts and time. None has heard of HTTP.

pub mod address;
pub mod app_ban;
pub mod app_cluster;
pub mod client_ban;
pub mod mail_cluster;
pub mod mail_domain;
pub mod mail_server;
pub mod rate;

#[cfg(test)]
mod tests;
