//! The attacks of the issue, with their sizes and speeds. Nothing is banned beforehand.

use crate::bots;
use crate::dice::Dice;
use crate::people::Act;

/// One attack.
#[derive(Clone, Copy)]
pub(crate) struct Attack {
    /// Its letter in the issue.
    pub(crate) key: &'static str,
    /// What it is.
    pub(crate) title: &'static str,
    /// How long it is watched.
    pub(crate) hours: i64,
    /// Bot accounts that the issue allows.
    pub(crate) bar: Option<u32>,
    /// Tokens that the issue allows.
    pub(crate) tokens: Option<u32>,
    /// The bots, from this moment on.
    pub(crate) bots: fn(i64, &mut Dice) -> Vec<Act>,
}

const fn attack(
    key: &'static str,
    title: &'static str,
    hours: i64,
    bar: Option<u32>,
    bots: fn(i64, &mut Dice) -> Vec<Act>,
) -> Attack {
    Attack {
        key,
        title,
        hours,
        bar,
        tokens: None,
        bots,
    }
}

pub(crate) const ATTACKS: [Attack; 17] = [
    Attack {
        tokens: Some(100),
        ..attack(
            "a1",
            "December 2018 in 40 minutes",
            3,
            Some(12),
            bots::december_fast,
        )
    },
    Attack {
        tokens: Some(100),
        ..attack(
            "a2",
            "December 2018 over two days",
            50,
            Some(12),
            bots::december_slow,
        )
    },
    attack(
        "b",
        "May 2018: one MX name, its address moves",
        14,
        Some(30),
        bots::moving_address,
    ),
    attack(
        "c",
        "MX names differ, one /24",
        14,
        Some(30),
        bots::one_network,
    ),
    attack(
        "d",
        "one mailbox with dots and tags",
        14,
        Some(5),
        bots::one_mailbox,
    ),
    attack(
        "e",
        "five disposable-mail providers",
        14,
        Some(30),
        bots::disposable,
    ),
    attack("f", "Tor exits, February 2024", 14, None, bots::tor),
    attack(
        "g1",
        "app named like a popular client",
        8,
        None,
        bots::impostor,
    ),
    attack(
        "g2",
        "faithful copy of a popular client",
        8,
        None,
        bots::faithful,
    ),
    attack("h", "three an hour for a week", 170, None, bots::slow),
    attack(
        "i",
        "each its own domain and server at one hoster",
        14,
        None,
        bots::own_servers,
    ),
    attack(
        "j",
        "custom app for each sign-up, one server",
        14,
        Some(30),
        bots::custom_apps,
    ),
    attack(
        "k1",
        "own MX names on Google's addresses, Google's names as MX",
        14,
        None,
        bots::frame_provider,
    ),
    attack(
        "k2",
        "customers' domains of the busiest unlisted hoster, typed",
        26,
        None,
        bots::frame_hoster,
    ),
    attack(
        "k3",
        "impostor apps, to get a popular one condemned",
        8,
        None,
        bots::frame_app,
    ),
    attack("-", "nobody, a normal day", 24, Some(0), bots::nobody),
    attack(
        "rush",
        "nobody, the rush of 2022",
        12,
        Some(0),
        bots::nobody,
    ),
];
