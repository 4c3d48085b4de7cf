//! Micro-benches of what a request passes, without sockets.
//!
//! `cargo bench --bench paths`; divan, because it counts allocations beside
//! time and needs no plots. What is judged by number is counted in
//! instructions instead (tests/instructions, benches/compare).

#[path = "tools/gated.rs"]
mod gated;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use divan::{AllocProfiler, Bencher};
use gated::Gated;
use http::Method;
use tuskgate::judge::policy::Policy;
use tuskgate::lists::{Files, Lists};
use tuskgate::mailbox::Domain;
use tuskgate::mastodon::endpoint::guarded_path;
use tuskgate::quota::Quota;
use tuskgate::secret::KeyedHash;
use tuskgate::store::limiter::{Charge, DEFAULT_SLOTS, Limiter};
use tuskgate::verdict::{Decision, Judged, Mode, Rule, Verdict};

#[global_allocator]
static ALLOCATOR: AllocProfiler<mimalloc::MiMalloc> = AllocProfiler::new(mimalloc::MiMalloc);

fn main() {
    divan::main();
}

#[divan::bench(args = ["application/x-www-form-urlencoded", "application/json"])]
fn rack_reading(bencher: Bencher<'_, '_>, kind: &str) {
    let body: &[u8] = match kind {
        "application/json" => {
            br#"{"username":"a","email":"a@b.example","password":"correct horse","agreement":true}"#
        }
        _ => b"username=a&email=a%40b.example&password=correct+horse&agreement=true",
    };
    let request = http::Request::post("/api/v1/accounts").header("content-type", kind);
    let (head, ()) = request.body(()).expect("a request").into_parts();
    bencher.bench_local(|| tuskgate::rack::read(black_box(&head), black_box(body)).is_ok());
}

#[divan::bench(args = ["/api/v1/timelines/home", "/api/v1/accounts", "/users/alice/statuses/1"])]
fn endpoint_match(path: &str) -> bool {
    guarded_path(black_box(&Method::POST), black_box(path)).is_some()
}

fn lists(count: u32) -> Lists {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files {
        networks: vec![folder.path().join("networks")],
        mail_domains: vec![folder.path().join("domains")],
        ..Files::default()
    };
    gated::write_networks(&files.networks[0], count);
    gated::write_domains(&files.mail_domains[0], count);
    Lists::load(&files).expect("lists").0
}

#[divan::bench(args = [1_000, 100_000, 1_000_000])]
fn network_look_up(bencher: Bencher<'_, '_>, count: u32) {
    let lists = lists(count);
    let mut number = 0_u32;
    bencher.bench_local(|| {
        number = number.wrapping_add(0x9e37_79b1);
        lists.network(IpAddr::V4(Ipv4Addr::from(number))).is_some()
    });
}

#[divan::bench(args = [1_000, 100_000, 1_000_000])]
fn domain_look_up(bencher: Bencher<'_, '_>, count: u32) {
    let lists = lists(count);
    let listed = |number| Domain::new(&format!("a.{}", gated::domain(number))).expect("a domain");
    let asked: Vec<Domain> = (0..4096).map(|number| listed(number * 77)).collect();
    let mut next = asked.iter().cycle();
    bencher.bench_local(|| {
        next.next()
            .and_then(|domain| lists.mail_domain(domain))
            .is_some()
    });
}

#[divan::bench(args = [1_000, 100_000, 10_000_000])]
fn limiter_of_six_keys(bencher: Bencher<'_, '_>, keys: u64) {
    let limiter = Limiter::new(DEFAULT_SLOTS);
    let quota: Quota = "30/1h".parse().expect("a quota");
    let charge = |key: u64| Charge {
        limit: "bench",
        key: KeyedHash(
            (u128::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).to_be_bytes(),
        ),
        quota,
        wider: Some(0),
        mode: Mode::Enforce,
    };
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        let charges: [Charge; 6] =
            std::array::from_fn(|at| charge((number * 7 + at as u64 * 13) % keys));
        limiter
            .reserve(&charges, 1_700_000_000_000_000 + number)
            .map(|made| limiter.keep(made))
            .is_ok()
    });
}

#[divan::bench]
fn policy_fold(bencher: Bencher<'_, '_>) {
    let policy = Policy::default();
    bencher.bench_local(|| {
        let judged = |rule| Judged {
            rule,
            mode: policy.mode(rule),
            verdict: Verdict::Pass,
        };
        let decision = Decision {
            verdicts: Rule::ALL.map(judged).into(),
        };
        black_box(&decision).refusal().is_none()
    });
}

#[divan::bench]
fn whole_path_passing(bencher: Bencher<'_, '_>) {
    let mut gated = Gated::new();
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        gated.call(gated::page(number))
    });
}

#[divan::bench]
fn whole_path_refusing(bencher: Bencher<'_, '_>) {
    let mut gated = Gated::new();
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        gated.call(gated::token(number))
    });
}
