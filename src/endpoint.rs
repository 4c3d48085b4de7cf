//! The doors we guard: every request by which an account, an app, a token or
//! a changed e-mail address can come to be.
//!
//! Rows are those of Mastodon's route table as catalogued in SECURITY.md
//! ("Doors"). This file only names them; `mastodon::endpoint` recognises them
//! in a request, and `judge::doors` says which rule applies at which.

use serde::{Deserialize, Serialize};

/// A guarded door of Mastodon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Endpoint {
    /// Row 1: `POST /auth`, sign-up on the web.
    SignUp,
    /// Row 2: `PUT`/`PATCH /auth`, change of address by a signed-in user.
    EmailChange,
    /// Row 3: `GET /auth/sign_up` and `GET /invite/:code`, the sign-up form.
    SignUpForm,
    /// Row 5: `PUT`/`PATCH /auth/setup`, change of address without a password.
    EmailSetup,
    /// Row 6: `POST /auth/confirmation`, which only looks an address up.
    ConfirmationResend,
    /// Row 8: `POST /api/v1/accounts`, sign-up by an app.
    ApiSignUp,
    /// Row 9: `POST /api/v1/emails/confirmations`, change of address by an app.
    ApiEmailChange,
    /// Row 10: `POST /api/v1/apps`, creation of an app by anybody.
    AppCreate,
    /// Row 11: `POST /settings/applications` and its `PUT`/`PATCH`.
    AppSettings,
    /// Row 12: `GET /settings/applications/:id`, which mints a token.
    AppToken,
    /// Row 13: `POST /oauth/token`.
    Token,
    /// Row 14: `GET`/`POST /oauth/authorize`.
    Authorize,
    /// Row 19: `POST /auth/sign_in`, which only looks an address up.
    SignIn,
    /// Row 22: `POST /invites`, which opens a closed server.
    InviteCreate,
    /// Row 24: `POST /api/v1/accounts/:id/email_subscriptions`.
    Subscription,
}

impl Endpoint {
    /// Every door, in the order of the route table's rows.
    pub const ALL: [Self; 15] = [
        Self::SignUp,
        Self::EmailChange,
        Self::SignUpForm,
        Self::EmailSetup,
        Self::ConfirmationResend,
        Self::ApiSignUp,
        Self::ApiEmailChange,
        Self::AppCreate,
        Self::AppSettings,
        Self::AppToken,
        Self::Token,
        Self::Authorize,
        Self::SignIn,
        Self::InviteCreate,
        Self::Subscription,
    ];

    /// The name used in configuration, metrics, logs and events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign-up",
            Self::EmailChange => "email-change",
            Self::SignUpForm => "sign-up-form",
            Self::EmailSetup => "email-setup",
            Self::ConfirmationResend => "confirmation-resend",
            Self::ApiSignUp => "api-sign-up",
            Self::ApiEmailChange => "api-email-change",
            Self::AppCreate => "app-create",
            Self::AppSettings => "app-settings",
            Self::AppToken => "app-token",
            Self::Token => "token",
            Self::Authorize => "authorize",
            Self::SignIn => "sign-in",
            Self::InviteCreate => "invite-create",
            Self::Subscription => "subscription",
        }
    }

    /// The row of the route table in SECURITY.md.
    #[must_use]
    pub const fn row(self) -> u8 {
        match self {
            Self::SignUp => 1,
            Self::EmailChange => 2,
            Self::SignUpForm => 3,
            Self::EmailSetup => 5,
            Self::ConfirmationResend => 6,
            Self::ApiSignUp => 8,
            Self::ApiEmailChange => 9,
            Self::AppCreate => 10,
            Self::AppSettings => 11,
            Self::AppToken => 12,
            Self::Token => 13,
            Self::Authorize => 14,
            Self::SignIn => 19,
            Self::InviteCreate => 22,
            Self::Subscription => 24,
        }
    }

    /// How the clients of this door read an answer.
    #[must_use]
    pub const fn voice(self) -> Voice {
        match self {
            Self::ApiSignUp | Self::ApiEmailChange | Self::AppCreate | Self::Subscription => {
                Voice::Api
            }
            Self::Token => Voice::OAuth,
            Self::SignUp
            | Self::EmailChange
            | Self::SignUpForm
            | Self::EmailSetup
            | Self::ConfirmationResend
            | Self::AppSettings
            | Self::AppToken
            | Self::Authorize
            | Self::SignIn
            | Self::InviteCreate => Voice::Page,
        }
    }
}

/// The form of answer that a door's clients know how to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Voice {
    /// JSON with `error` and, for validation, `details` (Mastodon's REST API).
    Api,
    /// JSON with `error` and `error_description` (RFC 6749 §5.2).
    OAuth,
    /// An HTML page for a person in a browser.
    Page,
}
