//! How much memory the registers may take, all together, and how it is shared.
//!
//! Half of it goes to what came through each mail server, a quarter to domains
//! seen, an eighth each to the latest sign-ups and to apps' looks. Weights are
//! counted high, so the process takes less; what is beside them (clusters with
//! their suspects, a few lists of fixed length, 128 KiB in which keys of mail servers
//! were met and at most 3 MiB of what flooding domains published lately) takes some
//! MB more.

use super::bounded::Fill;
use super::servers::Servers;

/// `[clusters] register-size` if nothing is said.
pub const DEFAULT_SIZE: usize = 64 << 20;

/// The registers by name, as metrics and `status` call them.
pub const NAMES: [&str; 4] = ["mail-servers", "domains", "sign-ups", "app-looks"];

impl Servers {
    /// From now on all registers together may take `size` bytes.
    pub fn resize(&mut self, size: usize) {
        self.histories.resize(size / 2);
        self.domains.resize(size / 4);
        self.sign_ups.resize(size / 8);
    }

    /// How full the registers are, in the order of [`NAMES`].
    #[must_use]
    pub fn fill(&self) -> [Fill; 3] {
        [
            self.histories.fill(),
            self.domains.fill(),
            self.sign_ups.fill(),
        ]
    }
}
