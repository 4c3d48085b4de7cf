//! What doctor found: one line a check, as it is found, or all as JSON.

use serde::Serialize;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It works, and should be looked at.
    Warn,
    /// It does not work, or protects nobody.
    Wrong,
    /// It could not be seen from here; never taken for well.
    NotChecked,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Wrong => "WRONG",
            Self::NotChecked => "-",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) level: Level,
    /// What was seen.
    pub(super) seen: String,
    /// What to do.
    pub(super) mend: Option<String>,
}

impl Finding {
    pub(super) fn ok(check: &'static str, seen: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, seen.into(), None)
    }

    pub(super) fn warn(
        check: &'static str,
        seen: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::new(check, Level::Warn, seen.into(), Some(mend.into()))
    }

    pub(super) fn wrong(
        check: &'static str,
        seen: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::new(check, Level::Wrong, seen.into(), Some(mend.into()))
    }

    pub(super) fn not_checked(
        check: &'static str,
        seen: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self::new(check, Level::NotChecked, seen.into(), Some(mend.into()))
    }

    const fn new(check: &'static str, level: Level, seen: String, mend: Option<String>) -> Self {
        Self {
            check,
            level,
            seen,
            mend,
        }
    }
}

/// All checks so far.
#[derive(Debug)]
pub(super) struct Report {
    json: bool,
    findings: Vec<Finding>,
}

impl Report {
    pub(super) const fn new(json: bool) -> Self {
        Self {
            json,
            findings: Vec::new(),
        }
    }

    /// Adds a finding, and shows it unless all are to be shown at the end.
    pub(super) fn add(&mut self, finding: Finding) {
        if !self.json {
            say!(
                "{:<6} {:<16} {}",
                finding.level.word(),
                finding.check,
                finding.seen
            );
            for line in finding.mend.iter().flat_map(|mend| mend.lines()) {
                say!("{:24}> {line}", "");
            }
        }
        self.findings.push(finding);
    }

    /// How many checks went so.
    pub(super) fn count(&self, level: Level) -> usize {
        let all = self.findings.iter();
        all.filter(|finding| finding.level == level).count()
    }

    /// Shows what is left to be shown.
    pub(super) fn close(&self) {
        let counts = [Level::Wrong, Level::Warn, Level::NotChecked].map(|level| self.count(level));
        let [wrong, warn, not_checked] = counts;
        if self.json {
            let report = serde_json::json!({ "well": wrong == 0, "checks": self.findings });
            say!("{report}");
        } else {
            say!("\n{wrong} wrong, {warn} to look at, {not_checked} not checked");
        }
    }
}
