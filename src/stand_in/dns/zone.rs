//! The made-up zone: records by name, and how each name behaves.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use hickory_resolver::proto::rr::rdata::{CNAME, MX};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

/// What the stand-in does with a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// Answers from the zone.
    #[default]
    Answer,
    /// SERVFAIL, as a recursive resolver says of a broken name server.
    ServFail,
    /// REFUSED.
    Refuse,
    /// Never answers.
    Stall,
    /// Answers late.
    Delay(Duration),
    /// Answers over TCP only: over UDP the answer is cut.
    Truncate,
}

/// Records and behaviours by name. Names are given without the trailing dot.
#[derive(Clone, Debug)]
pub struct Zone {
    names: HashMap<String, Entry>,
    behaviours: HashMap<(String, Option<RecordType>), Behaviour>,
    everything: Behaviour,
    ttl: u32,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    records: Vec<Record>,
    /// From this many questions on, these records instead.
    later: Option<(u64, Vec<Record>)>,
}

impl Default for Zone {
    fn default() -> Self {
        Self::new()
    }
}

impl Zone {
    /// An empty zone whose records live for a minute.
    #[must_use]
    pub fn new() -> Self {
        Self {
            names: HashMap::new(),
            behaviours: HashMap::new(),
            everything: Behaviour::Answer,
            ttl: 60,
        }
    }

    /// The TTL in seconds of everything added from here on, and of negative answers.
    pub const fn ttl(&mut self, seconds: u32) -> &mut Self {
        self.ttl = seconds;
        self
    }

    /// An MX record.
    ///
    /// # Panics
    /// On a name that is none, as all methods here: zones are written by hand.
    pub fn mx(&mut self, name: &str, preference: u16, exchange: &str) -> &mut Self {
        self.record(
            &parse(name),
            RData::MX(MX::new(preference, parse(exchange))),
        )
    }

    /// A null MX (RFC 7505).
    pub fn null_mx(&mut self, name: &str) -> &mut Self {
        self.record(&parse(name), RData::MX(MX::new(0, Name::root())))
    }

    /// An A or AAAA record.
    pub fn ip(&mut self, name: &str, ip: impl Into<IpAddr>) -> &mut Self {
        self.record(&parse(name), RData::from(ip.into()))
    }

    /// A CNAME record.
    pub fn cname(&mut self, name: &str, target: &str) -> &mut Self {
        self.record(&parse(name), RData::CNAME(CNAME(parse(target))))
    }

    /// A name without records: questions for it are answered with NODATA.
    pub fn empty(&mut self, name: &str) -> &mut Self {
        self.names.entry(lower(name)).or_default();
        self
    }

    /// Any record of any name, also of one that text cannot write.
    pub fn record(&mut self, name: &Name, data: RData) -> &mut Self {
        let record = Record::from_rdata(name.clone(), self.ttl, data);
        self.names
            .entry(key(name))
            .or_default()
            .records
            .push(record);
        self
    }

    /// Takes a name and its behaviour out.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.names.remove(&lower(name));
        self.behaviours.retain(|(of, _), _| *of != lower(name));
        self
    }

    /// Once `name` has been asked for `questions` times, of any type, it has the
    /// records that `other` has for it.
    pub fn change_after(&mut self, name: &str, questions: u64, other: &Self) -> &mut Self {
        let later = other.records(&lower(name), u64::MAX).unwrap_or_default();
        let later = Some((questions, later.to_vec()));
        self.names.entry(lower(name)).or_default().later = later;
        self
    }

    /// How questions for `name` are met.
    pub fn behave(&mut self, name: &str, behaviour: Behaviour) -> &mut Self {
        self.behaviours.insert((lower(name), None), behaviour);
        self
    }

    /// How questions for one type of record of `name` are met.
    pub fn behave_on(&mut self, name: &str, kind: RecordType, behaviour: Behaviour) -> &mut Self {
        self.behaviours.insert((lower(name), Some(kind)), behaviour);
        self
    }

    /// How every question is met that no name's own behaviour covers: a dead resolver is
    /// one that stalls everything.
    pub const fn behave_always(&mut self, behaviour: Behaviour) -> &mut Self {
        self.everything = behaviour;
        self
    }

    pub(super) fn behaviour(&self, name: &str, kind: RecordType) -> Behaviour {
        let of = |kind| self.behaviours.get(&(name.to_owned(), kind)).copied();
        of(Some(kind))
            .or_else(|| of(None))
            .unwrap_or(self.everything)
    }

    /// The records of `name` once it has been asked for `asked` times; `None` if it does not exist.
    pub(super) fn records(&self, name: &str, asked: u64) -> Option<&[Record]> {
        let entry = self.names.get(name)?;
        Some(match &entry.later {
            Some((questions, later)) if asked >= *questions => later,
            Some(_) | None => &entry.records,
        })
    }

    pub(super) const fn negative_ttl(&self) -> u32 {
        self.ttl
    }
}

/// The form in which names are compared and counted.
pub(super) fn key(name: &Name) -> String {
    lower(&name.to_ascii())
}

fn lower(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn parse(name: &str) -> Name {
    let mut name = Name::from_ascii(name).expect("zones are written by hand with valid names");
    name.set_fqdn(true);
    name
}
