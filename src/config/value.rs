//! What a value may be: how each kind is read, and what is said of a wrong one.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::said::Said;
use super::settings::{ListenAddress, LogFormat, LogLevel, UpstreamAddress};
use super::size::read_size;
use crate::judge::limit::Budget;
use crate::judge::wave::Invites;
use crate::lists::read_network;
use crate::quota::{Quota, read_duration};
use crate::secret::Secret;
use crate::store::SharedSettings;
use crate::verdict::Mode;
use crate::wave::Step;

/// A kind of value.
pub(super) struct Kind<T> {
    /// What would be valid, for people.
    pub(super) valid: &'static str,
    pub(super) read: fn(&Said<'_>) -> Result<T, Wrong>,
}

/// What is wrong with a value, and what to do about it if that is not plain.
pub(super) struct Wrong {
    pub(super) wrong: String,
    pub(super) remedy: Option<String>,
}

impl Wrong {
    pub(super) fn new(wrong: impl Into<String>) -> Self {
        let (wrong, remedy) = (wrong.into(), None);
        Self { wrong, remedy }
    }

    fn remedy(self, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { remedy, ..self }
    }
}

fn text<'a>(said: &Said<'a>) -> Result<&'a str, Wrong> {
    let Some(text) = said.text() else {
        return Err(Wrong::new("is not text").remedy("put it in double quotes"));
    };
    if text.is_empty() {
        return Err(Wrong::new("is empty").remedy("take the line out to get the default"));
    }
    Ok(text)
}

pub(super) const BOOL: Kind<bool> = Kind {
    valid: "true or false",
    read: |said| match said {
        Said::Bool(on) => Ok(*on),
        Said::Variable("true") => Ok(true),
        Said::Variable("false") => Ok(false),
        Said::Text("true" | "false") => Err(Wrong::new("is text").remedy("take the quotes away")),
        Said::Text(_) | Said::Variable(_) | Said::Integer(_) | Said::Other => {
            Err(Wrong::new("is neither true nor false"))
        }
    },
};

pub(super) const COUNT: Kind<NonZeroUsize> = Kind {
    valid: "a whole number from 1 to 1000000",
    read: |said| count(said, 1_000_000),
};

pub(super) const WORKERS: Kind<Option<NonZeroUsize>> = Kind {
    valid: "\"auto\" (one for each core) or a whole number from 1 to 1024",
    read: |said| match said.text() {
        Some("auto") => Ok(None),
        _ => count(said, 1024).map(Some),
    },
};

fn count(said: &Said<'_>, most: usize) -> Result<NonZeroUsize, Wrong> {
    let number = match said {
        Said::Integer(number) => usize::try_from(*number).ok(),
        Said::Variable(text) => text.parse().ok(),
        Said::Text(_) | Said::Bool(_) | Said::Other => None,
    };
    let fits = number.filter(|&number| number <= most);
    fits.and_then(NonZeroUsize::new).ok_or_else(|| match said {
        Said::Text(text) if text.parse::<usize>().is_ok() => {
            Wrong::new("is text, not a number").remedy("take the quotes away")
        }
        _ => Wrong::new("is not such a number"),
    })
}

pub(super) const TIMEOUT: Kind<Duration> = Kind {
    valid: "a time from \"1ms\" to \"1d\", such as \"250ms\", \"10s\" or \"2m\"",
    read: |said| duration(said, Duration::from_millis(1), Duration::from_secs(86_400)),
};

pub(super) const RETENTION: Kind<Duration> = Kind {
    valid: "a time from \"1h\" to \"3650d\", such as \"90d\"",
    read: |said| {
        let hour = Duration::from_secs(3600);
        duration(said, hour, hour * 24 * 3650)
    },
};

fn duration(said: &Said<'_>, least: Duration, most: Duration) -> Result<Duration, Wrong> {
    if let Said::Integer(number) = said {
        return Err(Wrong::new("has no unit").remedy(format!("write \"{number}s\" for seconds")));
    }
    let Some(time) = read_duration(text(said)?) else {
        return Err(Wrong::new("is not a time"));
    };
    if time < least {
        return Err(Wrong::new("is too short"));
    }
    if time > most {
        return Err(Wrong::new("is too long"));
    }
    Ok(time)
}

