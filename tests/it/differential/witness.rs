//! One request sent to the gate, and its verdict: refused by the gate, read
//! alike by every Rails, or a difference.

use http::request::Parts;
use jiff::Timestamp;
use serde_json::Value;
use tuskgate::attempt::{ClientIp, Unknown};
use tuskgate::mastodon::attempt::{self, Reading};
use tuskgate::mastodon::endpoint::guarded_path;

use super::compare::{Echo, Outcome, compare};
use super::lane::{Lane, Reply};
use super::recorder::{Heard, Recorder};
use super::sent::{Content, Sent};
use super::stage::Stage;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The gate's own answer; the upstream heard nothing.
    Refused(u16),
    /// Forwarded, and each Rails read what the gate read, or reached no door.
    Equal {
        /// The gate saw a door.
        judged: bool,
        /// At how many Rails that door's action was reached and all parameters compared.
        compared: usize,
    },
    /// The upstream received other bytes than were sent, or a Rails read something else.
    Differs(String),
}

/// One client of all three servers.
pub(crate) struct Witness {
    recorder: Recorder,
    gate: Lane,
    rails: Vec<(&'static str, Lane)>,
    name: String,
    count: u64,
    /// Ask the Rails with the bytes as they were sent, too.
    pub(crate) both_ways: bool,
}

impl Witness {
    pub(crate) fn new(stage: &Stage, name: &str) -> Self {
        Self {
            recorder: stage.recorder.clone(),
            gate: Lane::new(stage.gate),
            rails: stage
                .rails
                .iter()
                .map(|rails| (rails.name, Lane::new(rails.address)))
                .collect(),
            name: name.to_owned(),
            count: 0,
            both_ways: false,
        }
    }

    /// Sends it, and has every Rails read what the gate let through.
    pub(crate) fn send(&mut self, sent: &Sent) -> Verdict {
        self.count += 1;
        let id = format!("{}-{}", self.name, self.count);
        let sure = sure(sent);
        let reply = match self.gate.exchange(&sent.wire(&id), sure) {
            Ok(reply) => reply,
            Err(fault) => return Verdict::Differs(format!("the gate does not answer: {fault}")),
        };
        let heard = self.recorder.take(&id);
        let (status, forwarded) = match &reply {
            Reply::Answer(answer) => (answer.status, answer.header("x-recorded").is_some()),
            Reply::Nothing => (0, false),
        };
        match heard.as_slice() {
            [] if forwarded => {
                Verdict::Differs("answered by the upstream, which heard nothing".to_owned())
            }
            [] if status >= 500 && status != 501 => {
                Verdict::Differs(format!("the gate answers {status}"))
            }
            [] => Verdict::Refused(status),
            [heard] => self.held_against_rails(sent, heard, sure),
            several => Verdict::Differs(format!("the upstream heard {} requests", several.len())),
        }
    }

    fn held_against_rails(&mut self, sent: &Sent, heard: &Heard, sure: bool) -> Verdict {
        if let Some(fault) = altered(sent, heard) {
            return Verdict::Differs(fault);
        }
        let reading = match read(&heard.head, &heard.body) {
            Ok(reading) => reading,
            Err(fault) => {
                return Verdict::Differs(format!("forwarded, though unreadable: {fault}"));
            }
        };
        let judged = matches!(reading, Some(Reading::Attempt(_)));
        let mut compared = 0;
        for (name, lane) in &mut self.rails {
            let echo = match ask(lane, &heard.wire, sure) {
                Ok(echo) => echo,
                Err(fault) => return Verdict::Differs(format!("{name} does not answer: {fault}")),
            };
            match compare(heard, reading.as_ref(), &echo) {
                Outcome::Equal => compared += usize::from(judged),
                Outcome::Harmless => {}
                Outcome::Differs(fault) => return Verdict::Differs(format!("{name}: {fault}")),
            }
        }
        if self.both_ways
            && let Some(fault) = self.straight(sent, heard, reading.as_ref(), sure)
        {
            return Verdict::Differs(fault);
        }
        Verdict::Equal { judged, compared }
    }

