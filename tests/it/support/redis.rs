//! A real Redis or Valkey of one test's own: in a folder that goes with it, on
//! a unix socket, or on a port where a test needs one.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

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
    child: Option<Child>,
    folder: tempfile::TempDir,
    arguments: Vec<String>,
    port: u16,
    /// A configuration that the server itself may write to, such as a sentinel's.
    config: Option<PathBuf>,
}

impl Server {
    /// Starts a sentinel that watches `master` as `mymaster`, alone and impatient.
    pub(crate) fn sentinel(make: Make, master: &Self) -> Self {
        let mut server = Self {
            make,
            child: None,
            folder: tempfile::tempdir().expect("a folder"),
            arguments: vec!["--sentinel".to_owned()],
            port: free_port(),
            config: None,
        };
        let config = server.file("sentinel.conf");
        let text = format!(
            "sentinel monitor mymaster 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds mymaster 300\n\
             sentinel failover-timeout mymaster 3000\n",
            master.port
        );
        std::fs::write(&config, text).expect("written");
        server.config = Some(config);
        server.start_again();
        server
    }

    /// Starts one on a unix socket, with more arguments as in redis.conf.
    pub(crate) fn start(make: Make, arguments: &[&str]) -> Self {
        Self::start_on(make, 0, arguments)
    }

    /// Starts one on a port as well, unless that is 0.
    pub(crate) fn start_on(make: Make, port: u16, arguments: &[&str]) -> Self {
        let mut server = Self {
            make,
            child: None,
            folder: tempfile::tempdir().expect("a folder"),
            arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
            port,
            config: None,
        };
        server.start_again();
        server
    }

    /// Starts it again after [`Server::kill`].
    pub(crate) fn start_again(&mut self) {
        let socket = self.socket();
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log");
        let child = Command::new(program(self.make))
            .current_dir(self.folder.path())
            .args(self.config.as_deref())
            .args(["--port", &self.port.to_string()])
            .args(["--unixsocket", &socket.to_string_lossy()])
            .args(["--bind", "127.0.0.1"])
            .args(
                ["--save", "", "--appendonly", "no"]
                    .iter()
                    .filter(|_| self.config.is_none()),
            )
            .args(&self.arguments)
            .stdout(Stdio::from(log))
            .stdin(Stdio::null())
            .spawn()
            .expect("redis-server starts: run tests/setup");
        self.child = Some(child);
        let begun = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it runs");
            child.wait().expect("it ends");
        }
        let _ = std::fs::remove_file(self.socket());
    }

    /// Sends a signal by name, such as `STOP` and `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().expect("it runs").id();
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &pid.to_string()])
            .status();
        assert!(sent.expect("kill is there").success());
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The port, if it has one.
    pub(crate) const fn port(&self) -> u16 {
        self.port
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

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.kill();
        }
    }
}

/// A port that was free a moment ago, and the one ten thousand above it, on
/// which nodes of a cluster speak to each other.
pub(crate) fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that run at once begin at different places.
    let own = u16::try_from(std::process::id() % 700).unwrap_or(0) * 20;
    (0..20_000)
        .map(|_| 20_000 + (own + NEXT.fetch_add(1, Ordering::Relaxed)) % 20_000)
        .find(|port| {
            let free = |port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
            free(*port) && free(port + 10_000)
        })
        .expect("a free port")
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
