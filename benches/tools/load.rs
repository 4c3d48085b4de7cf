//! Load: sends one request over and over on kept connections and says how it went.
//!
//! Closed loop (`--requests N`): every connection asks again as soon as it is
//! answered, N requests in all, so that two servers do exactly equal work.
//! Open loop (`--rate R --seconds S`): requests are due at fixed times whatever
//! the server does, and latency counts from when a request was due, not from
//! when it could be sent. In the request `{n}` is a running number of eight
//! digits, `{ip}` an address of fixed width that changes with it and
//! `{length}` the body's length.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

#[derive(Parser)]
struct Options {
    /// Where to
    to: SocketAddr,
    /// A file with the request; its lines end as they end in the file
    request: PathBuf,
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Closed loop: so many in all
    #[arg(long, default_value_t = 0)]
    requests: u64,
    /// Open loop: so many a second
    #[arg(long, default_value_t = 0)]
    rate: u64,
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Where the running number begins
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Also the 99.9th percentile of every second
    #[arg(long)]
    by_second: bool,
    /// Opens the connections, asks once on each, holds them until input ends
    #[arg(long)]
    hold: bool,
    /// So many before the ones that count, in a closed loop
    #[arg(long, default_value_t = 0)]
    warm: u64,
    /// Count what this process, its children and all their threads run meanwhile
    #[arg(long)]
    watch: Option<u32>,
    /// Milliseconds to wait before each count, for work that is put off
    #[arg(long, default_value_t = 0)]
    settle: u64,
}

/// A request with holes.
struct Template {
    head: String,
    body: String,
}

impl Template {
    fn read(path: &PathBuf) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let (head, body) = text.split_once("\r\n\r\n").context("no end of the head")?;
        Ok(Self {
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    fn fill(&self, number: u64) -> Vec<u8> {
        let hash = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        let part = |shift: u32| 100 + (hash >> shift) % 100;
        let ip = format!("20.{}.{}.{}", part(0) & !1, part(8), part(16));
        let near = format!("20.100.{}.{}", part(8) % 64, part(16));
        let number = format!("{:08}", number % 100_000_000);
        let fill = |text: &str| {
            let text = text.replace("{n}", &number).replace("{ip}", &ip);
            text.replace("{near}", &near)
        };
        let body = fill(&self.body);
        let head = fill(&self.head).replace("{length}", &body.len().to_string());
        format!("{head}\r\n\r\n{body}").into_bytes()
    }
}

/// What came of the requests of one connection.
#[derive(Default)]
struct Tally {
    statuses: BTreeMap<u16, u64>,
    failed: u64,
    /// When it was due, in seconds since the start; how long it took, in microseconds.
    latencies: Vec<(u32, u32)>,
}

impl Tally {
    fn join(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        self.failed += other.failed;
        self.latencies.extend(other.latencies);
    }
}

/// One kept connection; opened anew when the server closes it.
struct Client {
    to: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Client {
    fn new(to: SocketAddr) -> Self {
        Self {
            to,
            stream: None,
            buffer: Vec::with_capacity(1 << 14),
        }
    }

    async fn ask(&mut self, request: &[u8]) -> Result<u16> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(self.to).await?;
                stream.set_nodelay(true)?;
                none.insert(stream)
            }
        };
        let answer = exchange(stream, request, &mut self.buffer).await;
        match answer {
            Ok((status, false)) => Ok(status),
            Ok((status, true)) => {
                self.stream = None;
                Ok(status)
            }
            Err(error) => {
                self.stream = None;
                Err(error)
            }
        }
    }
}

