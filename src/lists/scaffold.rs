//! The builders of lists, which the lists do not need once they are built.
//!
//! A million names pass through twice the memory that they end up in. Freed at
//! once it would be found by the threads of a starting gate, a page here and a
//! page there, and stay in use for ever by a few bytes of each; freed when they
//! have all found their places it goes back to the system whole.

use std::any::Any;

/// Holds the builders of lists until it is dropped.
#[derive(Debug, Default)]
#[must_use = "dropped at once it frees nothing that stays free"]
pub struct Scaffold(Vec<Box<dyn Any + Send>>);

impl Scaffold {
    /// Keeps what is left of `builder`.
    pub(super) fn keep(&mut self, builder: impl Any + Send) {
        self.0.push(Box::new(builder));
    }
}
