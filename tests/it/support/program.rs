//! The built binary as an admin runs it: a configuration file in a folder of
//! its own, `serve` on free ports, and the verbs beside it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::caller::{Answer, Caller};
use super::judged::{Person, Stage, wait_until};

/// The binary.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_tuskgate");

/// A folder with a configuration, and perhaps a gate running on it.
pub(crate) struct Program {
    // First, so that the gate ends before its folder goes.
    running: Option<Running>,
    folder: TempDir,
    /// Told to the gate alone, when it is started.
    pub(crate) environment: Vec<(&'static str, PathBuf)>,
}

struct Running {
    child: Child,
    status: Value,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The head of a configuration for `stage` in `folder`, on free ports.
fn configuration(folder: &Path, stage: &Stage, more: &str) -> String {
    let mut text = String::new();
    let (upstream, dns) = (stage.mastodon.address(), stage.dns.address());
    let folder = folder.display();
    let _ = write!(
        text,
        "{more}\n[listen]\naddress = \"127.0.0.1:0\"\nworkers = 1\n\
         [upstream]\naddress = \"{upstream}\"\n\
         [admin]\naddress = \"127.0.0.1:0\"\nsocket = \"{folder}/admin.sock\"\n\
         [store]\npath = \"{folder}/store\"\n\
         [dns]\nservers = [\"{dns}\"]\n"
    );
    text
}

impl Program {
    /// A configuration, and nothing running. `top` goes before the first table.
    pub(crate) fn idle(stage: &Stage, top: &str, tables: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let text = configuration(folder.path(), stage, top) + tables;
        let program = Self {
            running: None,
            folder,
            environment: Vec::new(),
        };
        program.write(&text);
        program
    }

    /// The same, serving.
    pub(crate) fn serving(stage: &Stage, top: &str, tables: &str) -> Self {
        let mut program = Self::idle(stage, top, tables);
        program.serve(&[]);
        program
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder().join("tuskgate.toml")
    }

    pub(crate) fn write(&self, text: &str) {
        fs::write(self.config(), text).expect("a writable folder");
    }

    pub(crate) fn written(&self) -> String {
        fs::read_to_string(self.config()).expect("the configuration")
    }

    fn log_file(&self) -> PathBuf {
        self.folder().join("log")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// Starts `serve` and waits until it says where it listens.
    pub(crate) fn serve(&mut self, arguments: &[&str]) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("a writable folder");
        let child = self
            .command("serve")
            .args(arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let status = Value::Null;
        self.running = Some(Running { child, status });
        let began = Instant::now();
        loop {
            let said = self.verb(&["status", "--json"]);
            if said.status.success() {
                let status = serde_json::from_slice(&said.stdout).expect("JSON");
                self.running_mut().status = status;
                return;
            }
            let ended = self.running_mut().child.try_wait().expect("a child");
            let late = began.elapsed() > super::PATIENCE;
            assert!(ended.is_none() && !late, "not up: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn running_mut(&mut self) -> &mut Running {
        self.running.as_mut().expect("it was started")
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.arg(verb).arg("--config").arg(self.config());
        command.env_remove("RUST_LOG").env("NO_COLOR", "1");
        command
    }

    /// Runs a verb to its end.
    pub(crate) fn verb(&self, arguments: &[&str]) -> Output {
        let (verb, rest) = arguments.split_first().expect("a verb");
        let mut command = self.command(verb);
        command.args(rest).output().expect("the binary runs")
    }

    /// Runs a verb that must succeed; what it printed.
    pub(crate) fn does(&self, arguments: &[&str]) -> String {
        let output = self.verb(arguments);
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("text")
    }

    /// Runs a verb that must fail; its exit code and what it said.
    pub(crate) fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.verb(arguments);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        let said = String::from_utf8(output.stderr).expect("text");
        (output.status.code().expect("an exit code"), said)
    }

    fn status_address(&self, value: &Value) -> SocketAddr {
        let text = value.as_str().expect("an address");
        text.parse().expect("an address")
    }

    /// Where clients come in.
    pub(crate) fn address(&self) -> SocketAddr {
        let running = self.running.as_ref().expect("it was started");
        self.status_address(&running.status["listen"][0])
    }

    pub(crate) fn person(&self, from: &str) -> Person {
        Person::new(self.address(), from)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.running.as_ref().expect("it was started").child.id()
    }

    /// Where the admin listener is.
    pub(crate) fn admin_address(&self) -> SocketAddr {
        let running = self.running.as_ref().expect("it was started");
        self.status_address(&running.status["admin"])
    }

    /// An answer of the admin listener.
    pub(crate) fn admin(&self, path: &str) -> Answer {
        let mut caller = Caller::new(self.admin_address(), None);
        caller.get(path).expect("an answer")
    }

    /// Sends a signal by name, such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits for the gate to end by itself.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("it was started");
        let mut ended = None;
        wait_until("the gate ends", || {
            ended = running.child.try_wait().expect("a child");
            ended.is_some()
        });
        ended.expect("just seen")
    }

    /// Kills it as a power cut would.
    pub(crate) fn cut(&mut self) {
        self.signal("KILL");
        self.ended();
    }
}

/// The stand-ins with the usual zone.
pub(crate) fn stage() -> Stage {
    Stage::new(super::judged::zone())
}

/// One value for each line of JSON that a verb printed.
pub(crate) fn lines(text: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).expect("JSON");
    text.lines().map(read).collect()
}
