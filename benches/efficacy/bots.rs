//! What the bots do in each attack. Each sign-up is another bot with its own
//! client address and local part; only what is named is shared.

use std::net::{IpAddr, Ipv4Addr};

use crate::dice::Dice;
use crate::honest;
use crate::people::{Act, AppLook, Grant, What, Who};
use crate::world::{self, MailAt};

/// Numbers above this are the bots' hands, not accounts.
pub(crate) const HANDS: u32 = 1_000_000;

const HOUR: i64 = 3600;
const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

struct Story {
    acts: Vec<Act>,
    dice: Dice,
    clients: Vec<IpAddr>,
}

impl Story {
    fn new(dice: &mut Dice, clients: usize) -> Self {
        let clients = (0..clients).map(|_| world::client(dice)).collect();
        Self {
            acts: Vec::new(),
            dice: dice.clone(),
            clients,
        }
    }

    fn act(&mut self, at: i64, who: u32, what: What) {
        let ip = self.clients[self.dice.below(self.clients.len() as u64) as usize];
        let who = Who::Bot(who);
        self.acts.push(Act { at, who, ip, what });
    }

    fn sign_up(&mut self, at: i64, bot: u32, app: Option<u32>, mail: MailAt) {
        let local = format!("{}{bot}", world::word(&mut self.dice));
        self.act(at, bot, What::SignUp(app, mail, local));
    }

    /// A moment within `length` after `from`, in waves of ten minutes.
    fn wave(&mut self, from: i64, length: i64) -> i64 {
        let waves = (length / HOUR).clamp(4, 40) as u64;
        let wave = self.dice.below(waves) as i64;
        let span = (length / waves as i64).min(600);
        from + wave * (length / waves as i64) + self.dice.below(span as u64) as i64
    }

    fn even(&mut self, from: i64, length: i64) -> i64 {
        from + self.dice.below(length as u64) as i64
    }

    fn done(mut self) -> Vec<Act> {
        self.acts.sort_by_key(|act| act.at);
        self.acts
    }
}

fn names(dice: &mut Dice, count: usize) -> Vec<String> {
    (0..count)
        .map(|_| {
            format!(
                "{}.{}",
                world::word(dice),
                ["com", "xyz", "top", "online"][dice.below(4) as usize]
            )
        })
        .collect()
}

fn ip(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    Ipv4Addr::new(a, b, c, d).into()
}

fn look(name: &str) -> AppLook {
    AppLook {
        name: name.into(),
        redirect: OOB,
        website: None,
    }
}

pub(crate) fn nobody(_: i64, _: &mut Dice) -> Vec<Act> {
    Vec::new()
}

pub(crate) fn december_fast(from: i64, dice: &mut Dice) -> Vec<Act> {
    december(from, 2400, dice)
}

pub(crate) fn december_slow(from: i64, dice: &mut Dice) -> Vec<Act> {
    december(from, 48 * HOUR, dice)
}

fn december(from: i64, length: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 900);
    let domains = names(dice, 36);
    let host = format!("mail.{}.ru", world::word(dice));
    for app in 0..60 {
        let at = story.wave(from, length);
        let name = ["AaA", "aAa", "AAa", "AaA"][app % 4];
        story.act(
            at,
            HANDS + app as u32,
            What::Make(HANDS + app as u32, look(name)),
        );
    }
    for bot in 0..500 {
        let at = story.wave(from, length);
        let name = &domains[story.dice.below(36) as usize];
        let mail = world::at(name, &host, ip(45, 9, 20, 7));
        let through = story.dice.chance(0.5).then_some(HANDS + bot % 60);
        story.sign_up(at, bot, through, mail);
    }
    for token in 0..4500 {
        let at = story.wave(from + 60, length);
        let grant = if token % 2 == 0 {
            Grant::Code
        } else {
            Grant::App
        };
        story.act(
            at,
            HANDS + 100 + token,
            What::Token(HANDS + token % 60, grant),
        );
    }
    story.done()
}

pub(crate) fn moving_address(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 500);
    let domains = names(dice, 300);
    let host = format!("mx.{}.com", world::word(dice));
    for bot in 0..600 {
        let at = story.even(from, 12 * HOUR);
        let hour = (at - from) / 1200;
        let moved = ip(31 + (hour % 40) as u8, (hour * 7 % 250) as u8, 9, 4);
        let name = domains[story.dice.below(300) as usize].clone();
        story.sign_up(at, bot, None, world::at(&name, &host, moved));
    }
    story.done()
}

pub(crate) fn one_network(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 500);
    let domains = names(dice, 250);
    for bot in 0..500 {
        let at = story.even(from, 12 * HOUR);
        let pick = story.dice.below(250) as usize;
        let name = domains[pick].clone();
        let mail = world::at(&name, &format!("mx.{name}"), ip(45, 9, 20, 1 + pick as u8));
        story.sign_up(at, bot, None, mail);
    }
    story.done()
}

pub(crate) fn one_mailbox(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 500);
    let (domain, host, at_ip, _) = world::LARGE[0];
    let mail = world::at(domain, host, at_ip.parse().expect("an address"));
    for bot in 0..500 {
        let at = story.even(from, 12 * HOUR);
        let dotted: String = "johnsmithson"
            .chars()
            .flat_map(|c| [Some(c), story.dice.chance(0.3).then_some('.')])
            .flatten()
            .collect();
        let local = format!("{}+{bot}", dotted.trim_end_matches('.'));
        story.act(at, bot, What::SignUp(None, mail.clone(), local));
    }
    story.done()
}