pub(super) const SIZE: Kind<usize> = Kind {
    valid: "a size from \"1KiB\" to \"16GiB\", such as \"64KiB\" or \"64MiB\"",
    read: |said| {
        if let Said::Integer(number) = said {
            return Err(Wrong::new("has no unit").remedy(format!("write \"{number}B\" for bytes")));
        }
        let bytes = read_size(text(said)?).ok_or_else(|| Wrong::new("is not a size"))?;
        let fits = (1 << 10..=16 << 30).contains(&bytes);
        usize::try_from(bytes)
            .ok()
            .filter(|_| fits)
            .ok_or_else(|| Wrong::new("is out of range"))
    },
};

pub(super) const REGISTER_SIZE: Kind<usize> = Kind {
    valid: "a size from \"1MiB\" to \"16GiB\", such as \"64MiB\"",
    read: |said| match (SIZE.read)(said)? {
        bytes if bytes < 1 << 20 => Err(Wrong::new("is too small to recognise anything by")),
        bytes => Ok(bytes),
    },
};

pub(super) const PATH: Kind<PathBuf> = Kind {
    valid: "the path of a file or folder; a relative one counts from the folder of the configuration",
    read: |said| text(said).map(PathBuf::from),
};

pub(super) const LISTEN: Kind<ListenAddress> = Kind {
    valid: "\"ADDRESS:PORT\" such as \"127.0.0.1:3080\", or \"unix:/run/tuskgate/http.sock\"",
    read: |said| {
        let text = text(said)?;
        if let Some(path) = unix(text)? {
            return Ok(ListenAddress::Unix(path));
        }
        socket(text).map(ListenAddress::Tcp)
    },
};

pub(super) const UPSTREAM: Kind<UpstreamAddress> = Kind {
    valid: "\"ADDRESS:PORT\" or \"HOST:PORT\" such as \"127.0.0.1:3000\" or \"web:3000\", or \"unix:/path/of/puma.sock\"",
    read: |said| {
        let text = text(said)?;
        if let Some(path) = unix(text)? {
            return Ok(UpstreamAddress::Unix(path));
        }
        if let Ok(address) = text.parse() {
            return Ok(UpstreamAddress::Tcp(address));
        }
        let (host, port) = host_and_port(text)?;
        Ok(UpstreamAddress::Name(host.into(), port))
    },
};

pub(super) const ADMIN: Kind<Option<SocketAddr>> = Kind {
    valid: "\"ADDRESS:PORT\" such as \"127.0.0.1:9300\", or \"off\"",
    read: |said| match text(said)? {
        "off" => Ok(None),
        text => socket(text).map(Some),
    },
};

pub(super) const WEBHOOKS: Kind<Option<SocketAddr>> = Kind {
    valid: "\"ADDRESS:PORT\" such as \"127.0.0.1:9301\", or \"off\"",
    read: ADMIN.read,
};

pub(super) const SECRET: Kind<Secret> = Kind {
    valid: "a secret of at least 16 characters, in double quotes",
    read: |said| match text(said)? {
        short if short.len() < 16 => Err(Wrong::new("is too short to be one")),
        text => Ok(Secret::new(text)),
    },
};

pub(super) const DNS_SERVER: Kind<SocketAddr> = Kind {
    valid: "an address, such as \"127.0.0.1\" or \"[::1]:5353\"; the port is 53 unless given",
    read: |said| {
        let text = text(said)?;
        match text.parse::<IpAddr>() {
            Ok(ip) => Ok(SocketAddr::new(ip, 53)),
            Err(_) => socket(text),
        }
    },
};

