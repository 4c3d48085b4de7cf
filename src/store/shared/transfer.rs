//! Moving what a shared store holds: from a node's files and back.
//!
//! For an admin at the command line: slow is well, half is not. Every step is
//! counted by the server.

mod registers;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use redis::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::bans::changes::Entry;
use super::super::register::NamedApp;
use super::super::transfer::{Content, Counts, Record};
use super::bans::field;
use super::link::Link;
use super::register::Lesson;
use super::script::{ADOPT, CHANGES, LEARN, SCAN, SERVER_TIME, SHARE};
use super::{Core, SharedSettings, connect, keeper, register, words};
use crate::app::ClientId;
use crate::secret::{HashKey, KeyedHash};
use crate::store::limiter::SavedSlot;
pub use registers::for_shared;

/// Records in one call.
const MOST: usize = 100;

/// Why a shared store could not be read or filled.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharedError {
    /// The server, in words.
    #[error("the shared store: {0}")]
    Redis(String),
    /// The cap of the register was reached.
    #[error("{0} apps and tokens found no room: raise store.keys")]
    Full(u64),
    /// The room for what registers know was used up.
    #[error(
        "more than {0} records of registers are to be moved: let a gate take over what is there first (`store migrate from-shared`), or move them by `store export`"
    )]
    NoRoom(usize),
    /// What it holds cannot be read.
    #[error("the shared store holds something that this release does not write")]
    Content(#[from] serde_json::Error),
}

impl From<redis::RedisError> for SharedError {
    fn from(fault: redis::RedisError) -> Self {
        Self::Redis(words::say(&fault))
    }
}

impl From<redis::ParsingError> for SharedError {
    fn from(fault: redis::ParsingError) -> Self {
        Self::Redis(fault.to_string())
    }
}

/// A shared store, for moving things in and out.
#[derive(Debug)]
pub struct Distant {
    core: Arc<Core>,
    link: Link,
}

impl Distant {
    /// Reaches the store at `settings`, which must be of the same key.
    ///
    /// # Errors
    /// If it cannot be reached, or cannot be written, or is of another key.
    pub async fn reach(settings: &SharedSettings, key: &HashKey) -> Result<Self, SharedError> {
        let core = Arc::new(Core::new(settings.clone(), key));
        let link = connect::link(settings).await?;
        keeper::look(&core, link.clone())
            .await
            .map_err(|unwell| SharedError::Redis(unwell.text))?;
        Ok(Self { core, link })
    }

