//! `tuskgate demo`: December 2018 once more, on this machine alone.
//!
//! A stand-in upstream and a stand-in DNS, the real gate between them (the same
//! parts as `serve`, from a real configuration file in a folder of its own), and
//! the attack of the incident mixed with honest sign-ups. Its verdict is the
//! exit code, so that it is a test as much as a show. It reads no configuration
//! and no variable that is meant for a real gate.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, anyhow};
use clap::Args;
use parking_lot::Mutex;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::cli::{Failure, log};
use crate::config::{Log, LogLevel};

mod act;
mod caller;
mod cast;
mod clients;
mod dice;
mod ending;
mod folder;
mod format;
mod mail;
mod promise;
mod received;
mod refusals;
mod screen;
mod script;
mod stage;
mod stand_ins;
mod summary;
mod table;
mod tally;
mod terminal;

use act::Play;
use caller::Caller;
use cast::{BOT_MAIL_IP, Cast};
use dice::Dice;
use screen::Screen;
use script::{Cue, Speed};
use stage::Stage;
use summary::Summary;
use tally::Tally;

/// Play the attack of December 2018 at a gate, here and now
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Demo {
    /// Leave everything running at the end, to look around
    #[arg(long)]
    keep: bool,
    /// Names, domains and moments are drawn from this number
    #[arg(long, value_name = "N", default_value_t = 2018)]
    seed: u64,
    /// How many times as fast as in 2018, or max
    #[arg(long, value_name = "TIMES", default_value = "120")]
    speed: Speed,
    /// Refuse nothing; record what would have been refused
    #[arg(long)]
    observe: bool,
    /// Print a summary in JSON; the progress goes to standard error
    #[arg(long)]
    json: bool,
    #[arg(long, hide = true, default_value_t = 200, value_parser = clap::value_parser!(u16).range(0..=2000))]
    people: u16,
    #[arg(long, hide = true, default_value_t = 4500, value_parser = clap::value_parser!(u16).range(1..=4500))]
    bots: u16,
    #[arg(long, hide = true)]
    no_ban: bool,
}

const EXAMPLES: &str = "\
Exit codes: 0 if everybody honest got in and the bots were held as promised, 1 otherwise.

Examples:
  tuskgate demo                  half a minute
  tuskgate demo --keep           and look at metrics, bans and single decisions afterwards
  tuskgate demo --observe        what happens without the gate's refusals";

impl Demo {
    pub(super) fn run(self) -> Result<(), Failure> {
        log::start(&Log {
            level: LogLevel::Error,
            ..Log::default()
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let summary = runtime.block_on(self.show())?;
        if summary.held {
            Ok(())
        } else {
            Err(anyhow!("the gate did not hold: {}", summary.broken.join("; ")).into())
        }
    }

    async fn show(&self) -> anyhow::Result<Summary> {
        let mut asked_to_end = Signals::catch()?;
        let mut dice = Dice::new(self.seed);
        let cast = Cast::new(self.people.into(), self.bots.into(), &mut dice);
        let cues = script::write(&cast, &mut dice);
        let stage = Stage::build(mail::zone(&cast), self.observe).await?;
        let play = Arc::new(Play {
            tally: Arc::new(Tally::default()),
            gate: Caller::new(stage.gate),
            before: Caller::new(stage.stand_ins.upstream.address()),
            bot_apps: Mutex::new(vec![None; cast.bots.apps]),
            cast,
        });
        let mut screen = Screen::new(self.json, self.speed);
        if !self.no_ban {
            let reason = "the bots' mail server, known since the last attack";
            stage.ban(BOT_MAIL_IP.into(), reason).await?;
        }
        screen.open(&play, &stage, !self.no_ban);
        let begun = Instant::now();
        let shown = tokio::select! {
            played = watch(&play, &stage, cues, &mut screen, self.speed) => {
                played.map(|()| Some(begun.elapsed()))
            }
            () = asked_to_end.wait() => Ok(None),
        };
        screen.terminal.clear();
        let result = match shown? {
            None => Err(anyhow!("ended before the end")),
            Some(took) => {
                let summary = Summary::of(&play, &stage, self.seed, took);
                self.close(&play, &stage, &summary, &mut screen)?;
                if self.keep {
                    screen.tell(&ending::tour(&play, &stage));
                    asked_to_end.wait().await;
                }
                Ok(summary)
            }
        };
        drop(play);
        stage.end().await?;
        result
    }

    fn close(
        &self,
        play: &Play,
        stage: &Stage,
        summary: &Summary,
        screen: &mut Screen,
    ) -> anyhow::Result<()> {
        if self.json {
            let mut value = serde_json::to_value(summary)?;
            if self.keep {
                let config = stage.config().display().to_string();
                value["config"] = config.into();
                value["example"] = play.tally.example().into();
            }
            terminal::say(&format!("{value}\n"));
        } else {
            let text = ending::tell(play, summary, &screen.terminal);
            screen.tell(&text);
        }
        Ok(())
    }
}

/// Has everybody play on a thread of their own, and shows how it goes.
async fn watch(
    play: &Arc<Play>,
    stage: &Stage,
    cues: Vec<Cue>,
    screen: &mut Screen,
    speed: Speed,
) -> anyhow::Result<()> {
    let (over, mut ended) = oneshot::channel();
    let (_stop, stopped) = oneshot::channel::<()>();
    let players = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let performing = script::perform(Arc::clone(play), cues, speed);
    std::thread::Builder::new()
        .name("players".into())
        .spawn(move || {
            players.block_on(async {
                tokio::select! {
                    () = performing => {
                        // Nobody waits any more: the demo was asked to end.
                        let _ = over.send(());
                    }
                    _ = stopped => {}
                }
            });
        })?;
    loop {
        tokio::select! {
            done = &mut ended => return done.context("the players broke off"),
            () = tokio::time::sleep(screen.pause()) => screen.draw(play, stage),
        }
    }
}

/// SIGINT and SIGTERM: the end in good order.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn catch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
