//! Reading all list files into one [`Lists`], all mistakes at once.

use std::path::{Path, PathBuf};

use super::apps::AppSet;
use super::domain_set::{self, DomainSet, DomainSetBuilder};
use super::file::{self, ListError, ListWarning};
use super::formats::{self, LineFault};
use super::network_set::{self, NetworkSet, NetworkSetBuilder};
use super::{Files, List, Lists, Loaded, Scaffold};

/// See [`Lists::load_on`].
pub(super) fn load(
    files: &Files,
    scaffold: &mut Scaffold,
) -> Result<(Lists, Vec<ListWarning>), Vec<ListError>> {
    let mut reading = Reading {
        scaffold,
        warnings: Vec::new(),
        errors: Vec::new(),
        loaded: Vec::new(),
    };
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

struct Reading<'a> {
    scaffold: &'a mut Scaffold,
    warnings: Vec<ListWarning>,
    errors: Vec<ListError>,
    loaded: Vec<Loaded>,
}

impl Reading<'_> {
    fn networks(&mut self, paths: &[PathBuf]) -> NetworkSet {
        if self.too_many(List::Networks, paths, network_set::MOST_SOURCES) {
            return NetworkSet::default();
        }
        let mut builder = NetworkSetBuilder::for_text(size(paths));
        for (source, path) in paths.iter().enumerate() {
            self.file(List::Networks, path, |line| {
                let Some((net, scopes)) = formats::network::read(line)? else {
                    return Ok(0);
                };
                builder.add(net, scopes, source);
                Ok(1)
            });
        }
        let set = builder.build();
        self.scaffold.keep(builder);
        set
    }

    fn domains(&mut self, list: List, paths: &[PathBuf]) -> DomainSet {
        if self.too_many(list, paths, domain_set::MOST_SOURCES) {
            return DomainSet::default();
        }
        let mut builder = DomainSetBuilder::for_text(size(paths));
        for (source, path) in paths.iter().enumerate() {
            self.file(list, path, |line| {
                formats::domain::read(line, |domain| {
                    let added = builder.add(domain, source);
                    added.then_some(()).ok_or(LineFault::Full)
                })
            });
        }
        let set = builder.build();
        self.scaffold.keep(builder);
        set
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

/// The bytes of all files that can be read.
fn size(paths: &[PathBuf]) -> usize {
    let sizes = paths
        .iter()
        .filter_map(|path| Some(path.metadata().ok()?.len()));
    usize::try_from(sizes.sum::<u64>()).unwrap_or_default()
}
