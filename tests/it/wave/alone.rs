//! What moves the breaker by itself, and what never does.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use jiff::Timestamp;
use tuskgate::attempt::{Attempt, ClientIp};
use tuskgate::endpoint::Endpoint;
use tuskgate::event;
use tuskgate::judge::cluster::{apps, tuning::Tuning};
use tuskgate::judge::policy::Policy;
use tuskgate::judge::replay::{Past, Replay};
use tuskgate::judge::sight::Sight;
use tuskgate::judge::wave::Settings;
use tuskgate::lists::{Lists, Overlay};
use tuskgate::mail::address;
use tuskgate::mail::dns::{Finding, MailServer, MxHost};
use tuskgate::mailbox::Domain;
use tuskgate::verdict::{Mode, Rule};
use tuskgate::wave::{Kind, Step};

use super::plan;
use crate::support::judged::{ANA, House, wait_until};

const HOUR: i64 = 3600;
/// A midnight.
const T0: i64 = 1_700_006_400;

/// How many accounts the breaker has counted in the last ten minutes.
fn counted(house: &House, later: i64) -> u32 {
    let standing = house.judge.standing(Timestamp::now().as_second() + later);
    let rate = standing
        .rates
        .into_iter()
        .find(|rate| rate.kind == Kind::SignUp);
    rate.expect("accounts are counted").now[0]
}

#[test]
fn what_is_refused_or_comes_to_nothing_is_not_counted() {
    let house = plan().with_limits(&[]).build();
    house.ban(tuskgate::admin::ask::Target::MailDomain(
        "banned.example".into(),
    ));
    let mut bot = house.person(ANA);
    for number in 0..80 {
        let refused = bot.web_sign_up(&format!("r{number}"), &format!("r{number}@banned.example"));
        assert_eq!(refused.status, 422);
        let failed = [
            ("user[email]", "f@gmail.com"),
            ("user[account_attributes][username]", "f"),
        ];
        assert_eq!(bot.post("/auth", &failed).status, 200, "no password");
    }
    assert_eq!(bot.web_sign_up("one", "one@gmail.com").status, 302);
    wait_until("the one that came to be is counted", || {
        counted(&house, 0) > 0
    });
    assert_eq!(counted(&house, 6), 1);
    assert_eq!(
        house.judge.standing(Timestamp::now().as_second() + 20).step,
        Step::Normal
    );
}

/// A cold gate assumes a busy server; a burst far above that tightens, and says so.
#[test]
fn a_burst_through_the_gate_is_an_event() {
    let house = plan().with_limits(&[]).build();
    let mut bot = house.person(ANA);
    for number in 0..64 {
        let mail = format!("b{number}@gmail.com");
        assert_eq!(bot.web_sign_up(&format!("b{number}"), &mail).status, 302);
    }
    wait_until("all are counted", || counted(&house, 0) == 64);
    let standing = house.judge.standing(Timestamp::now().as_second() + 6);
    assert_eq!(standing.step, Step::Tighten);
    let id = standing.reference.expect("an event");
    let store = house.judge.store().clone();
    let event = house.block(async move { store.event(id).await });
    let event = event.expect("the record").expect("it is there");
    let said = event.verdicts.first().expect("a word");
    assert_eq!((said.rule, said.verdict.as_str()), (Rule::Wave, "step"));
    assert!(said.fact.contains(" sign-ups in 10 min"), "{}", said.fact);
    // A listed provider is not what step 1 is about.
    assert_eq!(bot.web_sign_up("c", "c@gmail.com").status, 302);
}

/// The rules in virtual time, as the efficacy bench runs them.
struct World {
    judge: Replay,
    micros: i64,
}

impl World {
    fn new(highest: Step, cluster: Mode) -> Self {
        let mut modes: tuskgate::judge::policy::Modes =
            Rule::ALL.map(|rule| (rule, Mode::Enforce)).into();
        modes.insert(Rule::MailCluster, cluster);
        let policy = Policy {
            modes,
            breaker: Settings {
                highest,
                ..Settings::default()
            },
            ..Policy::default()
        };
        let sight = Sight {
            lists: Arc::new(Lists::empty()),
            bans: Arc::new(Overlay::default()),
            now: Timestamp::UNIX_EPOCH,
        };
        let past = Past::none(Tuning::default(), apps::Tuning::default());
        let mut world = Self {
            judge: Replay::new(policy, sight, past, 1 << 12),
            micros: 0,
        };
        for hour in 0..7 * 24 {
            world.gmail(T0 - (7 * 24 - hour) * HOUR);
        }
        world
    }

