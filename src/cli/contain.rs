//! `tuskgate contain`: what was minted in a burst is made useless at once.

use std::path::Path;

use clap::Args;

use crate::admin::ask::{Answer, Ask};
use crate::cli::{Failure, reach};
use crate::cluster::ClusterId;

/// Answer 401 to every token of a cluster's fresh apps, on every endpoint
#[derive(Debug, Args)]
pub(super) struct Contain {
    /// The cluster, such as A3
    #[arg(long, value_name = "CLUSTER")]
    tokens: ClusterId,
    /// Let them go again
    #[arg(long)]
    release: bool,
}

impl Contain {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let ask = Ask::Contain {
            id: self.tokens,
            contain: !self.release,
        };
        match reach::ask(config, ask)? {
            Answer::Contain(Some(count)) => {
                println!("{count} tokens are contained now, all clusters together");
                if !self.release {
                    println!(
                        "to undo: tuskgate contain --tokens {} --release",
                        self.tokens
                    );
                }
                Ok(())
            }
            Answer::Contain(None) => Err(anyhow::anyhow!("no cluster {}", self.tokens).into()),
            other => Err(reach::unexpected(&other)),
        }
    }
}
