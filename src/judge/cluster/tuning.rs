//! The numbers of `mail-cluster`. They were chosen by the efficacy bench
//! (`benches/efficacy/RESULTS.md`), not by taste; change them with it.

use std::time::Duration;

use crate::cluster::MailKey;

/// One window: within `span` a score of `score` condemns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// How far back it looks.
    pub span: Duration,
    /// The score, about the number of distinct fresh domains.
    pub score: f32,
}

/// All numbers of the rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// The windows, short to long.
    pub windows: [Window; 4],
    /// Fewer distinct fresh domains than this never condemn, whatever else.
    pub least_domains: f32,
    /// What a further sub-domain of a domain already counted is worth.
    pub sub_domain: f32,
    /// What a further sign-up of a domain already counted is worth.
    pub repeat: f32,
    /// All repeats together are worth at most this.
    pub repeats: f32,
    /// Fresh domains among all domains of the window, at least.
    pub dominance: f32,
    /// Added for a registrable name over several hosts, which a hoster may be.
    pub registrable: f32,
    /// Added for a network, which strangers may share.
    pub network: f32,
    /// Added for a range, where a whole hoster's customers may live.
    pub range: f32,
    /// Added for each fresh domain elsewhere, because in a rush everybody is
    /// new: for a host or address, a registrable name, a network, a range.
    pub elsewhere: [f32; 4],
    /// A window's score is multiplied by this while another cluster was condemned within [`Tuning::alert`].
    pub alerted: f32,
    /// A condemnation hits domains first seen at least this far back.
    pub reach: Duration,
    /// How long a condemnation sharpens the eye for others.
    pub alert: Duration,
    /// The score that condemns again what was condemned before.
    pub again: f32,
    /// How long a condemnation is remembered against its server.
    pub memory: Duration,
    /// How long the first, second, … condemnation lasts.
    pub lasts: [Duration; 4],
    /// The longest while it is not known whether suspects confirmed.
    pub lasts_unconfirmed: Duration,
    /// Confirmations of long-known domains that lift a condemnation.
    pub lift: u32,
    /// How long a released or lifted server is left alone.
    pub pardon: Duration,
    /// So many unrelated domains whose accounts confirmed make a server shared...
    pub shared_confirmed: usize,
    /// ...if first seen this long ago.
    pub shared_confirmed_age: Duration,
    /// So many unrelated domains make it shared without a word on confirmations...
    pub shared_seen: usize,
    /// ...if first seen this long ago.
    pub shared_seen_age: Duration,
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

const fn window(seconds: u64, score: f32) -> Window {
    Window {
        span: Duration::from_secs(seconds),
        score,
    }
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            windows: [
                window(600, 5.0),
                window(HOUR, 6.0),
                window(DAY, 6.0),
                window(7 * DAY, 8.0),
            ],
            least_domains: 3.0,
            sub_domain: 0.5,
            repeat: 0.34,
            repeats: 2.0,
            dominance: 0.6,
            registrable: 1.0,
            network: 2.0,
            range: 8.0,
            elsewhere: [0.02, 0.06, 0.03, 0.25],
            alerted: 0.6,
            reach: Duration::from_secs(DAY),
            alert: Duration::from_secs(DAY),
            again: 2.0,
            memory: Duration::from_secs(30 * DAY),
            lasts: [
                Duration::from_secs(HOUR),
                Duration::from_secs(12 * HOUR),
                Duration::from_secs(DAY),
                Duration::from_secs(7 * DAY),
            ],
            lasts_unconfirmed: Duration::from_secs(DAY),
            lift: 3,
            pardon: Duration::from_secs(7 * DAY),
            shared_confirmed: 8,
            shared_confirmed_age: Duration::from_secs(14 * DAY),
            shared_seen: 12,
            shared_seen_age: Duration::from_secs(30 * DAY),
        }
    }
}

impl Tuning {
    /// What a key of this kind must score more than a host or address.
    #[must_use]
    pub fn surcharge(&self, key: &MailKey) -> f32 {
        match key {
            MailKey::Host(_) | MailKey::Address(_) => 0.0,
            MailKey::Registrable(_) => self.registrable,
            MailKey::Network(_) => self.network,
            MailKey::Range(_) => self.range,
        }
    }
}

impl Tuning {
    /// What each fresh domain elsewhere adds for a key of this kind.
    #[must_use]
    pub const fn rush(&self, key: &MailKey) -> f32 {
        match key {
            MailKey::Host(_) | MailKey::Address(_) => self.elsewhere[0],
            MailKey::Registrable(_) => self.elsewhere[1],
            MailKey::Network(_) => self.elsewhere[2],
            MailKey::Range(_) => self.elsewhere[3],
        }
    }
}

/// The whole seconds of a duration, for arithmetic with times.
#[must_use]
pub fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX / 4)
}
