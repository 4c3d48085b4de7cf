//! Answers about clusters and mail servers, which only a running gate has in memory.

use jiff::Timestamp;

use crate::admin::ask::{Answer, Ask};
use crate::judge::Judge;

/// Does what `ask` says; gives `ask` back if it is about something else.
pub(super) async fn answer(ask: Ask, judge: &Judge) -> Result<Answer, Ask> {
    let registers = judge.registers();
    let now = Timestamp::now().as_second();
    Ok(match ask {
        Ask::Clusters => Answer::Clusters(registers.clusters()),
        Ask::Cluster { id } => Answer::Cluster(registers.cluster(id).map(Box::new)),
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
            Ok(done) => Answer::Contain(done.map(|(_, count)| count)),
            Err(fault) => Answer::Fault(fault.to_string()),
        },
        Ask::MailServer { server } => match registers.server(&server, now) {
            Some(reports) => Answer::MailServer(reports),
            None => Answer::Fault(format!("{server:?} is neither a host name nor an address")),
        },
        other => return Err(other),
    })
}
