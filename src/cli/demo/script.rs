//! Who acts when: the 40 minutes, and how fast they are played.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::act::Play;
use super::cast::Cast;
use super::dice::Dice;

/// How long the attack of 2018 lasted.
pub(super) const LASTED: Duration = Duration::from_secs(40 * 60);

/// Requests under way at once: what a busy nginx would have open.
const AT_ONCE: usize = 32;

/// How much faster than in 2018.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Speed {
    Times(f64),
    /// As fast as the machine goes.
    Most,
}

impl Speed {
    /// How long the play lasts if the machine keeps up.
    pub(super) fn lasts(self) -> Duration {
        match self {
            Self::Times(times) => LASTED.div_f64(times),
            Self::Most => Duration::ZERO,
        }
    }
}

impl std::str::FromStr for Speed {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse::<f64>() {
            _ if text == "max" => Ok(Self::Most),
            Ok(times) if (1.0..=100_000.0).contains(&times) => Ok(Self::Times(times)),
            Ok(_) | Err(_) => Err("a number from 1 (as in 2018) to 100000, or max"),
        }
    }
}

/// One entrance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cue {
    /// Where in the 40 minutes, from 0 to 1.
    at: f64,
    act: Act,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    BotApp(usize),
    BotToken(usize),
    BotSignUp(usize),
    Person(usize),
}

/// Everybody's entrances in order: the bots make their apps first, then ask
/// for tokens and sign up until the end; people come all the time.
pub(super) fn write(cast: &Cast, dice: &mut Dice) -> Vec<Cue> {
    const APPS_UNTIL: f64 = 0.04;
    const BOTS_FROM: f64 = 0.05;
    let mut cues = Vec::new();
    let mut spread = |many: usize, from: f64, until: f64, act: fn(usize) -> Act| {
        for n in 0..many {
            let part = (n as f64 + dice.fraction()) / many as f64;
            let at = from + (until - from) * part;
            cues.push(Cue { at, act: act(n) });
        }
    };
    spread(cast.bots.apps, 0.0, APPS_UNTIL, Act::BotApp);
    spread(cast.bots.tokens, BOTS_FROM, 1.0, Act::BotToken);
    spread(cast.bots.sign_ups, BOTS_FROM, 1.0, Act::BotSignUp);
    spread(cast.people.len(), 0.0, 0.97, Act::Person);
    cues.sort_by(|a, b| a.at.total_cmp(&b.at));
    cues
}

/// Plays the whole script; returns when the last has had an answer.
pub(super) async fn perform(play: Arc<Play>, cues: Vec<Cue>, speed: Speed) {
    let begun = Instant::now();
    let lasts = speed.lasts();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut makers = JoinSet::new();
    let mut others = JoinSet::new();
    for cue in cues {
        tokio::time::sleep_until(begun + lasts.mul_f64(cue.at)).await;
        if matches!(cue.act, Act::BotToken(_) | Act::BotSignUp(_)) {
            // They need the apps.
            while makers.join_next().await.is_some() {}
        }
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let play = Arc::clone(&play);
        let task = async move {
            act(&play, cue.act).await;
            drop(place);
        };
        match cue.act {
            Act::BotApp(_) => makers.spawn(task),
            Act::BotToken(_) | Act::BotSignUp(_) | Act::Person(_) => others.spawn(task),
        };
        while others.try_join_next().is_some() {}
    }
    while others.join_next().await.is_some() {}
}

async fn act(play: &Play, act: Act) {
    match act {
        Act::BotApp(n) => play.bot_app(n).await,
        Act::BotToken(n) => play.bot_token(n).await,
        Act::BotSignUp(n) => play.bot_sign_up(n).await,
        Act::Person(n) => play.person(n).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_one_entrance_and_apps_come_first() {
        let mut dice = Dice::new(3);
        let cast = Cast::new(20, 450, &mut dice);
        let cues = write(&cast, &mut dice);
        let all = cast.bots.apps + cast.bots.tokens + cast.bots.sign_ups + cast.people.len();
        assert_eq!(cues.len(), all);
        assert!(cues.is_sorted_by(|a, b| a.at <= b.at));
        assert!(cues.iter().all(|cue| (0.0..1.0).contains(&cue.at)));
        let last_app = cues
            .iter()
            .rposition(|cue| matches!(cue.act, Act::BotApp(_)));
        let first_token = cues
            .iter()
            .position(|cue| matches!(cue.act, Act::BotToken(_)));
        assert!(last_app < first_token);
    }

    #[test]
    fn a_speed_is_a_number_or_max() {
        assert_eq!("120".parse(), Ok(Speed::Times(120.0)));
        assert_eq!("max".parse(), Ok(Speed::Most));
        for wrong in ["0", "-1", "NaN", "inf", "fast", ""] {
            assert!(wrong.parse::<Speed>().is_err(), "{wrong}");
        }
        assert_eq!(Speed::Times(120.0).lasts(), Duration::from_secs(20));
    }
}