pub(super) const PROXY: Kind<IpNet> = Kind {
    valid: "an address or a network, such as \"127.0.0.0/8\" or \"172.18.0.2\"",
    read: |said| {
        let text = text(said)?;
        match read_network(text) {
            Some(net) if net.prefix_len() == 0 => Err(Wrong::new("trusts everybody").remedy(
                "name only your own proxies: whoever is trusted may claim any address as the client's",
            )),
            Some(net) => Ok(net.trunc()),
            None => Err(Wrong::new("is not a network")),
        }
    },
};

fn unix(text: &str) -> Result<Option<PathBuf>, Wrong> {
    match text.strip_prefix("unix:") {
        Some("") => Err(Wrong::new("has no path behind unix:")),
        Some(path) => Ok(Some(path.into())),
        None if text.starts_with('/') => Err(Wrong::new("is not an address")
            .remedy(format!("write \"unix:{text}\" for a unix socket"))),
        None => Ok(None),
    }
}

fn socket(text: &str) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        let wrong = Wrong::new("is not an address and a port");
        if text.parse::<IpAddr>().is_ok() {
            return wrong.remedy("add the port");
        }
        match text.strip_prefix(':').or_else(|| text.strip_prefix("*:")) {
            Some(port) => wrong.remedy(format!(
                "write \"0.0.0.0:{port}\" or \"[::]:{port}\" for every address"
            )),
            None => match text.strip_prefix("localhost:") {
                Some(port) => wrong.remedy(format!("write \"127.0.0.1:{port}\"")),
                None => wrong,
            },
        }
    })
}

fn host_and_port(text: &str) -> Result<(&str, u16), Wrong> {
    if text.starts_with("https://") {
        return Err(
            Wrong::new("is a URL").remedy("name Mastodon's own port, without TLS: \"HOST:PORT\"")
        );
    }
    if let Some(rest) = text.strip_prefix("http://") {
        let rest = rest.trim_end_matches('/');
        return Err(Wrong::new("is a URL").remedy(format!("write \"{rest}\"")));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(Wrong::new("has no port")
            .remedy(format!("write \"{text}:3000\" if that is Mastodon's port")));
    };
    let port = port
        .parse()
        .ok()
        .filter(|&port| port != 0)
        .ok_or_else(|| Wrong::new("has no port from 1 to 65535"))?;
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(good) {
        return Err(Wrong::new("is not a host and a port"));
    }
    Ok((host, port))
}

pub(super) const MODE: Kind<Mode> = Kind {
    valid: "\"enforce\", \"observe\" or \"off\"",
    read: |said| match said {
        Said::Bool(false) => Err(Wrong::new("is not a mode").remedy("write \"off\"")),
        _ => mode(text(said)?).ok_or_else(|| Wrong::new("is not a mode")),
    },
};

pub(super) const STEP: Kind<Step> = Kind {
    valid: "a whole number from 0 (never by itself) to 4 (may close all sign-up)",
    read: |said| {
        let step = match said {
            Said::Integer(number) => u8::try_from(*number).ok().and_then(|n| n.try_into().ok()),
            Said::Variable(text) => text.parse().ok(),
            Said::Text(_) | Said::Bool(_) | Said::Other => None,
        };
        step.ok_or_else(|| match said {
            Said::Text(text) if text.parse::<Step>().is_ok() => {
                Wrong::new("is text, not a number").remedy("take the quotes away")
            }
            Said::Bool(false) => Wrong::new("is not a step")
                .remedy("write 0, and mode = \"off\" in [rules.wave] if nothing shall be counted"),
            _ => Wrong::new("is not a step"),
        })
    },
};

pub(super) const LONGEST: Kind<Duration> = Kind {
    valid: "a time from \"15m\" to \"24h\", such as \"4h\"",
    read: |said| {
        let day = Duration::from_secs(86_400);
        duration(said, day / 96, day)
    },
};

pub(super) const INVITES: Kind<Invites> = Kind {
    valid: "\"pass\" or \"judge\"",
    read: |said| match said {
        Said::Bool(true) => Err(Wrong::new("is neither").remedy("write \"pass\"")),
        Said::Bool(false) => Err(Wrong::new("is neither").remedy("write \"judge\"")),
        _ => match text(said)? {
            "pass" => Ok(Invites::Pass),
            "judge" => Ok(Invites::Judge),
            _ => Err(Wrong::new("is neither")),
        },
    },
};

