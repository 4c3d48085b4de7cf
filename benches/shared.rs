//! What a shared store costs: round trips, charges a second and core, latency
//! against the embedded limiter, memory, for 1, 3 and 10 nodes (processes).
//!
//! `cargo bench --bench shared`; TUSKGATE_BENCH_KEYS=10000000 for more keys.
//! Results are kept in benches/RESULTS.md.

#[path = "../tests/it/support/redis.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod redis;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use redis::{Make, Server};
use tuskgate::secret::KeyedHash;
use tuskgate::store::limiter::Charge;
use tuskgate::store::{SharedSettings, Store, StoreSettings};
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
    embedded();
    let scale: usize = if cfg!(debug_assertions) { 4 } else { 1 };
    for make in [Make::Redis, Make::Valkey] {
        let server = Server::start(make, &[]);
        println!("{make:?}");
        nodes(&server, 1, 1, 10_000, 4_000 / scale);
        for count in [1, 3, 10] {
            nodes(&server, count, 32, 10_000, 60_000 / count / scale);
        }
        if make == Make::Valkey {
            continue;
        }
        let most: u64 = std::env::var("TUSKGATE_BENCH_KEYS")
            .ok()
            .and_then(|keys| keys.parse().ok())
            .unwrap_or(1_000_000);
        let mut keys = 10_000;
        while keys <= most {
            server.ask(&["FLUSHALL"]);
            let before = memory(&server);
            nodes(
                &server,
                1,
                32,
                keys,
                usize::try_from(keys / 4).expect("small").max(20_000),
            );
            let held: u64 = server.ask(&["DBSIZE"]).parse().expect("a number");
            println!(
                "  {held} keys: {} bytes each",
                (memory(&server) - before) / held.max(1)
            );
            keys *= 10;
        }
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
}

/// Starts processes that each make `each` reservations, `width` at a time.
fn nodes(server: &Server, count: usize, width: usize, keys: u64, each: usize) {
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
    let (mut busy, mut alone) = (0_u64, 0);
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let mut numbers = String::from_utf8(output.stdout).expect("text");
        numbers.retain(|c| c.is_ascii_digit() || c == ' ');
        let mut numbers = numbers
            .split(' ')
            .filter_map(|word| word.parse::<u64>().ok());
        busy = busy.max(numbers.next().unwrap_or(0));
        alone += numbers.next().unwrap_or(0);
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
}

/// A node's part: prints the microseconds it took, how many it decided alone,
/// and a latency in nanoseconds for each.
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
        store.flush().await.expect("settled");
        (all.0, all.1, busy)
    });
    let mut out = std::io::stdout().lock();
    write!(out, "{busy} {alone}").expect("piped");
    for nanos in took {
        write!(out, " {nanos}").expect("piped");
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn show(sorted: &[u64], percent: usize) -> String {
    let at = sorted.len() * percent / 100;
    let nanos = sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0);
    format!("{:.1} µs", nanos as f64 / 1000.0)
}
