//! The store's folder: who may read it, whether its key is there, how much room is left.
//!
//! Looks only: opening the store would make what is missing.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::patient::Patient;
use super::report::{Finding, Report};

const STORE: &str = "store";
const KEY: &str = "key";
const ROOM: &str = "disk";

/// Less than this and a ban may not fit tomorrow.
const LOW_KIB: u64 = 1024 * 1024;
/// Less than this and nothing fits.
const OUT_KIB: u64 = 50 * 1024;

/// Checks folder, key and room.
pub(super) fn examine(patient: &Patient, report: &mut Report) {
    let path = &patient.settings.store.path;
    let folder = match path.metadata() {
        Ok(folder) => folder,
        Err(fault) => {
            report.add(unseen(STORE, path, &fault, patient.status.is_some()));
            return;
        }
    };
    report.add(closed(STORE, path, &folder));
    let key = path.join("key");
    report.add(match key.metadata() {
        Ok(metadata) => closed(KEY, &key, &metadata),
        Err(fault) => unseen(KEY, &key, &fault, patient.status.is_some()),
    });
    report.add(room(path));
}

fn unseen(check: &'static str, path: &Path, fault: &std::io::Error, running: bool) -> Finding {
    let seen = format!("{}: {fault}", path.display());
    match fault.kind() {
        std::io::ErrorKind::PermissionDenied => {
            Finding::not_checked(check, seen, "run doctor as root or as the gate's own user")
        }
        std::io::ErrorKind::NotFound if !running => {
            Finding::not_checked(check, seen, "it is made when the gate is first started")
        }
        _ => Finding::wrong(
            check,
            seen,
            "the gate runs and it is gone: was it removed, or does --config name another file \
             than the gate's own?",
        ),
    }
}

/// Nobody but the owner may have any right.
fn closed(check: &'static str, path: &Path, metadata: &Metadata) -> Finding {
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Finding::ok(check, format!("{} is its owner's alone", path.display()));
    }
    Finding::wrong(
        check,
        format!("{} may be used by others (mode {mode:o})", path.display()),
        format!("chmod go= {}", path.display()),
    )
}

fn room(path: &Path) -> Finding {
    // The standard library cannot ask the file system; df (POSIX) can.
    let told = Command::new("df")
        .args(["-P", "-k", "--"])
        .arg(path)
        .output();
    let free = told
        .ok()
        .and_then(|told| read_df(&String::from_utf8_lossy(&told.stdout)));
    let Some(free) = free else {
        return Finding::not_checked(ROOM, "df does not say", "look at the free space yourself");
    };
    let seen = format!("{} MiB free for {}", free / 1024, path.display());
    match free {
        0..OUT_KIB => Finding::wrong(ROOM, seen, "make room: bans can no longer be written"),
        OUT_KIB..LOW_KIB => Finding::warn(ROOM, seen, "make room, or shorten events.retention"),
        LOW_KIB.. => Finding::ok(ROOM, seen),
    }
}

/// The fourth column of the last line.
fn read_df(text: &str) -> Option<u64> {
    let line = text.lines().nth(1)?;
    line.split_ascii_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn df_is_read() {
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
            /dev/vda1 41152736 9000000 30000123 24% /\n";
        assert_eq!(read_df(text), Some(30_000_123));
        assert_eq!(read_df("df: no such file\n"), None);
    }
}
