//! Apps in lists: by `client_id`, folded name, redirect URI or website.
//!
//! Everything about an app but its `client_id` is chosen by whoever creates
//! it, so names are folded and URIs cut down to what a ban can be about.
//! Hosts match themselves and everything below them.

use std::borrow::Borrow;
use std::hash::Hash;

use hashbrown::HashMap;

use crate::app::ClientId;
use crate::lists::formats::app::Entry;

mod fold;
mod uri;

pub use fold::fold;
pub(in crate::lists) use fold::with_fold;
pub(super) use uri::{redirect_key, with_parents};
pub use uri::{redirect_subject, website_subject};

/// The apps of all list files.
#[derive(Debug, Default)]
pub(super) struct AppSet {
    client_ids: HashMap<ClientId, usize>,
    names: HashMap<String, usize>,
    redirect_uris: HashMap<String, usize>,
    websites: HashMap<String, usize>,
}

impl AppSet {
    /// Adds an entry of the file of index `source`; the first file keeps the credit.
    pub(super) fn add(&mut self, entry: Entry, source: usize) {
        match entry {
            Entry::ClientId(id) => self.client_ids.entry(id).or_insert(source),
            Entry::Name(name) => self.names.entry(name).or_insert(source),
            Entry::RedirectUri(uri) => self.redirect_uris.entry(uri).or_insert(source),
            Entry::Website(host) => self.websites.entry(host).or_insert(source),
        };
    }

    pub(super) fn client_id(&self, id: &ClientId) -> Option<(&str, usize)> {
        let (id, source) = self.client_ids.get_key_value(id)?;
        Some((id.as_str(), *source))
    }

    pub(super) fn name(&self, folded: &str) -> Option<(&str, usize)> {
        find(&self.names, folded)
    }

    pub(super) fn redirect_uri(&self, uri: &str) -> Option<(&str, usize)> {
        if self.redirect_uris.is_empty() {
            return None;
        }
        redirect_key(uri)
            .subjects()
            .find_map(|subject| find(&self.redirect_uris, subject))
    }

    pub(super) fn website(&self, url: &str) -> Option<(&str, usize)> {
        if self.websites.is_empty() {
            return None;
        }
        let host = website_subject(url)?;
        with_parents(&host).find_map(|subject| find(&self.websites, subject))
    }
}

fn find<'a, Q>(map: &'a HashMap<String, usize>, key: &Q) -> Option<(&'a str, usize)>
where
    Q: Hash + Eq + ?Sized,
    String: Borrow<Q>,
{
    let (listed, source) = map.get_key_value(key)?;
    Some((listed, *source))
}
