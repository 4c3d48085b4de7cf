//! Which headers go on, in both directions.
//!
//! One look over the names finds what must go; only that is touched, and the
//! map is never rebuilt. Hop-by-hop fields are those of RFC 9110 §7.6.1. What
//! Rack, Rails or Puma would believe about address, scheme or host is dropped
//! whoever the peer is, because a trusted nginx passes its client's headers
//! on; so is every name with an underscore, which Puma reads as its hyphen twin.

use std::net::IpAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, FORWARDED, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::address_text;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
/// The chain of addresses.
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The client's scheme.
pub(super) const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// Rails keeps it, logs it and answers with it.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// `Client-Ip` outranks `X-Forwarded-For` in Rails, `Proxy` becomes a proxy
/// setting in CGI programs, the others move host, port or scheme in Rack.
static BELIEVED: [HeaderName; 8] = [
    FORWARDED,
    HeaderName::from_static("client-ip"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("proxy"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-scheme"),
    HeaderName::from_static("x-forwarded-ssl"),
];

/// What one look over the names found.
#[derive(Debug, Default)]
pub(super) struct Found {
    hop: Hop,
    believed: bool,
    expect: bool,
    transfer_encoding: bool,
    /// Lines of `Host`.
    pub(super) hosts: usize,
    pub(super) forwarded_for: Line,
    forwarded_proto: Proto,
    pub(super) request_id: bool,
    underscored: Vec<HeaderName>,
}

/// The lines of a field that should have one.
#[derive(Debug, Default)]
pub(super) enum Line {
    #[default]
    None,
    One(HeaderValue),
    Many,
}

impl Line {
    fn and(&mut self, line: &HeaderValue) {
        *self = match self {
            Self::None => Self::One(line.clone()),
            Self::One(_) | Self::Many => Self::Many,
        };
    }
}

/// What the lines of `X-Forwarded-Proto` say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Proto {
    #[default]
    None,
    /// One line of one word.
    Plain(Scheme),
    Odd,
}

impl Proto {
    fn and(self, line: &HeaderValue) -> Self {
        match (self, line.as_bytes()) {
            (Self::None, b"https") => Self::Plain(Scheme::Https),
            (Self::None, b"http") => Self::Plain(Scheme::Http),
            _ => Self::Odd,
        }
    }
}

/// The hop-by-hop fields of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Hop {
    #[default]
    None,
    /// Nothing but `Connection: keep-alive`, which nearly every message says.
    KeepAlive,
    Some,
}

impl Hop {
    fn of_connection(line: &HeaderValue) -> Self {
        if line.as_bytes().eq_ignore_ascii_case(b"keep-alive") {
            Self::KeepAlive
        } else {
            Self::Some
        }
    }
}

impl Found {
    /// Looks over the names of `headers`.
    pub(super) fn look(headers: &HeaderMap) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            let text = name.as_str().as_bytes();
            match text {
                b"connection" => found.hop = found.hop.max(Hop::of_connection(value)),
                b"keep-alive"
                | b"proxy-connection"
                | b"te"
                | b"upgrade"
                | b"proxy-authenticate"
                | b"proxy-authorization" => found.hop = Hop::Some,
                b"transfer-encoding" => found.transfer_encoding = true,
                b"expect" => found.expect = true,
                b"forwarded"
                | b"client-ip"
                | b"x-real-ip"
                | b"proxy"
                | b"x-forwarded-host"
                | b"x-forwarded-port"
                | b"x-forwarded-scheme"
                | b"x-forwarded-ssl" => {
                    found.believed = true;
                }
                b"x-forwarded-for" => found.forwarded_for.and(value),
                b"x-forwarded-proto" => found.forwarded_proto = found.forwarded_proto.and(value),
                b"host" => found.hosts += 1,
                b"x-request-id" => found.request_id = true,
                _ if holds_underscore(text) => found.underscored.push(name.clone()),
                _ => {}
            }
        }
        found
    }

    /// Whether cleaning may have taken fields that nothing but `Connection` named,
    /// so that what was found before no longer holds.
    pub(super) fn names_others(&self) -> bool {
        self.hop == Hop::Some
    }
}

