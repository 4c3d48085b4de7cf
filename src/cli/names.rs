//! Names of rules and doors, and networks, as somebody types them.

use ipnet::IpNet;

use crate::endpoint::Endpoint;
use crate::lists::{canonical, read_network};
use crate::verdict::Rule;

/// A rule by its name.
pub(super) fn rule(text: &str) -> Result<Rule, String> {
    let found = Rule::ALL.into_iter().find(|rule| rule.name() == text);
    found.ok_or_else(|| one_of(Rule::ALL.iter().map(|rule| rule.name())))
}

/// A door by its name.
pub(super) fn door(text: &str) -> Result<Endpoint, String> {
    let found = Endpoint::ALL.into_iter().find(|door| door.name() == text);
    found.ok_or_else(|| one_of(Endpoint::ALL.iter().map(|door| door.name())))
}

/// A CIDR, or one address; in its one spelling, which for `::ffff:1.2.3.4` is IPv4.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let network = read_network(text).map(canonical);
    network.ok_or_else(|| "a network, such as 45.9.9.0/24 or 2001:db8::/32".to_owned())
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("one of {}", names.collect::<Vec<_>>().join(", "))
}
