//! The built binary at its bounds, seen from outside: open files, memory for
//! idle clients, memory for bodies of 99 MB.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use crate::support::judged::wait_until;
use crate::support::program::{Program, stage};

const MIB: usize = 1 << 20;
const BODY: usize = 99 * MIB;
/// What a binary that holds no body may grow by: two directions' buffers, the
/// allocator's slack, and pages of its own file that it has not needed before,
/// which in a debug build are many. One that holds a body grows by [`BODY`].
const GROWTH_KIB: usize = 24 << 10;
const ASK: &[u8] = b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n";

/// A number of `/proc/PID/status`, in KiB.
fn kib(pid: u32, name: &str) -> usize {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let mut lines = status.lines();
    let line = lines.find(|line| line.starts_with(name)).expect("a line");
    let kib = line.split_whitespace().nth(1).expect("a number");
    kib.parse().expect("a number")
}

/// A metric without labels, or with those in `name`.
fn metric(gate: &Program, name: &str) -> u64 {
    let page = gate.admin("/metrics").text();
    let mut lines = page.lines();
    let line = lines.find(|line| line.split(' ').next() == Some(name));
    let value = line.and_then(|line| line.split(' ').nth(1));
    value
        .expect("the metric is there")
        .parse()
        .expect("a count")
}

fn connect(gate: &Program) -> TcpStream {
    let stream = TcpStream::connect(gate.address()).expect("the gate listens");
    let patience = Some(crate::support::PATIENCE);
    stream.set_read_timeout(patience).expect("a socket");
    stream
}

/// Reads one reply to [`ASK`]; whether it is a 200.
fn served(stream: &mut TcpStream) -> bool {
    let mut reply = Vec::new();
    let mut part = [0; 4096];
    while !reply.ends_with(b"OK") && reply.len() < 64 << 10 {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return false,
            Ok(read) => reply.extend_from_slice(part.get(..read).unwrap_or_default()),
        }
    }
    reply.starts_with(b"HTTP/1.1 200")
}

#[test]
fn ten_thousand_idle_clients_are_kept_for_little() {
    const COUNT: usize = 10_000;
    let stage = stage();
    let gate = Program::serving(&stage, "", "");
    let before = kib(gate.pid(), "VmRSS:");
    let each = || kib(gate.pid(), "VmRSS:").saturating_sub(before) as f64 / COUNT as f64;
    let parked = || metric(&gate, "tuskgate_connections_parked") == COUNT as u64;
    let mut clients: Vec<_> = (0..COUNT).map(|_| connect(&gate)).collect();
    wait_until("every silent connection is parked", parked);
    let silent = each();
    // Each speaks twice, so that the second round meets parked connections.
    for _ in 0..2 {
        for some in clients.chunks_mut(50) {
            for client in &mut *some {
                client.write_all(ASK).expect("the gate reads");
            }
            assert!(some.iter_mut().all(served));
        }
        wait_until("every quiet connection is parked", parked);
    }
    let served = each();
    eprintln!("{COUNT} idle clients: {silent:.1} KiB each when silent, {served:.1} after serving");
    assert!(silent < 8.0, "{silent} KiB each, never having spoken");
    assert!(served < 24.0, "{served} KiB each");
}

#[test]
fn accepting_pauses_while_files_are_short() {
    let stage = stage();
    let gate = Program::serving(&stage, "", "");
    let pauses = "tuskgate_accept_pauses_total{cause=\"descriptors\"}";
    assert_eq!(metric(&gate, pauses), 0);
    let mut admin = TcpStream::connect(gate.admin_address()).expect("the admin listener");
    let open = fs::read_dir(format!("/proc/{}/fd", gate.pid())).expect("it runs");
    let limit = format!("--nofile={}:", open.count() + 10);
    let pid = gate.pid().to_string();
    let set = Command::new("prlimit")
        .args(["--pid", &pid, &limit])
        .status();
    assert!(set.expect("prlimit runs").success());
    let silent: Vec<_> = (0..40).map(|_| connect(&gate)).collect();
    // Asked over a connection that it has already: it can take no other now.
    let mut paused = || {
        let ask = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n";
        admin.write_all(ask).expect("the gate reads");
        let mut page = String::new();
        while !page.ends_with("# EOF\n") {
            let mut part = [0; 4096];
            let read = admin.read(&mut part).expect("the page");
            page.push_str(&String::from_utf8_lossy(
                part.get(..read).unwrap_or_default(),
            ));
        }
        let line = page.lines().find(|line| line.starts_with(pauses));
        !line.expect("the metric is there").ends_with(" 0")
    };
    wait_until("accepting pauses", &mut paused);
    drop(silent);
    let mut client = connect(&gate);
    client.write_all(ASK).expect("the gate reads");
    assert!(served(&mut client), "it goes on once files are free");
    assert!(gate.log().contains("accepting pauses"));
}

/// An upstream that takes a request with `upload` bytes and answers with `download`.
fn mastodon(upload: usize, download: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut left = upload;
            let mut head = Vec::new();
            let mut part = vec![0; 64 << 10];
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    return;
                }
                head.extend(byte);
            }
            while left > 0 {
                left -= stream.read(&mut part).expect("the upload");
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {download}\r\n\r\n");
            stream.write_all(head.as_bytes()).expect("the gate reads");
            for _ in 0..download / part.len() {
                stream.write_all(&part).expect("the gate reads");
            }
        }
    });
    address
}

/// The most that the binary ever held while `upload` went up and `download` came down.
fn grows(upload: usize, download: usize) -> usize {
    let stage = stage();
    let mut gate = Program::idle(&stage, "", "");
    let usual = stage.mastodon.address().to_string();
    let ours = mastodon(upload, download).to_string();
    gate.write(&gate.written().replace(&usual, &ours));
    gate.serve(&[]);
    let before = kib(gate.pid(), "VmHWM:");
    let mut client = connect(&gate);
    let head =
        format!("POST /api/v2/media HTTP/1.1\r\nHost: a\r\nContent-Length: {upload}\r\n\r\n");
    client.write_all(head.as_bytes()).expect("the gate reads");
    let part = vec![b'x'; 64 << 10];
    for _ in 0..upload / part.len() {
        client.write_all(&part).expect("the gate reads");
    }
    let mut read = 0;
    let mut part = part;
    while read < download {
        let more = client.read(&mut part).expect("a reply");
        assert!(more > 0, "cut after {read} bytes");
        read += more;
    }
    if download == 0 {
        assert!(client.read(&mut part).expect("a reply") > 0);
    }
    kib(gate.pid(), "VmHWM:") - before
}

#[test]
fn an_upload_of_99_mb_is_never_in_memory() {
    let kib = grows(BODY, 0);
    assert!(kib < GROWTH_KIB, "{kib} KiB more");
}

#[test]
fn a_download_of_99_mb_is_never_in_memory() {
    let kib = grows(0, BODY);
    assert!(kib < GROWTH_KIB, "{kib} KiB more");
}
