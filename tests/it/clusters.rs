//! The gate condemns by itself, with the real judge, store and resolver: bots
//! behind one mail server, a burst of look-alike apps, a restart, a release.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use tuskgate::app::{ClientId, Credential};
use tuskgate::attempt::{ClientIp, Grant};
use tuskgate::ban::{Ban, Effect, Scopes, Subject};
use tuskgate::cluster::{ClusterId, ClusterKind, MailKey, SignUp};
use tuskgate::endpoint::Endpoint;
use tuskgate::event::Outcome as Came;
use tuskgate::judge::app_sight::Nobody;
use tuskgate::judge::cluster::apps::{self, Apps};
use tuskgate::judge::cluster::servers::Servers;
use tuskgate::judge::cluster::tuning::Tuning;
use tuskgate::mail::address;
use tuskgate::mailbox::Domain;
use tuskgate::secret::{Purpose, Secret};
use tuskgate::stand_in::dns::{StandInDns, Zone};

use super::support::Outcome;
use super::support::bots::{ask_for_app, attempt, judge, nothing_learned, sign_up};

const M1: ClusterId = ClusterId {
    kind: ClusterKind::Mail,
    number: 1,
};
const A1: ClusterId = ClusterId {
    kind: ClusterKind::App,
    number: 1,
};

fn zone() -> Zone {
    let mut zone = Zone::new();
    for number in 0..60 {
        zone.mx(&format!("bot{number}.example"), 10, "mx.bots.example");
        zone.mx(&format!("typed{number}.example"), 10, "mx.victim.example");
    }
    zone.ip("mx.bots.example", Ipv4Addr::new(45, 9, 9, 9));
    zone.ip("mx.victim.example", Ipv4Addr::new(45, 9, 10, 9));
    zone.mx("gmail.com", 5, "gmail-smtp-in.l.google.com");
    zone.ip("gmail-smtp-in.l.google.com", Ipv4Addr::new(142, 250, 1, 26));
    zone
}

#[tokio::test]
async fn a_mail_server_is_condemned_remembered_and_released() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("store");
    let dns = StandInDns::start(zone()).await?;
    let gate = judge(&dns, &path, None);
    let mut admitted = 0;
    for number in 0..40 {
        let mail = format!("b{number}@bot{number}.example");
        admitted += u32::from(sign_up(&gate, number, &mail, Came::Create).await);
    }
    assert!((3..=6).contains(&admitted), "{admitted} bots were let in");
    let cluster = gate.registers().cluster(M1).expect("condemned");
    assert_eq!(cluster.suspects.len(), admitted as usize);
    assert!(sign_up(&gate, 41, "anna@gmail.com", Came::Create).await);

    let refused = cluster.refused;
    assert_eq!(refused, u64::from(40 - admitted));
    gate.keep_refused();
    gate.store().flush().await?;
    drop(gate);
    let gate = judge(&dns, &path, None);
    let again = gate.registers().cluster(M1).expect("remembered");
    assert_eq!(again.refused, refused, "a restart forgets none");
    assert!(!sign_up(&gate, 42, "b@bot50.example", Came::Create).await);
    let now = Timestamp::now().as_second();
    gate.registers().release(M1, now, "by hand").await?;
    assert!(sign_up(&gate, 43, "b@bot51.example", Came::Create).await);
    Ok(())
}

#[tokio::test]
async fn sign_ups_that_fail_condemn_nobody() -> Outcome {
    let folder = tempfile::tempdir()?;
    let dns = StandInDns::start(zone()).await?;
    let gate = judge(&dns, &folder.path().join("store"), None);
    for number in 0..40 {
        let mail = format!("x@typed{number}.example");
        assert!(sign_up(&gate, number, &mail, Came::Fail).await);
    }
    assert_eq!(gate.registers().clusters(), []);
    Ok(())
}

