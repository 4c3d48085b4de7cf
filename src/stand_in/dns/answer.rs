//! One question and the zone make one answer.

use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::SOA;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use super::zone::{self, Behaviour, Zone};

/// CNAMEs followed within one answer.
const CHAIN: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// What is sent, and when.
pub(super) struct Plan {
    pub(super) message: Message,
    pub(super) delay: Duration,
}

/// `None` for a question that is never answered.
pub(super) fn plan(
    zone: &Zone,
    question: &Message,
    asked: u64,
    transport: Transport,
) -> Option<Plan> {
    let query = question.queries.first()?;
    let name = zone::key(query.name());
    let mut message = Message::response(question.metadata.id, question.metadata.op_code);
    message.add_query(query.clone());
    message.metadata.recursion_desired = question.metadata.recursion_desired;
    message.metadata.recursion_available = true;
    let mut delay = Duration::ZERO;
    match zone.behaviour(&name, query.query_type()) {
        Behaviour::Stall => return None,
        Behaviour::ServFail => message.metadata.response_code = ResponseCode::ServFail,
        Behaviour::Refuse => message.metadata.response_code = ResponseCode::Refused,
        Behaviour::Truncate if transport == Transport::Udp => message.metadata.truncation = true,
        Behaviour::Delay(by) => {
            delay = by;
            fill(&mut message, zone, name, query.query_type(), asked);
        }
        Behaviour::Answer | Behaviour::Truncate => {
            fill(&mut message, zone, name, query.query_type(), asked);
        }
    }
    if transport == Transport::Udp && question.max_payload() < size(&message) {
        message = message.truncate();
    }
    Some(Plan { message, delay })
}

fn fill(message: &mut Message, zone: &Zone, mut name: String, kind: RecordType, asked: u64) {
    for _ in 0..CHAIN {
        let Some(records) = zone.records(&name, asked) else {
            message.metadata.response_code = ResponseCode::NXDomain;
            break;
        };
        let wanted = records.iter().filter(|record| record.record_type() == kind);
        let before = message.answers.len();
        message.add_answers(wanted.cloned());
        if message.answers.len() > before {
            return;
        }
        let alias = records.iter().find_map(|record| match &record.data {
            RData::CNAME(target) => Some((record, zone::key(target))),
            _ => None,
        });
        let Some((record, target)) = alias else {
            break;
        };
        message.add_answer(record.clone());
        name = target;
    }
    message.add_authority(start_of_authority(zone.negative_ttl()));
}

/// Says how long a negative answer holds (RFC 2308 §5).
fn start_of_authority(ttl: u32) -> Record {
    let seconds = i32::try_from(ttl).unwrap_or(i32::MAX);
    let soa = SOA::new(
        Name::root(),
        Name::root(),
        1,
        seconds,
        seconds,
        seconds,
        ttl,
    );
    Record::from_rdata(Name::root(), ttl, RData::SOA(soa))
}

fn size(message: &Message) -> u16 {
    message.to_vec().map_or(u16::MAX, |bytes| {
        u16::try_from(bytes.len()).unwrap_or(u16::MAX)
    })
}
