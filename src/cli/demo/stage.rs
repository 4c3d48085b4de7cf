//! The stage: a folder of its own, the stand-ins, and the real gate between,
//! put together from a real configuration file as `serve` does it.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::folder::Folder;
use super::stand_ins::StandIns;
use crate::admin::Control;
use crate::admin::ask::{Answer, Ask, NewBan, Target};
use crate::admin::socket;
use crate::ban::{Ban, Effect, Scopes};
use crate::cli::{assemble, serve};
use crate::config::{self, Environment, Settings};
use crate::judge::Judge;
use crate::lists::Lists;
use crate::proxy::{self, Listener};
use crate::stand_in::dns::Zone;

/// How long the end may take.
const DRAIN: Duration = Duration::from_secs(2);

/// Everything that runs, beside those who play.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) stand_ins: StandIns,
    pub(super) settings: Settings,
    pub(super) judge: Arc<Judge>,
    pub(super) control: Arc<Control>,
    /// Where the gate listens.
    pub(super) gate: SocketAddr,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<anyhow::Result<proxy::Summary>>,
    // Last: removed when all else has ended.
    folder: Folder,
}

impl Stage {
    /// Starts everything; `zone` is what the stand-in DNS knows.
    pub(super) async fn build(zone: Zone, observe: bool) -> anyhow::Result<Self> {
        let folder = Folder::make().context("a temporary folder")?;
        let stand_ins = StandIns::start(zone).await?;
        let file = config_file(folder.path());
        // Bound first, so that the file can say which port was free.
        let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let plan = Plan {
            folder: folder.path(),
            listen: listener.local_addr().context("a tcp listener")?,
            upstream: stand_ins.upstream.address(),
            dns: stand_ins.dns,
            observe,
        };
        let settings = plan.write_and_read(&file)?;
        let judge = Arc::new(assemble::judge(
            &settings,
            Lists::empty(),
            Handle::current(),
        )?);
        let listening = plan.listen.to_string();
        let control = serve::administer(&settings, &judge, listening, None, file, observe).await?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn({
            let (settings, judge) = (settings.clone(), Arc::clone(&judge));
            async move {
                let stopped = async {
                    // Told, or the stage is gone.
                    let _ = stopped.await;
                };
                serve::run(&settings, &judge, listener, stopped).await
            }
        });
        Ok(Self {
            gate: plan.listen,
            stand_ins,
            settings,
            judge,
            control,
            stop,
            serving,
            folder,
        })
    }

    /// The configuration, for the other verbs.
    pub(super) fn config(&self) -> PathBuf {
        config_file(self.folder.path())
    }

    /// Bans a network as `tuskgate ban network` does: through the admin socket.
    pub(super) async fn ban(&self, ip: IpAddr, reason: &str) -> anyhow::Result<Ban> {
        let ask = Ask::Ban(NewBan {
            target: Target::Network(ip.into()),
            effect: Effect::Ban,
            scopes: Scopes::DEFAULT,
            reason: reason.to_owned(),
            source: "demo".to_owned(),
            expires: None,
        });
        match socket::ask(&self.settings.admin.socket, &ask).await? {
            Answer::Ban(ban) => Ok(ban),
            other => Err(anyhow!("the ban was answered with {other:?}")),
        }
    }

    /// Ends the gate, then the rest, and removes the folder.
    pub(super) async fn end(self) -> anyhow::Result<()> {
        drop(self.stop);
        self.serving.await.context("the gate panicked")??;
        self.judge.store().flush().await?;
        Ok(())
    }
}

fn config_file(folder: &Path) -> PathBuf {
    folder.join("tuskgate.toml")
}

/// What the configuration says.
struct Plan<'a> {
    folder: &'a Path,
    listen: SocketAddr,
    upstream: SocketAddr,
    dns: SocketAddr,
    observe: bool,
}

impl Plan<'_> {
    /// Written, and read as `serve` reads it, save that no variable of this
    /// process counts: one that is meant for a real gate would have the
    /// attack played at a real Mastodon.
    fn write_and_read(&self, file: &Path) -> anyhow::Result<Settings> {
        std::fs::write(file, self.text()?).with_context(|| file.display().to_string())?;
        let settings = config::load(file, &Environment::default())?;
        Ok(settings)
    }

    fn text(&self) -> anyhow::Result<String> {
        let mut table = toml::Table::new();
        let mut set = |section: &str, key: &str, value: toml::Value| {
            let section = table
                .entry(section)
                .or_insert_with(|| toml::Table::new().into());
            if let Some(section) = section.as_table_mut() {
                section.insert(key.into(), value);
            }
        };
        let inside = |name: &str| self.folder.join(name).display().to_string();
        set("listen", "address", self.listen.to_string().into());
        set("upstream", "address", self.upstream.to_string().into());
        set("admin", "address", "127.0.0.1:0".into());
        set("admin", "socket", inside("admin.sock").into());
        set("store", "path", inside("store").into());
        set("dns", "servers", vec![self.dns.to_string()].into());
        // A stand-in on a busy machine is no bot's slow name server.
        set("dns", "timeout", "5s".into());
        set("log", "level", "error".into());
        set("timeouts", "drain", format!("{}s", DRAIN.as_secs()).into());
        let mut text = String::from("# Written by `tuskgate demo`; gone when it ends.\n");
        // Top level first: below a table it would belong to that table.
        text.push_str(&format!("observe = {}\n\n", self.observe));
        text.push_str(&toml::to_string(&table)?);
        Ok(text)
    }
}
