//! Stand-ins for what cannot run beside the gate: a small Mastodon-shaped
//! upstream and a name server with made-up zones, on loopback only.
//!
//! The `demo` verb and the black-box tests use them, always named as
//! stand-ins; nothing here is reachable from `serve`.

pub mod dns;
pub mod upstream;
