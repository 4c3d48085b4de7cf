//! Tasks that must not end while the store lives: begun anew if they break off.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// Before a task that broke off is begun anew.
const PAUSE: Duration = Duration::from_secs(1);

/// A task that ends with its holder.
#[derive(Debug)]
pub(super) struct Task(JoinHandle<()>);

impl Task {
    /// Runs what `begin` makes, again and again, on `control`.
    pub(super) fn watch<F>(
        control: &Handle,
        name: &'static str,
        begin: impl Fn() -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self(control.spawn(again(name, begin)))
    }

    async fn ended(mut self) -> Result<(), JoinError> {
        (&mut self.0).await
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs what `begin` makes until it ends by itself.
pub(super) async fn again<F>(name: &'static str, begin: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    while let Err(fault) = Task(tokio::spawn(begin())).ended().await {
        tracing::error!(name, %fault, "a task of the shared store broke off and is begun anew");
        tokio::time::sleep(PAUSE).await;
    }
}
