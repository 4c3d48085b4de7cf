//! What outlives a request.

pub mod limiter;
