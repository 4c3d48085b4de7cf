//! The whole chain with real parts, started on free ports and ended on drop:
//! nginx with the snippets we ship, the built gate, Puma with the Rails
//! application of `tests/rails`, and dnsmasq as the name server the gate asks.
//!
//! `Chain::direct` leaves the gate out: what passes there and fails through the
//! gate is the gate's doing. Each part writes a log in the chain's folder; when
//! the test panics, their ends are printed. Nothing listens beyond loopback.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::caller::{Caller, Encoding};

/// How long one part may take to come up on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How often the whole is tried when another program takes a port first.
const TRIES: usize = 4;
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// One name in the made-up zone.
#[derive(Clone, Debug)]
pub(crate) enum Record {
    /// The mail of `domain` goes to `host`.
    Mx { domain: String, host: String },
    /// `name` is at `ip`.
    Address { name: String, ip: IpAddr },
}

impl Record {
    pub(crate) fn mx(domain: &str, host: &str) -> Self {
        Self::Mx {
            domain: domain.to_owned(),
            host: host.to_owned(),
        }
    }

    /// The line in the name server's configuration.
    fn line(&self) -> String {
        match self {
            Self::Mx { domain, host } => format!("mx-host={domain},{host},10"),
            Self::Address { name, ip } => format!("host-record={name},{ip}"),
        }
    }

    pub(crate) fn address(name: &str, ip: impl Into<IpAddr>) -> Self {
        Self::Address {
            name: name.to_owned(),
            ip: ip.into(),
        }
    }
}

/// What stands between nginx and Rails.
enum Between<'a> {
    Nothing,
    Gate { zone: &'a [Record], more: &'a str },
}

/// A running chain.
pub(crate) struct Chain {
    // Dropped in this order: the front first, the folder last.
    parts: Vec<Part>,
    /// Where clients connect: nginx.
    pub(crate) entry: SocketAddr,
    /// Rails itself, for what tests ask behind the gate's back.
    pub(crate) rails: SocketAddr,
    folder: TempDir,
}

impl Chain {
    /// nginx → Rails.
    pub(crate) fn direct() -> Self {
        Self::start(&Between::Nothing)
    }

    /// nginx → gate → Rails, the gate asking a name server that knows `zone`.
    /// `more` is TOML added to the configuration; tables already there are
    /// `listen`, `upstream`, `admin`, `store` and `dns`.
    pub(crate) fn gated(zone: &[Record], more: &str) -> Self {
        Self::start(&Between::Gate { zone, more })
    }

    fn start(between: &Between<'_>) -> Self {
        for left in (0..TRIES).rev() {
            match Self::try_start(between) {
                Ok(chain) => return chain,
                Err(fault) if left == 0 => panic!("the chain did not start: {fault}"),
                Err(fault) => eprintln!("the chain did not start, trying again: {fault}"),
            }
        }
        unreachable!("the last try returns or panics")
    }

    fn try_start(between: &Between<'_>) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("tuskgate-chain-")
            .tempdir()?;
        let (entry, rails, dns) = (free_port()?, free_port()?, free_port()?);
        let mut chain = Self {
            parts: Vec::new(),
            entry,
            rails,
            folder,
        };
        chain.start_rails()?;
        match between {
            Between::Nothing => chain.start_nginx(&direct_site(rails))?,
            Between::Gate { zone, more } => {
                chain.start_dnsmasq(dns, zone)?;
                chain.start_gate(dns, more)?;
                chain.start_nginx(&shipped_site(&chain.path("gate.sock"))?)?;
            }
        }
        // The front, started last, goes first.
        chain.parts.reverse();
        Ok(chain)
    }

    /// A client seen as `from`.
    pub(crate) fn caller(&self, from: impl Into<IpAddr>) -> Caller {
        Caller::new(self.entry, Some(from.into()))
    }

    /// What came to be at Rails.
    pub(crate) fn state(&self) -> Value {
        let answer = Caller::new(self.rails, None).get("/__state?journal=1");
        answer.expect("Rails tells its state").json()
    }

