//! Answers that need the store alone: the same code serves the admin socket of
//! a running gate and a command line without one.

use jiff::Timestamp;

use crate::admin::apps;
use crate::admin::ask::{Answer, Ask, NewBan, Target, Which};
use crate::app::{AppName, ClientId};
use crate::ban::{Ban, Effect, Subject};
use crate::cluster::Cluster;
use crate::lists::apps::{fold, redirect_subject, website_subject};
use crate::lists::canonical;
use crate::mail::{address, domain};
use crate::mailbox::EmailAddress;
use crate::secret::{HashKey, Purpose};
use crate::store::{NamedApp, Store};

/// Does what `ask` says to `store`; `None` for what only a running gate can do.
pub async fn from_store(ask: Ask, store: &Store) -> Option<Answer> {
    let answer = match ask {
        Ask::Ban(new) => ban(new, store).await,
        Ask::Unban(which) => unban(which, store).await,
        Ask::Bans => Ok(Answer::Bans(all(store))),
        Ask::Explain { id } => {
            let event = store.event(id).await.map_err(|fault| fault.to_string());
            event.map(|event| Answer::Explain(event.map(Box::new)))
        }
        Ask::ImportApps { apps } => {
            let named = apps.into_iter().map(|app| NamedApp {
                folded: fold(&app.name),
                app,
            });
            let count = store
                .import_apps(named.collect())
                .await
                .map_err(|fault| fault.to_string());
            count.map(Answer::ImportApps)
        }
        Ask::Events(page) => {
            let events = store.events(page.filter()).await;
            events
                .map(Answer::Events)
                .map_err(|fault| fault.to_string())
        }
        Ask::Apps(wanted) => apps::list(wanted, store).await,
        Ask::App { id } => {
            let report = apps::report(&id, store, &store.kept_clusters()).await;
            report.map(|report| Answer::App(report.map(Box::new)))
        }
        Ask::Clusters => Ok(Answer::Clusters(newest_first(store.kept_clusters()))),
        Ask::Cluster { id } => {
            let mut all = store.kept_clusters().into_iter();
            Ok(Answer::Cluster(all.find(|one| one.id == id).map(Box::new)))
        }
        Ask::Reload
        | Ask::Status
        | Ask::Probe { .. }
        | Ask::Release { .. }
        | Ask::Contain { .. }
        | Ask::Pin { .. }
        | Ask::MailServer { .. }
        | Ask::MailDomain { .. } => return None,
    };
    Some(answer.unwrap_or_else(Answer::Fault))
}

fn newest_first(mut clusters: Vec<Cluster>) -> Vec<Cluster> {
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.opened));
    clusters
}

fn all(store: &Store) -> Vec<Ban> {
    let now = Timestamp::now();
    let bans = store.bans();
    let mut all: Vec<_> = bans
        .iter()
        .filter(|ban| ban.in_force(now))
        .map(|ban| ban.as_ref().clone())
        .collect();
    all.sort_by_key(|ban| ban.id);
    all
}

async fn ban(new: NewBan, store: &Store) -> Result<Answer, String> {
    if let Target::Address(text) | Target::AddressWithVariants(text) = &new.target {
        one_mailbox(text, new.effect)?;
    }
    let subject = subject(&new.target, store.key())?;
    let ban = Ban {
        id: 0,
        subject,
        effect: new.effect,
        scopes: new.scopes,
        reason: new.reason,
        source: new.source,
        created: Timestamp::now(),
        expires: new.expires,
    };
    store
        .ban(ban)
        .await
        .map(Answer::Ban)
        .map_err(|fault| fault.to_string())
}

async fn unban(which: Which, store: &Store) -> Result<Answer, String> {
    let (subject, effect) = match which {
        Which::Target(target, effect) => (subject(&target, store.key())?, effect),
        Which::Id(id) => match all(store).into_iter().find(|ban| ban.id == id) {
            Some(ban) => (ban.subject, ban.effect),
            None => return Ok(Answer::Unban(None)),
        },
    };
    let gone = store.unban(&subject, effect).await;
    gone.map(Answer::Unban).map_err(|fault| fault.to_string())
}

/// Reads a target as typed.
fn subject(target: &Target, key: &HashKey) -> Result<Subject, String> {
    let host = |text: &str| domain::read(text).map_err(|fault| format!("{text:?}: {fault}"));
    Ok(match target {
        Target::Network(network) => Subject::Network(canonical(*network)),
        Target::MailDomain(text) => Subject::MailDomain(host(text)?),
        Target::MailServer(text) => Subject::MailServer(host(text)?),
        Target::Address(text) => {
            let email = mailbox(text)?;
            Subject::Address(key.hash(Purpose::Mailbox, &[email.exact.expose().as_bytes()]))
        }
        Target::AddressWithVariants(text) => {
            let email = mailbox(text)?;
            let canonical = email.canonical.expose().as_bytes();
            Subject::CanonicalAddress(key.hash(Purpose::CanonicalMailbox, &[canonical]))
        }
        Target::ClientId(id) if id.trim().is_empty() => {
            return Err("a client_id is needed; `tuskgate apps` lists them".into());
        }
        Target::ClientId(id) => Subject::ClientId(ClientId::new(id.trim())),
        Target::AppName(name) => Subject::AppName(app_name(name)?),
        Target::RedirectUri(uri) => {
            // A scheme alone is no redirect URI, and would be nobody's.
            let subject = redirect_subject(uri).filter(|subject| !subject.ends_with(':'));
            Subject::RedirectUri(
                subject.ok_or_else(|| {
                    format!("{uri:?} is neither a redirect URI nor the host of one")
                })?,
            )
        }
        Target::Website(url) => {
            let subject = website_subject(url);
            Subject::Website(
                subject
                    .ok_or_else(|| format!("{url:?} is neither a website nor the host of one"))?,
            )
        }
    })
}

/// A name folded. One of nothing but space folds to nothing, which is no app's mark.
fn app_name(name: &str) -> Result<String, String> {
    let folded = fold(&AppName::new(name));
    if folded.is_empty() {
        return Err("the name of an app is needed, such as AaA".into());
    }
    Ok(folded)
}

/// `*@spam.example` would be taken, and be about the mailbox of nobody. An entry that was
/// made so can be taken back all the same.
fn one_mailbox(text: &str, effect: Effect) -> Result<(), String> {
    let Some(("*" | "", host)) = text.trim().split_once('@') else {
        return Ok(());
    };
    // What is no domain either is refused as no address.
    let Ok(domain) = domain::read(host.trim_start_matches("*.")) else {
        return Ok(());
    };
    let verb = match effect {
        Effect::Ban => "ban",
        Effect::Allow => "allow",
    };
    Err(format!(
        "{text:?} is not one mailbox; for all of the domain: tuskgate {verb} mail-domain {domain}"
    ))
}

fn mailbox(text: &str) -> Result<EmailAddress, String> {
    match address::read(text) {
        Ok(Some(email)) => Ok(email),
        Ok(None) => Err("an address is needed, such as bot@example.com".into()),
        Err(fault) => Err(format!("not an address that Mastodon takes: {fault}")),
    }
}
