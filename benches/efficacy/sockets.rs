//! The slower mode: the same people and bots through a whole gate, over
//! sockets, with the clock on the wall.
//!
//! A story of hours is told in a minute or so, and the simulator is told the
//! squeezed story too: windows cannot be squeezed, so both see a faster attack
//! than the one in the table, and what is compared is one against the other.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write;
use std::time::Instant;

use serde_json::json;
use tokio::time::{Duration, sleep_until};

use crate::attack::{ATTACKS, Attack};
use crate::bots::HANDS;
use crate::dice::Dice;
use crate::honest::{self, SIZES, Span};
use crate::options::Options;
use crate::people::{Act, Grant, What, Who};
use crate::play::Run;
use crate::run::T0;
use crate::wire::{Answer, Line, Wire};

/// Which attacks, and how long their bots come in the story.
const TOLD: [(&str, i64); 3] = [("a1", 3600), ("j", 13 * 3600), ("k1", 13 * 3600)];
/// In so many seconds.
const SECONDS: f64 = 75.0;

/// Sign-ups, tokens and apps of bots that were let in, and people refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    accounts: u32,
    tokens: u32,
    people: u32,
    refused: u32,
}

/// The comparison, as a page.
pub(crate) fn compare(options: &Options) -> Result<String, Box<dyn Error>> {
    let mut page = String::from(
        "# Over sockets\n\nWritten by `cargo bench --profile counted --bench efficacy -- --sockets`: the library's\n`serve` with its judge, store and resolver, a stand-in upstream and a stand-in name\nserver, requests one after another, against the simulator told the same story. Each\nstory is squeezed into about a minute for both; so the figures are those of a\nfaster attack than the table's.\n\n| attack | seed | | bot accounts | bot tokens | people | refused |\n|---|---|---|---|---|---|---|\n",
    );
    for (key, lasts) in TOLD {
        let attack = ATTACKS.iter().find(|attack| attack.key == key);
        let Some(attack) = attack.filter(|attack| options.wants(attack.key)) else {
            continue;
        };
        let seed = options.seeds.start;
        let acts = story(attack, seed, lasts);
        let times = lasts as f64 / SECONDS;
        let simulated = simulate(options, &acts, seed, times);
        let begun = Instant::now();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let real = runtime.block_on(play(&acts, seed, times))?;
        let took = begun.elapsed().as_secs();
        for (name, count) in [
            ("simulator".to_owned(), simulated),
            (format!("gate, {took} s"), real),
        ] {
            let Count {
                accounts,
                tokens,
                people,
                refused,
            } = count;
            let _ = writeln!(
                page,
                "| {key} | {seed} | {name} | {accounts} | {tokens} | {people} | {refused} |"
            );
        }
    }
    Ok(page)
}

fn story(attack: &Attack, seed: u64, lasts: i64) -> Vec<Act> {
    let span = Span {
        from: T0,
        to: T0 + lasts,
        rush: None,
        logins: true,
    };
    let mut acts = honest::people(SIZES[1], span, &mut Dice::new(seed).fork(2), 1);
    acts.extend((attack.bots)(T0, &mut Dice::new(seed).fork(3)));
    acts.sort_by_key(|act| act.at);
    acts
}

fn simulate(options: &Options, acts: &[Act], seed: u64, times: f64) -> Count {
    let mut run = Run::new(options.nothing(), false, seed);
    run.squeeze = (T0, times);
    for act in acts {
        run.act(act.clone());
    }
    Count {
        accounts: run.out.bots.1,
        tokens: run.out.tokens.1,
        people: run.met.len() as u32,
        refused: run.refused.len() as u32,
    }
}

async fn play(acts: &[Act], seed: u64, times: f64) -> Result<Count, Box<dyn Error>> {
    let wire = Wire::start(acts).await?;
    let mut player = Player {
        gate: Line::to(wire.gate).await?,
        before: Line::to(wire.mastodon).await?,
        apps: HashMap::new(),
        bot_apps: Vec::new(),
        people: HashMap::new(),
        dice: Dice::new(seed).fork(9),
        count: Count::default(),
    };
    let begun = tokio::time::Instant::now();
    for act in acts {
        let at = (act.at - T0) as f64 / times;
        sleep_until(begun + Duration::from_secs_f64(at)).await;
        player.act(act).await?;
    }
    player.count.people = player.people.len() as u32;
    player.count.refused = player.people.values().filter(|out| **out).count() as u32;
    Ok(player.count)
}

