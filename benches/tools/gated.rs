//! The gated path without sockets, for the micro-benches and the count of
//! instructions: identify, gate and judge over a stand-in for Mastodon that
//! answers at once.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use tokio::runtime::{Builder, Runtime};
use tower_layer::Layer;
use tower_service::Service;
use tuskgate::judge::Judge;
use tuskgate::judge::limit::Limit;
use tuskgate::judge::policy::Policy;
use tuskgate::lists::{Files, Lists};
use tuskgate::mail::dns::{DnsSettings, Resolver};
use tuskgate::proxy::gate::{Access, Bounds, Function, Gate, GateLayer, service};
use tuskgate::proxy::{Body, Identify, IdentifyLayer, Peer, TrustedProxies};
use tuskgate::store::{Store, StoreSettings};
use tuskgate::verdict::{Mode, Rule};

type Answering = fn(Request<Body>) -> std::future::Ready<Response<Body>>;

/// A gate to call.
pub(crate) struct Gated {
    runtime: Runtime,
    gate: Identify<Gate<Function<Answering>>>,
    _folder: tempfile::TempDir,
}

const APP: &str = r#"{"id":"1","name":"bench","website":null,"redirect_uri":"urn:ietf:wg:oauth:2.0:oob","client_id":"bench","client_secret":"secret"}"#;

fn mastodon(request: Request<Body>) -> std::future::Ready<Response<Body>> {
    let body = match request.uri().path() {
        "/api/v1/apps" => Body::from(Bytes::from_static(APP.as_bytes())),
        _ => Body::from(Bytes::from_static(&[b'x'; 1024])),
    };
    let mut response = Response::new(body);
    let kind = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert("content-type", kind);
    std::future::ready(response)
}

impl Gated {
    /// With 100,000 banned networks and every limit on.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let networks = folder.path().join("networks");
        write_networks(&networks, 100_000);
        let files = Files {
            networks: vec![networks],
            ..Files::default()
        };
        let (lists, _) = Lists::load(&files).expect("lists");
        let gate = runtime.block_on(async {
            let store =
                Store::open(&StoreSettings::new(folder.path().join("store"))).expect("a store");
            let control = tokio::runtime::Handle::current();
            let dns = DnsSettings {
                servers: vec![SocketAddr::from(([127, 0, 0, 1], 9053))],
                ..DnsSettings::default()
            };
            let resolver = Resolver::new(&dns, control.clone()).expect("a resolver");
            let policy = Policy {
                // Else it refuses the flood before a budget is looked at.
                modes: [(Rule::AppCluster, Mode::Observe)].into(),
                limits: Limit::ALL
                    .map(|limit| (limit, limit.default_budget()))
                    .into_iter()
                    .collect(),
                ..Policy::default()
            };
            let judge = Judge::new(store, resolver, lists, policy, control);
            let layer = GateLayer::new(Arc::new(judge), Bounds::default(), Access::Silent);
            let trusted = TrustedProxies::new(["127.0.0.0/8".parse().expect("a network")]);
            let gate = layer.layer(service(mastodon as Answering));
            let peer = Peer::Tcp(SocketAddr::from(([127, 0, 0, 1], 40_000)));
            IdentifyLayer::new(trusted).layer(gate).of_peer(peer)
        });
        let mut gated = Self {
            runtime,
            gate,
            _folder: folder,
        };
        gated.spend();
        gated
    }

    /// Has the app learned and its budget spent, so that [`token`] is refused.
    fn spend(&mut self) {
        let body =
            "client_name=bench&redirect_uris=urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob&scopes=read";
        assert_eq!(self.call(post("/api/v1/apps", body, 0)), StatusCode::OK);
        // What was learned is written by a task of its own.
        self.runtime
            .block_on(async { tokio::task::yield_now().await });
        let refused =
            (0..10_000).any(|number| self.call(token(number)) == StatusCode::TOO_MANY_REQUESTS);
        assert!(refused, "the budget of an app has an end");
    }

    /// The status of the answer.
    pub(crate) fn call(&mut self, request: Request<Body>) -> StatusCode {
        let answer = self.gate.call(request);
        let Ok(response) = self.runtime.block_on(answer);
        response.status()
    }
}

/// A browser's request, with fifteen fields.
pub(crate) fn page(number: u32) -> Request<Body> {
    let [_, a, b, c] = number.to_be_bytes();
    Request::get("/api/v1/timelines/home?limit=20")
        .header("host", "mastodon.example")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
        )
        .header("accept", "application/json, text/plain, */*")
        .header("accept-language", "en-GB,en;q=0.7,de;q=0.3")
        .header("accept-encoding", "gzip, deflate, br")
        .header(
            "authorization",
            "Bearer 7MuBDsomeTokenOfFortyThreeCharactersInAll012",
        )
        .header("cookie", "_session_id=abcdef0123456789abcdef0123456789")
        .header("referer", "https://mastodon.example/home")
        .header("connection", "keep-alive")
        .header("sec-fetch-dest", "empty")
        .header("sec-fetch-mode", "cors")
        .header("sec-fetch-site", "same-origin")
        .header("if-none-match", "W/\"2cf24dba5fb0a30e26e83b2ac5b9e29e\"")
        .header("x-forwarded-for", format!("20.{}.{b}.{c}", a & !1))
        .header("x-forwarded-proto", "https")
        .body(Body::empty())
        .expect("a request")
}

/// A request for a token, from an address of its own.
pub(crate) fn token(number: u32) -> Request<Body> {
    let body = "grant_type=client_credentials&client_id=bench&client_secret=secret&scope=read+write\
                &redirect_uri=urn%3Aietf%3Awg%3Aoauth%3A2.0%3Aoob";
    post("/oauth/token", body, number)
}

fn post(path: &str, body: &'static str, number: u32) -> Request<Body> {
    let [_, a, b, c] = number.to_be_bytes();
    Request::post(path)
        .header("host", "mastodon.example")
        .header("user-agent", "okhttp/4.12")
        .header("accept", "*/*")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-length", body.len())
        .header("x-forwarded-for", format!("20.{a}.{b}.{c}"))
        .header("x-forwarded-proto", "https")
        .body(Body::from(body))
        .expect("a request")
}

/// Distinct networks that hold none of the clients above.
pub(crate) fn write_networks(path: &Path, count: u32) {
    let lines = (0..count).map(|number| {
        let [most, a, b, c] = number.wrapping_mul(16).to_be_bytes();
        let odd = (most % 16 * 8 + a % 8) * 2 + 1;
        format!("{}.{odd}.{b}.{c}/28 scope=all\n", 21 + a / 8)
    });
    std::fs::write(path, lines.collect::<String>()).expect("a file");
}

/// Distinct domains.
pub(crate) fn write_domains(path: &Path, count: u32) {
    let lines = (0..count).map(|number| format!("{}\n", domain(number)));
    std::fs::write(path, lines.collect::<String>()).expect("a file");
}

/// The domain of a number.
pub(crate) fn domain(number: u32) -> String {
    format!(
        "mail{:07x}.example{}.test",
        number.wrapping_mul(0x9e37_79b1) >> 4,
        number % 97
    )
}
