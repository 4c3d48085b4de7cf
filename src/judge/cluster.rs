//! Clusters: what the bots cannot cheaply vary, recognised before anybody lists it.
//!
//! Everything below is pure: the time is passed in, nothing is asked of clock,
//! disk or DNS, so that the live gate, `replay` and the efficacy bench run the
//! same code. What must outlive the process is handed out as [`Change`]s.
//!
//! [`Change`]: crate::cluster::Change

pub mod apps;
pub mod bounded;
pub mod history;
pub mod join;
pub mod keys;
pub mod latest;
pub mod live;
mod measure;
mod met;
pub mod numbers;
mod past;
pub mod servers;
pub mod size;
pub mod tuning;
pub mod weigh;
mod weight;
pub(in crate::judge) mod words;
