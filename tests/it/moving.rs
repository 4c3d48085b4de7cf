//! An upstream behind a host name that moves, as a container's does: the built
//! binary, the system's resolver, and a hosts file that changes under it.
//! Debian's nss_wrapper lets that file be the test's own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::judged::{ANA, wait_until};
use crate::support::program::{Program, stage};

const NAME: &str = "web.mastodon.example";

/// An upstream that says where it is and keeps no connection, until dropped.
struct Place {
    address: SocketAddr,
    gone: Arc<AtomicBool>,
    serving: Option<JoinHandle<()>>,
}

impl Place {
    fn open(at: [u8; 4], port: u16) -> Self {
        let ip = Ipv4Addr::from(at);
        let listener = TcpListener::bind((ip, port)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let gone = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&gone);
        let serving = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::Relaxed) {
                    return;
                }
                // Who hangs up is asked no further.
                let _ = stream.and_then(|stream| answer(stream, &ip.to_string()));
            }
        });
        Self {
            address,
            gone,
            serving: Some(serving),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        let ended = self.serving.take().map(JoinHandle::join);
        assert!(ended.is_none_or(|ended| ended.is_ok()));
    }
}

fn answer(mut stream: TcpStream, text: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let length = text.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}"
    )
}

/// What the system's resolver of the gate knows.
struct Hosts {
    file: PathBuf,
    version: u64,
}

impl Hosts {
    fn new(folder: &Path) -> Self {
        let file = folder.join("hosts");
        Self { file, version: 0 }
    }

    /// The name is at `place` from now on, or nowhere.
    fn lead_to(&mut self, place: Option<&Place>) {
        let line = place.map(|place| format!("{} {NAME}\n", place.address.ip()));
        let text = format!("127.0.0.1 localhost\n{}", line.unwrap_or_default());
        let new = self.file.with_extension("new");
        fs::write(&new, text).expect("a writable folder");
        // The library tells a new file by its seconds.
        self.version += 10;
        let written = UNIX_EPOCH + Duration::from_secs(self.version);
        let file = File::options().write(true).open(&new).expect("just made");
        file.set_modified(written).expect("our own file");
        fs::rename(new, &self.file).expect("a writable folder");
    }

    fn environment(&self, port: u16) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("LD_PRELOAD", library()),
            ("NSS_WRAPPER_HOSTS", self.file.clone()),
            ("TUSKGATE_UPSTREAM_ADDRESS", format!("{NAME}:{port}").into()),
        ]
    }
}

fn library() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").expect("a system with libraries");
    let there = folders
        .flatten()
        .map(|folder| folder.path().join("libnss_wrapper.so"))
        .find(|library| library.exists());
    there.expect("no libnss_wrapper: run tests/setup")
}

#[test]
fn a_name_is_followed_and_its_last_addresses_are_kept() {
    let stage = stage();
    let first = Place::open([127, 0, 0, 2], 0);
    let port = first.address.port();
    let second = Place::open([127, 0, 0, 3], port);
    let mut program = Program::idle(&stage, "", "");
    let mut hosts = Hosts::new(program.folder());
    hosts.lead_to(Some(&first));
    program.environment = hosts.environment(port);
    program.serve(&[]);
    let ask = || {
        let answer = program.person(ANA).get("/about");
        (answer.status, answer.text().to_owned())
    };
    assert_eq!(ask(), (200, "127.0.0.2".to_owned()));

    // It moves, and the old place is gone: at once, and nobody sees an error.
    hosts.lead_to(Some(&second));
    drop(first);
    assert_eq!(ask(), (200, "127.0.0.3".to_owned()));

    // The name server has forgotten it: the last known place is kept.
    hosts.lead_to(None);
    wait_until("it is looked up again", || {
        assert_eq!(ask(), (200, "127.0.0.3".to_owned()));
        std::thread::sleep(Duration::from_millis(50));
        program.log().contains("does not resolve")
    });
    assert_eq!(ask(), (200, "127.0.0.3".to_owned()));

    // It moves while the old place still answers: followed within seconds.
    let first = Place::open([127, 0, 0, 2], port);
    hosts.lead_to(Some(&first));
    wait_until("it is followed", || {
        std::thread::sleep(Duration::from_millis(50));
        let (status, place) = ask();
        assert_eq!(status, 200);
        place == "127.0.0.2"
    });
}
