//! The files that the configuration names: whether they can be read, and of lists
//! how much is in them and how old they are.

use std::path::Path;

use jiff::Timestamp;

use super::patient::Patient;
use super::report::{Finding, Report};
use crate::lists::Lists;
use crate::quota::spell;

const LISTS: &str = "lists";

/// Reads every list as the gate would at its next reload.
pub(super) fn examine(patient: &Patient, now: Timestamp, report: &mut Report) {
    let (lists, warnings) = match Lists::load(&patient.settings.lists) {
        Ok(read) => read,
        Err(faults) => {
            for fault in faults {
                let mend = "the gate keeps the lists it has; mend the file, then tuskgate reload";
                report.add(Finding::wrong(LISTS, fault.to_string(), mend));
            }
            return;
        }
    };
    if lists.loaded().is_empty() {
        report.add(Finding::ok(LISTS, "none are named in [lists]"));
    }
    for loaded in lists.loaded() {
        let (age, newer) = age(patient, &loaded.file, now);
        let seen = format!(
            "{}: {} entries for {}{age}",
            loaded.file.display(),
            loaded.entries,
            loaded.list
        );
        report.add(match (loaded.skipped, newer) {
            (0, false) => Finding::ok(LISTS, seen),
            (0, true) => Finding::warn(
                LISTS,
                format!("{seen}, changed since the gate was started"),
                "tuskgate reload, if it has not been told since",
            ),
            (skipped, _) => {
                let first = warnings
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                Finding::warn(
                    LISTS,
                    format!("{seen}, {skipped} lines left out"),
                    format!("the first of all: {first}"),
                )
            }
        });
    }
}

/// How old a file is, and whether it is newer than the gate.
fn age(patient: &Patient, file: &Path, now: Timestamp) -> (String, bool) {
    let changed = file.metadata().and_then(|metadata| metadata.modified());
    let Some(changed) = changed.ok().and_then(|at| Timestamp::try_from(at).ok()) else {
        return (String::new(), false);
    };
    let age = u64::try_from(now.duration_since(changed).as_secs()).unwrap_or(0);
    let age = format!(", {} old", spell(std::time::Duration::from_secs(age)));
    let since = patient.status.as_ref().and_then(|status| status.since);
    (age, since.is_some_and(|since| changed > since))
}
