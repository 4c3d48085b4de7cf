//! Black-box tests: real sockets on port 0, the library and the built binary.

mod support;

mod config;
mod dns;
mod drain;
mod idle;
mod passthrough;
mod smuggling;
mod store;
mod timeouts;
mod trusted_proxies;
