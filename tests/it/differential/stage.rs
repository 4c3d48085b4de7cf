//! The gate in front of a recording upstream, and two Rails beside it:
//! Debian 12's and Debian 13's.
//!
//! The gate is the library's own server with its own layer, every rule off but
//! `unreadable`: what it lets through, it has read. The Rails are asked with
//! the very bytes that the gate sent upstream.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use tuskgate::judge::Judge;
use tuskgate::judge::policy::{Limits, Policy};
use tuskgate::lists::Lists;
use tuskgate::mail::dns::{DnsSettings, Resolver};
use tuskgate::proxy::gate::{Access, Bounds, GateLayer};
use tuskgate::store::{Store, StoreSettings};
use tuskgate::verdict::{Mode, Rule};

use super::recorder::Recorder;
use crate::support::gate::{Gate, behind_nginx};
use crate::support::ports::Port;
use crate::support::process::{Process, started};
use crate::support::rails::{command, is_up};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Everything, running.
pub(crate) struct Stage {
    pub(crate) recorder: Recorder,
    pub(crate) gate: SocketAddr,
    pub(crate) rails: [Rails; 2],
    _gate: Gate,
    _control: tokio::runtime::Runtime,
    _folder: TempDir,
}

impl Stage {
    pub(crate) fn start() -> io::Result<Self> {
        let recorder = Recorder::start()?;
        let folder = tempfile::tempdir()?;
        let control = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let layer = {
            let _inside = control.enter();
            layer(folder.path(), control.handle())
        };
        let gate = Gate::with_layer(behind_nginx(recorder.address), layer);
        let rails = Rails::both()?;
        Ok(Self {
            recorder,
            gate: gate.address,
            rails,
            _gate: gate,
            _control: control,
            _folder: folder,
        })
    }
}

fn layer(folder: &Path, control: &tokio::runtime::Handle) -> GateLayer {
    let store = Store::open(&StoreSettings::new(folder.join("store"))).expect("a store");
    let dns = DnsSettings {
        servers: vec![SocketAddr::from(([127, 0, 0, 1], 53))],
        ..DnsSettings::default()
    };
    let resolver = Resolver::new(&dns, control.clone()).expect("a resolver");
    let others = Rule::ALL
        .into_iter()
        .filter(|rule| *rule != Rule::Unreadable);
    let policy = Policy {
        modes: others.map(|rule| (rule, Mode::Off)).collect(),
        limits: Limits::default(),
        ..Policy::default()
    };
    let judge = Judge::new(store, resolver, Lists::empty(), policy, control.clone());
    GateLayer::new(Arc::new(judge), Bounds::default(), Access::Silent)
}

/// A running Rails.
pub(crate) struct Rails {
    pub(crate) name: &'static str,
    pub(crate) address: SocketAddr,
    // In this order: it has ended when its port and its folder go.
    _process: Process,
    _port: Port,
    _folder: TempDir,
}

impl Rails {
    /// Debian 12's and Debian 13's, started at the same time.
    fn both() -> io::Result<[Self; 2]> {
        let trixie = Path::new(ROOT).join("tests/.cache/trixie");
        if !trixie.join("recipe").exists() {
            return Err(io::Error::other(
                "no Debian 13 in tests/.cache/trixie (run tests/setup)",
            ));
        }
        Ok(std::thread::scope(|scope| {
            let old = scope.spawn(|| Self::start("Rails 6.1", None, &std::env::temp_dir()));
            let new = Self::start("Rails 7.2", Some(&trixie), &trixie.join("tmp"));
            [old.join().expect("it comes up"), new]
        }))
    }

    fn start(name: &'static str, root: Option<&Path>, temporary: &Path) -> Self {
        started(|| {
            let folder = tempfile::Builder::new()
                .prefix("tuskgate-rails-")
                .tempdir_in(temporary)?;
            let port = Port::take();
            let mut command = command(port.number(), &folder.path().join("state"));
            if let Some(root) = root {
                command.env("TUSKGATE_RAILS_ROOT", root);
            }
            let process = Process::start(name, &mut command, folder.path().join("log"))?;
            Ok(Self {
                name,
                address: port.address(),
                _process: process.until(is_up)?,
                _port: port,
                _folder: folder,
            })
        })
    }
}
