//! What doctor examines in its tests: a real nginx, the built gate, a scripted
//! Mastodon, the stand-in DNS; on free ports of loopback, ended on drop.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tuskgate::stand_in::dns::{StandInDns, Zone};

use crate::support::nginx;
use crate::support::ports::Port;
use crate::support::process::{Process, started};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What runs.
pub(super) struct Rig {
    // Dropped in this order: nginx, which stands in front, before the gate.
    nginx: Option<(Process, Port)>,
    gate: Option<Process>,
    folder: TempDir,
}

/// What doctor said.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) code: Option<i32>,
    checks: Vec<Value>,
}

impl Said {
    /// The findings of one check.
    pub(super) fn of(&self, check: &str) -> Vec<&Value> {
        let all = self.checks.iter();
        all.filter(|finding| finding["check"] == check).collect()
    }

    pub(super) fn assert(&self, check: &str, level: &str, mend: &str) {
        let found = self.of(check).into_iter().any(|finding| {
            let said = finding["mend"].as_str().unwrap_or_default();
            finding["level"] == level && said.contains(mend)
        });
        assert!(found, "{check} {level} with {mend:?} in {self:#?}");
    }

    /// Checks of that level, by name.
    pub(super) fn all(&self, level: &str) -> Vec<&str> {
        let all = self
            .checks
            .iter()
            .filter(|finding| finding["level"] == level);
        all.filter_map(|finding| finding["check"].as_str())
            .collect()
    }
}

impl Rig {
    /// The gate before `upstream`; `more` is added to its configuration.
    pub(super) fn gate(upstream: SocketAddr, more: &str) -> Self {
        Self::gate_at("127.0.0.1:0", upstream, more)
    }

    /// The gate listening at `listen`, in which FOLDER is the rig's own.
    pub(super) fn gate_at(listen: &str, upstream: SocketAddr, more: &str) -> Self {
        let mut rig = Self::configured(listen, upstream, more);
        let (mut serve, log) = (rig.program(&["serve"]), rig.path("gate.log"));
        let gate = Process::start("gate", &mut serve, log).expect("the built program runs");
        let is_up = |_: &Process| rig.run(&["status"]).status.success();
        let gate = gate.until(is_up).unwrap_or_else(|fault| panic!("{fault}"));
        rig.gate = Some(gate);
        rig
    }

    /// Its configuration alone.
    pub(super) fn without_gate(upstream: SocketAddr, more: &str) -> Self {
        Self::configured("127.0.0.1:0", upstream, more)
    }

    fn configured(listen: &str, upstream: SocketAddr, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path().display();
        let listen = listen.replace("FOLDER", &at.to_string());
        let dns = dns();
        let text = format!(
            "[upstream]\naddress = \"{upstream}\"\n\n[admin]\naddress = \"127.0.0.2:0\"\n\
             socket = \"{at}/admin.sock\"\n\n[store]\npath = \"{at}/store\"\n\n\
             [dns]\nservers = [\"{dns}\"]\n\n[listen]\naddress = \"{listen}\"\nmax-connections = 50\n{more}\n"
        );
        fs::write(folder.path().join("tuskgate.toml"), text).expect("written");
        Self {
            nginx: None,
            gate: None,
            folder,
        }
    }

    /// nginx before the gate: `http` goes into the http block, `location` into
    /// the location, which has the gate as upstream `tuskgate`.
    pub(super) fn with_nginx(mut self, http: &str, location: &str) -> Self {
        let gate = self.listening();
        self.nginx = Some(started(|| {
            let port = Port::take();
            let at = port.address();
            let http = format!(
                "upstream tuskgate {{ server {gate}; }}\n  \
                 map $http_upgrade $tuskgate_connection {{ default upgrade; '' ''; }}\n  {http}\n  \
                 server {{\n    listen {at};\n    location / {{\n      {location}\n    }}\n  }}"
            );
            let nginx = nginx::start(self.folder.path(), at, 64, &http)?;
            Ok((nginx, port))
        }));
        self
    }

    /// Where the gate listens, by its own word.
    pub(super) fn listening(&self) -> SocketAddr {
        let told = self.run(&["status", "--json"]);
        let status: Value = serde_json::from_slice(&told.stdout).expect("a status");
        let listen = status["listen"][0].as_str().expect("an address");
        listen.parse().expect("a tcp address")
    }

    /// nginx's URL.
    pub(super) fn url(&self) -> String {
        let (_, port) = self.nginx.as_ref().expect("nginx was started");
        format!("http://{}", port.address())
    }

    /// Has doctor look at it.
    pub(super) fn doctor(&self, arguments: &[&str]) -> Said {
        let told = self.run(&[&["doctor", "--json"], arguments].concat());
        said(&told)
    }

    /// Doctor through nginx.
    pub(super) fn through_nginx(&self, arguments: &[&str]) -> Said {
        let url = self.url();
        self.doctor(&[&["--url", &url, "--host", "social.example"], arguments].concat())
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.program(arguments)
            .output()
            .expect("the built program runs")
    }

    /// The built program on this configuration.
    pub(super) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tuskgate"));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.path("tuskgate.toml"))
            .stdin(Stdio::null());
        command
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Reads doctor's report.
pub(super) fn said(told: &Output) -> Said {
    let report: Value = serde_json::from_slice(&told.stdout)
        .unwrap_or_else(|fault| panic!("{fault}: {}", String::from_utf8_lossy(&told.stderr)));
    Said {
        code: told.status.code(),
        checks: report["checks"].as_array().expect("a list").clone(),
    }
}

/// The location as shipped.
pub(super) fn shipped() -> String {
    let file = Path::new(ROOT).join("deploy/nginx/tuskgate-proxy.conf");
    format!("include {};", file.display())
}

/// A name server that knows where well-known domains have their mail.
fn dns() -> SocketAddr {
    let (told, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let mut zone = Zone::new();
            for domain in ["gmail.com", "outlook.com", "yahoo.com", "icloud.com"] {
                let host = format!("mx.{domain}");
                zone.mx(domain, 10, &host).ip(&host, [198, 51, 100, 25]);
            }
            let dns = StandInDns::start(zone).await.expect("a free port");
            told.send(dns.address()).expect("somebody waits");
            std::future::pending::<()>().await;
        });
    });
    address.recv().expect("it starts")
}
