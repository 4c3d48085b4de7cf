//! A real name server, from Debian's package dnsmasq-base. It is up when it has
//! answered, over UDP and over TCP, for a name that nobody else knows.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::ports::Port;
use super::process::{Process, started};

/// How long one question is waited for before it is asked again.
const ASK: Duration = Duration::from_millis(500);

/// A running dnsmasq on loopback.
pub(crate) struct Dnsmasq {
    // First, so that it has ended when its port is given back.
    _process: Process,
    port: Port,
}

impl Dnsmasq {
    /// Starts one with more lines of configuration, keeping its files in `folder`.
    pub(crate) fn start(folder: &Path, lines: &str) -> Self {
        started(|| Self::try_start(folder, lines))
    }

    fn try_start(folder: &Path, lines: &str) -> io::Result<Self> {
        let port = Port::take();
        let at = port.address();
        let own = format!("up-{}-{}", std::process::id(), at.port());
        let (config, pid) = (folder.join("dnsmasq.conf"), folder.join("dnsmasq.pid"));
        let text = format!(
            "port={}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\n\
             local-ttl=60\nuser=root\npid-file={}\nhost-record={own}.dnsmasq.test,192.0.2.53\n{lines}\n",
            at.port(),
            pid.display()
        );
        fs::write(&config, text)?;
        let mut command = Command::new("/usr/sbin/dnsmasq");
        let config = format!("--conf-file={}", config.display());
        command.args(["--keep-in-foreground", &config]);
        let process = Process::start("dnsmasq", &mut command, folder.join("dnsmasq.log"))?;
        let question = question(&own);
        let process = process.until(|_| {
            let answered = |reply: io::Result<Vec<u8>>| reply.is_ok_and(|reply| is_answer(&reply));
            answered(over_udp(at, &question)) && answered(over_tcp(at, &question))
        })?;
        Ok(Self {
            _process: process,
            port,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.port.address()
    }
}

const ID: [u8; 2] = *b"up";

/// RFC 1035, section 4.1: who is `own`.dnsmasq.test, recursion desired.
fn question(own: &str) -> Vec<u8> {
    let mut packet = ID.to_vec();
    packet.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in [own, "dnsmasq", "test"] {
        packet.push(u8::try_from(label.len()).expect("a short label"));
        packet.extend(label.as_bytes());
    }
    packet.extend([0, 0, 1, 0, 1]);
    packet
}

/// A reply to our question, without an error, that ends with the address we gave.
fn is_answer(reply: &[u8]) -> bool {
    let [id1, id2, high, low, ..] = reply else {
        return false;
    };
    [*id1, *id2] == ID
        && high & 0x80 != 0
        && low & 0x0f == 0
        && reply.ends_with(&Ipv4Addr::new(192, 0, 2, 53).octets())
}

fn over_udp(at: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(at)?;
    socket.set_read_timeout(Some(ASK))?;
    socket.send(question)?;
    let mut reply = vec![0; 512];
    let length = socket.recv(&mut reply)?;
    reply.truncate(length);
    Ok(reply)
}

fn over_tcp(at: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&at, ASK)?;
    stream.set_read_timeout(Some(ASK))?;
    let length = u16::try_from(question.len()).expect("a short question");
    stream.write_all(&[&length.to_be_bytes()[..], question].concat())?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply)?;
    Ok(reply)
}
