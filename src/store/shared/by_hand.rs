//! Passes on what an admin said of the breaker last: a step put by hand, or let go.
//!
//! One word for all nodes: the latest by its stamp. Redis holds it for [`KEEP`],
//! each node on its own disk for good; one that was away compares and tells the
//! later one. Looked at as often as clusters are, and told on their channel.

use std::time::{Duration, Instant};

use super::Core;
use super::link::Link;
use super::script::BY_HAND;
use crate::wave::ByHand;

/// How long it is kept after a node has last seen to it.
const KEEP: Duration = Duration::from_secs(35 * 86_400);

/// Between two times that a node sees to it.
const SEE_TO_IT: Duration = Duration::from_secs(3600);

/// What a node has last seen there.
#[derive(Debug, Default)]
pub(super) struct Seen {
    text: Option<String>,
    kept_at: Option<Instant>,
}

impl Seen {
    /// Whatever there is counts as new.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// What an admin said since the last look, on whichever node.
    pub(super) async fn look(
        &mut self,
        core: &Core,
        link: &Link,
    ) -> anyhow::Result<Option<ByHand>> {
        let mut link = link.clone();
        let key = core.keys.by_hand();
        let get = redis::cmd("GET").arg(&key).query_async(&mut link).await;
        let text: Option<String> = get?;
        if self.kept_at.is_none_or(|at| at.elapsed() >= SEE_TO_IT) {
            let mut keep = redis::cmd("PEXPIRE");
            let () = keep.arg(&key).arg(millis()).query_async(&mut link).await?;
            self.kept_at = Some(Instant::now());
        }
        if text == self.text {
            return Ok(None);
        }
        let word = text.as_deref().and_then(|text| text.split_once(' '));
        let word = word
            .map(|(_, word)| serde_json::from_str(word))
            .transpose()?;
        self.text = text;
        Ok(word)
    }
}

/// Tells a word, unless a later one is there.
pub(super) async fn tell(core: &Core, link: &Link, word: &ByHand) -> anyhow::Result<()> {
    let text = serde_json::to_string(word)?;
    let told = BY_HAND.run(link.clone(), |cmd| {
        cmd.arg(1).arg(core.keys.by_hand());
        cmd.arg(core.keys.channel());
        cmd.arg(word.stamp).arg(&text).arg(millis());
    });
    told.await?;
    Ok(())
}

fn millis() -> u64 {
    u64::try_from(KEEP.as_millis()).unwrap_or(u64::MAX)
}
