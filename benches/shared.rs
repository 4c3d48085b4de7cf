//! What a shared store costs: round trips, charges a second and core, latency
//! against the embedded limiter, memory, for 1, 3 and 10 nodes (processes);
//! and what it costs that all of them hear what each of them counts.
//!
//! `cargo bench --bench shared`; TUSKGATE_BENCH_KEYS=10000000 for more keys,
//! `-- counts` or `-- keys` for one part alone. `benches/growth` runs all of it
//! and writes RESULTS.md and deploy/SCALING.md; it reads the rows that are added
//! to the file TUSKGATE_BENCH_ROWS.

#[path = "../tests/it/support/ports.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod ports;
#[path = "../tests/it/support/process.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod process;
#[path = "../tests/it/support/redis.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod redis;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use redis::{Make, Server};
use serde_json::json;
use tuskgate::cluster::{MailKey, SignUp};
use tuskgate::mailbox::Domain;
use tuskgate::secret::KeyedHash;
use tuskgate::store::limiter::Charge;
use tuskgate::store::{SharedSettings, Store, StoreSettings};
use tuskgate::told::{Heard, Told};
use tuskgate::verdict::Mode;

/// Dimensions of an ordinary sign-up through an app.
const DIMENSIONS: u64 = 8;

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("node") {
        let rest: Vec<String> = arguments.collect();
        node(
            &rest[0],
            rest[1].parse().expect("a count"),
            rest[2].parse().expect("a width"),
            rest[3].parse().expect("keys"),
        );
        return;
    }
    let part = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    match part.as_deref() {
        Some("counts") => return counts(),
        Some("keys") => return keys(),
        Some(_) | None => {}
    }
    embedded();
    counts();
    let scale: usize = if cfg!(debug_assertions) { 4 } else { 1 };
    for make in [Make::Redis, Make::Valkey] {
        let server = Server::start(make, &[]);
        let version = server.ask(&["INFO", "server"]);
        let version = version.lines().find_map(|line| {
            let of = if make == Make::Redis {
                "redis"
            } else {
                "valkey"
            };
            line.strip_prefix(of)?.strip_prefix("_version:")
        });
        let name = format!("{make:?} {}", version.unwrap_or("?").trim());
        println!("{name}");
        nodes(&server, &name, 1, 1, 10_000, 4_000 / scale);
        for count in [1, 3, 10] {
            nodes(&server, &name, count, 32, 10_000, 60_000 / count / scale);
        }
    }
    keys();
}

/// Whether a key more makes any of them dearer, and how much memory it takes.
fn keys() {
    let server = Server::start(Make::Redis, &[]);
    let most: u64 = std::env::var("TUSKGATE_BENCH_KEYS")
        .ok()
        .and_then(|keys| keys.parse().ok())
        .unwrap_or(1_000_000);
    let mut keys = 10_000;
    while keys <= most {
        server.ask(&["FLUSHALL"]);
        let before = memory(&server);
        // Beyond that they are put there, or an hour would go by.
        let put = if keys > 100_000 { keys } else { 0 };
        fill(&server, put);
        let each = if put > 0 { 20_000 } else { keys / 4 };
        let each = usize::try_from(each).expect("small").max(20_000);
        nodes(&server, "keys", 1, 32, keys, each);
        let held: u64 = server.ask(&["DBSIZE"]).parse().expect("a number");
        let bytes = memory(&server) - before;
        println!("  {held} keys: {} bytes each", bytes / held.max(1));
        row(&json!({"what": "memory", "of": keys, "keys": held, "bytes": bytes}));
        keys *= 10;
    }
}

/// Puts so many budgets there as the scripts write them: settled, for an hour.
fn fill(server: &Server, keys: u64) {
    const PUT: u64 = 100_000;
    let script = "for i = 1, ARGV[1] do \
        redis.call('SET', '{tuskgate}=' .. struct.pack('>dd', i, ARGV[2]), \
            struct.pack('>dI4', ARGV[3] + i, 29000000), 'PX', 3600000 + i) end";
    for part in 0..keys / PUT {
        let now = now().to_string();
        server.ask(&[
            "EVAL",
            script,
            "0",
            &PUT.to_string(),
            &part.to_string(),
            &now,
        ]);
    }
}

/// Nodes that all hear what one of them counts.
fn counts() {
    for count in [1, 3, 10] {
        let server = Server::start(Make::Redis, &[]);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(hear_each_other(&server, count));
    }
}

