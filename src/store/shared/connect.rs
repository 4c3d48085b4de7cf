//! Reaching the server: one, a cluster, or the master that sentinels name.
//!
//! TLS is rustls with the system's authorities or the one of `store.ca`;
//! certificates are always checked.

use std::time::Duration;

use redis::aio::PubSub;
use redis::cluster::ClusterClient;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError,
    RedisResult, TlsCertificates, TlsMode,
};

use super::link::Link;
use super::settings::{SharedSettings, Topology};

/// For each step of connecting.
const CONNECTING: Duration = Duration::from_secs(1);

/// After this a late answer is not waited for any more, even to undo it.
const ANSWER: Duration = Duration::from_secs(5);

/// A fresh connection.
pub(super) async fn link(settings: &SharedSettings) -> RedisResult<Link> {
    let addresses = settings.addresses()?;
    let certificates = certificates(settings).await?;
    match &settings.topology {
        Topology::Single => {
            let client = single(addresses, certificates)?;
            connected(&client).await
        }
        Topology::Cluster => cluster(addresses, certificates).await,
        Topology::Sentinel(name) => {
            let client = master(addresses, certificates, name).await?;
            connected(&client).await
        }
    }
}

/// A connection that only listens. On a cluster every node passes on what is said.
pub(super) async fn listener(settings: &SharedSettings) -> RedisResult<PubSub> {
    let addresses = settings.addresses()?;
    let certificates = certificates(settings).await?;
    let client = match &settings.topology {
        Topology::Single => single(addresses, certificates)?,
        Topology::Cluster => return any(addresses, certificates).await,
        Topology::Sentinel(name) => master(addresses, certificates, name).await?,
    };
    listening(&client).await
}

/// The first of some nodes that answers.
async fn any(
    addresses: Vec<ConnectionInfo>,
    certificates: Option<TlsCertificates>,
) -> RedisResult<PubSub> {
    let mut last = no_address();
    for address in addresses {
        match listening(&single(vec![address], certificates.clone())?).await {
            Ok(listener) => return Ok(listener),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

async fn listening(client: &Client) -> RedisResult<PubSub> {
    let asked = tokio::time::timeout(CONNECTING, client.get_async_pubsub()).await;
    asked.unwrap_or_else(|_| Err(fault(ErrorKind::Io, "it does not answer")))
}

async fn connected(client: &Client) -> RedisResult<Link> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECTING))
        .set_response_timeout(Some(ANSWER));
    let link = client
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    Ok(Link::One(link))
}

fn single(
    addresses: Vec<ConnectionInfo>,
    certificates: Option<TlsCertificates>,
) -> RedisResult<Client> {
    let address = addresses.into_iter().next().ok_or_else(no_address)?;
    match (address.addr(), certificates) {
        (ConnectionAddr::TcpTls { .. }, Some(certificates)) => {
            Client::build_with_tls(address, certificates)
        }
        _ => Client::open(address),
    }
}

async fn cluster(
    addresses: Vec<ConnectionInfo>,
    certificates: Option<TlsCertificates>,
) -> RedisResult<Link> {
    let mut builder = ClusterClient::builder(addresses)
        .connection_timeout(CONNECTING)
        .response_timeout(ANSWER)
        .overall_response_timeout(Some(ANSWER))
        .retries(3);
    if let Some(certificates) = certificates {
        builder = builder.certs(certificates);
    }
    let link = builder.build()?.get_async_connection().await?;
    Ok(Link::Cluster(link))
}

async fn master(
    addresses: Vec<ConnectionInfo>,
    certificates: Option<TlsCertificates>,
    name: &str,
) -> RedisResult<Client> {
    let first = addresses.first().ok_or_else(no_address)?;
    let own = first.redis_settings();
    let tls = matches!(first.addr(), ConnectionAddr::TcpTls { .. });
    let sentinels = addresses.iter().map(|address| address.addr().clone());
    let mut builder = SentinelClientBuilder::new(sentinels, name, SentinelServerType::Master)?
        .set_client_to_redis_db(own.db());
    if let Some(user) = own.username() {
        builder = builder.set_client_to_redis_username(user);
    }
    if let Some(password) = own.password() {
        builder = builder.set_client_to_redis_password(password);
    }
    if tls {
        builder = builder
            .set_client_to_redis_tls_mode(TlsMode::Secure)
            .set_client_to_sentinel_tls_mode(TlsMode::Secure);
    }
    if let (true, Some(certificates)) = (tls, certificates) {
        builder = builder
            .set_client_to_redis_certificates(certificates.clone())
            .set_client_to_sentinel_certificates(certificates);
    }
    let mut sentinels = builder.build()?;
    let asked = tokio::time::timeout(CONNECTING, sentinels.async_get_client()).await;
    asked.unwrap_or_else(|_| Err(fault(ErrorKind::Io, "no sentinel answers")))
}

async fn certificates(settings: &SharedSettings) -> RedisResult<Option<TlsCertificates>> {
    let Some(path) = &settings.ca else {
        return Ok(None);
    };
    let root_cert = Some(tokio::fs::read(path).await?);
    Ok(Some(TlsCertificates {
        client_tls: None,
        root_cert,
    }))
}

fn no_address() -> RedisError {
    fault(ErrorKind::InvalidClientConfig, "no address is given")
}

fn fault(kind: ErrorKind, what: &'static str) -> RedisError {
    RedisError::from((kind, what))
}
