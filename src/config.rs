//! The configuration: one TOML file, overridden by `TUSKGATE_…`.
//!
//! As written it is a TOML document with spans; as used it is [`Settings`].
//! Between the two stands one pass that defaults, resolves and checks every
//! key and shows *all* mistakes at once, each with its line, the value found,
//! what would be valid and what to do. An unknown key is a mistake, never
//! ignored: a misspelt limit would be a limit that does not exist.
//! Relative paths are relative to the folder of the file.

use std::path::Path;

mod environment;
mod mistake;
mod nearest;
mod places;
mod reader;
mod said;
mod sections;
mod settings;
mod size;
mod value;

pub use environment::Environment;
pub use mistake::{Mistake, Mistakes, Place};
pub use places::Places;
pub use settings::{
    Admin, Bounds, Clusters, Dns, Events, Guards, Limits, Listen, ListenAddress, Log, LogFormat,
    LogLevel, Probe, Settings, Store, Timeouts, Upstream, UpstreamAddress, Webhooks,
};
pub use size::{read_size, spell_size};

/// Where the configuration is looked for if nobody says.
pub const DEFAULT_PATH: &str = "/etc/tuskgate/tuskgate.toml";

/// Reads the configuration at `path`, overridden by `environment`.
///
/// # Errors
/// Every mistake there is, or that the file cannot be read.
pub fn load(path: &Path, environment: &Environment) -> Result<Settings, Mistakes> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Mistakes::from(Mistake::unreadable(path, &error)))?;
    read(path, &text, environment)
}

/// Reads the configuration `text` as if it stood in the file `path`.
///
/// # Errors
/// Every mistake there is.
pub fn read(path: &Path, text: &str, environment: &Environment) -> Result<Settings, Mistakes> {
    let document = said::Document::new(path, text, environment);
    let (settings, mistakes) = sections::read(&document);
    if mistakes.is_empty() {
        Ok(settings)
    } else {
        Err(mistakes)
    }
}

/// Every key there is, as `section.key`, in the order of reading.
#[must_use]
pub fn keys() -> Vec<String> {
    let environment = Environment::default();
    let document = said::Document::new(Path::new(DEFAULT_PATH), "", &environment);
    sections::keys(&document)
}
