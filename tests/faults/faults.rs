//! What breaks around a gate, each with the real thing: the server behind a
//! shared state, the disk, the clock of a budget, the process itself. Part of
//! the one test binary (`tests/it/main.rs`); README.md beside this file says
//! what is shown where, and `tests/faults/long` runs the long ones.
//!
//! Children are this very test binary, started again for one test that does
//! nothing unless the environment tells it to be that child.

mod children;
mod clock;
mod crash;
mod damage;
mod locked;
mod partition;
mod refuse;
mod server;
mod slow;
mod stalled;
mod waits;
