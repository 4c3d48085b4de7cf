//! The running gate: whether there is one, whether it runs what the file says,
//! and what it says is wrong.

use std::io::ErrorKind;

use super::patient::Patient;
use super::report::{Finding, Report};
use crate::admin::ask::{Answer, Ask, SharedStanding, Status};
use crate::cli::assemble;
use crate::config::ListenAddress;

const GATE: &str = "gate";

/// Asks the gate for its status and keeps it.
pub(super) async fn examine(patient: &mut Patient, report: &mut Report) {
    let socket = patient.settings.admin.socket.display().to_string();
    let finding = match patient.ask(&Ask::Status).await {
        Ok(Answer::Status(status)) => {
            let seen = format!(
                "tuskgate {} runs (pid {}), listens on {}, forwards to {}",
                status.version,
                status.pid,
                status.listen.join(" and "),
                status.upstream
            );
            patient.status = Some(*status);
            Finding::ok(GATE, seen)
        }
        Ok(other) => Finding::wrong(
            GATE,
            format!("{socket} answered something else: {other:?}"),
            "is the gate of another version than this command? Restart it",
        ),
        Err(fault) => not_running(&socket, &fault),
    };
    report.add(finding);
    if let Some(status) = &patient.status {
        same_as_file(patient, status, report);
        troubles(status, report);
        shared_store(patient, status, report);
        webhooks(patient, status, report);
    }
}

fn not_running(socket: &str, fault: &std::io::Error) -> Finding {
    let mend = match fault.kind() {
        ErrorKind::PermissionDenied => "run doctor as root or as the gate's own user",
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            "start it (systemctl start tuskgate, or tuskgate serve); \
             if it runs, --config names another file than its own"
        }
        _ => "see the gate's log (journalctl -u tuskgate)",
    };
    let seen = format!("nobody answers on {socket} (admin.socket): {fault}");
    Finding::wrong(GATE, seen, mend)
}

/// The file may have been changed since the gate was started.
fn same_as_file(patient: &Patient, status: &Status, report: &mut Report) {
    let upstream = assemble::upstream(&patient.settings);
    let listen = match &patient.settings.listen.address {
        ListenAddress::Tcp(address) if address.port() == 0 => None,
        ListenAddress::Tcp(address) => Some(address.to_string()),
        ListenAddress::Unix(path) => Some(format!("unix:{}", path.display())),
    };
    let mut other = Vec::new();
    if upstream != status.upstream {
        other.push(format!("upstream.address is {upstream}"));
    }
    if let Some(listen) = listen.filter(|listen| !status.listen.contains(listen)) {
        other.push(format!("listen.address is {listen}"));
    }
    if patient.settings.observe != status.observe {
        other.push(format!("observe is {}", patient.settings.observe));
    }
    if !other.is_empty() {
        report.add(Finding::warn(
            GATE,
            format!("the file says otherwise than the gate runs: {}", other.join(", ")),
            "tuskgate reload (for observe), or restart the gate; --observe on its command line also does this",
        ));
    }
}

fn troubles(status: &Status, report: &mut Report) {
    const TROUBLE: &str = "troubles";
    if status.troubles.is_empty() {
        report.add(Finding::ok(TROUBLE, "the gate knows of none"));
    }
    for trouble in &status.troubles {
        report.add(Finding::warn(
            TROUBLE,
            trouble,
            "a trouble is shown for five minutes after it was last met",
        ));
    }
}

/// Its being away is among the troubles too; that it is well is said only here.
fn shared_store(patient: &Patient, status: &Status, report: &mut Report) {
    const SHARED: &str = "shared store";
    let set = patient.settings.store.shared.is_some();
    report.add(match (status.shared, set) {
        (None, false) => return,
        (None, true) => Finding::warn(
            SHARED,
            "store.url is set, and the gate runs without it",
            "restart the gate",
        ),
        (Some(_), false) => Finding::warn(
            SHARED,
            "the gate shares its state, and store.url is not set",
            "restart the gate, or look which configuration is its own",
        ),
        (Some(SharedStanding::Up), true) => Finding::ok(SHARED, "in use"),
        (Some(SharedStanding::Away), true) => Finding::wrong(
            SHARED,
            "away: this gate decides alone",
            "tuskgate store check says why it cannot be reached",
        ),
    });
}

/// Whether Mastodon tells the gate what came to be, and whether all of it came through the gate.
fn webhooks(patient: &Patient, status: &Status, report: &mut Report) {
    const WEBHOOKS: &str = "webhooks";
    let heard = &status.heard;
    let Some(address) = &status.webhooks else {
        return;
    };
    report.add(match heard.last {
        Some(last) => Finding::ok(
            WEBHOOKS,
            format!(
                "{} taken since the gate started, the last {last:.0}; {} accounts confirmed",
                heard.events, heard.confirmed
            ),
        ),
        None => Finding::warn(
            WEBHOOKS,
            format!("none has come to {address} since the gate started"),
            "in Mastodon's /admin/webhooks, add http://ADDRESS:PORT/webhooks as Sidekiq reaches it, for account.created, account.approved, account.updated and report.created",
        ),
    });
    let expected = patient.settings.webhooks.sign_ups_elsewhere;
    if let Some(last) = heard.last_bypass.filter(|_| !expected) {
        report.add(Finding::warn(
            WEBHOOKS,
            format!(
                "{} accounts came to be that the gate never let through, the last seen {last:.0}",
                heard.bypasses
            ),
            "by tootctl, an identity provider or LDAP that is as it should be; else Mastodon is reached beside the gate (a published port 3000, another server block)",
        ));
    }
}
