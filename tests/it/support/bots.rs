//! Bots before a real judge, without the proxy around it.

use std::net::Ipv4Addr;
use std::path::Path;

use jiff::Timestamp;
use tokio::runtime::Handle;
use tuskgate::app::{AppName, ClientId, NewApp};
use tuskgate::attempt::{Attempt, ClientIp};
use tuskgate::endpoint::Endpoint;
use tuskgate::event::Outcome as Came;
use tuskgate::judge::app_sight::Nobody;
use tuskgate::judge::policy::Policy;
use tuskgate::judge::{Judge, Judgement};
use tuskgate::lists::Lists;
use tuskgate::mail::address;
use tuskgate::mail::dns::{DnsSettings, Resolver};
use tuskgate::mastodon::reply::{CreatedApp, Lesson};
use tuskgate::secret::Secret;
use tuskgate::stand_in::dns::StandInDns;
use tuskgate::store::{SharedSettings, Store, StoreSettings};
use tuskgate::verdict::{Mode, Rule};

use super::judged::OOB;

/// One with every rule enforced, on the store in `folder`.
pub(crate) fn judge(dns: &StandInDns, folder: &Path, shared: Option<SharedSettings>) -> Judge {
    let store = Store::open(&StoreSettings {
        limiter_slots: 4096,
        ..StoreSettings::new(folder)
    });
    let store = store.expect("the store opens");
    if let Some(shared) = shared {
        store.share(shared, &Handle::current());
    }
    let settings = DnsSettings {
        servers: vec![dns.address()],
        ..DnsSettings::default()
    };
    let resolver = Resolver::new(&settings, Handle::current()).expect("a resolver");
    let policy = Policy {
        modes: Rule::ALL.map(|rule| (rule, Mode::Enforce)).into(),
        ..Policy::default()
    };
    let control = Handle::current();
    Judge::new(store, resolver, Lists::empty(), policy, control)
}

/// From a network of its own for each number.
pub(crate) fn attempt(endpoint: Endpoint, number: usize) -> Attempt {
    let [high, low] = u16::try_from(number).expect("small").to_be_bytes();
    let client = ClientIp::Known(Ipv4Addr::new(198, 18 + high, low, 9).into());
    Attempt {
        username: Some(format!("user{number}")),
        ..Attempt::blank(Timestamp::now(), endpoint, client)
    }
}

pub(crate) fn nothing_learned(outcome: Came) -> Lesson {
    Lesson {
        outcome,
        app: None,
        token: None,
    }
}

/// Whether a sign-up with this address is let in, and then comes to this.
pub(crate) async fn sign_up(judge: &Judge, number: usize, mail: &str, came: Came) -> bool {
    let mut attempt = attempt(Endpoint::SignUp, number);
    attempt.email = address::read(mail).expect("an address");
    let judgement = judge.judge(&attempt, &Nobody).await;
    if let Some((rule, reason)) = judgement.decision.refusal() {
        assert_eq!(rule, Rule::MailCluster, "{}", reason.fact);
        return false;
    }
    let lesson = nothing_learned(came);
    judge.settle(&attempt, judgement, &lesson).await;
    true
}

/// An app called AaA on its way to be made, if it is let in; its id is `aaa` and the number.
pub(crate) async fn ask_for_app(
    judge: &Judge,
    number: usize,
) -> Option<(Attempt, Judgement, Lesson)> {
    ask_for(judge, "AaA", OOB, number).await
}

/// The same for an app of that look; its id is the name in small letters and the number.
pub(crate) async fn ask_for(
    judge: &Judge,
    name: &str,
    returns_to: &str,
    number: usize,
) -> Option<(Attempt, Judgement, Lesson)> {
    let mut attempt = attempt(Endpoint::AppCreate, number);
    let id = format!("{}{number}", name.to_ascii_lowercase());
    let (name, redirect_uris) = (AppName::new(name), vec![returns_to.to_owned()]);
    attempt.new_app = Some(NewApp {
        name: name.clone(),
        redirect_uris: redirect_uris.clone(),
        website: None,
    });
    let judgement = judge.judge(&attempt, &Nobody).await;
    if judgement.decision.refusal().is_some() {
        return None;
    }
    let app = CreatedApp {
        id: None,
        client_id: ClientId::new(&id),
        client_secret: Some(Secret::new("secret")),
        name,
        redirect_uris,
        website: None,
    };
    let lesson = Lesson {
        app: Some(app),
        ..nothing_learned(Came::Create)
    };
    Some((attempt, judgement, lesson))
}

/// Whether such an app is made.
pub(crate) async fn make_app(judge: &Judge, number: usize) -> bool {
    let Some((attempt, judgement, lesson)) = ask_for_app(judge, number).await else {
        return false;
    };
    judge.settle(&attempt, judgement, &lesson).await;
    true
}
