//! Whether the gate is fit for traffic: what `/readyz` and `status` say.
//!
//! A trouble does not stop the gate: it goes on judging with what it has. But
//! it must be seen, because a rule that abstains protects nobody.

use crate::judge::Judge;
use crate::telemetry::trouble;

/// Everything that is wrong right now, in words; empty is well.
#[must_use]
pub fn troubles(judge: &Judge) -> Vec<String> {
    let mut all = trouble::current();
    let health = judge.store().health();
    all.extend(health.kept_aside.iter().map(|file| {
        format!(
            "the store was damaged and begun anew; what could not be read is kept as {}",
            file.display()
        )
    }));
    let failing = health.failing.iter();
    all.extend(failing.map(|(file, why)| format!("{file} cannot be written: {why}")));
    if judge.policy().observe {
        all.push("observing only: nothing is refused".into());
    }
    all
}
