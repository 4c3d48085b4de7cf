//! Whether there is a store where the configuration says. A verb that only
//! reads makes none: an empty answer from a store that was made a moment ago
//! would hide that `--config` names another one than the gate's.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::assemble;
use crate::config::Settings;
use crate::store::{Store, StoreError};

/// There is no store.
#[derive(Debug, thiserror::Error)]
#[error(
    "no store at {}: is this the right --config? The gate makes its store when it first starts (`tuskgate serve`)",
    path.display()
)]
pub(super) struct NoStore {
    path: PathBuf,
}

/// Fails unless there is a store in `path`; makes nothing.
///
/// # Errors
/// [`NoStore`], or that the folder may not be looked into.
pub(super) fn expect(path: &Path) -> anyhow::Result<()> {
    let there = is_there(path).with_context(|| {
        let path = path.display();
        format!("store {path} cannot be looked into: run this as root or as the gate's own user")
    });
    if there? {
        return Ok(());
    }
    let path = path.to_owned();
    Err(NoStore { path }.into())
}

/// Opens the store, or makes one and says so: somebody may ban, or import what
/// was before, ahead of the first start.
///
/// # Errors
/// If it cannot be opened or made.
pub(super) fn or_make(settings: &Settings) -> Result<Store, StoreError> {
    let path = &settings.store.path;
    // What cannot be seen is said when it is opened.
    let made = matches!(is_there(path), Ok(false));
    let store = Store::open(&assemble::store_settings(settings))?;
    if made {
        remark!(
            "there was no store at {}, so one was made, for this user alone: the gate must run as the same user and with the same store.path",
            path.display()
        );
    }
    Ok(store)
}

/// The key is what is made first, and no store can do without it; beside bans
/// a missing key is a fault of its own.
fn is_there(path: &Path) -> std::io::Result<bool> {
    Ok(path.join("key").try_exists()? || path.join("bans.sqlite3").try_exists()?)
}