    /// What the server says of itself, in a line.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn describe(&self) -> Result<String, SharedError> {
        let mut link = self.link.clone();
        let answer = redis::cmd("EVAL")
            .arg("return redis.call('INFO')")
            .arg(1)
            .arg(self.core.keys.clock())
            .query_async(&mut link)
            .await;
        let Ok(info): redis::RedisResult<String> = answer else {
            return Ok("in order (its ACL does not let it say more)".to_owned());
        };
        let of = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name));
            line.map_or("?", |value| value.trim()).to_owned()
        };
        Ok(format!(
            "in order; version {}, memory {} of {} ({})",
            of("redis_version:"),
            of("used_memory_human:"),
            of("maxmemory_human:"),
            of("maxmemory_policy:")
        ))
    }

    /// Takes records in; how many of each kind the store has now taken.
    ///
    /// # Errors
    /// If it does not answer or has no room.
    pub async fn take_in(&self, records: Vec<Record>) -> Result<Counts, SharedError> {
        let mut counts = Counts::default();
        let now = Timestamp::now().as_nanosecond().unsigned_abs() as u64;
        let (mut bans, mut lessons, mut budgets) = (Vec::new(), Vec::new(), Vec::new());
        let mut registers = Vec::new();
        for record in records {
            match &record.0 {
                // Nothing would be left of it.
                Content::Budget(slot) if slot.full_at <= now => continue,
                Content::Ban(entry) if entry.is_over(Timestamp::now()) => continue,
                Content::Budget(slot) => budgets.push(*slot),
                Content::Ban(entry) => bans.push(entry.clone()),
                // It is of no use to others: see `for_shared`.
                Content::Account(..) | Content::Heard(..) => continue,
                known @ (Content::Cluster(_)
                | Content::SignUp(..)
                | Content::Domain(..)
                | Content::Wave(_)) => registers.push(known.clone()),
                other => lessons.extend(Lesson::of(other, &self.core.keys)),
            }
            counts.add(&record);
        }
        for part in bans.chunks(MOST) {
            self.share(part).await?;
        }
        self.take_in_registers(registers).await?;
        let mut refused = 0;
        for part in lessons.chunks(MOST) {
            let fill = |cmd: &mut redis::Cmd| register::fill(cmd, &self.core, part);
            let answer = LEARN.run(self.link.clone(), fill).await?;
            refused += redis::from_redis_value::<u64>(answer)?;
        }
        for part in budgets.chunks(MOST) {
            self.adopt(part).await?;
        }
        match refused {
            0 => Ok(counts),
            refused => Err(SharedError::Full(refused)),
        }
    }

    /// Everything in it.
    ///
    /// # Errors
    /// If it does not answer, or holds what this release does not write.
    pub async fn records(&self) -> Result<Vec<Record>, SharedError> {
        let mut all = self.bans().await?;
        all.extend(self.registers().await?);
        let names = [
            self.core.keys.budgets(),
            self.core.keys.app(&ClientId::new("")),
            self.core.keys.credential(&ClientId::new("")),
            self.core.keys.tokens(),
        ];
        for (place, name) in names.iter().enumerate() {
            for (key, value) in self.scan(name).await? {
                let rest = key.get(name.len()..).unwrap_or_default();
                all.extend(match place {
                    0 => budget(rest, &value),
                    _ => lesson(place, rest, &value)?,
                });
            }
        }
        Ok(all.into_iter().map(Record).collect())
    }

    async fn share(&self, bans: &[Entry]) -> Result<(), SharedError> {
        let entries: Vec<_> = bans
            .iter()
            .map(|entry| (field(entry), entry.stamp, entry))
            .collect();
        self.hand_out(&self.core.keys.bans(), &entries).await
    }

    async fn adopt(&self, slots: &[SavedSlot]) -> Result<(), SharedError> {
        let keys = &self.core.keys;
        let fill = |cmd: &mut redis::Cmd| {
            cmd.arg(slots.len() + 2)
                .arg(keys.clock())
                .arg(keys.minutes());
            for slot in slots {
                cmd.arg(keys.budget(slot.key));
            }
            cmd.arg(SERVER_TIME);
            for slot in slots {
                // Rounded up: a bucket is never fuller for having been moved.
                cmd.arg(slot.full_at.div_ceil(1000));
            }
        };
        ADOPT.run(self.link.clone(), fill).await?;
        Ok(())
    }

    async fn bans(&self) -> Result<Vec<Content>, SharedError> {
        let all = self.handed_out(&self.core.keys.bans()).await?;
        Ok(all
            .into_iter()
            .map(|entry: Entry| Content::Ban(entry.canonical()))
            .collect())
    }

    /// All that nodes hand each other under these keys.
    async fn handed_out<T: DeserializeOwned>(
        &self,
        keys: &[String; 4],
    ) -> Result<Vec<T>, SharedError> {
        let mut all = Vec::new();
        let mut seen = "0".to_owned();
        loop {
            let fill = |cmd: &mut redis::Cmd| {
                cmd.arg(keys.len()).arg(keys);
                cmd.arg(&seen).arg(MOST).arg("0");
            };
            let answer = CHANGES.run(self.link.clone(), fill).await?;
            let words: Vec<String> = redis::from_redis_value(answer)?;
            let mut pairs = words.into_iter().skip(2);
            let before = all.len();
            while let (Some(version), Some(text)) = (pairs.next(), pairs.next()) {
                seen = version;
                all.push(serde_json::from_str(&text)?);
            }
            if all.len() == before {
                return Ok(all);
            }
        }
    }

    /// Hands `entries` out: of each what it lies under, its stamp and itself.
    async fn hand_out<T: Serialize>(
        &self,
        keys: &[String; 4],
        entries: &[(String, i64, T)],
    ) -> Result<(), SharedError> {
        let texts = entries.iter().map(|(.., one)| serde_json::to_string(one));
        let texts = texts.collect::<Result<Vec<_>, _>>()?;
        let fresh = fresh_epoch();
        let fill = |cmd: &mut redis::Cmd| {
            cmd.arg(keys.len()).arg(keys);
            cmd.arg(self.core.keys.channel()).arg(&fresh);
            for ((field, stamp, _), text) in entries.iter().zip(&texts) {
                cmd.arg(field).arg(stamp).arg(text);
            }
        };
        SHARE.run(self.link.clone(), fill).await?;
        Ok(())
    }

    /// Keys that begin with `name`, and their values; each once.
    async fn scan(&self, name: &str) -> Result<HashMap<Vec<u8>, Found>, SharedError> {
        let mut all = HashMap::new();
        let mut cursor = b"0".to_vec();
        loop {
            let fill = |cmd: &mut redis::Cmd| {
                cmd.arg(1).arg(self.core.keys.clock());
                cmd.arg(&cursor).arg(format!("{name}*"));
            };
            let answer: Value = SCAN.run(self.link.clone(), fill).await?;
            let words: Vec<Vec<u8>> = redis::from_redis_value(answer)?;
            let mut words = words.into_iter();
            cursor = words.next().unwrap_or_default();
            let offset = words.next().and_then(|word| String::from_utf8(word).ok());
            let offset = offset.and_then(|text| text.parse().ok()).unwrap_or(0);
            while let (Some(key), Some(value)) = (words.next(), words.next()) {
                all.insert(key, Found { value, offset });
            }
            if cursor == b"0" || cursor.is_empty() {
                return Ok(all);
            }
        }
    }
}

/// Of a store that has none yet.
fn fresh_epoch() -> String {
    format!("{:016x}", Timestamp::now().as_microsecond())
}

/// A value, and how far the store's own time is ahead of the wall clock.
struct Found {
    value: Vec<u8>,
    offset: u64,
}

/// When it is full again; until then it counts as in use.
fn budget(name: &[u8], found: &Found) -> Option<Content> {
    let key = KeyedHash(name.try_into().ok()?);
    let full = f64::from_be_bytes(found.value.get(..8)?.try_into().ok()?);
    let full_at = (full as u64)
        .saturating_sub(found.offset)
        .saturating_mul(1000);
    Some(Content::Budget(SavedSlot {
        key,
        full_at,
        used_until: full_at,
    }))
}

fn lesson(place: usize, name: &[u8], found: &Found) -> Result<Option<Content>, SharedError> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (name, value) = (text(name), text(found.value.get(4..).unwrap_or_default()));
    Ok(match place {
        1 => {
            let app: NamedApp = serde_json::from_str(&value)?;
            Some(Content::App(Box::new(app)))
        }
        2 => value
            .parse()
            .ok()
            .map(|hash| Content::Credential(ClientId::new(&name), hash)),
        _ => name
            .parse()
            .ok()
            .map(|hash| Content::Token(hash, ClientId::new(&value))),
    })
}
