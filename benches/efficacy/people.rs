//! What anybody does before the gate, one act after another.

use std::net::IpAddr;

use crate::world::MailAt;

/// Who acts; all acts of one person are one story that ends with a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// An honest person of this kind.
    Person(u32, Kind),
    /// A bot, by number.
    Bot(u32),
}

/// Kinds of honest people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Signs up with an address at a listed provider.
    Listed,
    /// At an access provider or university that is not listed.
    Isp,
    /// With an own domain at a small hoster; zero is the busiest.
    Hoster(u32),
    /// With an own domain on an own machine.
    Own,
    /// Logs in with an app; has an account already.
    Login,
    /// Logs in with an app that is on no list.
    RareLogin,
}

impl Kind {
    /// The row in the table.
    pub(crate) const fn row(self) -> usize {
        match self {
            Self::Listed => 0,
            Self::Isp => 1,
            Self::Hoster(_) => 2,
            Self::Own => 3,
            Self::Login => 4,
            Self::RareLogin => 5,
        }
    }
}

/// How many rows.
pub(crate) const KINDS: [&str; 6] = [
    "listed provider",
    "ISP",
    "hoster",
    "own server",
    "login",
    "login, rare app",
];

/// One act.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    /// Seconds since 1970.
    pub(crate) at: i64,
    pub(crate) who: Who,
    pub(crate) ip: IpAddr,
    pub(crate) what: What,
}

/// What somebody does.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// Makes an app, known from then on by this number.
    Make(u32, AppLook),
    /// Asks for a token through an app.
    Token(u32, Grant),
    /// Signs up, on the web or through an app.
    SignUp(Option<u32>, MailAt, String),
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// The app itself.
    App,
    /// Somebody logs in.
    Code,
}

/// What an app says of itself.
#[derive(Clone, Debug)]
pub(crate) struct AppLook {
    pub(crate) name: String,
    pub(crate) redirect: &'static str,
    pub(crate) website: Option<&'static str>,
}
