//! One honest request for each guarded door, as its clients send it, with the
//! one thing filled in that a test is about.

use super::caller::{Answer, Encoding};
use super::judged::{House, OOB, Person};
use tuskgate::endpoint::Endpoint;

/// A request at a door: path, what else goes with it, and how to tell that it arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: &'static str,
    pub(crate) target: &'static str,
    encoding: Encoding,
    fields: &'static [(&'static str, &'static str)],
    /// Which field takes the address, if any.
    email: Option<&'static str>,
    /// Which header it takes beside the body's.
    header: Option<(&'static str, &'static str)>,
}

const NOBODY: Option<(&str, &str)> = None;
const BEARER: Option<(&str, &str)> = Some(("Authorization", "Bearer nobody-knows-this-one"));
const COOKIE: Option<(&str, &str)> = Some(("Cookie", "_session_id=stand-in-1"));

const fn door(
    endpoint: Endpoint,
    target: &'static str,
    fields: &'static [(&'static str, &'static str)],
    email: Option<&'static str>,
) -> Door {
    Door {
        endpoint,
        method: "POST",
        target,
        encoding: Encoding::Urlencoded,
        fields,
        email,
        header: NOBODY,
    }
}

const PASSWORD: (&str, &str) = ("password", "correct horse battery");
const USER_PASSWORD: (&str, &str) = ("user[password]", "correct horse battery");

/// All of them, in the order of [`Endpoint::ALL`].
pub(crate) const DOORS: [Door; 15] = [
    door(
        Endpoint::SignUp,
        "/auth",
        &[("user[account_attributes][username]", "ana"), USER_PASSWORD],
        Some("user[email]"),
    ),
    Door {
        header: COOKIE,
        ..door(
            Endpoint::EmailChange,
            "/auth",
            &[("_method", "put"), USER_PASSWORD],
            Some("user[email]"),
        )
    },
    Door {
        method: "GET",
        ..door(Endpoint::SignUpForm, "/auth/sign_up", &[], None)
    },
    Door {
        header: COOKIE,
        ..door(
            Endpoint::EmailSetup,
            "/auth/setup",
            &[("_method", "put")],
            Some("user[email]"),
        )
    },
    door(
        Endpoint::ConfirmationResend,
        "/auth/confirmation",
        &[],
        Some("user[email]"),
    ),
    Door {
        encoding: Encoding::Json,
        header: BEARER,
        ..door(
            Endpoint::ApiSignUp,
            "/api/v1/accounts",
            &[("username", "ana"), PASSWORD, ("agreement", "true")],
            Some("email"),
        )
    },
    Door {
        header: BEARER,
        ..door(
            Endpoint::ApiEmailChange,
            "/api/v1/emails/confirmations",
            &[],
            Some("email"),
        )
    },
    Door {
        encoding: Encoding::Multipart,
        ..door(
            Endpoint::AppCreate,
            "/api/v1/apps",
            &[("client_name", "Weekend project"), ("redirect_uris", OOB)],
            None,
        )
    },
    Door {
        header: COOKIE,
        ..door(
            Endpoint::AppSettings,
            "/settings/applications",
            &[
                ("doorkeeper_application[name]", "Weekend project"),
                ("doorkeeper_application[redirect_uri]", OOB),
            ],
            None,
        )
    },
    Door {
        method: "GET",
        header: COOKIE,
        ..door(Endpoint::AppToken, "/settings/applications/7", &[], None)
    },
    door(
        Endpoint::Token,
        "/oauth/token",
        &[
            ("grant_type", "client_credentials"),
            ("client_id", "some-client"),
            ("client_secret", "some-secret"),
        ],
        None,
    ),
    Door {
        method: "GET",
        header: COOKIE,
        ..door(
            Endpoint::Authorize,
            "/oauth/authorize?client_id=some-client&response_type=code",
            &[],
            None,
        )
    },
    door(
        Endpoint::SignIn,
        "/auth/sign_in",
        &[USER_PASSWORD],
        Some("user[email]"),
    ),
    Door {
        header: COOKIE,
        ..door(
            Endpoint::InviteCreate,
            "/invites",
            &[("invite[max_uses]", "5")],
            None,
        )
    },
    door(
        Endpoint::Subscription,
        "/api/v1/accounts/1/email_subscriptions",
        &[],
        Some("email"),
    ),
];

impl Door {
    pub(crate) fn of(endpoint: Endpoint) -> Self {
        *DOORS
            .iter()
            .find(|door| door.endpoint == endpoint)
            .expect("every door is in the table")
    }

    /// Without its query.
    pub(crate) fn path(&self) -> &'static str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Knocks with `email` where the door takes one.
    pub(crate) fn knock(&self, person: &mut Person, email: &str) -> Answer {
        let mut fields = self.fields.to_vec();
        fields.extend(self.email.map(|key| (key, email)));
        let headers: Vec<_> = self.header.into_iter().collect();
        match self.method {
            "POST" => person.post_as(self.encoding, self.target, &headers, &fields),
            method => person
                .call(method, self.target, &headers, b"")
                .expect("an answer"),
        }
    }

    /// Knocks, and says whether the upstream heard of it.
    pub(crate) fn tries(&self, house: &House, from: &str, email: &str) -> (bool, Answer) {
        let heard = || {
            house
                .stage
                .asked(self.path())
                .iter()
                .filter(|request| request.method.as_str() == self.method)
                .count()
        };
        let before = heard();
        let answer = self.knock(&mut house.person(from), email);
        (heard() > before, answer)
    }
}
