//! A real Redis or Valkey of one test's own: in a folder that goes with it, on
//! a unix socket, or on a port where a test needs one.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::ports::Port;
use super::process::{PATIENCE, Process, started};

/// Whose server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Make {
    /// Debian 12's.
    Redis,
    /// Debian 13's, unpacked by tests/setup.
    Valkey,
}

/// A running server; killed when dropped.
#[derive(Debug)]
pub(crate) struct Server {
    make: Make,
    process: Option<Process>,
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    /// Beside its unix socket, if it has one.
    port: Option<Port>,
    /// A configuration that the server itself may write to, such as a sentinel's.
    config: Option<PathBuf>,
    /// The network namespace it runs in, if it is not ours.
    space: Option<String>,
}

impl Server {
    fn new(make: Make, arguments: &[&str]) -> Self {
        Self {
            make,
            process: None,
            folder: tempfile::tempdir().expect("a folder"),
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            port: None,
            config: None,
            space: None,
        }
    }

    /// Starts one in another network namespace, on the usual port of `address`.
    pub(crate) fn start_within(space: &str, address: &str) -> Self {
        let mut server = Self::new(Make::Redis, &["--bind", address, "--protected-mode", "no"]);
        server.space = Some(space.to_owned());
        server.start_again();
        server
    }

    /// Starts a sentinel that watches `master` as `mymaster`, alone and impatient.
    pub(crate) fn sentinel(make: Make, master: &Self) -> Self {
        started(|| {
            let mut server = Self::new(make, &["--sentinel"]);
            let config = server.file("sentinel.conf");
            let text = format!(
                "sentinel monitor mymaster 127.0.0.1 {} 1\n\
                 sentinel down-after-milliseconds mymaster 300\n\
                 sentinel failover-timeout mymaster 3000\n",
                master.port()
            );
            std::fs::write(&config, text)?;
            server.config = Some(config);
            server.port = Some(Port::take());
            server.come_up()?;
            Ok(server)
        })
    }

    /// Starts one on a unix socket, with more arguments as in redis.conf.
    pub(crate) fn start(make: Make, arguments: &[&str]) -> Self {
        let mut server = Self::new(make, arguments);
        server.start_again();
        server
    }

    /// Starts one on a port as well.
    pub(crate) fn start_on_a_port(make: Make, arguments: &[&str]) -> Self {
        started(|| {
            let mut server = Self::new(make, arguments);
            server.port = Some(Port::take());
            server.come_up()?;
            Ok(server)
        })
    }

    /// Starts it again after [`Server::kill`].
    pub(crate) fn start_again(&mut self) {
        self.come_up().unwrap_or_else(|fault| panic!("{fault}"));
    }

    fn come_up(&mut self) -> io::Result<()> {
        let socket = self.socket();
        let mut command = match &self.space {
            None => Command::new(program(self.make)),
            Some(space) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", space]);
                command.arg(program(self.make));
                command
            }
        };
        let port = match (&self.port, &self.space) {
            (Some(port), _) => port.number(),
            (None, Some(_)) => 6379,
            (None, None) => 0,
        };
        command
            .current_dir(self.folder.path())
            .args(self.config.as_deref())
            .args(["--port", &port.to_string()])
            .args(["--unixsocket", &socket.to_string_lossy()])
            .args(["--bind", "127.0.0.1"])
            .args(
                ["--save", "", "--appendonly", "no"]
                    .iter()
                    .filter(|_| self.config.is_none()),
            )
            .args(&self.arguments);
        let server = Process::start("redis", &mut command, self.folder.path().join("log"))?;
        self.process = Some(server.until(|_| answers(&socket))?);
        Ok(())
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill();
        }
        let _ = std::fs::remove_file(self.socket());
    }

    /// Sends a signal by name, such as `STOP` and `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        self.process.as_ref().expect("it runs").signal(name);
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port.as_ref().expect("it has a port").number()
    }

    /// Asks it something, as redis-cli would.
    pub(crate) fn ask(&self, words: &[&str]) -> String {
        let asked = Command::new("redis-cli")
            .arg("-s")
            .arg(self.socket())
            .args(words)
            .output();
        let answer = asked.expect("redis-cli is there: run tests/setup");
        String::from_utf8_lossy(&answer.stdout).trim().to_owned()
    }

    /// A file in its folder, which is made anew for each server.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not asked to end: it may be stopped.
        self.kill();
    }
}

/// Whether the server behind this socket, which is nobody else's, takes orders:
/// it may want a password first.
fn answers(socket: &Path) -> bool {
    let ask = || {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"PING\r\n")?;
        let mut reply = [0; 8];
        let length = stream.read(&mut reply)?;
        Ok::<_, io::Error>(
            reply
                .get(..length)
                .is_some_and(|reply| reply.starts_with(b"+PONG") || reply.starts_with(b"-NOAUTH")),
        )
    };
    ask().unwrap_or(false)
}

fn program(make: Make) -> PathBuf {
    match make {
        Make::Redis => "redis-server".into(),
        Make::Valkey => {
            let ours =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/.cache/valkey/valkey-server");
            assert!(ours.exists(), "no {}: run tests/setup", ours.display());
            ours
        }
    }
}