/// Eight bytes at a time: names are short, and every request pays for all of them.
fn holds_underscore(name: &[u8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let in_word = |word: &[u8; 8]| {
        let odd = u64::from_ne_bytes(*word) ^ (ONES * b'_' as u64);
        odd.wrapping_sub(ONES) & !odd & (ONES * 0x80) != 0
    };
    // The last word overlaps the one before, if need be.
    match name.last_chunk() {
        Some(last) => in_word(last) || name.as_chunks().0.iter().any(in_word),
        None => name.contains(&b'_'),
    }
}

/// The body is coded in a way other than plain chunks, which would be lost
/// on the next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OddCoding;

/// Readies a request's headers for the upstream, save those that name the
/// client. hyper has already settled the framing.
pub(super) fn clean_request(headers: &mut HeaderMap, found: &Found) -> Result<(), OddCoding> {
    for name in &found.underscored {
        headers.remove(name);
    }
    if found.believed {
        for name in &BELIEVED {
            headers.remove(name);
        }
    }
    if found.expect {
        headers.remove(EXPECT); // the gate answers it, by reading the body
    }
    match found.hop {
        Hop::None => {}
        Hop::KeepAlive => {
            headers.remove(CONNECTION);
        }
        Hop::Some => clean_hop(headers),
    }
    if found.transfer_encoding {
        keep_chunked(headers)?;
    }
    Ok(())
}

/// Kept, because hyper's client would send a GET without its chunked body else.
fn keep_chunked(headers: &mut HeaderMap) -> Result<(), OddCoding> {
    let mut lines = headers.get_all(TRANSFER_ENCODING).iter();
    let chunked = lines
        .next()
        .is_some_and(|line| line.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if !chunked || lines.next().is_some() {
        return Err(OddCoding);
    }
    headers.remove(CONTENT_LENGTH);
    headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    Ok(())
}

fn clean_hop(headers: &mut HeaderMap) {
    let trailers = names(headers, &TE, "trailers");
    let upgrade = upgrade_of(headers);
    strip_hop(headers);
    if let Some(protocol) = upgrade {
        headers.insert(UPGRADE, protocol);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    } else if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
        headers.insert(CONNECTION, HeaderValue::from_static("te"));
    }
}

/// The protocol asked for, if the client means it and it is not HTTP again: in
/// an h2c tunnel the gate would see no request any more.
fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocol = headers.get(UPGRADE)?;
    let text = protocol.to_str().ok()?;
    let http = text.split(',').any(|token| {
        let token = token.trim().as_bytes();
        token.eq_ignore_ascii_case(b"h2c")
            || token
                .get(..4)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"http"))
            || token
                .get(..3)
                .is_some_and(|start| start.eq_ignore_ascii_case(b"tls"))
    });
    (!http && names(headers, &CONNECTION, "upgrade")).then(|| protocol.clone())
}

/// Removes what is this hop's own: `Connection`, what it names, and what always is.
fn strip_hop(headers: &mut HeaderMap) {
    strip_connection(headers);
    for name in [
        KEEP_ALIVE,
        PROXY_CONNECTION,
        TE,
        UPGRADE,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
    ] {
        headers.remove(name);
    }
}

/// Removes `Connection` and what it names.
///
/// `Host` and the framing stay even if named: without them the message would
/// be another one.
fn strip_connection(headers: &mut HeaderMap) {
    let lines: Vec<HeaderValue> = headers.get_all(CONNECTION).iter().cloned().collect();
    headers.remove(CONNECTION);
    for token in lines.iter().flat_map(listed) {
        if token.eq_ignore_ascii_case(b"close") || token.eq_ignore_ascii_case(b"keep-alive") {
            continue;
        }
        if let Ok(name) = HeaderName::from_bytes(token)
            && ![HOST, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name)
        {
            headers.remove(name);
        }
    }
}

fn listed(line: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    line.as_bytes()
        .split(|&byte| byte == b',')
        .map(<[u8]>::trim_ascii)
}

fn names(headers: &HeaderMap, header: &HeaderName, token: &str) -> bool {
    headers
        .get_all(header)
        .iter()
        .flat_map(listed)
        .any(|listed| listed.eq_ignore_ascii_case(token.as_bytes()))
}

/// What a reply's fields say of this hop alone, noted as they are read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReplyFound {
    hop: Hop,
    pub(crate) transfer_encoding: bool,
}

