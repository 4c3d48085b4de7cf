//! `counted PATH TIMES [SIZE]`: walks one path so often, for callgrind to count.
//!
//! callgrind is told to count inside [`walk_counted`] only, so that start and
//! end do not count. tests/instructions holds `pass` and `refuse` against what
//! is on record, benches/compare counts look-ups in lists of SIZE.

mod gated;

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use gated::Gated;
use http::StatusCode;
use tuskgate::lists::{Files, Lists};
use tuskgate::mailbox::Domain;
use tuskgate::quota::Quota;
use tuskgate::secret::KeyedHash;
use tuskgate::store::limiter::{Charge, DEFAULT_SLOTS, Limiter};
use tuskgate::verdict::Mode;

/// The gate's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // As the gate itself.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    let mut words = std::env::args().skip(1);
    let path = words.next().expect("a path");
    let times: u32 = words.next().expect("how often").parse().expect("a number");
    let size: u32 = words
        .next()
        .map_or(1000, |size| size.parse().expect("a number"));
    match path.as_str() {
        "pass" => {
            let mut gated = Gated::new();
            walk_counted(times, |number| {
                assert_eq!(gated.call(gated::page(number)), StatusCode::OK);
            });
        }
        "refuse" => {
            let mut gated = Gated::new();
            walk_counted(times, |number| {
                let status = gated.call(gated::token(number));
                assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
            });
        }
        "network" => {
            let lists = lists(size, 0);
            walk_counted(times, |number| {
                let ip = Ipv4Addr::from(number.wrapping_mul(0x9e37_79b1));
                black_box(lists.network(black_box(IpAddr::V4(ip))));
            });
        }
        "domain" => {
            let lists = lists(0, size);
            let asked: Vec<Domain> = (0..64)
                .map(|number| {
                    let listed = (number * 31) % size.max(1);
                    Domain::new(&format!("a.{}", gated::domain(listed))).expect("a domain")
                })
                .collect();
            walk_counted(times, |number| {
                let domain = &asked[number as usize % asked.len()];
                black_box(lists.mail_domain(black_box(domain)));
            });
        }
        "limiter" => {
            // Every key has been there before.
            let limiter = Limiter::new(DEFAULT_SLOTS);
            let keys = u64::from(size);
            (0..size.div_ceil(5)).for_each(|number| reserve(&limiter, number, keys));
            walk_counted(times, |number| reserve(&limiter, number, keys));
        }
        "limiter-time" => {
            let limiter = Limiter::new(DEFAULT_SLOTS);
            let began = std::time::Instant::now();
            (0..times).for_each(|number| reserve(&limiter, number, u64::from(size)));
            let nanos = began.elapsed().as_nanos() / u128::from(times);
            let full = limiter.occupancy();
            println!(
                "{nanos} ns, {} bytes, {} fell back",
                full.bytes, full.fallbacks
            );
        }
        other => panic!("no path {other}"),
    }
}

/// What is counted.
#[inline(never)]
fn walk_counted(times: u32, mut step: impl FnMut(u32)) {
    for number in 0..times {
        step(number);
    }
}

/// Reserves six keys, the `number`th time: of so many different ones.
fn reserve(limiter: &Limiter, number: u32, keys: u64) {
    let number = u64::from(number);
    let quota = |times| Quota::new(times, Duration::from_secs(3600)).expect("a quota");
    let narrow = quota(const { NonZeroU32::new(30).expect("not zero") });
    let wide = quota(const { NonZeroU32::new(100_000_000).expect("not zero") });
    let charge = |key: u64, quota, wider| Charge {
        limit: "bench",
        key: KeyedHash(
            u128::from(key)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
                .to_be_bytes(),
        ),
        quota,
        wider,
        mode: Mode::Enforce,
    };
    // As in a request: narrow keys that change, and wide ones that stay.
    let charges: [Charge; 6] = std::array::from_fn(|at| match at {
        5 => charge(number % 100, wide, None),
        _ => charge((number * 5 + at as u64) % keys + 100, narrow, Some(5)),
    });
    let now = 1_700_000_000_000_000 + number;
    if let Ok(made) = limiter.reserve(black_box(&charges), now) {
        limiter.keep(made);
    }
}

fn lists(networks: u32, domains: u32) -> Lists {
    let folder = tempfile::tempdir().expect("a folder");
    let files = Files {
        networks: vec![folder.path().join("networks")],
        mail_domains: vec![folder.path().join("domains")],
        ..Files::default()
    };
    gated::write_networks(&files.networks[0], networks);
    gated::write_domains(&files.mail_domains[0], domains);
    Lists::load(&files).expect("lists").0
}