    /// Confirms an address, as the link in the mail would.
    pub(crate) fn confirm(&self, email: &str) {
        let answer = Caller::new(self.rails, None).post(
            "/__confirm",
            Encoding::Urlencoded,
            &[("email", email)],
            None,
        );
        assert_eq!(
            answer.expect("Rails confirms").status,
            200,
            "no such person: {email}"
        );
    }

    /// Runs a verb of the gate against this chain's configuration.
    pub(crate) fn tuskgate(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_tuskgate"))
            .args(arguments)
            .arg("--config")
            .arg(self.path("tuskgate.toml"))
            .output()
            .expect("the built program runs")
    }

    /// A file in the chain's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The log of one part: `nginx`, `gate`, `rails`, `dnsmasq`.
    pub(crate) fn log(&self, part: &str) -> String {
        fs::read_to_string(self.path(&format!("{part}.log"))).unwrap_or_default()
    }

    fn start_rails(&mut self) -> io::Result<()> {
        let mut command = Command::new(Path::new(ROOT).join("tests/rails/start"));
        command
            .arg(self.rails.port().to_string())
            .arg(self.path("rails"));
        command.env("TUSKGATE_RAILS_URL", format!("http://{}", self.entry));
        self.run("rails", command, |chain| {
            chain.log("rails").contains("\nready ")
        })
    }

    fn start_dnsmasq(&mut self, at: SocketAddr, zone: &[Record]) -> io::Result<()> {
        let mut text = format!(
            "port={}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\nlocal-ttl=60\naddress=/#/\nuser=root\npid-file={}\n",
            at.port(),
            self.path("dnsmasq.pid").display()
        );
        // Each once: a server may stand for many domains.
        let records: BTreeSet<String> = zone.iter().map(Record::line).collect();
        for record in records {
            let _ = writeln!(text, "{record}");
        }
        fs::write(self.path("dnsmasq.conf"), text)?;
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command.arg("--keep-in-foreground").arg(format!(
            "--conf-file={}",
            self.path("dnsmasq.conf").display()
        ));
        self.run("dnsmasq", command, move |_| TcpStream::connect(at).is_ok())
    }

    fn start_gate(&mut self, dns: SocketAddr, more: &str) -> io::Result<()> {
        let folder = self.folder.path().display();
        let text = format!(
            "[listen]\naddress = \"unix:{folder}/gate.sock\"\n\n\
             [upstream]\naddress = \"{rails}\"\n\n\
             [admin]\naddress = \"127.0.0.1:0\"\nsocket = \"{folder}/admin.sock\"\n\n\
             [store]\npath = \"{folder}/store\"\n\n\
             [dns]\nservers = [\"{dns}\"]\n\n{more}\n",
            rails = self.rails,
        );
        fs::write(self.path("tuskgate.toml"), text)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_tuskgate"));
        command
            .args(["serve", "--config"])
            .arg(self.path("tuskgate.toml"));
        self.run("gate", command, |chain| {
            UnixStream::connect(chain.path("gate.sock")).is_ok()
        })
    }