fn mode(text: &str) -> Option<Mode> {
    [Mode::Enforce, Mode::Observe, Mode::Off]
        .into_iter()
        .find(|mode| mode.name() == text)
}

/// A limit as written; `Off` keeps the quota for the day it is switched on again.
pub(super) enum Limited {
    /// `"off"`.
    Off,
    /// `"N/PERIOD"` or `"N/PERIOD observe"`.
    To(Budget),
}

pub(super) const LIMIT: Kind<Limited> = Kind {
    valid: "\"N/PERIOD\" such as \"30/10m\" (at most 30d), \"N/PERIOD observe\" to record only, or \"off\"",
    read: |said| {
        let text = text(said)?;
        if text == "off" {
            return Ok(Limited::Off);
        }
        let (quota, mode) = match text.split_once(' ') {
            Some((quota, word)) => (quota, mode(word.trim())),
            None => (text, Some(Mode::Enforce)),
        };
        let quota: Quota = quota.parse().map_err(|_| Wrong::new("is not a limit"))?;
        match mode {
            Some(mode @ (Mode::Enforce | Mode::Observe)) => Ok(Limited::To(Budget { quota, mode })),
            Some(Mode::Off) | None => Err(Wrong::new("is not a limit")),
        }
    },
};

pub(super) const LOG_FORMAT: Kind<LogFormat> = Kind {
    valid: "\"text\" or \"json\"",
    read: |said| match text(said)? {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err(Wrong::new("is not a log format")),
    },
};

pub(super) const LOG_LEVEL: Kind<LogLevel> = Kind {
    valid: "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"",
    read: |said| {
        let text = text(said)?;
        [
            LogLevel::Error,
            LogLevel::Warn,
            LogLevel::Info,
            LogLevel::Debug,
            LogLevel::Trace,
        ]
        .into_iter()
        .find(|level| level.name() == text)
        .ok_or_else(|| Wrong::new("is not a log level"))
    },
};

pub(super) const SHARED_URL: Kind<Secret> = Kind {
    valid: "\"redis://user:password@host:6379/0\", \"rediss://…\" with TLS, or \"unix:///path/of/redis.sock\"",
    read: |said| {
        SharedSettings::read_url(text(said)?).map_err(|_| Wrong::new("is not the URL of a Redis"))
    },
};

/// What `topology` says; the name of a master is a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Single,
    Cluster,
    Sentinel,
}

pub(super) const TOPOLOGY: Kind<Shape> = Kind {
    valid: "\"single\", \"cluster\" or \"sentinel\"",
    read: |said| match text(said)? {
        "single" => Ok(Shape::Single),
        "cluster" => Ok(Shape::Cluster),
        "sentinel" => Ok(Shape::Sentinel),
        _ => Err(Wrong::new("is not a topology")),
    },
};

pub(super) const KEY_PREFIX: Kind<String> = Kind {
    valid: "1 to 64 letters, digits, \"-\", \"_\", \".\" or \":\"",
    read: |said| {
        let text = text(said)?;
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        if text.len() > 64 || !text.bytes().all(good) {
            return Err(Wrong::new("is not a prefix"));
        }
        Ok(text.to_owned())
    },
};

pub(super) const SHARED_TIMEOUT: Kind<Duration> = Kind {
    valid: "a time from \"1ms\" to \"1s\", better tens of milliseconds",
    read: |said| duration(said, Duration::from_millis(1), Duration::from_secs(1)),
};

pub(super) const SHARED_KEYS: Kind<NonZeroUsize> = Kind {
    valid: "a whole number from 1000 to 100000000",
    read: |said| {
        let number = count(said, 100_000_000)?;
        if number.get() < 1000 {
            return Err(Wrong::new("is too few"));
        }
        Ok(number)
    },
};