    /// What the Rails make of the request without a gate before them: the same,
    /// unless it names a header that the gate does not pass on or writes anew, or
    /// its framing is odd (Puma 5.6 takes more than `Content-Length` says; the gate does not).
    fn straight(
        &mut self,
        sent: &Sent,
        heard: &Heard,
        reading: Option<&Reading>,
        sure: bool,
    ) -> Option<String> {
        sent.content.body()?;
        let kept = |name: &str| {
            let ours = name.contains('_') || name.to_ascii_lowercase().starts_with("x-forwarded");
            !ours && heard.head.headers.contains_key(name)
        };
        if !sent.headers.iter().all(|(name, _)| kept(name)) {
            return None;
        }
        let wire = sent.wire("straight");
        self.rails.iter_mut().find_map(|(name, lane)| {
            let echo = ask(lane, &wire, sure).ok()?;
            match compare(heard, reading, &echo) {
                Outcome::Differs(fault) => Some(format!("{name}, without the gate: {fault}")),
                Outcome::Equal | Outcome::Harmless => None,
            }
        })
    }
}

/// Whether everybody answers it at once. Puma lets a kept connection time out
/// over a verb or a target that it does not take.
fn sure(sent: &Sent) -> bool {
    !matches!(sent.content, Content::Bare(_))
        && sent.method.bytes().all(|byte| byte.is_ascii_uppercase())
        && sent.target.len() < 8_000
        && !sent.target.iter().any(|byte| b"\"<>\\^`{|}".contains(byte))
}

/// The gate's own reading; `None` for a path that is no door.
pub(crate) fn read(head: &Parts, body: &[u8]) -> Result<Option<Reading>, attempt::Fault> {
    let Some(path) = guarded_path(&head.method, head.uri.path()) else {
        return Ok(None);
    };
    let client = ClientIp::Unknown(Unknown::Missing);
    attempt::read(path, head, body, client, Timestamp::UNIX_EPOCH).map(Some)
}

/// Whether the upstream received something else than was sent.
fn altered(sent: &Sent, heard: &Heard) -> Option<String> {
    if heard.head.method.as_str() != sent.method {
        return Some(format!(
            "sent as {}, received as {}",
            sent.method, heard.head.method
        ));
    }
    if heard.target != sent.origin_form() {
        return Some(format!(
            "received with the target {}",
            heard.target.escape_ascii()
        ));
    }
    if let Some(fault) = believed(heard) {
        return Some(fault);
    }
    let body = sent.content.body()?;
    (heard.body != body).then(|| format!("received with the body {}", heard.body.escape_ascii()))
}

/// Headers by which a client could name an address, a scheme or a host to Rails.
fn believed(heard: &Heard) -> Option<String> {
    const NEVER: [&str; 7] = [
        "forwarded",
        "client-ip",
        "x-real-ip",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-scheme",
        "x-forwarded-ssl",
    ];
    let headers = &heard.head.headers;
    let never = |name: &str| name.contains('_') || NEVER.contains(&name);
    if let Some(name) = headers.keys().find(|name| never(name.as_str())) {
        return Some(format!("received with the header {name}"));
    }
    let once = |name: &str| headers.get_all(name).iter().count() == 1;
    let single = ["host", "x-forwarded-for", "x-forwarded-proto"];
    let fault = single.into_iter().find(|name| !once(name))?;
    Some(format!("received without {fault}, or with two"))
}

fn ask(lane: &mut Lane, wire: &[u8], sure: bool) -> std::io::Result<Echo> {
    Ok(match lane.exchange(wire, sure)? {
        Reply::Nothing => Echo { told: None },
        Reply::Answer(answer) => Echo {
            told: answer.header("x-test-reached").map(|_| told(&answer)),
        },
    })
}

fn told(answer: &crate::support::caller::Answer) -> Value {
    use base64::Engine as _;
    let Some(coded) = answer.header("x-test-echo") else {
        return answer.json();
    };
    let bytes = base64::engine::general_purpose::STANDARD.decode(coded);
    serde_json::from_slice(&bytes.expect("base64")).expect("JSON")
}
