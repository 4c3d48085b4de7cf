//! The demo's own folder: made for this run alone, gone when it ends.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::event::EventId;

/// A folder that is removed with all that is in it when this is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes one in the system's temporary folder, for this user only.
    pub(super) fn make() -> io::Result<Self> {
        let id = EventId::random().map_err(io::Error::other)?;
        let path = std::env::temp_dir().join(format!("tuskgate-demo-{id}"));
        // Fails if it is there already: nobody can prepare the place.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(fault) = std::fs::remove_dir_all(&self.0) {
            eprintln!("tuskgate: {} stays behind: {fault}", self.0.display());
        }
    }
}
