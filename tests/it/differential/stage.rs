//! The gate in front of a recording upstream, and two Rails beside it:
//! Debian 12's and Debian 13's.
//!
//! The gate is the library's own server with its own layer, every rule off but
//! `unreadable`: what it lets through, it has read. The Rails are asked with
//! the very bytes that the gate sent upstream.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

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

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// How long Rails may take to come up on a busy machine.
const START: Duration = Duration::from_secs(60);

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
        modes: others
            .map(|rule| (rule, Mode::Off))
            .collect::<BTreeMap<_, _>>(),
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
    child: Child,
    folder: TempDir,
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
        let mut both = [
            Self::start("Rails 6.1", None, &std::env::temp_dir())?,
            Self::start("Rails 7.2", Some(&trixie), &trixie.join("tmp"))?,
        ];
        for rails in &mut both {
            rails.wait()?;
        }
        Ok(both)
    }

    fn start(name: &'static str, root: Option<&Path>, temporary: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("tuskgate-rails-")
            .tempdir_in(temporary)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let log = File::create(folder.path().join("log"))?;
        let mut command = Command::new(Path::new(ROOT).join("tests/rails/start"));
        command
            .arg(address.port().to_string())
            .arg(folder.path().join("state"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        if let Some(root) = root {
            command.env("TUSKGATE_RAILS_ROOT", root);
        }
        let child = command.spawn()?;
        Ok(Self {
            name,
            address,
            child,
            folder,
        })
    }

    fn wait(&mut self) -> io::Result<()> {
        let give_up = Instant::now() + START;
        loop {
            let told = std::fs::read_to_string(self.log()).unwrap_or_default();
            if told.contains("\nready ") {
                return Ok(());
            }
            if Instant::now() > give_up || self.child.try_wait()?.is_some() {
                return Err(io::Error::other(format!(
                    "{} did not start: {told}",
                    self.name
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

impl Drop for Rails {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        // The shell's own: a process group has no other door without unsafe code.
        let _ = Command::new("kill")
            .args(["-KILL", "--", &group])
            .stderr(Stdio::null())
            .status();
        let _ = self.child.wait();
    }
}
