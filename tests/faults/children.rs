//! This test binary, started again.

use std::path::{Path, PathBuf};
use std::process::Command;

const PART: &str = "TUSKGATE_TEST_PART";
const PATH: &str = "TUSKGATE_TEST_PATH";

/// A command that runs only the test `name` of this binary (`store::crash::child`),
/// as the child of the same name, on `path`.
pub(super) fn command(name: &str, path: &Path) -> Command {
    let mut command = Command::new(this_binary());
    tell(&mut command, name, path);
    command
}

/// The same under a shell that first runs `set_up`.
pub(super) fn under_shell(set_up: &str, name: &str, path: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{set_up}; exec \"$0\" \"$@\""))
        .arg(this_binary());
    tell(&mut command, name, path);
    command
}

/// In a child: the path it was told, if it is the child `name`.
pub(super) fn told(name: &str) -> Option<PathBuf> {
    (std::env::var(PART).ok()? == name)
        .then(|| std::env::var_os(PATH))?
        .map(PathBuf::from)
}

pub(super) fn this_binary() -> PathBuf {
    std::env::current_exe().expect("this binary has a path")
}

fn tell(command: &mut Command, name: &str, path: &Path) {
    command
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(PART, name)
        .env(PATH, path);
}
