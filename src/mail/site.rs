//! Whether anything answers on a domain's web site. In 2018 the bots' domains
//! had mail and nothing else: their pages "kept loading with nothing happening".
//!
//! Whoever owns the domain chooses where this leads. So every address must be a
//! public one (`public`), checked after each resolution and each redirect, and
//! the connection goes to that very address; only ports 80 and 443, only the
//! head of a GET, at most `REDIRECTS` redirects, all within `PATIENCE`, and a
//! few at a time. No TLS: that something takes connections on 443 is enough.
//! Evidence for people; it decides nothing.

mod public;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderValue, Request, Response, Uri, header};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::mail::dns::Resolver;
use crate::mailbox::Domain;

/// How long one look may take, redirects included.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long one connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);
/// Redirects followed.
const REDIRECTS: usize = 3;
/// Bytes of an answer's head.
const HEAD: usize = 16 * 1024;
/// Looks at once.
const AT_ONCE: usize = 4;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Site {
    /// A web server answers.
    Answers,
    /// Something takes the connection and says nothing, or no HTTP.
    Silent,
    /// Nothing takes connections.
    Closed,
    /// The name has no address.
    Nowhere,
    /// It, or where it redirects to, has an address that is not public.
    NotPublic,
    /// The DNS did not tell.
    Lapse,
}

impl Site {
    /// Whether people could visit it, if that was seen.
    #[must_use]
    pub const fn is_alive(self) -> Option<bool> {
        match self {
            Self::Answers => Some(true),
            Self::Silent | Self::Closed | Self::Nowhere | Self::NotPublic => Some(false),
            Self::Lapse => None,
        }
    }

    /// The word in log and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Silent => "silent",
            Self::Closed => "closed",
            Self::Nowhere => "nowhere",
            Self::NotPublic => "not-public",
            Self::Lapse => "lapse",
        }
    }
}

/// Looks at web sites. Clones share the few places.
#[derive(Clone, Debug)]
pub struct Prober {
    resolver: Resolver,
    places: Arc<Semaphore>,
    patience: Duration,
    reach: Reach,
}

/// Where connections may go. There is no way to it from the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reach {
    /// An address that is allowed although it is not public: a test's own.
    own: Option<IpAddr>,
    http: u16,
    https: u16,
}

impl Prober {
    /// Looks names up with `resolver`.
    #[must_use]
    pub fn new(resolver: Resolver) -> Self {
        Self {
            resolver,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            patience: PATIENCE,
            reach: Reach {
                own: None,
                http: 80,
                https: 443,
            },
        }
    }

    /// For tests: one address is as good as a public one, and other ports stand for 80 and 443.
    #[doc(hidden)]
    #[must_use]
    pub const fn reaching(mut self, own: IpAddr, http: u16, https: u16) -> Self {
        self.reach = Reach {
            own: Some(own),
            http,
            https,
        };
        self
    }