/// One sign-up after the other, each heard by all; then many at once.
async fn hear_each_other(server: &Server, count: usize) {
    let (sender, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let mut stores = Vec::new();
    for _ in 0..=count {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("key"), "07".repeat(32)).expect("a key");
        let store = open(folder.path());
        let settings = SharedSettings {
            timeout: Duration::from_secs(1),
            ..SharedSettings::new(server.url())
        };
        store.share(settings, &tokio::runtime::Handle::current());
        while !store.is_shared() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stores.push((store, folder));
    }
    let teller = stores.pop().expect("one more");
    for (store, _) in &stores {
        let mut ear = store.listen().expect("it shares");
        let sender = sender.clone();
        tokio::spawn(async move {
            while let Some(news) = ear.recv().await {
                if let Heard::Told(all) = news {
                    for _ in all {
                        sender.send(()).expect("somebody waits");
                    }
                }
            }
        });
    }
    let scale = if cfg!(debug_assertions) { 4 } else { 1 };
    let mut took = Vec::new();
    let worked = processor(server);
    for number in 0..2000 / scale {
        let begun = Instant::now();
        teller.0.tell(Told::SignUp(number, sign_up(number)));
        for _ in 0..count {
            heard.recv().await.expect("heard");
        }
        took.push(nanos(begun.elapsed()));
    }
    took.sort_unstable();
    let alone = (processor(server) - worked) * 1e6 / took.len() as f64;
    let worked = processor(server);
    let many = 8000 / scale;
    for number in 0..many {
        teller.0.tell(Told::SignUp(number, sign_up(number)));
    }
    for _ in 0..many as usize * count {
        heard.recv().await.expect("heard");
    }
    let together = (processor(server) - worked) * 1e6 / many as f64;
    let length: u64 = server.ask(&["XLEN", LOG]).parse().expect("a number");
    let bytes: u64 = server
        .ask(&["MEMORY", "USAGE", LOG, "SAMPLES", "0"])
        .parse()
        .expect("a number");
    println!(
        "  a sign-up heard by {count}: p50 {} p99 {}, {alone:.1} µs of the server's processor each alone, {together:.1} µs among many, {} bytes of log each",
        show(&took, 50),
        show(&took, 99),
        bytes / length.max(1)
    );
    row(&json!({
        "what": "heard", "gates": count, "p50": at(&took, 50), "p99": at(&took, 99),
        "alone": alone, "many": together, "bytes": bytes / length.max(1),
    }));
}

/// Adds a row to what `benches/growth` reads.
fn row(row: &serde_json::Value) {
    let Some(path) = std::env::var_os("TUSKGATE_BENCH_ROWS") else {
        return;
    };
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).append(true).open(path);
    writeln!(file.expect("it can be written"), "{row}").expect("written");
}

const LOG: &str = "{tuskgate}:counted";

/// As one of an attack: a domain of its own, a server of the usual five keys.
fn sign_up(number: u64) -> SignUp {
    let domain = |name: &str| Domain::new(name).expect("a domain");
    let keys = [
        MailKey::Host(domain("mx1.bots.example")),
        MailKey::Registrable(domain("bots.example")),
        MailKey::Address([198, 51, 100, 7].into()),
        MailKey::Network("198.51.100.0/24".parse().expect("a network")),
        MailKey::Range("198.51.96.0/20".parse().expect("a network")),
    ];
    SignUp {
        at: Timestamp::now().as_second(),
        domain: domain(&format!("bot{number}.example")),
        keys: keys.into(),
        client: Some("203.0.113.9/32".parse().expect("a network")),
        client_id: None,
        username: Some(format!("bot{number}")),
        account: None,
    }
}

fn memory(server: &Server) -> u64 {
    let info = server.ask(&["INFO", "memory"]);
    let line = info.lines().find(|line| line.starts_with("used_memory:"));
    let bytes = line.and_then(|line| line.trim().split(':').nth(1)?.parse().ok());
    bytes.unwrap_or(0)
}

/// Seconds of processor that the server has used: on a busy machine the only fair measure.
fn processor(server: &Server) -> f64 {
    let info = server.ask(&["INFO", "cpu"]);
    let of = |name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|seconds| seconds.trim().parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    of("used_cpu_user:") + of("used_cpu_sys:")
}

fn charges(number: u64, keys: u64) -> Vec<Charge> {
    (0..DIMENSIONS)
        .map(|dimension| {
            // Half of the dimensions are shared by many, half are nearly one's own.
            let own = (number * DIMENSIONS + dimension).wrapping_mul(0x9E37_79B9_7F4A_7C15) % keys;
            let which = if dimension % 2 == 0 { own } else { own % 100 };
            let spread = u128::from(which * 16 + dimension)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
            Charge {
                limit: "bench",
                key: KeyedHash(spread.to_be_bytes()),
                quota: "1000000/1h".parse().expect("a quota"),
                wider: None,
                mode: Mode::Enforce,
            }
        })
        .collect()
}

fn now() -> u64 {
    Timestamp::now().as_microsecond().unsigned_abs()
}

fn open(path: &Path) -> Store {
    Store::open(&StoreSettings::new(path)).expect("the store opens")
}

fn embedded() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    let mut took: Vec<u64> = (0..200_000)
        .map(|number| {
            let charges = charges(number, 100_000);
            let begun = Instant::now();
            let held = store.limiter().reserve(&charges, now()).expect("room");
            store.limiter().keep(held);
            nanos(begun.elapsed())
        })
        .collect();
    took.sort_unstable();
    println!("embedded: p50 {} p99 {}", show(&took, 50), show(&took, 99));
    row(&json!({"what": "embedded", "p50": at(&took, 50), "p99": at(&took, 99)}));
}

