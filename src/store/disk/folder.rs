//! The store's directory: for the gate's user alone, held by one process at a
//! time, with the key of all keyed hashes in it.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::StoreError;
use crate::secret::HashKey;

/// The directory, held: the lock goes with the value or the process.
#[derive(Debug)]
pub(in crate::store) struct Folder {
    path: PathBuf,
    key: HashKey,
    _lock: File,
}

impl Folder {
    pub(in crate::store) fn open(path: &Path) -> Result<Self, StoreError> {
        let fault = |source| StoreError::Folder {
            path: path.to_owned(),
            source,
        };
        if !path.is_dir() {
            let mut builder = DirBuilder::new();
            builder.recursive(true).mode(0o700);
            builder.create(path).map_err(fault)?;
        }
        tighten(path, 0o700);
        let lock = lock_file(&path.join("lock")).map_err(fault)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                key: key(path)?,
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
                path: path.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(fault(source)),
        }
    }

    pub(in crate::store) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::store) const fn key(&self) -> &HashKey {
        &self.key
    }
}

/// The key of a store that is there; none is made.
pub(in crate::store) fn read_key(folder: &Path) -> Result<HashKey, StoreError> {
    let path = folder.join("key");
    let text = std::fs::read_to_string(&path).map_err(|source| StoreError::Folder {
        path: path.clone(),
        source,
    })?;
    let bytes = read_hex(text.trim()).ok_or(StoreError::Key { path })?;
    Ok(HashKey::new(&bytes))
}

/// The key in a folder; made if there is none and no file that depends on one.
fn key(folder: &Path) -> Result<HashKey, StoreError> {
    let path = folder.join("key");
    let fault = |source| StoreError::Folder {
        path: path.clone(),
        source,
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if folder.join("bans.sqlite3").exists() {
                return Err(StoreError::KeyGone { path });
            }
            let text = fresh_key()?.map(|byte| format!("{byte:02x}")).concat();
            write_whole(&path, &text).map_err(fault)?;
            text
        }
        Err(error) => return Err(fault(error)),
    };
    tighten(&path, 0o600);
    let bytes = read_hex(text.trim()).ok_or(StoreError::Key { path })?;
    Ok(HashKey::new(&bytes))
}

fn lock_file(path: &Path) -> std::io::Result<File> {
    // A disk that has turned read-only can still be locked, judged from and kept.
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .or_else(|error| File::open(path).map_err(|_| error))
}

/// Takes rights away, never gives any; a folder that is somebody else's stays as it is.
pub(super) fn tighten(path: &Path, most: u32) {
    let Ok(metadata) = path.metadata() else {
        return;
    };
    let mode = metadata.permissions().mode();
    if mode & 0o777 & !most != 0
        && let Err(error) = std::fs::set_permissions(path, Permissions::from_mode(mode & most))
    {
        tracing::warn!(path = %path.display(), %error, "others may read the store");
    }
}

fn fresh_key() -> Result<[u8; 32], StoreError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(StoreError::Randomness)?;
    Ok(bytes)
}

/// Whole or not at all, also over a crash: a new file, synced, then renamed.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn read_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (place, byte) in bytes.iter_mut().enumerate() {
        let digits = text.get(place * 2..place * 2 + 2)?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_the_owner_only() {
        let parent = tempfile::tempdir().expect("a directory");
        let path = parent.path().join("a/store");
        let first = Folder::open(&path).expect("made");
        let made = first.key().fingerprint();
        assert_eq!(key(&path).expect("read").fingerprint(), made);
        let mode = |path: &Path| path.metadata().expect("there").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&path.join("key"))), (0o700, 0o600));
        assert!(matches!(Folder::open(&path), Err(StoreError::InUse { .. })));
        drop(first);
        let again = Folder::open(&path).expect("free again");
        assert_eq!(again.key().fingerprint(), made);
    }

    #[test]
    fn a_damaged_or_missing_key_is_refused_and_not_replaced() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("key");
        for text in ["", "abc", &"g".repeat(64), &"+1".repeat(32)] {
            std::fs::write(&path, text).expect("written");
            assert!(
                matches!(key(folder.path()), Err(StoreError::Key { .. })),
                "{text}"
            );
        }
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(folder.path().join("bans.sqlite3"), "").expect("written");
        assert!(matches!(
            key(folder.path()),
            Err(StoreError::KeyGone { .. })
        ));
    }
}
