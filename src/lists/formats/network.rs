//! A line of a list of networks.
//!
//! `NETWORK [scope=SCOPE[,SCOPE…]]`, where SCOPE is `sign-up`, `mail` or
//! `all` (which is every request, and so includes the other two). Without a
//! scope the entry counts for sign-up and mail. Host bits are cleared without
//! a word, as FireHOL's tools do. Spamhaus publishes DROP as JSON lines with a
//! line of metadata at the end; formerly as `CIDR ; SBL…`, which reads as it is.

use ipnet::IpNet;
use serde::Deserialize;

use super::{Excerpt, LineFault, without_comment};
use crate::ban::Scopes;
use crate::lists::{family, special};

/// Reads one line; `None` for a blank one, a comment or metadata.
pub(in crate::lists) fn read(line: &str) -> Result<Option<(IpNet, Scopes)>, LineFault> {
    if line.trim_start().starts_with('{') {
        return match drop_line(line)? {
            Some(cidr) => admit(network(&cidr)?, None).map(Some),
            None => Ok(None),
        };
    }
    let mut words = without_comment(line).split_ascii_whitespace();
    let Some(first) = words.next() else {
        return Ok(None);
    };
    let net = network(first)?;
    let mut stated = None;
    for word in words {
        stated = Some(scopes(word)?);
    }
    admit(net, stated).map(Some)
}

/// Keeps feeds from banning what nobody means; a stated scope is meant.
fn admit(net: IpNet, stated: Option<Scopes>) -> Result<(IpNet, Scopes), LineFault> {
    if let Some(scopes) = stated {
        return Ok((net, scopes));
    }
    if special::reserved(&net) {
        return Err(LineFault::Reserved(net));
    }
    if special::too_wide(&net) {
        return Err(LineFault::TooWide(net));
    }
    Ok((net, Scopes::DEFAULT))
}

fn network(text: &str) -> Result<IpNet, LineFault> {
    family::read(text)
        .map(family::canonical)
        .ok_or_else(|| LineFault::NotANetwork(Excerpt::new(text)))
}

fn scopes(word: &str) -> Result<Scopes, LineFault> {
    let fault = || LineFault::NotAScope(Excerpt::new(word));
    let names = word.strip_prefix("scope=").ok_or_else(fault)?;
    let mut scopes = Scopes {
        sign_up: false,
        mail: false,
        all: false,
    };
    for name in names.split(',') {
        match name {
            "sign-up" => scopes.sign_up = true,
            "mail" => scopes.mail = true,
            "all" => scopes = Scopes::ALL,
            _ => return Err(fault()),
        }
    }
    Ok(scopes)
}

#[derive(Deserialize)]
struct DropLine {
    cidr: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

fn drop_line(line: &str) -> Result<Option<String>, LineFault> {
    let fault = || LineFault::NotANetwork(Excerpt::new(line.trim()));
    let read: DropLine = serde_json::from_str(line).map_err(|_| fault())?;
    match (read.cidr, read.kind.as_deref()) {
        (Some(cidr), _) => Ok(Some(cidr)),
        (None, Some("metadata")) => Ok(None),
        (None, _) => Err(fault()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_to_text(line: &str) -> String {
        match read(line) {
            Ok(None) => "nothing".into(),
            Ok(Some((net, scopes))) => {
                let on = |yes, name| if yes { name } else { "" };
                let letters = [
                    on(scopes.sign_up, " sign-up"),
                    on(scopes.mail, " mail"),
                    on(scopes.all, " all"),
                ];
                format!("{net}{}", letters.concat())
            }
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn table() {
        for (line, expected) in [
            ("", "nothing"),
            ("  # FireHOL header", "nothing"),
            ("; Spamhaus DROP List", "nothing"),
            ("1.10.16.0/20 ; SBL256894", "1.10.16.0/20 sign-up mail"),
            ("1.10.16.7/20", "1.10.16.0/20 sign-up mail"),
            ("203.0.113.7", "203.0.113.7/32 sign-up mail"),
            ("2001:DB8::7", "2001:db8::7/128 sign-up mail"),
            ("::ffff:203.0.113.7", "203.0.113.7/32 sign-up mail"),
            ("203.0.113.0/24 scope=mail # MX", "203.0.113.0/24 mail"),
            (
                "203.0.113.0/24 scope=sign-up,mail",
                "203.0.113.0/24 sign-up mail",
            ),
            (
                "203.0.113.0/24 scope=all",
                "203.0.113.0/24 sign-up mail all",
            ),
            ("10.0.0.0/8 scope=mail", "10.0.0.0/8 mail"),
            ("0.0.0.0/0 scope=sign-up", "0.0.0.0/0 sign-up"),
            (
                r#"{"cidr":"1.10.16.0/20","sblid":"SBL256894","rir":"apnic"}"#,
                "1.10.16.0/20 sign-up mail",
            ),
            (
                r#"{"type":"metadata","timestamp":1733000000,"records":1402}"#,
                "nothing",
            ),
        ] {
            assert_eq!(read_to_text(line), expected, "{line}");
        }
    }

    #[test]
    fn faults() {
        for (line, expected) in [
            ("10.0.0.0/8", "10.0.0.0/8 is private or reserved"),
            ("0.0.0.0/0", "0.0.0.0/0 is wider than"),
            ("example.com", "\"example.com\" is not a network"),
            ("1.2.3.0/33", "\"1.2.3.0/33\" is not a network"),
            ("01.2.3.4", "\"01.2.3.4\" is not a network"),
            ("01.2.3.0/24", "\"01.2.3.0/24\" is not a network"),
            ("1.2.3.0/", "\"1.2.3.0/\" is not a network"),
            ("1.2.3.0/+4", "\"1.2.3.0/+4\" is not a network"),
            ("1.2.3.0/024", "\"1.2.3.0/024\" is not a network"),
            ("1.2.3.0/24/8", "\"1.2.3.0/24/8\" is not a network"),
            ("2001:db8::/129", "\"2001:db8::/129\" is not a network"),
            ("<html>", "\"<html>\" is not a network"),
            ("203.0.113.0/24 mail", "\"mail\" is not a scope"),
            ("203.0.113.0/24 scope=mial", "\"scope=mial\" is not a scope"),
            (r#"{"asn":1234}"#, "\"{\\\"asn\\\":1234}\" is not a network"),
            (r#"{"cidr":"#, "\"{\\\"cidr\\\":\" is not a network"),
        ] {
            let fault = read_to_text(line);
            assert!(fault.starts_with(expected), "{line}: {fault}");
        }
    }
}
