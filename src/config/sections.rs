//! Every section and key, in the order of `config/tuskgate.toml`, and what
//! one key may not be beside another.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::mistake::Mistakes;
use super::reader::{Reader, Section, Written};
use super::said::Document;
use super::settings::{
    Admin, Bounds, Clusters, Dns, Events, Guards, Limits, Listen, ListenAddress, Log, Probe,
    Settings, Store, Timeouts, Upstream, UpstreamAddress, Webhooks,
};
use super::value::{self, Limited, Shape};
use crate::judge::limit::{Budget, Limit};
use crate::judge::policy::Modes;
use crate::judge::wave::{self, Invites};
use crate::lists::Files;
use crate::store::{SharedSettings, Topology};
use crate::verdict::{Mode, Rule};

/// The settings, and what is wrong with them.
pub(super) fn read(document: &Document<'_>) -> (Settings, Mistakes) {
    let walked = Reader::read(document, root);
    (walked.value, walked.mistakes)
}

/// Every key.
pub(super) fn keys(document: &Document<'_>) -> Vec<String> {
    Reader::read(document, root).keys
}

/// Where each key stands that is written and right.
pub(super) fn written(document: &Document<'_>) -> Written {
    Reader::read(document, root).written
}

fn root(root: &mut Section<'_, '_>) -> Settings {
    let observe = root.one("observe", &value::BOOL).unwrap_or_default();
    let listen = root.section("listen", listen);
    let upstream = root.section("upstream", upstream);
    let timeouts = root.section("timeouts", timeouts);
    let bounds = root.section("bounds", bounds);
    let store = root.section("store", store);
    let admin = root.section("admin", |section| admin(section, &store));
    let webhooks = root.section("webhooks", webhooks);
    let probe = root.section("probe", |section| Probe {
        enabled: section.one("enabled", &value::BOOL).unwrap_or_default(),
    });
    let events = root.section("events", events);
    let dns = root.section("dns", dns);
    let lists = root.section("lists", lists);
    let rules = root.section("rules", rules);
    let clusters = root.section("clusters", clusters);
    let breaker = root.section("breaker", breaker);
    let limits = root.section("limits", limits);
    let guards = root.section("guards", guards);
    let log = root.section("log", log);
    let settings = Settings {
        observe,
        listen,
        timeouts,
        bounds,
        upstream,
        admin,
        webhooks,
        probe,
        store,
        events,
        dns,
        lists,
        rules,
        clusters,
        breaker,
        limits,
        guards,
        log,
    };
    together(root, &settings);
    settings
}

fn listen(section: &mut Section<'_, '_>) -> Listen {
    let default = Listen::default();
    let address = section.one("address", &value::LISTEN).map(|at| match at {
        ListenAddress::Unix(path) => ListenAddress::Unix(section.document().resolve(path)),
        ListenAddress::Tcp(_) => at,
    });
    Listen {
        address: address.unwrap_or(default.address),
        trusted_proxies: section
            .many("trusted-proxies", &value::PROXY)
            .unwrap_or(default.trusted_proxies),
        workers: section
            .one("workers", &value::WORKERS)
            .flatten()
            .unwrap_or(default.workers),
        max_connections: section
            .one("max-connections", &value::COUNT)
            .unwrap_or(default.max_connections),
    }
}

fn upstream(section: &mut Section<'_, '_>) -> Upstream {
    let document = section.document();
    let resolved = |at: UpstreamAddress| match at {
        UpstreamAddress::Unix(path) => UpstreamAddress::Unix(document.resolve(path)),
        UpstreamAddress::Tcp(_) | UpstreamAddress::Name(..) => at,
    };
    let address = section.one("address", &value::UPSTREAM).map(resolved);
    Upstream {
        address: address.unwrap_or(Upstream::default().address),
        streaming: section.one("streaming", &value::UPSTREAM).map(resolved),
    }
}

fn timeouts(section: &mut Section<'_, '_>) -> Timeouts {
    let default = Timeouts::default();
    let mut time = |key, default| section.one(key, &value::TIMEOUT).unwrap_or(default);
    Timeouts {
        client_idle: time("client-idle", default.client_idle),
        request_head: time("request-head", default.request_head),
        body_stall: time("body-stall", default.body_stall),
        connect: time("connect", default.connect),
        reply_head: time("reply-head", default.reply_head),
        reply_stall: time("reply-stall", default.reply_stall),
        drain: time("drain", default.drain),
    }
}