    /// The same, with other patience.
    #[must_use]
    pub const fn patient_for(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Looks at `http://DOMAIN/`; `None` if too many are being looked at.
    pub async fn look(&self, domain: &Domain) -> Option<Site> {
        let _place = self.places.try_acquire().ok()?;
        let looking = self.follow(domain.clone());
        // What has taken a connection and not spoken by then keeps people waiting, too.
        let seen = tokio::time::timeout(self.patience, looking).await;
        Some(seen.unwrap_or(Site::Silent))
    }

    async fn follow(&self, domain: Domain) -> Site {
        let mut host = domain;
        let mut path = "/".to_owned();
        for _ in 0..=REDIRECTS {
            let addresses = match self.addresses(&host).await {
                Ok(addresses) => addresses,
                Err(site) => return site,
            };
            let Some(stream) = connect(&addresses, self.reach.http).await else {
                let secure = connect(&addresses, self.reach.https).await;
                return secure.map_or(Site::Closed, |_| Site::Answers);
            };
            let Some(answer) = get(stream, &host, &path).await else {
                return Site::Silent;
            };
            let Some(next) = redirect(&answer) else {
                return Site::Answers;
            };
            let Some((name, secure)) = target(&next, &host) else {
                return Site::NotPublic;
            };
            next.path_and_query()
                .map_or("/", |path| path.as_str())
                .clone_into(&mut path);
            host = name;
            if secure {
                return match self.addresses(&host).await {
                    Ok(addresses) => match connect(&addresses, self.reach.https).await {
                        Some(_) => Site::Answers,
                        None => Site::Closed,
                    },
                    Err(site) => site,
                };
            }
        }
        // Whoever redirects for ever answers, in a way.
        Site::Answers
    }

    /// Every address of `host`, all of which must be public.
    async fn addresses(&self, host: &Domain) -> Result<Vec<IpAddr>, Site> {
        let found = self.resolver.addresses(host).await;
        let addresses = found.map_err(|_| Site::Lapse)?;
        if addresses.is_empty() {
            return Err(Site::Nowhere);
        }
        let allowed = |ip: &IpAddr| Some(*ip) == self.reach.own || public::is_public(*ip);
        if addresses.iter().all(allowed) {
            Ok(addresses)
        } else {
            Err(Site::NotPublic)
        }
    }
}

/// To the first of two addresses that takes the connection.
async fn connect(addresses: &[IpAddr], port: u16) -> Option<TcpStream> {
    for ip in addresses.iter().take(2) {
        let to = SocketAddr::new(*ip, port);
        let connecting = tokio::time::timeout(CONNECT, TcpStream::connect(to)).await;
        if let Ok(Ok(stream)) = connecting {
            return Some(stream);
        }
    }
    None
}

/// The head of the answer to a GET; the body is left unread.
async fn get(stream: TcpStream, host: &Domain, path: &str) -> Option<Response<Incoming>> {
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .ok()?;
    let request = Request::get(path)
        .header(header::HOST, HeaderValue::from_str(host.as_str()).ok()?)
        .header(header::USER_AGENT, "tuskgate")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let answer = sender.send_request(request);
    tokio::pin!(connection, answer);
    tokio::select! {
        biased;
        answer = &mut answer => answer.ok(),
        // It ends with the answer, or without one; it never comes back to us.
        _ = &mut connection => answer.await.ok(),
    }
}

/// Where an answer redirects to, if it does.
fn redirect(answer: &Response<Incoming>) -> Option<Uri> {
    if !answer.status().is_redirection() {
        return None;
    }
    let location = answer.headers().get(header::LOCATION)?;
    Uri::try_from(location.as_bytes()).ok()
}

/// The host of a redirect and whether it is https; `None` if it is no name, or
/// a port or scheme of its own.
fn target(next: &Uri, host: &Domain) -> Option<(Domain, bool)> {
    let Some(name) = next.host() else {
        return Some((host.clone(), false));
    };
    let secure = next.scheme() == Some(&Scheme::HTTPS);
    let known = secure || next.scheme() == Some(&Scheme::HTTP);
    let usual = matches!(
        (next.port_u16(), secure),
        (None, _) | (Some(80), false) | (Some(443), true)
    );
    if !known || !usual || name.parse::<IpAddr>().is_ok() {
        return None;
    }
    let name = crate::mail::domain::read(name).ok()?;
    Some((name, secure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_to_names_on_usual_ports_only() {
        let host = Domain::new("a.example").expect("a domain");
        for (location, expected) in [
            ("/x", Some(("a.example", false))),
            ("http://b.example/x", Some(("b.example", false))),
            ("https://b.example", Some(("b.example", true))),
            ("http://b.example:80/", Some(("b.example", false))),
            ("http://b.example:22/", None),
            ("https://b.example:80/", None),
            ("http://127.0.0.1/", None),
            ("http://[::1]/", None),
            ("ftp://b.example/", None),
            ("http://user@b.example/", Some(("b.example", false))),
        ] {
            let uri: Uri = location.parse().expect(location);
            let found = target(&uri, &host);
            let found = found
                .as_ref()
                .map(|(name, secure)| (name.as_str(), *secure));
            assert_eq!(found, expected, "{location}");
        }
    }
}