/// In a rush of people at listed providers the scale is wider. A crowd that the
/// gate refuses is none: whoever is banned must not help others in.
#[tokio::test]
async fn a_crowd_that_is_refused_widens_no_scale() -> Outcome {
    let dns = StandInDns::start(crowded()).await?;
    let mut passed = Vec::new();
    for crowd in [
        Ipv4Addr::new(203, 0, 113, 7),
        Ipv4Addr::new(198, 51, 100, 7),
    ] {
        let folder = tempfile::tempdir()?;
        let gate = judge(&dns, &folder.path().join("store"), None);
        let network = Subject::Network("203.0.113.0/24".parse()?);
        gate.store().ban(banned(network)).await?;
        let enters = async |client: Ipv4Addr, mail: &str| {
            let mut attempt = attempt(Endpoint::SignUp, 0);
            attempt.client = ClientIp::Known(client.into());
            attempt.email = address::read(mail).expect("an address");
            let judgement = gate.judge(&attempt, &Nobody).await;
            let well = judgement.decision.refusal().is_none();
            if well {
                let lesson = nothing_learned(Came::Create);
                gate.settle(&attempt, judgement, &lesson).await;
            }
            well
        };
        for number in 0..CROWD {
            let mail = format!("a@new{number}.example");
            assert!(enters(Ipv4Addr::new(198, 18, number, 1), &mail).await);
        }
        for number in 0..2 * CROWD {
            enters(crowd, &format!("p{number}@gmail.com")).await;
        }
        let mut bots = 0;
        for number in 0..CROWD {
            let mail = format!("b@bot{number}.example");
            bots += u32::from(enters(Ipv4Addr::new(198, 19, number, 1), &mail).await);
        }
        passed.push(bots);
    }
    let [refused, let_in] = passed[..] else {
        panic!("{passed:?}")
    };
    assert!(refused < let_in, "{refused} and {let_in} bots passed");
    Ok(())
}

const CROWD: u8 = 60;

/// New domains elsewhere, each behind a server of its own, and bots whose servers
/// have a network in common.
fn crowded() -> Zone {
    let mut zone = Zone::new();
    zone.mx("gmail.com", 5, "gmail-smtp-in.l.google.com");
    zone.ip("gmail-smtp-in.l.google.com", Ipv4Addr::new(142, 250, 1, 26));
    for number in 0..CROWD {
        for (kind, ip) in [
            ("new", Ipv4Addr::new(45, 10 + number, 0, 9)),
            ("bot", Ipv4Addr::new(93, 9, 9, number)),
        ] {
            let host = format!("mx.{kind}{number}.example");
            zone.mx(&format!("{kind}{number}.example"), 10, &host);
            zone.ip(&host, ip);
        }
    }
    zone
}

fn banned(subject: Subject) -> Ban {
    Ban {
        id: 0,
        subject,
        effect: Effect::Ban,
        scopes: Scopes::DEFAULT,
        reason: "test".to_owned(),
        source: "test".to_owned(),
        created: Timestamp::now(),
        expires: None,
    }
}

#[tokio::test]
async fn tokens_of_a_condemned_burst_are_contained_and_let_go() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("store");
    let dns = StandInDns::start(zone()).await?;
    let gate = judge(&dns, &path, None);
    let mut under_way = Vec::new();
    for number in 0..20 {
        under_way.extend(ask_for_app(&gate, number).await);
    }
    let made = under_way.len();
    // All were asked for at once: the burst is condemned before the first reply.
    assert!(gate.registers().cluster(A1).is_some());
    for (attempt, judgement, lesson) in under_way {
        gate.settle(&attempt, judgement, &lesson).await;
    }
    assert!((5..10).contains(&made), "{made} apps were made");
    let token = gate.store().key().hash(Purpose::Token, &[b"minted"]);
    let app = ClientId::new("aaa0");
    assert!(gate.store().learn_token(token, &app).await);
    assert!(!gate.contains_tokens());

    let count = gate.contain(A1, true).await?.expect("condemned").all;
    assert_eq!(count, 1);
    assert!(gate.contained("minted") && !gate.contained("another"));
    gate.store().flush().await?;
    drop(gate);
    let gate = judge(&dns, &path, None);
    assert_eq!(gate.recontain().await?, 1);
    assert!(gate.contained("minted"));
    gate.contain(A1, false).await?.expect("still there");
    assert!(!gate.contains_tokens());
    Ok(())
}

