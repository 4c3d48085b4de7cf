//! Answers about clusters, mail servers, an app's budgets and the breaker, which
//! only a running gate has in memory.

use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask};
use crate::admin::{apps, mail_domain};
use crate::judge::Judge;
use crate::wave::Pin;

/// Does what `ask` says; gives `ask` back if it is about something else.
pub(super) async fn answer(ask: Ask, judge: &Judge) -> Result<Answer, Ask> {
    let registers = judge.registers();
    let now = Timestamp::now().as_second();
    Ok(match ask {
        Ask::Clusters => Answer::Clusters(registers.clusters()),
        Ask::Cluster { id } => Answer::Cluster(judge.cluster_with_suspects(id).await.map(Box::new)),
        Ask::Release { id, why } => match registers.release(id, now, &why).await {
            Ok(released) => {
                tracing::warn!(cluster = %id, why, "a cluster is released");
                if let Err(fault) = judge.recontain().await {
                    tracing::error!(%fault, "its tokens are still contained");
                }
                Answer::Cluster(released.map(Box::new))
            }
            Err(fault) => Answer::Fault(format!("released, but not on the disk: {fault}")),
        },
        Ask::Contain { id, contain } => match judge.contain(id, contain).await {
            Ok(done) => Answer::Contain(done),
            Err(fault) => Answer::Fault(fault.to_string()),
        },
        Ask::App { id } => apps::live(&id, judge).await,
        Ask::Pin { step, until } => {
            let pin = step.map(|step| Pin {
                step,
                since: now,
                until: until.map(Timestamp::as_second),
            });
            match judge.pin_step(pin, now).await {
                Ok(standing) => Answer::Breaker(Box::new(standing)),
                Err(fault) => Answer::Fault(format!("in force, but not on the disk: {fault}")),
            }
        }
        Ask::MailServer { server } => match registers.server(&server, now) {
            Some(reports) => Answer::MailServer(reports),
            None => Answer::Fault(format!("{server:?} is neither a host name nor an address")),
        },
        Ask::MailDomain { domain } => match mail_domain::report(&domain, judge, now).await {
            Ok(report) => Answer::MailDomain(Box::new(report)),
            Err(why) => Answer::Fault(why),
        },
        other => return Err(other),
    })
}
