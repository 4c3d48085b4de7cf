//! Black-box tests: real sockets on port 0, the library and the built binary.

mod support;

mod attack;
mod config;
mod differential;
mod dns;
mod drain;
mod end_to_end;
mod idle;
mod passthrough;
mod rails;
mod smuggling;
mod store;
mod timeouts;
mod trusted_proxies;
