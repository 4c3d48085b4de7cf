//! The proxy under test: the library's `serve` on free ports, without a judge.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use tokio::sync::oneshot;
use tuskgate::proxy::{Address, Listener, ProxySettings, ServeError, Summary, Upstream, serve};

/// A layer that adds nothing.
#[derive(Clone)]
pub(crate) struct Bare;

impl tower_layer::Layer<Upstream> for Bare {
    type Service = Upstream;

    fn layer(&self, inner: Upstream) -> Upstream {
        inner
    }
}

/// A running proxy, asked to end when dropped.
pub(crate) struct Gate {
    pub(crate) address: SocketAddr,
    shutdown: Option<oneshot::Sender<()>>,
    ended: Option<oneshot::Receiver<Result<Summary, ServeError>>>,
}

/// Settings for a test: one worker, loopback not trusted, a short drain.
pub(crate) fn settings(upstream: SocketAddr) -> ProxySettings {
    let mut settings = ProxySettings {
        workers: NonZeroUsize::MIN,
        trusted_proxies: Vec::new(),
        upstream: Address::Socket(upstream),
        ..ProxySettings::default()
    };
    settings.timeouts.drain = Duration::from_secs(5);
    settings
}

/// The same with loopback trusted, as nginx would be.
pub(crate) fn behind_nginx(upstream: SocketAddr) -> ProxySettings {
    ProxySettings {
        trusted_proxies: ProxySettings::default().trusted_proxies,
        ..settings(upstream)
    }
}

impl Gate {
    pub(crate) fn start(settings: ProxySettings) -> Self {
        Self::with_layer(settings, Bare)
    }

    pub(crate) fn with_layer<L>(settings: ProxySettings, layer: L) -> Self
    where
        L: tower_layer::Layer<Upstream, Service: tuskgate::proxy::Stack> + Send + Sync + 'static,
    {
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::tcp(loopback).expect("a free port");
        let address = listener.local_addr().expect("a tcp listener");
        Self::on(vec![listener], address, settings, layer)
    }

    pub(crate) fn on<L>(
        listeners: Vec<Listener>,
        address: SocketAddr,
        settings: ProxySettings,
        layer: L,
    ) -> Self
    where
        L: tower_layer::Layer<Upstream, Service: tuskgate::proxy::Stack> + Send + Sync + 'static,
    {
        let (shutdown, told) = oneshot::channel::<()>();
        let (over, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            let shutdown = async move {
                let _ = told.await;
            };
            let _ = over.send(runtime.block_on(serve(listeners, settings, layer, shutdown)));
        });
        Self {
            address,
            shutdown: Some(shutdown),
            ended: Some(ended),
        }
    }

    /// Asks it to end, without waiting.
    pub(crate) fn shut_down(&mut self) {
        drop(self.shutdown.take());
    }

    /// How it ended.
    pub(crate) async fn ended(&mut self) -> Result<Summary, ServeError> {
        let ended = self.ended.take().expect("asked once");
        ended.await.expect("the serving thread lives")
    }
}
