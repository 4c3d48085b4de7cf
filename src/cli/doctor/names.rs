//! The DNS resolver: whether it answers, and how fast, by a look-up of a domain
//! that is always there.

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::patient::Patient;
use super::report::{Finding, Report};
use crate::cli::assemble;
use crate::mail::dns::{Finding as Found, Resolver};

const DNS: &str = "dns";
/// Slower than this, and people notice at the sign-up.
const SLOW: Duration = Duration::from_millis(500);

/// Asks the configured resolver once.
pub(super) async fn examine(patient: &Patient, report: &mut Report) {
    report.add(look(patient).await);
}

async fn look(patient: &Patient) -> Finding {
    let settings = assemble::dns_settings(&patient.settings);
    let whose = match settings.servers.as_slice() {
        [] => "the system's resolver".to_owned(),
        servers => servers
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(" "),
    };
    let mend = "name resolvers that answer in [dns] servers; a local unbound is best. While none \
                answers, mail-server lets everybody pass";
    let Some(domain) = settings.controls.first() else {
        return Finding::not_checked(DNS, "no domain to ask for", mend);
    };
    let resolver = match Resolver::new(&settings, Handle::current()) {
        Ok(resolver) => resolver,
        Err(fault) => return Finding::wrong(DNS, format!("{whose}: {fault}"), mend),
    };
    let begun = Instant::now();
    let found = resolver.look(domain).await;
    let took = begun.elapsed();
    let took = Duration::from_millis(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    match found {
        Err(lapse) => Finding::wrong(
            DNS,
            format!(
                "{whose} did not say where the mail of {domain} goes: {}",
                lapse.cause
            ),
            mend,
        ),
        Ok(Found::Server(_)) if took > SLOW => {
            Finding::warn(DNS, format!("{whose} took {took:?} for {domain}"), mend)
        }
        Ok(Found::Server(_)) => Finding::ok(DNS, format!("{whose} answers in {took:?}")),
        Ok(Found::Null | Found::Nowhere) => Finding::warn(
            DNS,
            format!("{whose} answers, but says that {domain} has no mail server"),
            "right for a resolver that knows a made-up zone only; any other one is broken or lies",
        ),
    }
}
