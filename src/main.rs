//! The `tuskgate` program.

use std::process::ExitCode;

/// A request makes some twenty short-lived allocations; see ARCHITECTURE.md, "Speed".
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tuskgate::cli::run()
}