/// The status, and whether the server closes.
async fn exchange(
    stream: &mut TcpStream,
    request: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<(u16, bool)> {
    stream.write_all(request).await?;
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("closed");
        }
        let Some(end) = find(buffer, b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end])?.to_ascii_lowercase();
        let status = head.get(9..12).context("no status")?.parse()?;
        let whole = if let Some((_, rest)) = head.split_once("content-length: ") {
            let length: usize = rest.split("\r\n").next().unwrap_or_default().parse()?;
            Some(end + 4 + length)
        } else if head.contains("transfer-encoding: chunked") {
            None
        } else {
            Some(end + 4)
        };
        loop {
            let done = match whole {
                Some(whole) => buffer.len() >= whole,
                None => buffer.ends_with(b"0\r\n\r\n"),
            };
            if done {
                return Ok((status, head.contains("connection: close")));
            }
            if stream.read_buf(buffer).await? == 0 {
                bail!("closed within a reply");
            }
        }
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn main() -> Result<()> {
    let options = Options::parse();
    let template = Arc::new(Template::read(&options.request)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(arrive(options.to))?;
    if options.warm > 0 {
        runtime.block_on(closed(&options, &template, options.warm))?;
    }
    let settled = |pid| {
        std::thread::sleep(Duration::from_millis(options.settle));
        ran(pid)
    };
    let before = options.watch.map(settled).transpose()?;
    let began = Instant::now();
    let tally = runtime.block_on(async {
        if options.hold {
            hold(&options, &template).await
        } else if options.rate > 0 {
            open(&options, &template, began).await
        } else {
            closed(&options, &template, options.requests).await
        }
    })?;
    let took = began.elapsed();
    let after = options.watch.map(settled).transpose()?;
    let ran = after.zip(before).map(|(after, before)| after - before);
    report(tally, took, ran, options.by_second);
    Ok(())
}

/// Waits until somebody listens.
async fn arrive(to: SocketAddr) -> Result<()> {
    for _ in 0..3000 {
        if TcpStream::connect(to).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("nobody listens at {to}");
}

/// Nanoseconds that a process and its children have run on a core: exact, the
/// scheduler's own. In the emulated machine one nanosecond is one instruction.
fn ran(of: u32) -> Result<u64> {
    let mut sum = 0;
    for process in std::fs::read_dir("/proc")?.flatten() {
        let name = process.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if pid != of && parent(pid) != Some(of) {
            continue;
        }
        for task in std::fs::read_dir(process.path().join("task"))?.flatten() {
            let line = std::fs::read_to_string(task.path().join("schedstat"))?;
            let first = line.split(' ').next().unwrap_or_default();
            sum += first.parse::<u64>()?;
        }
    }
    Ok(sum)
}

fn parent(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()
}

async fn closed(options: &Options, template: &Arc<Template>, requests: u64) -> Result<Tally> {
    let next = Arc::new(AtomicU64::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..options.connections {
        let (template, next) = (Arc::clone(template), Arc::clone(&next));
        let (to, from) = (options.to, options.from);
        clients.spawn(async move {
            let mut client = Client::new(to);
            let mut tally = Tally::default();
            loop {
                let number = next.fetch_add(1, Relaxed);
                if number >= requests {
                    return tally;
                }
                let began = Instant::now();
                note(
                    &mut tally,
                    client.ask(&template.fill(from + number)).await,
                    0,
                    began,
                );
            }
        });
    }
    let mut tally = Tally::default();
    while let Some(one) = clients.join_next().await {
        tally.join(one?);
    }
    Ok(tally)
}

fn note(tally: &mut Tally, answer: Result<u16>, second: u32, due: Instant) {
    match answer {
        Ok(status) => *tally.statuses.entry(status).or_default() += 1,
        Err(_) => tally.failed += 1,
    }
    let micros = u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX);
    tally.latencies.push((second, micros));
}

async fn open(options: &Options, template: &Arc<Template>, began: Instant) -> Result<Tally> {
    let mut clients = tokio::task::JoinSet::new();
    let mut queues = Vec::new();
    for _ in 0..options.connections {
        let (queue, mut due) = mpsc::unbounded_channel::<(u64, Instant)>();
        queues.push(queue);
        let (template, to) = (Arc::clone(template), options.to);
        clients.spawn(async move {
            let mut client = Client::new(to);
            let mut tally = Tally::default();
            while let Some((number, due)) = due.recv().await {
                let second = u32::try_from((due - began).as_secs()).unwrap_or(u32::MAX);
                note(
                    &mut tally,
                    client.ask(&template.fill(number)).await,
                    second,
                    due,
                );
            }
            tally
        });
    }
    let (rate, seconds, from) = (options.rate, options.seconds, options.from);
    // A thread of its own: the runtime's timers are a millisecond coarse.
    let pacer = std::thread::spawn(move || {
        let start = Instant::now();
        for number in 0..rate * seconds {
            let due = start + Duration::from_nanos(number * 1_000_000_000 / rate);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let queue = &queues[usize::try_from(number).unwrap_or(0) % queues.len()];
            if queue.send((from + number, due)).is_err() {
                return;
            }
        }
    });
    let mut tally = Tally::default();
    while let Some(one) = clients.join_next().await {
        tally.join(one?);
    }
    pacer
        .join()
        .map_err(|_| anyhow::anyhow!("the pacer failed"))?;
    Ok(tally)
}

async fn hold(options: &Options, template: &Arc<Template>) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut clients = Vec::new();
    for number in 0..options.connections {
        let mut client = Client::new(options.to);
        let began = Instant::now();
        let answer = client
            .ask(&template.fill(options.from + number as u64))
            .await;
        note(&mut tally, answer, 0, began);
        client.buffer = Vec::new();
        clients.push(client);
    }
    println!("held {}", clients.len());
    std::io::Read::read_to_end(&mut std::io::stdin(), &mut Vec::new())?;
    Ok(tally)
}

fn report(mut tally: Tally, took: Duration, ran: Option<u64>, by_second: bool) {
    let mut all: Vec<u32> = tally.latencies.iter().map(|(_, micros)| *micros).collect();
    all.sort_unstable();
    let mut out = serde_json::json!({
        "seconds": took.as_secs_f64(),
        "answered": tally.statuses,
        "failed": tally.failed,
        "p50": percentile(&all, 0.5),
        "p99": percentile(&all, 0.99),
        "p999": percentile(&all, 0.999),
        "max": all.last(),
    });
    if let Some(ran) = ran {
        out["ran_each"] = (ran / (all.len() as u64).max(1)).into();
    }
    if by_second {
        tally.latencies.sort_unstable();
        let seconds: Vec<_> = tally
            .latencies
            .chunk_by(|(a, _), (b, _)| a == b)
            .map(|second| {
                let micros: Vec<u32> = second.iter().map(|(_, micros)| *micros).collect();
                percentile(&micros, 0.999)
            })
            .collect();
        out["seconds_p999"] = seconds.into();
    }
    println!("{out}");
}

fn percentile(sorted: &[u32], at: f64) -> u32 {
    let place = (sorted.len() as f64 * at).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied().unwrap_or(0)
}