    /// Whether a sign-up is let in.
    fn sign_up(&mut self, at: i64, domain: &str, host: &str, ip: IpAddr) -> bool {
        self.micros = (self.micros + 7) % 1_000_000;
        let at = Timestamp::from_microsecond(at * 1_000_000 + self.micros).expect("a time");
        let client = ClientIp::Known(Ipv4Addr::from(0x3c00_0000 + self.micros as u32).into());
        let attempt = Attempt {
            email: address::read(&format!("u{}@{domain}", self.micros)).expect("an address"),
            username: Some(format!("u{}", self.micros)),
            ..Attempt::blank(at, Endpoint::SignUp, client)
        };
        let host = MxHost {
            name: Domain::new(host).expect("a domain"),
            preference: 10,
            ips: vec![ip],
        };
        let server = MailServer {
            hosts: vec![host],
            implicit: false,
        };
        let ruling = self
            .judge
            .judge(&attempt, Some(Finding::Server(server.into())));
        let let_in = ruling.refused.is_none();
        let outcome = match let_in {
            true => event::Outcome::Create,
            false => event::Outcome::Fail,
        };
        self.judge.settle(ruling, outcome);
        let_in
    }

    fn gmail(&mut self, at: i64) -> bool {
        let ip = Ipv4Addr::new(142, 250, 102, 26).into();
        self.sign_up(at, "gmail.com", "gmail-smtp-in.l.google.com", ip)
    }

    /// A bot's own domain at one of many servers of theirs, far apart.
    fn bot(&mut self, at: i64, server: u8, number: u32) -> bool {
        let ip = Ipv4Addr::new(45, server, 9, 7).into();
        let domain = format!("d{server}x{number}.example");
        self.sign_up(at, &domain, &format!("mx.s{server}.example"), ip)
    }

    fn step(&self) -> Step {
        self.judge.breaker().0
    }
}

/// Servers one after the other, each until it is condemned, and volume beside.
fn attack(world: &mut World, from: i64, servers: u8) -> u32 {
    let (mut at, mut let_in) = (from, 0);
    for server in 0..servers {
        for number in 0..10 {
            at += 20;
            let_in += u32::from(world.bot(at, server, number));
            world.gmail(at + 5);
        }
    }
    let_in
}

#[test]
fn a_wave_over_many_servers_is_held_at_known_providers_and_no_further() {
    let mut world = World::new(Step::Closed, Mode::Enforce);
    let let_in = attack(&mut world, T0, 25);
    assert_eq!(world.step(), Step::Known, "{:?}", world.judge.breaker().1);
    assert!(let_in < 90, "{let_in} of 250 bots");
    let now = T0 + 25 * 10 * 20;
    assert!(world.gmail(now), "a known provider passes");
    assert!(!world.bot(now + 1, 99, 1), "an unknown one does not");
    // Nothing new can be let in, so it comes down, whatever is tried.
    for minute in 0..90 {
        world.bot(now + minute * 60, 98, minute as u32);
        world.gmail(now + minute * 60);
    }
    let highest = world.judge.breaker().1.iter().map(|moved| moved.to).max();
    assert_eq!(highest, Some(Step::Known));
    let downs = world
        .judge
        .breaker()
        .1
        .iter()
        .filter(|moved| moved.to < moved.from);
    assert!(downs.count() >= 1, "{:?}", world.judge.breaker().1);
}

/// What an admin only watches holds nobody back by a detour.
#[test]
fn clusters_that_only_observe_are_no_evidence() {
    let mut world = World::new(Step::Closed, Mode::Observe);
    attack(&mut world, T0, 30);
    assert_eq!(world.step(), Step::Tighten);
}

#[test]
fn volume_at_a_listed_provider_tightens_and_no_more() {
    let mut world = World::new(Step::Closed, Mode::Enforce);
    for second in 0..4000 {
        assert!(world.gmail(T0 + second));
    }
    assert_eq!(world.step(), Step::Tighten);
}
