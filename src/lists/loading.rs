//! Reading all list files into one [`Lists`], all mistakes at once.

use std::path::{Path, PathBuf};

use super::apps::AppSet;
use super::domain_set::{self, DomainSet, DomainSetBuilder};
use super::file::{self, ListError, ListWarning};
use super::formats::{self, LineFault};
use super::network_set::{self, NetworkSet, NetworkSetBuilder};
use super::{Files, List, Lists, Loaded};

/// Room kept free, and untouched, while lists are read: what a starting gate
/// allocates next finds a place there, and not on what reading left behind, which
/// is given back to the system a second later if nobody has settled on it.
const ROOM: usize = 64 << 20;

/// See [`Lists::load`].
pub(super) fn load(files: &Files) -> Result<(Lists, Vec<ListWarning>), Vec<ListError>> {
    let _room = std::hint::black_box(Vec::<u8>::with_capacity(ROOM));
    let mut reading = Reading::default();
    let networks = reading.networks(&files.networks);
    let mail_domains = reading.domains(List::MailDomains, &files.mail_domains);
    let mail_domains_allow = reading.domains(List::MailDomainsAllow, &files.mail_domains_allow);
    let mail_servers = reading.domains(List::MailServers, &files.mail_servers);
    let apps = reading.apps(&files.apps);
    if !reading.errors.is_empty() {
        return Err(reading.errors);
    }
    let text = |paths: &[PathBuf]| {
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect()
    };
    let lists = Lists {
        networks,
        mail_domains,
        mail_domains_allow,
        mail_servers,
        apps,
        sources: [
            text(&files.networks),
            text(&files.mail_domains),
            text(&files.mail_domains_allow),
            text(&files.mail_servers),
            text(&files.apps),
        ],
        files: files.clone(),
        loaded: reading.loaded,
    };
    Ok((lists, reading.warnings))
}

#[derive(Default)]
struct Reading {
    warnings: Vec<ListWarning>,
    errors: Vec<ListError>,
    loaded: Vec<Loaded>,
}

impl Reading {
    fn networks(&mut self, paths: &[PathBuf]) -> NetworkSet {
        if self.too_many(List::Networks, paths, network_set::MOST_SOURCES) {
            return NetworkSet::default();
        }
        let mut builder = NetworkSetBuilder::default();
        for (source, path) in paths.iter().enumerate() {
            self.file(List::Networks, path, |line| {
                let Some((net, scopes)) = formats::network::read(line)? else {
                    return Ok(0);
                };
                builder.add(net, scopes, source);
                Ok(1)
            });
        }
        builder.build()
    }

    fn domains(&mut self, list: List, paths: &[PathBuf]) -> DomainSet {
        if self.too_many(list, paths, domain_set::MOST_SOURCES) {
            return DomainSet::default();
        }
        let mut builder = DomainSetBuilder::default();
        for (source, path) in paths.iter().enumerate() {
            self.file(list, path, |line| {
                formats::domain::read(line, |domain| {
                    let added = builder.add(domain, source);
                    added.then_some(()).ok_or(LineFault::Full)
                })
            });
        }
        builder.build()
    }

    fn apps(&mut self, paths: &[PathBuf]) -> AppSet {
        let mut set = AppSet::default();
        for (source, path) in paths.iter().enumerate() {
            self.file(List::Apps, path, |line| {
                let entry = formats::app::read(line)?;
                Ok(entry.map_or(0, |entry| {
                    set.add(entry, source);
                    1
                }))
            });
        }
        set
    }

    /// Whether `list` names more files than its set can tell apart, which is an error.
    fn too_many(&mut self, list: List, paths: &[PathBuf], most: usize) -> bool {
        let files = paths.len();
        let list = list.key();
        if files > most {
            let error = ListError::TooMany { list, files, most };
            self.errors.push(error);
        }
        files > most
    }

    fn file(
        &mut self,
        list: List,
        path: &Path,
        take: impl FnMut(&str) -> Result<usize, LineFault>,
    ) {
        match file::read(path, list.key(), &mut self.warnings, take) {
            Ok(tally) => self.loaded.push(Loaded {
                file: path.into(),
                list: list.key(),
                entries: tally.entries,
                skipped: tally.skipped,
            }),
            Err(error) => self.errors.push(error),
        }
    }
}
