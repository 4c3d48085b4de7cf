//! From settings to the parts of a running gate. `serve` and `demo` share it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::Handle;

use crate::config::{ListenAddress, Settings, UpstreamAddress};
use crate::judge::Judge;
use crate::judge::policy::{Policy, RegisterSize};
use crate::lists::Lists;
use crate::mail::dns::{DnsSettings, Resolver};
use crate::mail::site::Prober;
use crate::proxy::gate::{Access, Bounds, GateLayer};
use crate::proxy::{Address, Listener, PoolSettings, ProxySettings, SOCKET_MODE, Timeouts};
use crate::store::{Store, StoreError, StoreSettings};

/// Opens the store and builds the judge over `lists`.
///
/// # Errors
/// If the store cannot be opened, or no resolver can be had.
pub(super) fn judge(settings: &Settings, lists: Lists, control: Handle) -> anyhow::Result<Judge> {
    let store = open_store(settings).with_context(|| {
        format!(
            "cannot open the store in {} (store.path)",
            settings.store.path.display()
        )
    })?;
    if let Some(shared) = &settings.store.shared {
        store.share(shared.clone(), &control);
    }
    let resolver = Resolver::new(&dns_settings(settings), control.clone())
        .context("no DNS resolver can be had; name one in [dns] servers")?;
    let prober = settings
        .probe
        .enabled
        .then(|| Prober::new(resolver.clone()));
    let judge = Judge::new(store, resolver, lists, policy(settings), control)
        .expecting_accounts(settings.webhooks.sign_ups_elsewhere);
    Ok(match prober {
        Some(prober) => judge.probing(prober),
        None => judge,
    })
}

/// Waits a little for a verb that is at work on the store, or for a gate that is ending.
fn open_store(settings: &Settings) -> Result<Store, StoreError> {
    let began = Instant::now();
    loop {
        match Store::open(&store_settings(settings)) {
            Err(StoreError::InUse { .. }) if began.elapsed() < Duration::from_secs(3) => {
                std::thread::sleep(Duration::from_millis(50));
            }
            opened => return opened,
        }
    }
}

/// What is judged, and how.
pub(super) fn policy(settings: &Settings) -> Policy {
    let unguarded = settings.guards.0.iter().filter(|(_, on)| !**on);
    Policy {
        observe: settings.observe,
        modes: settings.rules,
        limits: settings
            .limits
            .0
            .iter()
            .map(|(limit, budget)| (*limit, *budget))
            .collect(),
        breaker: settings.breaker,
        unguarded: unguarded.map(|(endpoint, _)| *endpoint).collect(),
        register_size: RegisterSize(settings.clusters.register_size),
    }
}

pub(super) fn store_settings(settings: &Settings) -> StoreSettings {
    StoreSettings {
        retention: settings.events.retention,
        ..StoreSettings::new(&settings.store.path)
    }
}

/// The resolver's settings.
pub(super) fn dns_settings(settings: &Settings) -> DnsSettings {
    DnsSettings {
        servers: settings.dns.servers.clone(),
        timeout: settings.dns.timeout,
        ..DnsSettings::default()
    }
}

pub(super) fn proxy_settings(settings: &Settings) -> ProxySettings {
    let timeouts = settings.timeouts;
    ProxySettings {
        workers: settings.listen.workers,
        max_connections: settings.listen.max_connections.get(),
        trusted_proxies: settings.listen.trusted_proxies.clone(),
        max_head: settings.bounds.head,
        upstream: address(&settings.upstream.address),
        streaming: settings.upstream.streaming.as_ref().map(address),
        timeouts: Timeouts {
            idle: timeouts.client_idle,
            head: timeouts.request_head,
            body_stall: timeouts.body_stall,
            connect: timeouts.connect,
            reply_head: timeouts.reply_head,
            reply_stall: timeouts.reply_stall,
            drain: timeouts.drain,
        },
        pool: PoolSettings::default(),
    }
}

/// The gate over `judge`.
pub(super) fn gate(settings: &Settings, judge: &Arc<Judge>) -> GateLayer {
    let bounds = Bounds {
        one: settings.bounds.body,
        all: settings.bounds.bodies,
    };
    let access = if settings.events.access {
        Access::Log
    } else {
        Access::Silent
    };
    GateLayer::new(Arc::clone(judge), bounds, access)
}

fn address(address: &UpstreamAddress) -> Address {
    match address {
        UpstreamAddress::Tcp(address) => Address::Socket(*address),
        UpstreamAddress::Name(name, port) => Address::Name {
            host: name.as_str().into(),
            port: *port,
        },
        UpstreamAddress::Unix(path) => Address::Unix(path.clone()),
    }
}

/// Binds where clients come in; where that is, in words.
///
/// # Errors
/// If it cannot be bound.
pub(super) fn listener(settings: &Settings) -> anyhow::Result<(Listener, String)> {
    match &settings.listen.address {
        ListenAddress::Tcp(address) => {
            let listener = Listener::tcp(*address)?;
            let bound = listener.local_addr().unwrap_or(*address);
            Ok((listener, bound.to_string()))
        }
        ListenAddress::Unix(path) => {
            let listener = Listener::unix(path, SOCKET_MODE)?;
            Ok((listener, format!("unix:{}", path.display())))
        }
    }
}

/// The upstream in words.
pub(super) fn upstream(settings: &Settings) -> String {
    match &settings.upstream.address {
        UpstreamAddress::Tcp(address) => address.to_string(),
        UpstreamAddress::Name(name, port) => format!("{name}:{port}"),
        UpstreamAddress::Unix(path) => format!("unix:{}", path.display()),
    }
}

/// What the admin side needs beside the judge.
pub(super) fn status(settings: &Settings, listen: String) -> crate::admin::ask::Status {
    crate::admin::ask::Status {
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        listen: vec![listen],
        admin: None,
        upstream: upstream(settings),
        since: Some(jiff::Timestamp::now()),
        observe: settings.observe,
        ..Default::default()
    }
}

/// What changed between two configurations but takes a restart to be used.
pub(super) fn needs_restart(old: &Settings, new: &Settings) -> Vec<String> {
    let changed = [
        ("[listen]", old.listen != new.listen),
        ("[timeouts]", old.timeouts != new.timeouts),
        ("[bounds]", old.bounds != new.bounds),
        ("[upstream]", old.upstream != new.upstream),
        ("[admin]", old.admin != new.admin),
        ("[probe]", old.probe != new.probe),
        ("[webhooks]", old.webhooks != new.webhooks),
        ("[store]", old.store != new.store),
        ("[events]", old.events != new.events),
        ("[dns]", old.dns != new.dns),
        ("[log]", old.log != new.log),
    ];
    let keys = changed.into_iter().filter(|(_, changed)| *changed);
    keys.map(|(key, _)| key.to_owned()).collect()
}
