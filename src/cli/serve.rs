//! `tuskgate serve`: the gate itself.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::admin::webhooks::{self, Ear};
use crate::admin::{Control, http, socket};
use crate::cli::{Failure, assemble, files, log};
use crate::config::{self, Environment, Settings};
use crate::judge::Judge;
use crate::proxy::{self, Listener};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::telemetry::trouble::{Trouble, raise};

/// Run the gate
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// Refuse nothing; record and count what would have been refused
    #[arg(long)]
    observe: bool,
}

const EXAMPLES: &str = "\
Signals: SIGHUP reloads configuration and lists, SIGTERM and SIGINT drain and end.

Examples:
  tuskgate serve --observe --config /etc/tuskgate/tuskgate.toml
  TUSKGATE_UPSTREAM_ADDRESS=127.0.0.1:3000 tuskgate serve";

impl Serve {
    pub(super) fn run(self, config: &Path) -> Result<(), Failure> {
        let mut settings = config::load(config, &Environment::of_process())?;
        settings.observe |= self.observe;
        log::start(&settings.log);
        // The control runtime: DNS, settling, admin. Requests have threads of their own.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let observe = self.observe;
        runtime.block_on(serve(settings, config.to_path_buf(), observe))?;
        Ok(())
    }
}

/// After that long a starting gate has all its threads, and these what they need at first.
const SETTLED: Duration = Duration::from_secs(1);

async fn serve(settings: Settings, path: PathBuf, observe: bool) -> anyhow::Result<()> {
    let files = files::read(&path, &settings)?;
    let judge = Arc::new(assemble::judge(&settings, files.lists, Handle::current())?);
    judge
        .recontain()
        .await
        .context("contained tokens cannot be read")?;
    let (listener, listening) = assemble::listener(&settings)?;
    let ear = ear(&settings, &judge, files.secrets).await?;
    let listen = listening.clone();
    let control = administer(&settings, &judge, listening, ear, path, observe).await?;
    let shutdown = shutdown(Arc::clone(&control))?;
    // Whoever waits for this word may take it that nothing of the start can fail any more.
    tracing::info!(%listen, upstream = %assemble::upstream(&settings), observe = settings.observe, "tuskgate is up");
    tokio::spawn(async {
        tokio::time::sleep(SETTLED).await;
        files.scaffold.take_down(None);
    });
    let drained = run(&settings, &judge, listener, shutdown).await?;
    tracing::info!(
        drained = drained.drained,
        cut = drained.cut,
        "tuskgate has ended"
    );
    // What is still in memory reaches the disk before the process ends.
    if let Err(fault) = judge.keep_wave() {
        tracing::error!(%fault, "what the breaker has learned is not kept");
    }
    judge.keep_refused();
    match judge.store().flush().await {
        Err(fault @ (StoreError::Dropped { .. } | StoreError::Unsent { .. })) => {
            tracing::warn!(%fault, "not everything is kept");
        }
        outcome => outcome.context("the store could not be written")?,
    }
    let _ = std::fs::remove_file(&settings.admin.socket);
    Ok(())
}

pub(super) async fn run(
    settings: &Settings,
    judge: &Arc<Judge>,
    listener: Listener,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<proxy::Summary> {
    let layer = assemble::gate(settings, judge);
    let proxy = assemble::proxy_settings(settings);
    proxy::serve(vec![listener], proxy, layer, shutdown)
        .await
        .context("serving ended")
}

/// Starts the admin socket and the admin listener, and hears on `ear`.
pub(super) async fn administer(
    settings: &Settings,
    judge: &Arc<Judge>,
    listening: String,
    ear: Option<(TcpListener, Arc<Ear>)>,
    path: PathBuf,
    observe: bool,
) -> anyhow::Result<Arc<Control>> {
    let socket_path = &settings.admin.socket;
    let commands = socket::bind(socket_path).await.with_context(|| {
        format!(
            "cannot open the admin socket {} (admin.socket)",
            socket_path.display()
        )
    })?;
    let mut status = assemble::status(settings, listening);
    let health = match settings.admin.address {
        Some(address) => {
            let listener = TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {address} (admin.address)"))?;
            status.admin = Some(listener.local_addr()?.to_string());
            Some(listener)
        }
        None => None,
    };
    if let Some((listener, _)) = &ear {
        status.webhooks = Some(listener.local_addr()?.to_string());
    }
    let control = Arc::new(Control {
        judge: Arc::clone(judge),
        status,
        reload: reload(settings.clone(), Arc::clone(judge), path, observe),
    });
    keep(Judge::watch_wave(Arc::downgrade(judge)));
    keep(socket::serve(commands, Arc::clone(&control)));
    if let Some(listener) = health {
        keep(http::serve(listener, Arc::clone(&control)));
    }
    if let Some((listener, ear)) = ear {
        keep(webhooks::serve(listener, ear));
    }
    Ok(control)
}

/// The webhook listener, if there is to be one.
async fn ear(
    settings: &Settings,
    judge: &Arc<Judge>,
    secrets: Vec<Secret>,
) -> anyhow::Result<Option<(TcpListener, Arc<Ear>)>> {
    let Some(address) = settings.webhooks.address else {
        return Ok(None);
    };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} (webhooks.address)"))?;
    Ok(Some((
        listener,
        Arc::new(Ear::new(Arc::clone(judge), secrets)),
    )))
}

/// A task that never ends by itself; if it does, the process ends with it, so
/// that no ghost proxies without being steered.
fn keep(task: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(async {
        let ended = tokio::spawn(task).await;
        raise(Trouble::TaskEnded, "an admin task has ended");
        tracing::error!(
            ?ended,
            "a task that must not end has ended; the gate goes down"
        );
        std::process::exit(1);
    });
}

fn reload(
    settings: Settings,
    judge: Arc<Judge>,
    path: PathBuf,
    observe: bool,
) -> Arc<dyn Fn() -> Result<Vec<String>, String> + Send + Sync> {
    Arc::new(move || {
        let mut new = config::load(&path, &Environment::of_process())
            .map_err(|mistakes| mistakes.to_string())?;
        new.observe |= observe;
        let files = files::read(&path, &new).map_err(|mistakes| mistakes.to_string())?;
        let before = judge.replace(files.lists, assemble::policy(&new));
        files.scaffold.take_down(Some(before));
        Ok(assemble::needs_restart(&settings, &new))
    })
}

/// Ends when the process is asked to; reloads meanwhile.
fn shutdown(control: Arc<Control>) -> anyhow::Result<impl Future<Output = ()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => {
                    control.reload().await;
                }
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
            }
        }
    })
}
