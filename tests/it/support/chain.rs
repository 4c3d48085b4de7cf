//! The whole chain with real parts, started on free ports and ended on drop:
//! nginx with the snippets we ship, the built gate, Puma with the Rails
//! application of `tests/rails`, and dnsmasq as the name server the gate asks.
//!
//! `Chain::direct` leaves the gate out: what passes there and fails through the
//! gate is the gate's doing. Each part writes a log in the chain's folder; when
//! the test panics, their ends are printed. Nothing listens beyond loopback.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::caller::{Caller, Encoding};
use super::dnsmasq::Dnsmasq;
use super::nginx;
use super::ports::Port;
use super::process::{Process, started, tail};
use super::rails;

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
    parts: Vec<Process>,
    dns: Option<Dnsmasq>,
    _ports: [Port; 2],
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
        started(|| Self::try_start(between))
    }

    fn try_start(between: &Between<'_>) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("tuskgate-chain-")
            .tempdir()?;
        let ports = [Port::take(), Port::take()];
        let [entry, rails] = [ports[0].address(), ports[1].address()];
        let mut chain = Self {
            parts: Vec::new(),
            dns: None,
            _ports: ports,
            entry,
            rails,
            folder,
        };
        chain.start_rails()?;
        match between {
            Between::Nothing => chain.start_nginx(&direct_site(rails))?,
            Between::Gate { zone, more } => {
                let dns = chain.start_dnsmasq(zone);
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
        let url = format!("http://{}", self.entry);
        let mut command = rails::command(self.rails.port(), &self.path("rails"));
        command.env("TUSKGATE_RAILS_URL", url);
        let rails = Process::start("rails", &mut command, self.path("rails.log"))?;
        self.parts.push(rails.until(rails::is_up)?);
        Ok(())
    }

    fn start_dnsmasq(&mut self, zone: &[Record]) -> SocketAddr {
        // Each once: a server may stand for many domains.
        let records: BTreeSet<String> = zone.iter().map(Record::line).collect();
        let lines: Vec<String> = records.into_iter().collect();
        let lines = format!("address=/#/\n{}", lines.join("\n"));
        let dns = self.dns.insert(Dnsmasq::start(self.folder.path(), &lines));
        dns.address()
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
        let gate = Process::start("gate", &mut command, self.path("gate.log"))?;
        let gate = gate.until(|_| self.tuskgate(&["status"]).status.success())?;
        self.parts.push(gate);
        Ok(())
    }

    fn start_nginx(&mut self, site: &str) -> io::Result<()> {
        let http = format!("client_max_body_size 99m;\n  {site}")
            .replace("LISTEN", &self.entry.to_string());
        let nginx = nginx::start(self.folder.path(), self.entry, 8192, &http)?;
        self.parts.push(nginx);
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
