//! What doctor examines in its tests: a real nginx, the built gate, a scripted
//! Mastodon, the stand-in DNS; on free ports of loopback, ended on drop.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tuskgate::stand_in::dns::{StandInDns, Zone};

const PATIENCE: Duration = Duration::from_secs(30);
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What runs.
pub(super) struct Rig {
    parts: Vec<Child>,
    nginx: Option<SocketAddr>,
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
        let log = rig.log("gate");
        let gate = rig
            .program(&["serve"])
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn();
        rig.parts.push(gate.expect("the built program runs"));
        let socket = rig.path("admin.sock");
        rig.wait("gate", || socket.exists());
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
            parts: Vec::new(),
            nginx: None,
            folder,
        }
    }

    /// nginx before the gate: `http` goes into the http block, `location` into
    /// the location, which has the gate as upstream `tuskgate`.
    pub(super) fn with_nginx(mut self, http: &str, location: &str) -> Self {
        let gate = self.listening();
        for _ in 0..4 {
            let at = free_port();
            let folder = self.folder.path().display().to_string();
            let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                .map(|kind| format!("  {kind}_temp_path {folder}/nginx-{kind};\n"))
                .concat();
            let text = format!(
                "user root;\nworker_processes 1;\ndaemon off;\npid {folder}/nginx.pid;\n\
                 error_log stderr warn;\nevents {{ worker_connections 64; }}\nhttp {{\n  access_log off;\n\
                 {temporary}  upstream tuskgate {{ server {gate}; }}\n  \
                 map $http_upgrade $tuskgate_connection {{ default upgrade; '' ''; }}\n  {http}\n  \
                 server {{\n    listen {at};\n    location / {{\n      {location}\n    }}\n  }}\n}}\n"
            );
            fs::write(self.path("nginx.conf"), text).expect("written");
            let mut command = Command::new("/usr/sbin/nginx");
            command
                .arg("-c")
                .arg(self.path("nginx.conf"))
                .args(["-e", "stderr"]);
            let log = self.log("nginx");
            let child = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn();
            self.parts
                .push(child.expect("nginx is installed (tests/setup)"));
            if self.came_up(at) {
                self.nginx = Some(at);
                return self;
            }
            // Somebody took the port: another one.
        }
        panic!("nginx does not start:\n{}", self.read("nginx"));
    }

    fn came_up(&mut self, at: SocketAddr) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if TcpStream::connect(at).is_ok() {
                return true;
            }
            let last = self.parts.last_mut().expect("just started");
            if !matches!(last.try_wait(), Ok(None)) {
                self.parts.pop();
                return false;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
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
        format!("http://{}", self.nginx.expect("nginx was started"))
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

    fn log(&self, name: &str) -> File {
        File::create(self.path(&format!("{name}.log"))).expect("a file")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default()
    }

    fn wait(&self, name: &str, ready: impl Fn() -> bool) {
        let begun = Instant::now();
        while !ready() {
            assert!(begun.elapsed() < PATIENCE, "{name}:\n{}", self.read(name));
            std::thread::sleep(Duration::from_millis(10));
        }
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

fn free_port() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("bound")
}

impl Drop for Rig {
    fn drop(&mut self) {
        for part in self.parts.iter_mut().rev() {
            let id = part.id().to_string();
            // nginx ends its worker itself when told so, not when killed.
            let _ = Command::new("kill").args(["-TERM", &id]).status();
            let begun = Instant::now();
            while matches!(part.try_wait(), Ok(None)) && begun.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = part.kill();
            let _ = part.wait();
        }
    }
}
