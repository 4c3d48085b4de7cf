//! All that knows Mastodon: its doors, what they are asked, how they answer.
//!
//! Facts are those of a running Mastodon 4.1 and of today's main; where the two
//! differ, both are honoured or the request is refused.

pub mod ask;
pub mod attempt;
pub mod endpoint;
pub mod refusal;
pub mod reply;
pub mod webhook;
