//! `tuskgate store check`: are the files sound, is the shared store in order?

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::cli::there;
use crate::config::Settings;
use crate::store::transfer::{Examined, Reading, examine};
use crate::store::{Distant, SharedSettings};

pub(super) const EXAMPLES: &str = "\
Nothing is changed; exit code 1 if something is not in order, 66 if there is no store.

Examples:
  tuskgate store check
  tuskgate store check --config /etc/tuskgate/second.toml
  tuskgate store check --json | jq .counts";

/// What the shared store says of itself, or what is wrong with it.
type Shared = Option<Result<String, String>>;

pub(super) async fn check(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let path = &settings.store.path;
    there::expect(path)?;
    let found = examine(path).with_context(|| format!("store {}", path.display()))?;
    let shared = match &settings.store.shared {
        Some(shared) => {
            let said = describe(path, shared).await;
            Some(said.map_err(|fault| format!("{fault:#}")))
        }
        None => None,
    };
    let files_are_well = found.files.iter().all(|(_, fault)| fault.is_none());
    let well = files_are_well && !matches!(shared, Some(Err(_)));
    if json {
        say!("{}", report(well, &found, &shared));
    } else {
        tell(&found, &shared);
    }
    if !well {
        bail!("not everything is in order");
    }
    Ok(())
}

async fn describe(path: &Path, shared: &SharedSettings) -> anyhow::Result<String> {
    let reading = Reading::open(path)?;
    let distant = Distant::reach(shared, reading.key()).await?;
    Ok(distant.describe().await?)
}

fn tell(found: &Examined, shared: &Shared) {
    for (name, fault) in &found.files {
        say!("{name}: {}", fault.as_deref().unwrap_or("sound"));
    }
    say!("{}", found.counts);
    if let Some(Ok(said) | Err(said)) = shared {
        say!("shared store: {said}");
    }
}

/// The same for a program.
fn report(well: bool, found: &Examined, shared: &Shared) -> Value {
    let files = found.files.iter();
    let files = files.map(|(name, fault)| json!({ "file": name, "fault": fault }));
    let shared = shared
        .as_ref()
        .map(|said| json!({ "seen": said.as_ref().ok(), "fault": said.as_ref().err() }));
    json!({
        "well": well,
        "files": files.collect::<Vec<_>>(),
        "counts": found.counts,
        "shared": shared,
    })
}
