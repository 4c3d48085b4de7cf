//! Black-box tests: real sockets on port 0, the library and the built binary.

mod support;

mod admin;
mod apps;
mod architecture;
mod attack;
mod bans;
mod bounds;
mod check;
mod cli;
mod clusters;
mod config;
mod contain;
mod demo;
mod differential;
mod dns;
mod doctor;
mod drain;
mod end_to_end;
#[path = "../faults/faults.rs"]
mod faults;
mod gate;
mod hooks;
mod idle;
mod lapse;
mod learning;
mod looking;
mod moving;
mod no_store;
mod observe;
mod passthrough;
mod rails;
mod recheck;
mod refusals;
mod reload;
mod secrets;
mod shared;
mod sign_up;
mod site;
mod smuggling;
mod store;
mod timeouts;
mod token;
mod trusted_proxies;
mod verbs;
mod wave;