struct Player {
    gate: Line,
    /// Straight to the stand-in, for what is not what is tried.
    before: Line,
    apps: HashMap<u32, [String; 2]>,
    bot_apps: Vec<[String; 2]>,
    /// Whether a person has been refused.
    people: HashMap<u32, bool>,
    dice: Dice,
    count: Count,
}

impl Player {
    async fn act(&mut self, act: &Act) -> Result<(), Box<dyn Error>> {
        if let Who::Person(number, _) = act.who
            && *self.people.entry(number).or_default()
        {
            return Ok(());
        }
        let answer = match &act.what {
            What::Make(number, look) => {
                let fields = json!({
                    "client_name": look.name,
                    "redirect_uris": look.redirect,
                    "scopes": "read write",
                    "website": look.website.unwrap_or_default(),
                });
                let path = "/api/v1/apps";
                let answer = self.gate.send(path, act.ip, None, Some(fields)).await?;
                if let Some(id) = answer.text("client_id").filter(|_| answer.well) {
                    let secret = answer.text("client_secret").unwrap_or_default();
                    if matches!(act.who, Who::Bot(_)) && *number >= HANDS {
                        self.bot_apps.push([id.clone(), secret.clone()]);
                    }
                    self.apps.insert(*number, [id, secret]);
                }
                answer
            }
            What::Token(app, grant) => {
                let Some(app) = self.credential(act.who, *app) else {
                    return Ok(());
                };
                let fields = token(&app, *grant, &format!("{:?}", act.who));
                let path = "/oauth/token";
                let answer = self.gate.send(path, act.ip, None, Some(fields)).await?;
                if matches!(act.who, Who::Bot(_)) && answer.well {
                    self.count.tokens += 1;
                }
                answer
            }
            What::SignUp(app, mail, local) => {
                let app = app.and_then(|app| self.credential(act.who, app));
                let email = format!("{local}@{}", mail.domain);
                let answer = self.sign_up(act, app, local, &email).await?;
                if matches!(act.who, Who::Bot(_)) && answer.well {
                    self.count.accounts += 1;
                }
                answer
            }
        };
        if let Who::Person(number, _) = act.who {
            self.people.insert(number, answer.refused);
        }
        Ok(())
    }

    async fn sign_up(
        &mut self,
        act: &Act,
        app: Option<[String; 2]>,
        local: &str,
        email: &str,
    ) -> Result<Answer, Box<dyn Error>> {
        let name: String = local.chars().filter(char::is_ascii_alphanumeric).collect();
        let Some(app) = app else {
            let page = self
                .before
                .send("/auth/sign_up", act.ip, None, None)
                .await?;
            let page = String::from_utf8_lossy(&page.body).into_owned();
            let fields = json!({
                "authenticity_token": authenticity_token(&page),
                "user": {
                    "account_attributes": { "username": name },
                    "email": email,
                    "password": "correct-horse-battery",
                    "password_confirmation": "correct-horse-battery",
                    "agreement": "1",
                },
            });
            return self.gate.send("/auth", act.ip, None, Some(fields)).await;
        };
        let fields = token(&app, Grant::App, "");
        let path = "/oauth/token";
        let given = self.before.send(path, act.ip, None, Some(fields)).await?;
        let fields = json!({
            "username": name,
            "email": email,
            "password": "correct-horse-battery",
            "agreement": true,
            "locale": "en",
        });
        let bearer = given.text("access_token");
        let path = "/api/v1/accounts";
        let bearer = bearer.as_deref();
        self.gate.send(path, act.ip, bearer, Some(fields)).await
    }

    /// As the simulator has it: a bot whose app was refused takes another of theirs.
    fn credential(&mut self, who: Who, app: u32) -> Option<[String; 2]> {
        match (self.apps.get(&app), who) {
            (Some(app), _) => Some(app.clone()),
            (None, Who::Bot(_)) if !self.bot_apps.is_empty() => {
                let pick = self.dice.below(self.bot_apps.len() as u64) as usize;
                self.bot_apps.get(pick).cloned()
            }
            (None, _) => None,
        }
    }
}

fn token([id, secret]: &[String; 2], grant: Grant, code: &str) -> serde_json::Value {
    let grant = match grant {
        Grant::App => "client_credentials",
        Grant::Code => "authorization_code",
    };
    json!({
        "grant_type": grant,
        "client_id": id,
        "client_secret": secret,
        "code": code,
        "scope": "read write",
    })
}

fn authenticity_token(page: &str) -> &str {
    page.split_once("name=\"authenticity_token\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(token, _)| token)
}
