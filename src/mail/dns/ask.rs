//! One question to the recursive resolver, through hickory.
//!
//! Absolute names only, so that no search suffix applies; no hosts file and no
//! cache of hickory's, because the gate keeps its own by domain. CNAMEs are
//! followed by hickory (RFC 1034 §3.6.2), truncated answers asked for again over
//! TCP (RFC 7766). A question is repeated for as long as its asker waits.

use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf;

use super::{DnsSettings, LapseCause, ResolverError};

/// One try of one question, over all servers. In its first second hickory sends
/// again by itself, then it listens. Not shorter, because a forwarder that does not
/// cache (dnsmasq, for MX) begins anew with each try, and would never get to
/// the end of a slow domain.
const TRY: Duration = Duration::from_secs(5);

/// What a recursive resolver says; each with how long it holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer<T> {
    /// At least one record.
    Records(Vec<T>, Duration),
    /// The name is there, such records are not (NODATA).
    Empty(Duration),
    /// The name is not there, nor anything below it (RFC 8020).
    NoName(Duration),
}

#[derive(Clone)]
pub(super) struct Asker {
    hickory: TokioResolver,
}

impl Asker {
    pub(super) fn new(settings: &DnsSettings) -> Result<Self, ResolverError> {
        let servers = if settings.servers.is_empty() {
            let path = "/etc/resolv.conf";
            servers_of(&fs::read(path).map_err(ResolverError::SystemFile)?)?
        } else {
            settings.servers.iter().copied().map(server).collect()
        };
        let mut options = ResolverOpts::default();
        options.timeout = TRY;
        // A second server may do better after an error of the first; one server will not.
        options.attempts = usize::from(servers.len() > 1);
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Never;
        let config = ResolverConfig::from_name_servers(servers);
        let hickory = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options)
            .build()
            .map_err(|e| ResolverError::Build(Box::new(e)))?;
        Ok(Self { hickory })
    }

    /// The MX records of `name`: preference and exchange, in no order.
    pub(super) async fn mx(&self, name: &Name) -> Result<Answer<(u16, Name)>, LapseCause> {
        let mx = |data: &RData| match data {
            RData::MX(mx) => Some((mx.preference, mx.exchange.clone())),
            _ => None,
        };
        self.ask(name, RecordType::MX, mx).await
    }

    /// The A and AAAA records of `name`, asked for side by side.
    pub(super) async fn addresses(&self, name: &Name) -> Result<Answer<IpAddr>, LapseCause> {
        let ip = |data: &RData| data.ip_addr();
        let (four, six) = tokio::try_join!(
            self.ask(name, RecordType::A, ip),
            self.ask(name, RecordType::AAAA, ip),
        )?;
        Ok(four.join(six))
    }

    /// Whether the resolver knows anything at all of `name`, be it that there is none.
    pub(super) async fn answers(&self, name: &Name) -> bool {
        self.ask(name, RecordType::A, |_| Some(())).await.is_ok()
    }

    async fn ask<T>(
        &self,
        name: &Name,
        kind: RecordType,
        pick: impl Fn(&RData) -> Option<T>,
    ) -> Result<Answer<T>, LapseCause> {
        let found = loop {
            match self.hickory.lookup(name.clone(), kind).await {
                Err(NetError::Timeout | NetError::Busy) => tokio::task::yield_now().await,
                found => break found,
            }
        };
        match found {
            Ok(lookup) => Ok(Answer::of(lookup.answers(), kind, pick)),
            Err(e) => Answer::none(e),
        }
    }
}

impl<T> Answer<T> {
    /// The records of `kind` under whatever name: the resolver has already left
    /// out what does not belong to the alias chain.
    fn of(records: &[Record], kind: RecordType, pick: impl Fn(&RData) -> Option<T>) -> Self {
        let seconds = records.iter().map(|record| record.ttl).min();
        let ttl = Duration::from_secs(seconds.unwrap_or(0).into());
        let picked: Vec<T> = records
            .iter()
            .filter(|record| record.record_type() == kind)
            .filter_map(|record| pick(&record.data))
            .collect();
        if picked.is_empty() {
            Self::Empty(ttl)
        } else {
            Self::Records(picked, ttl)
        }
    }

    /// What an error of hickory's means: an answer that there is nothing, or none.
    fn none(error: NetError) -> Result<Self, LapseCause> {
        match error {
            NetError::Dns(DnsError::NoRecordsFound(none)) => {
                let ttl = Duration::from_secs(none.negative_ttl.unwrap_or(0).into());
                match none.response_code {
                    ResponseCode::NXDomain => Ok(Self::NoName(ttl)),
                    ResponseCode::NoError => Ok(Self::Empty(ttl)),
                    _ => Err(LapseCause::Failure),
                }
            }
            NetError::Io(_) | NetError::NoConnections => Err(LapseCause::Unreachable),
            _ => Err(LapseCause::Failure),
        }
    }
}

impl Answer<IpAddr> {
    /// Both families as one answer, which holds as long as the shorter-lived of the two.
    fn join(self, other: Self) -> Self {
        let ttl = self.ttl().min(other.ttl());
        match (self, other) {
            (Self::Records(mut ips, _), Self::Records(more, _)) => {
                ips.extend(more);
                Self::Records(ips, ttl)
            }
            (Self::Records(ips, _), _) | (_, Self::Records(ips, _)) => Self::Records(ips, ttl),
            (Self::NoName(_), Self::NoName(_)) => Self::NoName(ttl),
            _ => Self::Empty(ttl),
        }
    }

    const fn ttl(&self) -> Duration {
        match self {
            Self::Records(_, ttl) | Self::Empty(ttl) | Self::NoName(ttl) => *ttl,
        }
    }
}

/// The name servers of a `resolv.conf`, without its search list and options.
fn servers_of(resolv_conf: &[u8]) -> Result<Vec<NameServerConfig>, ResolverError> {
    let (config, _) = system_conf::parse_resolv_conf(resolv_conf)
        .map_err(|e| ResolverError::System(Box::new(e)))?;
    let (_, _, servers) = config.into_parts();
    Ok(servers)
}

fn server(address: std::net::SocketAddr) -> NameServerConfig {
    let on_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    NameServerConfig::new(
        address.ip(),
        true,
        vec![
            on_port(ConnectionConfig::udp()),
            on_port(ConnectionConfig::tcp()),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_resolv_conf_only_the_servers_are_taken() {
        let text = b"search corp.example\nnameserver 192.0.2.53\nnameserver 2001:db8::53\noptions ndots:5\n";
        let ips: Vec<_> = servers_of(text)
            .expect("well-formed")
            .iter()
            .map(|server| server.ip.to_string())
            .collect();
        assert_eq!(ips, ["192.0.2.53", "2001:db8::53"]);
        assert!(servers_of(b"search corp.example\n").is_err());
    }

    #[test]
    fn one_family_is_enough_and_the_shorter_life_counts() {
        let ip: IpAddr = [192, 0, 2, 1].into();
        let long = Duration::from_secs(60);
        let short = Duration::from_secs(5);
        assert_eq!(
            Answer::Empty(short).join(Answer::Records(vec![ip], long)),
            Answer::Records(vec![ip], short)
        );
        assert_eq!(
            Answer::<IpAddr>::NoName(long).join(Answer::Empty(short)),
            Answer::Empty(short)
        );
    }
}