/// Asked for before its look was condemned and contained, made after it: nobody has to
/// contain anything again.
#[tokio::test]
async fn an_app_that_comes_to_be_in_a_contained_burst_is_contained_at_once() -> Outcome {
    let folder = tempfile::tempdir()?;
    let dns = StandInDns::start(zone()).await?;
    let gate = judge(&dns, &folder.path().join("store"), None);
    let mut under_way = Vec::new();
    for number in 0..20 {
        under_way.extend(ask_for_app(&gate, number).await);
    }
    gate.contain(A1, true).await?.expect("condemned");
    assert!(!gate.contains_tokens(), "no app of it has a name yet");
    for (attempt, judgement, lesson) in under_way {
        gate.settle(&attempt, judgement, &lesson).await;
    }
    assert!(gate.contains_tokens());
    let mut asking = attempt(Endpoint::Token, 1);
    asking.grant = Some(Grant::ClientCredentials);
    asking.credential = Some(Credential {
        client_id: ClientId::new("aaa1"),
        client_secret: None,
    });
    let judgement = gate.judge(&asking, &Nobody).await;
    let mut lesson = nothing_learned(Came::Create);
    lesson.token = Some(Secret::new("minted"));
    gate.settle(&asking, judgement, &lesson).await;
    assert!(gate.contained("minted"));
    Ok(())
}

/// Bytes of memory that this process has in use.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages = statm.split_whitespace().nth(1).expect("a number");
    pages.parse::<usize>().expect("a number") * 4096
}

/// Every domain new, every server its own, every name as long as names can be:
/// the registers take no more than they may, and forget what was least active.
#[test]
fn a_flood_of_domains_and_servers_stays_within_the_register_s_size() {
    const SIZE: usize = 16 << 20;
    let mut servers = Servers::new(Tuning::default());
    let mut apps = Apps::new(apps::Tuning::default());
    servers.resize(SIZE);
    apps.resize(SIZE);
    let label = "a".repeat(60);
    let name = |kind: &str, number: u32| {
        let long = format!("{kind}{number}.{label}.{label}.{label}.example");
        Domain::new(&long).expect("a domain")
    };
    let sign_up = |number: u32, domain, host: Domain| SignUp {
        at: 1_700_000_000 + i64::from(number),
        domain,
        keys: [
            MailKey::Host(host),
            MailKey::Address(Ipv4Addr::from(number << 8).into()),
        ]
        .into(),
        client: None,
        client_id: None,
        username: Some("u".repeat(64)),
        account: None,
    };
    // Somebody who was here before and often.
    let own = || Domain::new("mx.club.example").expect("a domain");
    for number in 0..40 {
        let domain = Domain::new("club.example").expect("a domain");
        servers.enter(sign_up(number, domain, own()));
    }
    drop(servers.changes());
    let before = resident();
    for number in 100..60_000_u32 {
        servers.enter(sign_up(number, name("d", number), name("m", number)));
        drop(servers.changes());
        let look: String = (0..128)
            .map(|place| char::from(b'a' + (number >> (place % 16)) as u8 % 26))
            .collect();
        apps.make(&look, None, 1_700_000_000 + i64::from(number));
        drop(apps.changes());
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < SIZE + SIZE / 2, "{} MiB", grown >> 20);
    let fills = servers.fill().into_iter().chain([apps.fill()]);
    for (fill, name) in fills.zip(tuskgate::judge::cluster::size::NAMES) {
        assert!(fill.evicted > 1000, "{name}: {fill:?}");
        assert!(fill.bytes <= SIZE, "{name}: {fill:?}");
    }
    let report = servers.report_name(&own(), 1_700_060_000);
    assert_eq!(report[0].sign_ups, 40, "the most active is remembered");
}
