//! What is shown before and during the play.

use std::time::{Duration, Instant};

use super::act::Play;
use super::cast::{BOT_MAIL_IP, LATER_MAIL_IP};
use super::promise::most;
use super::received::Received;
use super::refusals;
use super::script::{LASTED, Speed};
use super::stage::Stage;
use super::table;
use super::tally::{Door, Who};
use super::terminal::{Look, Terminal, say};
use crate::judge::limit::Limit;

/// How often a terminal is redrawn, and how often a plain line is written.
const REDRAW: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(2);

/// The live view.
#[derive(Debug)]
pub(super) struct Screen {
    pub(super) terminal: Terminal,
    json: bool,
    begun: Instant,
    speed: Speed,
    last: (Instant, u64),
}

impl Screen {
    /// `json`: standard output is kept for the summary.
    pub(super) fn new(json: bool, speed: Speed) -> Self {
        let now = Instant::now();
        Self {
            terminal: Terminal::of_stdout(json),
            json,
            begun: now,
            speed,
            last: (now, 0),
        }
    }

    /// What is about to be seen, and what it means.
    pub(super) fn open(&mut self, play: &Play, stage: &Stage, banned: bool) {
        let bots = &play.cast.bots;
        let mut text = self.terminal.paint(Look::Bold, "December 2018, once more");
        text.push_str(&format!(
            "\n\n{} bots: {} apps called AaA, {} token requests, {} sign-ups with addresses at {}\n\
             domains whose mail servers have {} names and two IPs. And {} honest people.\n\n\
             nginx's place   {} connects from loopback and says who is asking\n\
             the gate        {} real: the same parts as `tuskgate serve`\n\
             Mastodon        {} a stand-in\n\
             DNS             {} a stand-in\n\
             Nothing leaves this machine.\n\n",
            table::spell(bots.addresses as u64),
            bots.apps,
            table::spell(bots.tokens as u64),
            bots.sign_ups,
            bots.domains.len(),
            bots.domains.len(),
            play.cast.people.len(),
            "this program     ",
            padded(stage.gate),
            padded(stage.stand_ins.upstream.address()),
            padded(stage.stand_ins.dns),
        ));
        text.push_str(&pace(self.speed, stage));
        text.push_str(&if banned {
            format!(
                "As in 2018 the mail server's IP is banned beforehand, through the admin socket:\n  \
                 tuskgate ban network {BOT_MAIL_IP}\n\
                 Half-way the bots come with new domains behind {LATER_MAIL_IP}, which nobody has\n\
                 banned: the gate has to find that out by itself.\n\n"
            )
        } else {
            "Nothing is banned: the gate has to find the bots' mail servers by itself.\n\n".to_owned()
        });
        self.tell(&text);
        self.begun = Instant::now();
        self.last = (self.begun, 0);
    }

    /// How long to wait before [`Screen::draw`].
    pub(super) const fn pause(&self) -> Duration {
        if self.terminal.redraws() {
            REDRAW
        } else {
            LINE
        }
    }

    /// The state of things.
    pub(super) fn draw(&mut self, play: &Play, stage: &Stage) {
        let answered = play.tally.answered();
        let now = Instant::now();
        let span = now.duration_since(self.last.0).as_secs_f64().max(0.001);
        let pace = answered.saturating_sub(self.last.1) as f64 / span;
        self.last = (now, answered);
        let part = self.part();
        if !self.terminal.redraws() {
            self.tell(&line(play, part, pace));
            return;
        }
        let mut lines = vec![
            bar(part, Terminal::width()),
            format!("{}   {pace:.0} requests/s", clock(part)),
            String::new(),
        ];
        lines.extend(table::counts(&play.tally, &self.terminal));
        lines.push(self.terminal.paint(Look::Dim, "refused by rule: reason"));
        lines.extend(table::refusals(&refusals::so_far(), 4));
        lines.push(self.terminal.paint(Look::Dim, "the upstream received"));
        lines.extend(table::received(&Received::by(&stage.stand_ins.upstream)));
        self.terminal.redraw(&lines);
    }

    /// To people: standard output, or standard error beside JSON.
    pub(super) fn tell(&mut self, text: &str) {
        if self.json {
            eprint!("{text}");
        } else {
            say(text);
        }
    }

    /// How far the play is, from 0 to 1; at full speed nobody knows.
    fn part(&self) -> Option<f64> {
        match self.speed {
            Speed::Times(_) => {
                let part = self.begun.elapsed().as_secs_f64() / self.speed.lasts().as_secs_f64();
                Some(part.min(1.0))
            }
            Speed::Most => None,
        }
    }
}

fn padded(address: std::net::SocketAddr) -> String {
    format!("{:<17}", address.to_string())
}

/// What playing fast does to budgets, in the numbers of this very run.
fn pace(speed: Speed, stage: &Stage) -> String {
    let limit = Limit::TokenPerName;
    let budget = stage.settings.limits.budget(limit);
    let (here, there) = (most(budget, speed.lasts()), most(budget, LASTED));
    let played = match speed {
        Speed::Times(times) => format!(
            "The 40 minutes are played in {:.0} seconds, {times:.0} times as fast.",
            speed.lasts().as_secs_f64()
        ),
        Speed::Most => "The 40 minutes are played as fast as this machine goes.".to_owned(),
    };
    format!(
        "{played} Budgets are refilled by real\nseconds, so people have it harder than in 2018, and the bots a little: {limit}\n\
         ({budget}) lets {here} tokens through here, and {there} in real 40 minutes.\n\
         Besides, an app that is older than the gate has one or two until its name is known.\n\n"
    )
}

fn clock(part: Option<f64>) -> String {
    let Some(part) = part else {
        return "as fast as it goes".to_owned();
    };
    let at = LASTED.mul_f64(part).as_secs();
    format!("minute {:>2}:{:02} of 40:00", at / 60, at % 60)
}

fn bar(part: Option<f64>, width: usize) -> String {
    let inner = width.saturating_sub(2);
    let full = part
        .map_or(0, |part| (part * inner as f64) as usize)
        .min(inner);
    format!("[{}{}]", "#".repeat(full), "-".repeat(inner - full))
}

fn line(play: &Play, part: Option<f64>, pace: f64) -> String {
    let tally = &play.tally;
    let bots = |door| tally.of(Who::Bots, door);
    let (apps, tokens, sign_ups) = (bots(Door::App), bots(Door::Token), bots(Door::SignUp));
    format!(
        "{}  people in: {}  bots let in: {} of {} apps, {} of {} tokens, {} of {} sign-ups  {pace:.0} requests/s\n",
        clock(part),
        tally.settled(),
        apps.let_in,
        apps.asked(),
        tokens.let_in,
        table::spell(tokens.asked()),
        sign_ups.let_in,
        sign_ups.asked(),
    )
}
