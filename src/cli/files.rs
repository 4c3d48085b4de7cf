//! The files that a configuration names: lists, the secrets of webhooks, the
//! authority of the shared store. They are read before anything is begun, and
//! one that is missing is a mistake in the configuration like any other.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::{Environment, Mistake, Mistakes, Places, Settings};
use crate::lists::{Files as ListFiles, ListError, Lists, Scaffold};
use crate::secret::Secret;

/// A shorter line is no secret, but a remark or a mistake.
const SHORTEST_SECRET: usize = 16;

/// What the files hold.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) lists: Lists,
    /// To be dropped once who reads has all its threads.
    pub(super) scaffold: Scaffold,
    /// Those that webhooks are signed with, of file and configuration.
    pub(super) secrets: Vec<Secret>,
}

/// Reads all files that `settings`, of the configuration at `config`, name.
///
/// # Errors
/// Every file that cannot be used, with its key, at once.
pub(super) fn read(config: &Path, settings: &Settings) -> Result<Files, Mistakes> {
    let places = Places::of(config, &Environment::of_process());
    let mut scaffold = Scaffold::default();
    let lists = lists(settings, &places, &mut scaffold);
    let secrets = secrets(settings, &places);
    let authority = authority(settings, &places);
    match (lists, secrets, authority) {
        (Ok(lists), Ok(secrets), Ok(())) => Ok(Files {
            lists,
            scaffold,
            secrets,
        }),
        (lists, secrets, authority) => {
            let (read, mut mistakes) = match lists {
                Ok(lists) => (Some(lists), Vec::new()),
                Err(mistakes) => (None, mistakes),
            };
            mistakes.extend(secrets.err().unwrap_or_default());
            mistakes.extend(authority.err().unwrap_or_default());
            scaffold.take_down(read.map(Arc::new));
            Err(mistakes.into())
        }
    }
}

/// The lists alone, for what judges without a gate.
///
/// # Errors
/// Every list that cannot be used, at once.
pub(super) fn read_lists(config: &Path, settings: &Settings) -> Result<Lists, Mistakes> {
    let places = Places::of(config, &Environment::of_process());
    lists(settings, &places, &mut Scaffold::default()).map_err(Mistakes::from)
}

/// What is wrong with the files that are no lists.
pub(super) fn others(config: &Path, settings: &Settings) -> Vec<Mistake> {
    let places = Places::of(config, &Environment::of_process());
    let secrets = secrets(settings, &places).err();
    let authority = authority(settings, &places).err();
    secrets.into_iter().chain(authority).flatten().collect()
}

/// Every list; what was left out is logged.
fn lists(
    settings: &Settings,
    places: &Places,
    scaffold: &mut Scaffold,
) -> Result<Lists, Vec<Mistake>> {
    let (lists, warnings) = Lists::load_on(&settings.lists, scaffold).map_err(|faults| {
        let mistakes = faults.iter().map(|fault| list(fault, settings, places));
        mistakes.collect::<Vec<_>>()
    })?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    for loaded in lists.loaded() {
        tracing::info!(
            list = loaded.list,
            file = %loaded.file.display(),
            entries = loaded.entries,
            skipped = loaded.skipped,
            "list read"
        );
    }
    Ok(lists)
}

fn list(fault: &ListError, settings: &Settings, places: &Places) -> Mistake {
    let key = format!("lists.{}", fault.list());
    let named = named(&settings.lists, fault.list());
    let nth = fault
        .file()
        .and_then(|file| named.iter().position(|one| one == file));
    let found = fault.file().map(|file| file.display().to_string());
    match fault {
        ListError::Read { source, .. } => unread(places, &key, nth.unwrap_or(0), found, source),
        other => mistake(
            places,
            &key,
            nth.unwrap_or(0),
            other.to_string(),
            found,
            "look into the file: is it what the key should name?",
        ),
    }
}

/// The files of a list by its key.
fn named<'a>(files: &'a ListFiles, list: &str) -> &'a [std::path::PathBuf] {
    match list {
        "networks" => &files.networks,
        "mail-domains" => &files.mail_domains,
        "mail-domains-allow" => &files.mail_domains_allow,
        "mail-servers" => &files.mail_servers,
        "apps" => &files.apps,
        _ => &[],
    }
}

/// The secrets that webhooks are signed with.
fn secrets(settings: &Settings, places: &Places) -> Result<Vec<Secret>, Vec<Mistake>> {
    const KEY: &str = "webhooks.secret-file";
    let mut secrets = settings.webhooks.secrets.clone();
    let Some(path) = &settings.webhooks.secret_file else {
        return Ok(secrets);
    };
    let found = Some(path.display().to_string());
    let text = fs::read_to_string(path)
        .map_err(|fault| vec![unread(places, KEY, 0, found.clone(), &fault)])?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| line.len() >= SHORTEST_SECRET);
    secrets.extend(lines.map(Secret::new));
    if secrets.is_empty() {
        let wrong = format!("the file has no line of at least {SHORTEST_SECRET} characters");
        let remedy = "write the signing secret of Mastodon's webhook into it, on a line of its own";
        return Err(vec![mistake(places, KEY, 0, wrong, found, remedy)]);
    }
    Ok(secrets)
}

/// Whether the shared store's authority is one.
fn authority(settings: &Settings, places: &Places) -> Result<(), Vec<Mistake>> {
    const KEY: &str = "store.ca";
    let shared = settings.store.shared.as_ref();
    let Some(path) = shared.and_then(|shared| shared.ca.as_ref()) else {
        return Ok(());
    };
    let found = Some(path.display().to_string());
    let bytes =
        fs::read(path).map_err(|fault| vec![unread(places, KEY, 0, found.clone(), &fault)])?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes).flatten() {
        // One that is odd beside one that is well does no harm.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        let wrong = "the file holds no certificate".to_owned();
        let remedy =
            "it is to hold the authority's certificate as PEM: -----BEGIN CERTIFICATE-----";
        return Err(vec![mistake(places, KEY, 0, wrong, found, remedy)]);
    }
    Ok(())
}

fn unread(
    places: &Places,
    key: &str,
    nth: usize,
    found: Option<String>,
    fault: &io::Error,
) -> Mistake {
    let remedy = match fault.kind() {
        io::ErrorKind::NotFound => {
            "put the file there, or name another; relative paths are relative to the configuration's folder"
        }
        io::ErrorKind::PermissionDenied => "let the user read it that the gate runs as",
        _ => "name a file that can be read",
    };
    let wrong = format!("the file cannot be read: {fault}");
    mistake(places, key, nth, wrong, found, remedy)
}

/// A mistake where the `nth` value of `key` stands; `found` is the path as used.
fn mistake(
    places: &Places,
    key: &str,
    nth: usize,
    wrong: String,
    found: Option<String>,
    remedy: &str,
) -> Mistake {
    Mistake {
        place: places.value(key, nth).0,
        key: key.to_owned(),
        wrong,
        found,
        valid: None,
        remedy: Some(remedy.to_owned()),
    }
}
