//! What goes through, goes through unchanged: messages, streams, and what the
//! upstream's connections do under them.

mod framing;
mod messages;
mod streams;
mod upstreams;