    fn start_nginx(&mut self, site: &str) -> io::Result<()> {
        let folder = self.folder.path().display().to_string();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("  {kind}_temp_path {folder}/nginx-{kind};\n"))
            .collect();
        let text = format!(
            "user root;\nworker_processes 1;\ndaemon off;\npid {folder}/nginx.pid;\nerror_log stderr warn;\n\
             events {{ worker_connections 8192; }}\n\
             http {{\n  access_log off;\n  client_max_body_size 99m;\n{temporary}  {}\n}}\n",
            site.replace("LISTEN", &self.entry.to_string())
        );
        fs::write(self.path("nginx.conf"), text)?;
        let mut command = Command::new("/usr/sbin/nginx");
        command
            .arg("-c")
            .arg(self.path("nginx.conf"))
            .args(["-e", "stderr"]);
        let entry = self.entry;
        self.run("nginx", command, move |_| TcpStream::connect(entry).is_ok())
    }

    /// Starts one part in a process group of its own and waits until `ready`.
    fn run(
        &mut self,
        name: &'static str,
        mut command: Command,
        ready: impl Fn(&Self) -> bool,
    ) -> io::Result<()> {
        let log = File::create(self.path(&format!("{name}.log")))?;
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0);
        let child = command
            .spawn()
            .map_err(|fault| io::Error::other(format!("{name}: {fault} (run tests/setup)")))?;
        self.parts.push(Part { name, child });
        let give_up = Instant::now() + START;
        while !ready(self) {
            let ended = self
                .parts
                .last_mut()
                .and_then(|part| part.child.try_wait().transpose());
            if ended.is_some() || Instant::now() > give_up {
                return Err(io::Error::other(format!(
                    "{name}: {}",
                    tail(&self.log(name), 20)
                )));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["nginx", "gate", "dnsmasq", "rails", "rails/rails"] {
                eprintln!("--- {name}\n{}", tail(&self.log(name), 60));
            }
        }
        self.parts.clear();
    }
}

/// One process and those it started.
struct Part {
    name: &'static str,
    child: Child,
}

impl Part {
    fn signal(&self, signal: &str) {
        // The shell's own: a process group has no other door without unsafe code.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill")
            .args([signal, "--", &group])
            .stderr(Stdio::null())
            .status();
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.signal("-TERM");
        let give_up = Instant::now() + Duration::from_secs(5);
        while Instant::now() < give_up && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        self.signal("-KILL");
        if let Err(fault) = self.child.wait() {
            eprintln!("{} did not end: {fault}", self.name);
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// nginx straight to Rails, with what Mastodon's own site file sends along.
fn direct_site(rails: SocketAddr) -> String {
    site(
        &format!("upstream tuskgate {{ server {rails}; keepalive 32; }}"),
        "proxy_pass http://tuskgate;\n      proxy_http_version 1.1;\n      proxy_set_header Host $host;\n      \
         proxy_set_header X-Real-IP $remote_addr;\n      proxy_set_header X-Forwarded-For $remote_addr;\n      \
         proxy_set_header X-Forwarded-Proto $scheme;\n      proxy_set_header Proxy \"\";\n      \
         proxy_set_header Upgrade $http_upgrade;\n      proxy_set_header Connection $tuskgate_connection;\n      \
         proxy_request_buffering off;",
        "map $http_upgrade $tuskgate_connection { default upgrade; '' ''; }",
    )
}

/// The two include files as shipped; only the gate's own address is the test's.
fn shipped_site(socket: &Path) -> io::Result<String> {
    let shipped = Path::new(ROOT).join("deploy/nginx");
    let upstream: String = fs::read_to_string(shipped.join("tuskgate-upstream.conf"))?
        .lines()
        .map(|line| match line.trim_start().strip_prefix("server ") {
            Some(rest) => {
                let options = rest
                    .split_once([' ', ';'])
                    .map_or("", |(_, options)| options);
                format!(
                    "    server unix:{} {};\n",
                    socket.display(),
                    options.trim_end_matches(';')
                )
            }
            None => format!("{line}\n"),
        })
        .collect();
    Ok(site(
        &upstream,
        &format!("include {};", shipped.join("tuskgate-proxy.conf").display()),
        "",
    ))
}

fn site(upstream: &str, proxy: &str, more: &str) -> String {
    format!(
        "{more}\n  {upstream}\n  server {{\n    listen LISTEN;\n    server_name _;\n    \
         set_real_ip_from 127.0.0.1;\n    real_ip_header X-Test-Client;\n    \
         location / {{\n      {proxy}\n    }}\n    \
         location ^~ /api/v1/streaming {{\n      {proxy}\n      proxy_buffering off;\n    }}\n  }}"
    )
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all.iter()
        .skip(all.len().saturating_sub(lines))
        .map(|line| format!("{line}\n"))
        .collect()
}
