//! Overrides from the environment: `TUSKGATE_UPSTREAM_ADDRESS` is `address`
//! in `[upstream]`.
//!
//! The name of a variable follows from its key, never the other way round, so
//! that no key is ambiguous. A variable that belongs to no key is a mistake
//! like an unknown key in the file, except the few that others set.

use std::collections::BTreeMap;

const PREFIX: &str = "TUSKGATE_";

/// Not ours to judge: `--config`'s own variable, the tests', and those that
/// Docker links and Kubernetes make for a service called tuskgate.
const OTHERS: [&str; 4] = ["CONFIG", "TEST_", "PORT", "SERVICE_"];

/// The variables that begin with `TUSKGATE_`.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process. Text that is not UTF-8 is shown as it can be.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .map(|(name, value)| {
                let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
                (text(name), text(value))
            })
            .collect()
    }

    /// The value for `key` in `section` (empty for the top level).
    pub(super) fn value(&self, section: &str, key: &str) -> Option<&str> {
        self.0.get(&name(section, key)).map(String::as_str)
    }

    /// Every variable that should belong to a key.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours = |name: &str| {
            let rest = name.strip_prefix(PREFIX).unwrap_or(name);
            !OTHERS.iter().any(|other| rest.starts_with(other))
        };
        self.0
            .iter()
            .filter(move |(name, _)| ours(name))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        let ours = |(name, _): &(String, String)| name.starts_with(PREFIX);
        Self(variables.into_iter().filter(ours).collect())
    }
}

/// The variable that overrides `key` in `section`.
pub(super) fn name(section: &str, key: &str) -> String {
    let dot = if section.is_empty() { "" } else { "." };
    let words = format!("{section}{dot}{key}").to_ascii_uppercase();
    format!("{PREFIX}{}", words.replace(['.', '-'], "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_named_after_its_key() {
        assert_eq!(name("upstream", "address"), "TUSKGATE_UPSTREAM_ADDRESS");
        assert_eq!(
            name("rules.mail-server", "mode"),
            "TUSKGATE_RULES_MAIL_SERVER_MODE"
        );
        assert_eq!(name("", "observe"), "TUSKGATE_OBSERVE");
    }

    #[test]
    fn what_others_set_is_left_alone() {
        let environment: Environment = [
            ("TUSKGATE_CONFIG", "x"),
            ("TUSKGATE_PORT_9300_TCP", "x"),
            ("TUSKGATE_SERVICE_HOST", "x"),
            ("TUSKGATE_UPSTREAM_ADRESS", "x"),
            ("HOME", "x"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        let names: Vec<_> = environment.names().map(|(name, _)| name).collect();
        assert_eq!(names, ["TUSKGATE_UPSTREAM_ADRESS"]);
    }
}
