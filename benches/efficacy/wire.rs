//! A whole gate in this process, with a stand-in for Mastodon and one for DNS,
//! and a client that speaks to it as nginx would. Nothing leaves loopback.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tuskgate::judge::Judge;
use tuskgate::judge::limit::Limit;
use tuskgate::judge::policy::Policy;
use tuskgate::lists::Lists;
use tuskgate::mail::dns::{DnsSettings, Resolver};
use tuskgate::proxy::gate::{Access, Bounds, GateLayer};
use tuskgate::proxy::{Address, Listener, ProxySettings, serve};
use tuskgate::stand_in::dns::{StandInDns, Zone};
use tuskgate::stand_in::upstream::StandIn;
use tuskgate::store::{Store, StoreSettings};

use crate::people::{Act, What};

type Fault = Box<dyn Error>;

/// The gate between its stand-ins, with the default policy.
pub(crate) struct Wire {
    pub(crate) gate: SocketAddr,
    pub(crate) mastodon: SocketAddr,
    _stand_in: StandIn,
    _dns: StandInDns,
    _stop: oneshot::Sender<()>,
    _folder: TempDir,
}

impl Wire {
    /// Starts everything; the zone is that of the acts' addresses.
    pub(crate) async fn start(acts: &[Act]) -> Result<Self, Fault> {
        let mastodon = StandIn::start().await?;
        let dns = StandInDns::start(zone(acts)).await?;
        let folder = tempfile::tempdir()?;
        let store = Store::open(&StoreSettings::new(folder.path()))?;
        let settings = DnsSettings {
            servers: vec![dns.address()],
            // A stand-in on a busy machine is no bot's slow name server.
            timeout: std::time::Duration::from_secs(5),
            ..DnsSettings::default()
        };
        let resolver = Resolver::new(&settings, Handle::current())?;
        let limits = Limit::ALL.map(|limit| (limit, limit.default_budget()));
        let policy = Policy {
            limits: limits.into_iter().collect(),
            ..Policy::default()
        };
        let judge = Judge::new(store, resolver, Lists::empty(), policy, Handle::current());
        let layer = GateLayer::new(Arc::new(judge), Bounds::default(), Access::Silent);
        let listener = Listener::tcp(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let gate = listener.local_addr().ok_or("a tcp listener")?;
        let settings = ProxySettings {
            workers: std::num::NonZeroUsize::MIN,
            upstream: Address::Socket(mastodon.address()),
            ..ProxySettings::default()
        };
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(vec![listener], settings, layer, async {
            // Told, or the bench is over.
            let _ = stopped.await;
        }));
        Ok(Self {
            gate,
            mastodon: mastodon.address(),
            _stand_in: mastodon,
            _dns: dns,
            _stop: stop,
            _folder: folder,
        })
    }
}

fn zone(acts: &[Act]) -> Zone {
    let mut zone = Zone::new();
    let mut said = BTreeSet::new();
    for act in acts {
        let What::SignUp(_, mail, _) = &act.what else {
            continue;
        };
        let host = &mail.server.hosts[0];
        if said.insert((mail.domain.to_string(), host.name.to_string())) {
            zone.mx(mail.domain.as_str(), 10, host.name.as_str());
        }
        for ip in &host.ips {
            if said.insert((host.name.to_string(), ip.to_string())) {
                zone.ip(host.name.as_str(), *ip);
            }
        }
    }
    zone
}

/// One kept connection to one server.
pub(crate) struct Line(SendRequest<Full<Bytes>>);

/// What came back.
pub(crate) struct Answer {
    /// The gate's own word, and not Mastodon's.
    pub(crate) refused: bool,
    pub(crate) well: bool,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A text of a JSON answer.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        let value: Value = serde_json::from_slice(&self.body).ok()?;
        value.get(key)?.as_str().map(str::to_owned)
    }
}

impl Line {
    pub(crate) async fn to(address: SocketAddr) -> Result<Self, Fault> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// Sends JSON as coming from `from`, or reads the page if there is none.
    pub(crate) async fn send(
        &mut self,
        path: &str,
        from: IpAddr,
        bearer: Option<&str>,
        fields: Option<Value>,
    ) -> Result<Answer, Fault> {
        let method = fields.as_ref().map_or("GET", |_| "POST");
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "social.example")
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-for", from.to_string());
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
        }
        let body = fields.map(|fields| fields.to_string()).unwrap_or_default();
        self.0.ready().await?;
        let response = self.0.send_request(request.body(Full::from(body))?).await?;
        let (head, body) = response.into_parts();
        Ok(Answer {
            refused: head.headers.contains_key("x-tuskgate-reference"),
            well: head.status.is_success() || head.status.is_redirection(),
            body: body.collect().await?.to_bytes(),
        })
    }
}
