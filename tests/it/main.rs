//! Black-box tests: real sockets on port 0, the library and the built binary.

mod support;

mod demo;
mod doctor;
mod drain;
mod idle;
mod passthrough;
mod smuggling;
mod timeouts;
mod trusted_proxies;
