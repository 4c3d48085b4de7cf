//! The scripts, as Redis knows them: by the SHA-1 of their text.
//!
//! A server that has never seen one (restarted, failed over, flushed) says so,
//! and is sent the text in the same step: one more round trip, once.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, RedisResult, ServerErrorKind, Value};

use super::link::Link;

pub(super) static RESERVE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("script/bucket.lua"),
        include_str!("script/reserve.lua")
    ))
});

pub(super) static SETTLE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("script/bucket.lua"),
        include_str!("script/settle.lua")
    ))
});

pub(super) static LEARN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("script/bucket.lua"),
        include_str!("script/learn.lua")
    ))
});

pub(super) static ADOPT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(concat!(
        include_str!("script/bucket.lua"),
        include_str!("script/adopt.lua")
    ))
});

pub(super) static SCAN: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("script/scan.lua")));

pub(super) static SHARE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("script/share.lua")));

pub(super) static CHANGES: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("script/changes.lua")));

pub(super) static FORGET: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("script/forget.lua")));

pub(super) static TELL: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("script/tell.lua")));

pub(super) static BY_HAND: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("script/by_hand.lua")));

pub(super) static BOUND: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("script/bound.lua")));

/// The time that means: the server's own clock decides.
pub(super) const SERVER_TIME: u64 = 0;

/// One script.
#[derive(Debug)]
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

impl Script {
    fn new(text: &'static str) -> Self {
        let hash = redis::Script::new(text).get_hash().to_owned();
        Self { text, hash }
    }

    /// Runs it with what `fill` adds: the count of keys, keys, arguments.
    pub(super) async fn run(&self, mut link: Link, fill: impl Fn(&mut Cmd)) -> RedisResult<Value> {
        let mut known = redis::cmd("EVALSHA");
        known.arg(&self.hash);
        fill(&mut known);
        match known.query_async(&mut link).await {
            Err(fault) if fault.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                let mut whole = redis::cmd("EVAL");
                whole.arg(self.text);
                fill(&mut whole);
                whole.query_async(&mut link).await
            }
            outcome => outcome,
        }
    }
}
