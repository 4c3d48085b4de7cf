//! A stand-in for the recursive resolver: a name server with a made-up zone.
//!
//! Answers over UDP and TCP on one loopback port (RFC 1035 §4.2), chases CNAMEs
//! inside its zone as a recursive resolver would, and misbehaves by name as it is
//! told ([`Behaviour`]): that is how tests and the `demo` verb show what an attacker's
//! name server does. Unknown names do not exist. Not a resolver: it asks nobody.

mod answer;
mod zone;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::proto::op::Message;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinHandle;

pub use hickory_resolver::proto::rr::RecordType;
pub use zone::{Behaviour, Zone};

use answer::Transport;

/// Names counted apart; questions for further ones are answered but not counted.
const COUNTED: usize = 65_536;

/// A running stand-in; it stops when dropped.
#[derive(Debug)]
pub struct StandInDns {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Debug)]
struct State {
    zone: Zone,
    asked: HashMap<String, HashMap<RecordType, u64>>,
}

impl StandInDns {
    /// Serves `zone` on a free port of 127.0.0.1, on the current tokio runtime.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn start(zone: Zone) -> io::Result<Self> {
        let (udp, tcp) = bind().await?;
        let address = udp.local_addr()?;
        let state = Arc::new(Mutex::new(State {
            zone,
            asked: HashMap::new(),
        }));
        let tasks = [
            tokio::spawn(serve_udp(Arc::new(udp), state.clone())),
            tokio::spawn(serve_tcp(tcp, state.clone())),
        ];
        Ok(Self {
            address,
            state,
            tasks,
        })
    }

    /// Where it listens, for UDP and TCP.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the zone from the next question on.
    pub fn edit(&self, change: impl FnOnce(&mut Zone)) {
        change(&mut self.state.lock().zone);
    }

    /// How often `name` was asked for records of `kind`.
    #[must_use]
    pub fn asked(&self, name: &str, kind: RecordType) -> u64 {
        let state = self.state.lock();
        let kinds = state.asked.get(&name.to_ascii_lowercase());
        kinds
            .and_then(|kinds| kinds.get(&kind))
            .copied()
            .unwrap_or(0)
    }

    /// Every name that was asked for, sorted, without trailing dots.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let state = self.state.lock();
        let mut names: Vec<_> = state.asked.keys().cloned().collect();
        names.sort_unstable();
        names
    }
}

impl Drop for StandInDns {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// One port number on both transports. Another process may have the TCP side of a
/// port whose UDP side is free, so a few are tried.
async fn bind() -> io::Result<(UdpSocket, TcpListener)> {
    let mut tries = 16;
    loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        match TcpListener::bind(udp.local_addr()?).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(taken) if tries == 0 => return Err(taken),
            Err(_) => tries -= 1,
        }
    }
}

async fn serve_udp(socket: Arc<UdpSocket>, state: Arc<Mutex<State>>) {
    let mut packet = [0; 4096];
    while let Ok((length, peer)) = socket.recv_from(&mut packet).await {
        let question = packet.get(..length).unwrap_or_default().to_vec();
        let (socket, state) = (socket.clone(), state.clone());
        tokio::spawn(async move {
            if let Some(reply) = reply(&question, &state, Transport::Udp).await {
                // A client that has gone does not matter to a stand-in.
                let _ = socket.send_to(&reply, peer).await;
            }
        });
    }
}

async fn serve_tcp(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let state = state.clone();
        tokio::spawn(async move {
            // The client hung up, or sent what is no DNS: either way the connection ends.
            let _ = converse(stream, &state).await;
        });
    }
}

async fn converse(mut stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    loop {
        let length = stream.read_u16().await?;
        let mut question = vec![0; length.into()];
        stream.read_exact(&mut question).await?;
        if let Some(reply) = reply(&question, state, Transport::Tcp).await {
            let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
            stream.write_u16(length).await?;
            stream.write_all(&reply).await?;
        }
    }
}

async fn reply(question: &[u8], state: &Mutex<State>, transport: Transport) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).ok()?;
    let plan = {
        let mut state = state.lock();
        let asked = state.count(&question);
        answer::plan(&state.zone, &question, asked, transport)?
    };
    tokio::time::sleep(plan.delay).await;
    plan.message.to_vec().ok()
}

impl State {
    /// Counts the question, and says how often its name was asked for before, in all types.
    fn count(&mut self, question: &Message) -> u64 {
        let Some(query) = question.queries.first() else {
            return 0;
        };
        let name = zone::key(query.name());
        if self.asked.len() >= COUNTED && !self.asked.contains_key(&name) {
            return 0;
        }
        let kinds = self.asked.entry(name).or_default();
        let before = kinds.values().sum();
        *kinds.entry(query.query_type()).or_default() += 1;
        before
    }
}
