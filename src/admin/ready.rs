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
    for (file, fault) in health.failing {
        all.push(format!("the store cannot write {file}: {fault}"));
    }
    for aside in health.kept_aside {
        all.push(format!(
            "a damaged file of the store was kept aside at this start: {}",
            aside.display()
        ));
    }
    if judge.policy().observe {
        all.push("observing only: nothing is refused".into());
    }
    all
}
