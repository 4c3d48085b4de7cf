//! Writing down and counting what was decided.

use std::net::IpAddr;
use std::sync::Arc;

use http::Response;
use http::request::Parts;
use jiff::Timestamp;

use crate::app::{AppName, ClientId};
use crate::attempt::{Attempt, ClientIp};
use crate::event::facts::{AppFacts, Facts};
use crate::event::{Event, VerdictRecord};
use crate::judge::app_sight::AppSight;
use crate::judge::{Judge, Judgement};
use crate::mastodon::attempt::Fault;
use crate::proxy::Body;
use crate::proxy::gate::{Shared, answer};
use crate::telemetry::metrics;
use crate::telemetry::trouble::{Trouble, raise};
use crate::verdict::{Because, Cause, Decision, Judged, Mode, Reason, Rule, Verdict};

/// Records a judged attempt; what was recorded, which is little more than the
/// reference where it was merged into the row of another.
pub(super) fn judged(shared: &Shared, attempt: &Attempt, judgement: &Judgement) -> Arc<Event> {
    let mut event = blank(&shared.judge, attempt.at, attempt.client);
    event.endpoint = Some(attempt.endpoint);
    finish(&shared.judge, event, &judgement.decision, |event| {
        fill(event, attempt, judgement);
    })
}

fn fill(event: &mut Event, attempt: &Attempt, judgement: &Judgement) {
    let app = judgement.app.app();
    event.username = attempt.name().map(cut);
    event.mail_domain = attempt.email.as_ref().map(|email| email.domain().clone());
    event.mailbox = judgement.mailbox.map(|mailbox| mailbox.exact);
    event.canonical_mailbox = judgement.mailbox.map(|mailbox| mailbox.canonical);
    event.mail_server = judgement.mail_server.clone();
    let client_id = judgement.app.client_id();
    event.client_id = client_id.map(|id| ClientId::new(&cut(id.as_str())));
    let named = attempt.new_app.as_ref().map(|app| app.name.clone());
    let name = named.or_else(|| app.map(|app| app.name.clone()));
    event.app_name = name.map(|name| AppName::new(&cut(name.as_str())));
    event.grant = attempt.grant.map(|grant| grant.name().to_owned());
    event.facts = Some(Box::new(facts(attempt, judgement)));
}

/// What the rules were shown, for a replay.
fn facts(attempt: &Attempt, judgement: &Judgement) -> Facts {
    let cut_all = |uris: &[String]| uris.iter().take(MOST_URIS).map(|uri| cut(uri)).collect();
    let asked_for = attempt.new_app.as_ref().map(|app| AppFacts {
        redirect_uris: cut_all(&app.redirect_uris),
        website: app.website.as_deref().map(cut),
        known: None,
    });
    let behind = judgement.app.app().map(|app| AppFacts {
        redirect_uris: cut_all(&app.redirect_uris),
        website: app.website.as_deref().map(cut),
        known: Some((app.created, app.source)),
    });
    Facts {
        mail: judgement.mail_facts.clone(),
        shared_address: attempt.client.known().is_none(),
        unchanged: judgement.unchanged,
        proven: judgement.proven,
        unresolved: matches!(judgement.app, AppSight::Unresolved),
        app: asked_for.or(behind),
    }
}

/// What of a text that the client chose is worth keeping.
const LONGEST: usize = 256;
const MOST_URIS: usize = 8;

fn cut(text: &str) -> String {
    let end = (text.len() > LONGEST).then(|| text.char_indices().nth(LONGEST));
    let end = end.flatten().map_or(text.len(), |(end, _)| end);
    text.get(..end).unwrap_or_default().to_owned()
}

/// Records an unreadable request and answers it.
pub(super) fn unreadable(
    shared: &Shared,
    client: ClientIp,
    head: &Parts,
    fault: &Fault,
    mode: Mode,
    at: Timestamp,
) -> Response<Body> {
    let reason = Reason {
        because: Because::Unreadable(fault.unreadable),
        fact: fault.fact.clone().into(),
        undo: None,
    };
    let decision = one(Rule::Unreadable, mode, reason.clone());
    let mut event = blank(&shared.judge, at, client);
    event.endpoint = fault.endpoint;
    let id = finish(&shared.judge, event, &decision, |_| {}).id;
    answer::refuse(fault.endpoint, Rule::Unreadable, &reason, id, head)
}

/// Records a client banned with scope `all`; answers it where the rule is enforced.
pub(super) fn everywhere(
    judge: &Judge,
    ip: IpAddr,
    at: Timestamp,
    judged: Judged,
    head: &Parts,
) -> Option<Response<Body>> {
    let decision = Decision {
        verdicts: vec![judged],
    };
    let event = blank(judge, at, ClientIp::Known(ip));
    let event = finish(judge, event, &decision, |_| {});
    let (rule, reason) = decision.refusal()?;
    Some(answer::refuse(None, rule, reason, event.id, head))
}

fn one(rule: Rule, mode: Mode, reason: Reason) -> Decision {
    let verdict = Verdict::Refuse(reason);
    Decision {
        verdicts: vec![Judged {
            rule,
            mode,
            verdict,
        }],
    }
}

fn blank(judge: &Judge, at: Timestamp, client: ClientIp) -> Event {
    Event {
        client: client.address(),
        ..Event::blank(judge.fresh_id(), at)
    }
}

/// Counts and records; `fill` is called only for an event with a row of its own.
fn finish(
    judge: &Judge,
    mut event: Event,
    decision: &Decision,
    fill: impl FnOnce(&mut Event),
) -> Arc<Event> {
    event.admitted = decision.refusal().is_none();
    for judged in &decision.verdicts {
        metrics().judge.decided(judged);
        if let Verdict::Abstain(cause) = &judged.verdict {
            troubled(cause);
        }
    }
    metrics().judge.attempted(event.endpoint, event.admitted);
    if judge.store().merges(&event, &decision.verdicts) {
        return Arc::new(event);
    }
    fill(&mut event);
    event.verdicts = decision.verdicts.iter().filter_map(write_down).collect();
    let event = Arc::new(event);
    judge.store().add(Arc::clone(&event));
    event
}

fn write_down(judged: &Judged) -> Option<VerdictRecord> {
    let (verdict, fact, undo) = match &judged.verdict {
        Verdict::Pass => return None,
        Verdict::Refuse(reason) => {
            let undo = reason.undo.as_ref().map(ToString::to_string);
            ("refuse", reason.fact.to_string(), undo)
        }
        Verdict::Abstain(cause) => ("abstain", cause.to_string(), None),
    };
    Some(VerdictRecord {
        rule: judged.rule,
        mode: judged.mode,
        verdict: verdict.to_owned(),
        fact,
        undo,
    })
}

/// Says aloud what keeps a rule from judging anybody.
fn troubled(cause: &Cause) {
    let (trouble, text) = match cause {
        Cause::ClientUnknown(why) => (
            Trouble::ClientUnknown,
            format!(
                "{why}: rules keyed by the client's address abstain; check listen.trusted-proxies and nginx, or run `tuskgate doctor`"
            ),
        ),
        Cause::ResolverDown => (
            Trouble::ResolverDown,
            format!(
                "{cause}: mail servers are not judged; check [dns] servers and the system's resolver"
            ),
        ),
        Cause::SharedProvider(_)
        | Cause::Allow(_)
        | Cause::Lapse(_)
        | Cause::Unchanged
        | Cause::Invited => return,
    };
    if raise(trouble, &text) {
        tracing::warn!("{text}");
    }
}