/// Starts processes that each make `each` reservations, `width` at a time.
fn nodes(server: &Server, name: &str, count: usize, width: usize, keys: u64, each: usize) {
    server.ask(&["CONFIG", "RESETSTAT"]);
    let worked = processor(server);
    let begun = Instant::now();
    let program = std::env::current_exe().expect("this program has a path");
    let children: Vec<_> = (0..count)
        .map(|_| {
            Command::new(&program)
                .args([
                    "node",
                    &server.url(),
                    &each.to_string(),
                    &width.to_string(),
                    &keys.to_string(),
                ])
                .stdout(Stdio::piped())
                .spawn()
                .expect("a node")
        })
        .collect();
    let mut took = Vec::new();
    let (mut busy, mut alone, mut resident) = (0_u64, 0, 0_u64);
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let mut numbers = String::from_utf8(output.stdout).expect("text");
        numbers.retain(|c| c.is_ascii_digit() || c == ' ');
        let mut numbers = numbers
            .split(' ')
            .filter_map(|word| word.parse::<u64>().ok());
        busy = busy.max(numbers.next().unwrap_or(0));
        alone += numbers.next().unwrap_or(0);
        resident = resident.max(numbers.next().unwrap_or(0));
        took.extend(numbers);
    }
    took.sort_unstable();
    let all = (count * each) as u64;
    let stats = server.ask(&["INFO", "commandstats"]);
    let line = stats
        .lines()
        .find(|line| line.starts_with("cmdstat_evalsha:"))
        .unwrap_or("");
    let field = |name: &str| {
        let word = line
            .split([':', ','])
            .find_map(|word| word.strip_prefix(name));
        word.and_then(|word| word.trim().parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    let per_second = all as f64 / (busy as f64 / 1e6);
    println!(
        "  {count} nodes, {width} at once, {keys} keys: {per_second:.0}/s, p50 {} p99 {}, {:.3} scripts and {:.1} µs of the server's processor each, {alone} alone, {:.1} s",
        show(&took, 50),
        show(&took, 99),
        field("calls=") / all as f64,
        (processor(server) - worked) * 1e6 / all as f64,
        begun.elapsed().as_secs_f64()
    );
    row(&json!({
        "what": "nodes", "on": name, "nodes": count, "width": width, "keys": keys,
        "per_second": per_second, "p50": at(&took, 50), "p99": at(&took, 99),
        "scripts": field("calls=") / all as f64, "alone": alone, "resident": resident,
        "micros": (processor(server) - worked) * 1e6 / all as f64,
    }));
}

/// The most memory that this process had, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    number.expect("a number") * 1024
}

/// A node's part: prints the microseconds it took, how many it decided alone, its
/// memory in bytes, and a latency in nanoseconds for each.
fn node(url: &str, count: usize, width: usize, keys: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    // All nodes of one store have one key.
    std::fs::write(folder.path().join("key"), "07".repeat(32)).expect("a key");
    let store = open(folder.path());
    let (took, alone, busy) = runtime.block_on(async {
        let settings = SharedSettings {
            timeout: Duration::from_secs(1),
            keys: 100_000_000,
            ..SharedSettings::new(url)
        };
        store.share(settings, &tokio::runtime::Handle::current());
        while !store.is_shared() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let begun = Instant::now();
        let seed = u64::from(std::process::id()) << 32;
        let lanes: Vec<_> = (0..width)
            .map(|lane| {
                let store = store.clone();
                tokio::spawn(async move {
                    let mut took = Vec::new();
                    let mut alone = 0;
                    for turn in 0..count / width {
                        let charges = charges(seed + (turn * width + lane) as u64, keys);
                        let begun = Instant::now();
                        let held = store.reserve(&charges, now()).await.expect("room");
                        took.push(nanos(begun.elapsed()));
                        alone += usize::from(!held.is_shared());
                        store.settle(held, |_| false);
                    }
                    (took, alone)
                })
            })
            .collect();
        let mut all = (Vec::new(), 0);
        for lane in lanes {
            let (took, alone) = lane.await.expect("no panic");
            all.0.extend(took);
            all.1 += alone;
        }
        let busy = begun.elapsed().as_micros();
        // It gives up after a second, and there may be more to settle than that.
        while store.flush().await.is_err() {}
        (all.0, all.1, busy)
    });
    let mut out = std::io::stdout().lock();
    write!(out, "{busy} {alone} {}", resident()).expect("piped");
    for nanos in took {
        write!(out, " {nanos}").expect("piped");
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn at(sorted: &[u64], percent: usize) -> u64 {
    let at = sorted.len() * percent / 100;
    let last = sorted.len().saturating_sub(1);
    sorted.get(at.min(last)).copied().unwrap_or(0)
}

fn show(sorted: &[u64], percent: usize) -> String {
    format!("{:.1} µs", at(sorted, percent) as f64 / 1000.0)
}