fn bounds(section: &mut Section<'_, '_>) -> Bounds {
    let default = Bounds::default();
    let mut size = |key, default| section.one(key, &value::SIZE).unwrap_or(default);
    Bounds {
        body: size("body", default.body),
        bodies: size("bodies", default.bodies),
        head: size("head", default.head),
    }
}

fn store(section: &mut Section<'_, '_>) -> Store {
    let path = section.one("path", &value::PATH);
    Store {
        path: path.map_or_else(
            || Store::default().path,
            |path| section.document().resolve(path),
        ),
        shared: shared(section),
    }
}

fn shared(section: &mut Section<'_, '_>) -> Option<SharedSettings> {
    let default = SharedSettings::new("");
    let urls = section.many("url", &value::SHARED_URL).unwrap_or_default();
    let shape = section.one("topology", &value::TOPOLOGY);
    let master = section.one("sentinel-master", &value::KEY_PREFIX);
    let settings = SharedSettings {
        topology: match shape.unwrap_or(Shape::Single) {
            Shape::Single => Topology::Single,
            Shape::Cluster => Topology::Cluster,
            Shape::Sentinel => Topology::Sentinel(master.unwrap_or_else(|| "mymaster".to_owned())),
        },
        prefix: section
            .one("prefix", &value::KEY_PREFIX)
            .unwrap_or(default.prefix),
        timeout: section
            .one("timeout", &value::SHARED_TIMEOUT)
            .unwrap_or(default.timeout),
        keys: section
            .one("keys", &value::SHARED_KEYS)
            .map_or(default.keys, NonZeroUsize::get),
        ca: section
            .one("ca", &value::PATH)
            .map(|path| section.document().resolve(path)),
        urls,
    };
    (!settings.urls.is_empty()).then_some(settings)
}

fn admin(section: &mut Section<'_, '_>, store: &Store) -> Admin {
    let address = section.one("address", &value::ADMIN);
    let socket = section.one("socket", &value::PATH);
    Admin {
        address: address.unwrap_or(Admin::default().address),
        socket: socket.map_or_else(
            || store.path.join("admin.sock"),
            |path| section.document().resolve(path),
        ),
    }
}

fn webhooks(section: &mut Section<'_, '_>) -> Webhooks {
    let file = section.one("secret-file", &value::PATH);
    Webhooks {
        address: section.one("address", &value::WEBHOOKS).flatten(),
        secrets: section.many("secret", &value::SECRET).unwrap_or_default(),
        secret_file: file.map(|path| section.document().resolve(path)),
        sign_ups_elsewhere: section
            .one("sign-ups-elsewhere", &value::BOOL)
            .unwrap_or_default(),
    }
}

fn events(section: &mut Section<'_, '_>) -> Events {
    let default = Events::default();
    Events {
        access: section
            .one("access", &value::BOOL)
            .unwrap_or(default.access),
        retention: section
            .one("retention", &value::RETENTION)
            .unwrap_or(default.retention),
    }
}

fn dns(section: &mut Section<'_, '_>) -> Dns {
    let default = Dns::default();
    Dns {
        servers: section
            .many("servers", &value::DNS_SERVER)
            .unwrap_or(default.servers),
        timeout: section
            .one("timeout", &value::TIMEOUT)
            .unwrap_or(default.timeout),
    }
}

fn lists(section: &mut Section<'_, '_>) -> Files {
    let document = section.document();
    let mut files = |key| -> Vec<PathBuf> {
        let paths = section.many(key, &value::PATH).unwrap_or_default();
        paths
            .into_iter()
            .map(|path| document.resolve(path))
            .collect()
    };
    Files {
        networks: files("networks"),
        mail_domains: files("mail-domains"),
        mail_domains_allow: files("mail-domains-allow"),
        mail_servers: files("mail-servers"),
        apps: files("apps"),
    }
}

fn rules(section: &mut Section<'_, '_>) -> Modes {
    let mut modes = Modes::default();
    for rule in Rule::ALL {
        section.section(rule.name(), |own| {
            if let Some(mode) = own.one("mode", &value::MODE) {
                modes.insert(rule, mode);
            }
        });
    }
    modes
}

fn clusters(section: &mut Section<'_, '_>) -> Clusters {
    Clusters {
        register_size: section
            .one("register-size", &value::REGISTER_SIZE)
            .unwrap_or(Clusters::default().register_size),
    }
}

