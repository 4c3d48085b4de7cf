//! The machine: its clock, and how many files the gate may open.

use std::time::Duration;

use jiff::Timestamp;

use super::patient::Patient;
use super::report::{Finding, Report};

const CLOCK: &str = "clock";
const FILES: &str = "open files";
/// Files that the gate needs beside connections: store, lists, DNS, itself.
const OWN: u64 = 128;
/// Older than the program: a clock that was never set.
const BUILT: Timestamp = Timestamp::constant(1_760_000_000, 0);
/// A clock may be that wrong.
const SLACK: Duration = Duration::from_secs(60);

/// Checks clock and limits.
pub(super) fn examine(patient: &Patient, now: Timestamp, report: &mut Report) {
    report.add(clock(patient, now));
    report.add(files(patient));
}

/// Expiries and budgets are wall clock: it must not be unset, nor have been set back.
fn clock(patient: &Patient, now: Timestamp) -> Finding {
    let mend = "set the clock: timedatectl set-ntp true; bans and budgets go by it";
    if now < BUILT {
        return Finding::wrong(CLOCK, format!("it is {now}?"), mend);
    }
    let key = patient.settings.store.path.join("key").metadata();
    let key = key.and_then(|metadata| metadata.modified()).ok();
    let key = key.and_then(|at| Timestamp::try_from(at).ok());
    let since = patient.status.as_ref().and_then(|status| status.since);
    let latest = [key, since].into_iter().flatten().max();
    match latest.map(|latest| (latest, latest.duration_since(now))) {
        Some((latest, ahead)) if ahead.unsigned_abs() > SLACK && ahead.is_positive() => {
            let seen = format!("it is {now}, but the gate was there at {latest} already");
            Finding::wrong(CLOCK, seen, mend)
        }
        _ => Finding::ok(CLOCK, format!("{:.0}", now)),
    }
}

fn files(patient: &Patient) -> Finding {
    let Some(status) = &patient.status else {
        return Finding::not_checked(FILES, "only of a running gate", "see above");
    };
    let path = format!("/proc/{}/limits", status.pid);
    let limit = std::fs::read_to_string(&path).ok();
    let Some(limit) = limit.as_deref().and_then(read) else {
        return Finding::not_checked(
            FILES,
            format!("{path} cannot be read"),
            "run doctor where the gate runs",
        );
    };
    judge(limit, patient.settings.listen.max_connections.get() as u64)
}

/// A client's connection and the one to Mastodon that serves it.
fn judge(limit: u64, connections: u64) -> Finding {
    let needed = 2 * connections + OWN;
    let seen = format!("{limit} allowed, for {connections} connections (listen.max-connections)");
    if limit >= needed {
        return Finding::ok(FILES, seen);
    }
    Finding::warn(
        FILES,
        seen,
        format!(
            "LimitNOFILE={needed} in the systemd unit (ulimit -n), or max-connections = {}; \
             beyond it the gate lets new clients wait",
            limit.saturating_sub(OWN) / 2
        ),
    )
}

/// `Max open files            1024                 524288               files`
fn read(text: &str) -> Option<u64> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    let soft = line.split_ascii_whitespace().next()?;
    match soft {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Level;
    use super::*;

    #[test]
    fn the_soft_limit_counts() {
        let text = "Limit  Soft Limit  Hard Limit  Units\n\
            Max open files            1024                 524288               files\n";
        assert_eq!(read(text), Some(1024));
        assert_eq!(
            read("Max open files unlimited unlimited files"),
            Some(u64::MAX)
        );
        assert_eq!(read("nothing"), None);
        assert_eq!(judge(1024, 20_000).level, Level::Warn);
        assert_eq!(judge(65_536, 20_000).level, Level::Ok);
        assert_eq!(judge(u64::MAX, 20_000).level, Level::Ok);
    }
}