pub(crate) fn disposable(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 500);
    let providers: Vec<_> = [60, 40, 25, 15, 10]
        .iter()
        .enumerate()
        .map(|(n, count)| {
            let host = format!("mx.{}.com", world::word(dice));
            (names(dice, *count), host, ip(23 + n as u8, 90, n as u8, 11))
        })
        .collect();
    for bot in 0..600 {
        let at = story.even(from, 12 * HOUR);
        let (domains, host, ip) = &providers[story.dice.zipf(5, 0.7) as usize];
        let name = &domains[story.dice.below(domains.len() as u64) as usize];
        story.sign_up(at, bot, None, world::at(name, host, *ip));
    }
    story.done()
}

/// Eight domains of one disposable-mail service, through forty exits.
pub(crate) fn tor(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 40);
    let domains = names(dice, 8);
    for bot in 0..500 {
        let at = story.even(from, 12 * HOUR);
        let name = &domains[story.dice.below(8) as usize];
        let mail = world::at(name, "mx.tempmail.example", ip(167, 172, 5, 8));
        story.sign_up(at, bot, None, mail);
    }
    story.done()
}

pub(crate) fn impostor(from: i64, dice: &mut Dice) -> Vec<Act> {
    through_apps(from, dice, |_| look("Mastodon for Android"))
}

pub(crate) fn faithful(from: i64, dice: &mut Dice) -> Vec<Act> {
    through_apps(from, dice, |_| AppLook {
        name: "Mastodon for Android".into(),
        redirect: "mastodon-android-auth://callback",
        website: Some("https://app.joinmastodon.org/android"),
    })
}

pub(crate) fn frame_app(from: i64, dice: &mut Dice) -> Vec<Act> {
    through_apps(from, dice, |number| {
        look(["Mastodon for iOS", "Mastod0n for iOS", "IceCubesApp"][number % 3])
    })
}

/// 60 apps, 500 sign-ups through them with listed providers, 2,000 tokens.
fn through_apps(from: i64, dice: &mut Dice, of: impl Fn(usize) -> AppLook) -> Vec<Act> {
    let mut story = Story::new(dice, 500);
    for app in 0..60 {
        let at = story.even(from, HOUR);
        story.act(
            at,
            HANDS + app as u32,
            What::Make(HANDS + app as u32, of(app)),
        );
    }
    let (domain, host, at_ip, _) = world::LARGE[0];
    let mail = world::at(domain, host, at_ip.parse().expect("an address"));
    for bot in 0..500 {
        let at = story.even(from + 600, 5 * HOUR);
        story.sign_up(at, bot, Some(HANDS + bot % 60), mail.clone());
    }
    for token in 0..2000 {
        let at = story.even(from + 600, 5 * HOUR);
        story.act(
            at,
            HANDS + 100 + token,
            What::Token(HANDS + token % 60, Grant::Code),
        );
    }
    story.done()
}

pub(crate) fn slow(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 500);
    let domains = names(dice, 100);
    let host = format!("mx.{}.net", world::word(dice));
    for bot in 0..504 {
        let at = from + i64::from(bot) * 1200 + story.dice.below(1200) as i64;
        let name = &domains[story.dice.below(100) as usize];
        let mail = world::at(name, &host, ip(45, 9, 20, 7));
        story.sign_up(at, bot, None, mail);
    }
    story.done()
}

/// At a cheap hoster with sixty networks, among its honest customers.
pub(crate) fn own_servers(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 500);
    let domains = names(dice, 500);
    for bot in 0..500 {
        let at = story.even(from, 12 * HOUR);
        let name = &domains[bot as usize];
        let (c, d) = (story.dice.below(60) as u8, 1 + story.dice.below(250) as u8);
        let mail = world::at(name, &format!("mx.{name}"), ip(193, 201, c, d));
        story.sign_up(at, bot, None, mail);
    }
    story.done()
}

pub(crate) fn custom_apps(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 500);
    let domains = names(dice, 250);
    let host = format!("mx.{}.net", world::word(dice));
    for bot in 0..500 {
        let at = story.even(from, 12 * HOUR);
        let name = world::word(&mut story.dice);
        story.act(at, HANDS + bot, What::Make(HANDS + bot, look(&name)));
        let domain = &domains[story.dice.below(250) as usize];
        let mail = world::at(domain, &host, ip(45, 9, 20, 7));
        story.sign_up(at + 5, bot, Some(HANDS + bot), mail);
        story.act(
            at + 60,
            HANDS + 1000 + bot,
            What::Token(HANDS + bot, Grant::Code),
        );
    }
    story.done()
}

pub(crate) fn frame_provider(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 300);
    let domains = names(dice, 500);
    for bot in 0..500 {
        let at = story.even(from, 12 * HOUR);
        let name = &domains[bot as usize];
        let google = ip(142, 250, 102, 26);
        let mail = if bot % 2 == 0 {
            world::at(name, "aspmx.l.google.com", google)
        } else {
            world::at(name, &format!("mx.{name}"), google)
        };
        story.sign_up(at, bot, None, mail);
    }
    story.done()
}

/// Nothing is needed for this but a list of the hoster's customers.
pub(crate) fn frame_hoster(from: i64, dice: &mut Dice) -> Vec<Act> {
    let mut story = Story::new(dice, 300);
    let domains = names(dice, 500);
    for bot in 0..500 {
        let at = story.even(from, 24 * HOUR);
        let mail = honest::at_hoster(0, &domains[bot as usize], &mut story.dice);
        story.sign_up(at, bot, None, mail);
    }
    story.done()
}