fn breaker(section: &mut Section<'_, '_>) -> wave::Settings {
    let default = wave::Settings::default();
    wave::Settings {
        highest: section
            .one("highest-step", &value::STEP)
            .unwrap_or(default.highest),
        longest: section
            .one("longest", &value::LONGEST)
            .unwrap_or(default.longest),
        invites: section
            .one("invites", &value::INVITES)
            .unwrap_or(default.invites),
    }
}

fn limits(section: &mut Section<'_, '_>) -> Limits {
    let read = |limit: Limit| {
        let default = limit.default_budget();
        let budget = match section.one(limit.name(), &value::LIMIT) {
            Some(Limited::To(budget)) => budget,
            Some(Limited::Off) => Budget {
                mode: Mode::Off,
                ..default
            },
            None => default,
        };
        (limit, budget)
    };
    Limits(Limit::ALL.map(read).into())
}

fn guards(section: &mut Section<'_, '_>) -> Guards {
    let mut guards = Guards::default();
    for (endpoint, on) in &mut guards.0 {
        *on = section.one(endpoint.name(), &value::BOOL).unwrap_or(*on);
    }
    guards
}

fn log(section: &mut Section<'_, '_>) -> Log {
    Log {
        format: section
            .one("format", &value::LOG_FORMAT)
            .unwrap_or_default(),
        level: section.one("level", &value::LOG_LEVEL).unwrap_or_default(),
    }
}

/// What each key may be by itself, but not together.
fn together(root: &mut Section<'_, '_>, settings: &Settings) {
    for (key, upstream) in [
        ("upstream.address", Some(&settings.upstream.address)),
        ("upstream.streaming", settings.upstream.streaming.as_ref()),
    ] {
        let own = match (upstream, &settings.listen.address) {
            (Some(UpstreamAddress::Tcp(to)), ListenAddress::Tcp(at)) => to == at,
            (Some(UpstreamAddress::Unix(to)), ListenAddress::Unix(at)) => to == at,
            _ => false,
        };
        if own {
            root.conflict(
                key,
                "is the gate's own listen.address, so it would forward to itself",
                "name Mastodon's port here, and let nginx connect to listen.address",
            );
        }
    }
    if let (Some(admin), ListenAddress::Tcp(at)) =
        (settings.admin.address, &settings.listen.address)
        && admin == *at
        // Port 0 is a free port, and a different one each time.
        && admin.port() != 0
    {
        root.conflict(
            "admin.address",
            "is the gate's own listen.address",
            "give the admin listener a port of its own, out of reach of the public",
        );
    }
    webhooks_together(root, settings);
    if let Some(shared) = &settings.store.shared
        && shared.topology == Topology::Single
        && shared.urls.len() > 1
    {
        root.conflict(
            "store.url",
            "names several servers, but store.topology is \"single\"",
            "name one, or write topology = \"cluster\" or \"sentinel\"",
        );
    }
    if settings.breaker.invites == Invites::Pass
        && settings.limits.budget(Limit::SignUpPerInvite).mode == Mode::Off
    {
        root.conflict(
            "limits.sign-up-per-invite",
            "is off, but breaker.invites says \"pass\": one code would let any number in",
            "give it a number, such as \"20/1d\"",
        );
    }
    if settings.bounds.bodies < settings.bounds.body {
        root.conflict(
            "bounds.bodies",
            "is smaller than bounds.body, so the largest allowed body could never be held",
            "make it at least as large, better a hundred times",
        );
    }
}

fn webhooks_together(root: &mut Section<'_, '_>, settings: &Settings) {
    let Webhooks {
        address: Some(address),
        secrets,
        secret_file,
        ..
    } = &settings.webhooks
    else {
        return;
    };
    let listen = match &settings.listen.address {
        ListenAddress::Tcp(at) => Some(*at),
        ListenAddress::Unix(_) => None,
    };
    let taken = listen == Some(*address) || settings.admin.address == Some(*address);
    if taken && address.port() != 0 {
        root.conflict(
            "webhooks.address",
            "is listen.address or admin.address",
            "give the webhook listener a port of its own, which Mastodon's Sidekiq can reach",
        );
    }
    if secrets.is_empty() && secret_file.is_none() {
        root.conflict(
            "webhooks.address",
            "has no secret, so anybody could tell the gate anything",
            "copy the signing secret that Mastodon shows under /admin/webhooks to webhooks.secret or a file named in webhooks.secret-file",
        );
    }
}
