//! The `tuskgate` program.

use std::process::ExitCode;

/// A request makes some twenty short-lived allocations; see ARCHITECTURE.md, "Speed".
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // With pages of 2 MiB behind its arena the process holds forty megabytes that
    // nobody uses, and what connections leave behind is never free as a whole page.
    // A kernel that cannot do without them is no reason not to serve.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    tuskgate::cli::run()
}
