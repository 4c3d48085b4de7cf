//! A real server that a test starts: its words in a log, up when it answers,
//! ended on drop. In the test's own process group, so that a test which is
//! stopped from outside leaves nothing behind.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a condition may take to come true before its test fails: long enough
/// for a machine with ten times more to do than it can.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often a server is started that ends at once.
const TRIES: usize = 8;

/// A running server.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; `log` takes what it says.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        log: PathBuf,
    ) -> io::Result<Self> {
        let file = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .map_err(|fault| io::Error::other(format!("{name}: {fault} (run tests/setup)")))?;
        Ok(Self { name, child, log })
    }

    /// Waits until `ready`, which must ask for something that only this server
    /// can give. An error with the end of its log if it ends before.
    pub(crate) fn until(mut self, mut ready: impl FnMut(&Self) -> bool) -> io::Result<Self> {
        let begun = Instant::now();
        while !ready(&self) {
            if self.child.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                let said = tail(&self.said(), 60);
                return Err(io::Error::other(format!("{}: {said}", self.name)));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(self)
    }

    /// Its log.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Sends a signal by name, such as `STOP` and `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill is there").success(), "{}", self.name);
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // nginx ends its workers itself when told to end, not when killed.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal("TERM");
        }
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(5) && matches!(self.child.try_wait(), Ok(None))
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.kill();
    }
}

/// What `start` starts, on other ports each time, until it comes up.
pub(crate) fn started<T>(mut start: impl FnMut() -> io::Result<T>) -> T {
    for _ in 1..TRIES {
        match start() {
            Ok(up) => return up,
            Err(fault) => eprintln!("it did not start, trying again: {fault}"),
        }
    }
    start().unwrap_or_else(|fault| panic!("it does not start: {fault}"))
}

/// The last of these lines.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let last = all.iter().skip(all.len().saturating_sub(lines));
    last.map(|line| format!("{line}\n")).collect()
}