impl ReplyFound {
    pub(crate) fn note(&mut self, name: &HeaderName, value: &HeaderValue) {
        match name.as_str().as_bytes() {
            b"connection" => self.hop = self.hop.max(Hop::of_connection(value)),
            b"keep-alive"
            | b"proxy-connection"
            | b"te"
            | b"upgrade"
            | b"proxy-authenticate"
            | b"proxy-authorization" => self.hop = Hop::Some,
            b"transfer-encoding" => self.transfer_encoding = true,
            _ => {}
        }
    }

    /// Whether there is a `Connection` that may say more than `keep-alive`.
    pub(crate) fn may_close(self) -> bool {
        self.hop == Hop::Some
    }
}

/// Readies a reply's headers for the client. `true` if the upstream means to
/// close the connection.
pub(super) fn clean_reply(headers: &mut HeaderMap, found: ReplyFound, switching: bool) -> bool {
    if found.transfer_encoding {
        headers.remove(TRANSFER_ENCODING);
        headers.remove(CONTENT_LENGTH); // beside chunks it is a lie (RFC 9112 §6.3)
    }
    match found.hop {
        Hop::None => return false,
        Hop::KeepAlive => {
            headers.remove(CONNECTION);
            return false;
        }
        Hop::Some => {}
    }
    let closing = names(headers, &CONNECTION, "close");
    let protocol = if switching {
        headers.remove(UPGRADE)
    } else {
        None
    };
    strip_hop(headers);
    if let Some(protocol) = protocol {
        headers.insert(UPGRADE, protocol);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    closing
}

/// Drops from trailers what would not be let through as a header.
pub(super) fn clean_trailers(mut trailers: HeaderMap) -> HeaderMap {
    let unfit: Vec<HeaderName> = trailers
        .keys()
        .filter(|&name| {
            name.as_str().contains('_')
                || BELIEVED.contains(name)
                || [X_FORWARDED_FOR, X_FORWARDED_PROTO, X_REQUEST_ID].contains(name)
        })
        .cloned()
        .collect();
    for name in unfit {
        trailers.remove(name);
    }
    trailers
}

/// Tells the upstream the one address of the client.
pub(super) fn set_forwarded_for(headers: &mut HeaderMap, found: &Found, ip: Option<IpAddr>) {
    let Some(ip) = ip else {
        if !matches!(found.forwarded_for, Line::None) {
            headers.remove(X_FORWARDED_FOR);
        }
        return;
    };
    let text = AddressText::of(ip);
    if matches!(&found.forwarded_for, Line::One(line) if line.as_bytes() == text.as_bytes()) {
        return;
    }
    let value = HeaderValue::from_bytes(text.as_bytes());
    headers.insert(
        X_FORWARDED_FOR,
        value.expect("an address in text is a header value"),
    );
}

/// An address in text, without an allocation: most are only compared.
struct AddressText {
    /// An address is at most 45 bytes of digits, dots and colons.
    bytes: [u8; 45],
    length: usize,
}

impl AddressText {
    fn of(ip: IpAddr) -> Self {
        let mut text = Self {
            bytes: [0; 45],
            length: 0,
        };
        address_text::write(&mut text, ip).expect("there is room for any address");
        text
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl std::fmt::Write for AddressText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let end = self.length + text.len();
        let room = self
            .bytes
            .get_mut(self.length..end)
            .ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// The scheme in which the client came, as far as the gate can know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`.
    Http,
    /// `https`.
    Https,
}

/// The scheme that a trusted proxy names first; `http` if it names none.
pub(super) fn forwarded_scheme(headers: &HeaderMap, found: &Found) -> Scheme {
    match found.forwarded_proto {
        Proto::None => return Scheme::Http,
        Proto::Plain(scheme) => return scheme,
        Proto::Odd => {}
    }
    let first = headers
        .get(X_FORWARDED_PROTO)
        .and_then(|line| listed(line).next());
    match first {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"https") => Scheme::Https,
        _ => Scheme::Http,
    }
}

/// Tells the upstream the scheme, in one line of one word.
pub(super) fn set_scheme(headers: &mut HeaderMap, found: &Found, scheme: Scheme) {
    let word = match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    if found.forwarded_proto == Proto::Plain(scheme) {
        return;
    }
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(word));
}

#[cfg(test)]
mod tests;
