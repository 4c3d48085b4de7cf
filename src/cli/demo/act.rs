//! What one bot or one person does.

use std::sync::Arc;

use parking_lot::Mutex;

use super::caller::{Answer, Call, Caller};
use super::cast::{BOT_APP, Bots, Cast, Format, Person, Way};
use super::clients::Client;
use super::tally::{Door, Lost, Tally, Who};

/// The parts that everybody who plays shares.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) cast: Cast,
    pub(super) tally: Arc<Tally>,
    /// Through the gate, as from nginx.
    pub(super) gate: Caller,
    /// Straight to the stand-in: what the bots did before the gate stood there.
    pub(super) before: Caller,
    pub(super) bot_apps: Mutex<Vec<Option<Credential>>>,
}

/// A `client_id` with its secret.
#[derive(Clone, Debug)]
pub(super) struct Credential {
    id: String,
    secret: String,
}

impl Credential {
    fn of(answer: &Answer) -> Option<Self> {
        Some(Self {
            id: answer.text("client_id")?,
            secret: answer.text("client_secret")?,
        })
    }

    fn fields(&self) -> [(&str, &str); 4] {
        [
            ("grant_type", "client_credentials"),
            ("client_id", &self.id),
            ("client_secret", &self.secret),
            ("scope", "read write"),
        ]
    }
}

const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";
const PASSWORD: &str = "correct-horse-battery";

impl Play {
    const fn bots(&self) -> &Bots {
        &self.cast.bots
    }

    /// One more app called AaA; if the gate refuses, one from before is used.
    pub(super) async fn bot_app(&self, n: usize) {
        let fields = [
            ("client_name", BOT_APP),
            ("redirect_uris", OOB),
            ("scopes", "read write follow"),
        ];
        let mut call = Call {
            path: "/api/v1/apps",
            fields: Some((Format::Form, &fields)),
            bearer: None,
            from: Some(self.bots().address(n)),
        };
        let answer = self.gate.send(&call).await;
        let made = if self.tally.count(Who::Bots, Door::App, &answer) {
            answer
        } else {
            call.from = None;
            self.tally.take_app_from_before();
            self.before.send(&call).await
        };
        let credential = made.ok().as_ref().and_then(Credential::of);
        if let Some(place) = self.bot_apps.lock().get_mut(n) {
            *place = credential;
        }
    }

    /// One of the thousands of token requests.
    pub(super) async fn bot_token(&self, n: usize) {
        let Some(credential) = self.bot_credential(n) else {
            return;
        };
        let call = Call {
            path: "/oauth/token",
            fields: Some((Format::ALL[n % 3], &credential.fields())),
            bearer: None,
            from: Some(self.bots().address(n)),
        };
        let answer = self.gate.send(&call).await;
        self.tally.count(Who::Bots, Door::Token, &answer);
    }

    /// One sign-up of a bot: half by the form, half with a token got long ago.
    pub(super) async fn bot_sign_up(&self, n: usize) {
        let username = format!("aaa{n:04x}");
        let email = format!("{username}@{}", self.bots().domain(n));
        let from = Some(self.bots().address(n * 4));
        let answer = if n.is_multiple_of(2) {
            let bearer = self.bot_token_from_before(n).await;
            self.sign_up_by_api(Sender {
                from,
                bearer: bearer.as_deref(),
                format: Format::ALL[n % 3],
                username: &username,
                email: &email,
            })
            .await
        } else {
            self.sign_up_by_form(Sender {
                from,
                bearer: None,
                format: Format::Form,
                username: &username,
                email: &email,
            })
            .await
        };
        self.tally.count(Who::Bots, Door::SignUp, &answer);
    }

    fn bot_credential(&self, n: usize) -> Option<Credential> {
        let apps = self.bot_apps.lock();
        apps.get(n % apps.len().max(1)).cloned().flatten()
    }

    async fn bot_token_from_before(&self, n: usize) -> Option<String> {
        let credential = self.bot_credential(n)?;
        let call = Call {
            path: "/oauth/token",
            fields: Some((Format::Form, &credential.fields())),
            bearer: None,
            from: None,
        };
        self.before.send(&call).await.ok()?.text("access_token")
    }

    /// One person, from the first request to the account.
    pub(super) async fn person(&self, n: usize) {
        let Some(person) = self.cast.people.get(n) else {
            return;
        };
        let signed_up = match &person.way {
            Way::Web => self.person_by_form(person).await,
            Way::App(client) => self.person_by_app(person, client).await,
        };
        match signed_up {
            Ok(()) => self.tally.settle(),
            Err(lost) => self.tally.lose(lost),
        }
    }

    async fn person_by_form(&self, person: &Person) -> Result<(), Lost> {
        let email = person.email();
        let answer = self.sign_up_by_form(Sender::of(person, &email, None)).await;
        self.expect(person, Door::SignUp, answer).map(drop)
    }

    async fn person_by_app(&self, person: &Person, client: &Client) -> Result<(), Lost> {
        let send = async |path, fields: &[(&str, &str)]| {
            let call = Call {
                path,
                fields: Some((person.format, fields)),
                bearer: None,
                from: Some(person.from),
            };
            self.gate.send(&call).await
        };
        let app = [
            ("client_name", client.name.as_str()),
            ("redirect_uris", client.redirect_uri),
            ("scopes", "read write follow push"),
            ("website", client.website),
        ];
        let made = self.expect(person, Door::App, send("/api/v1/apps", &app).await)?;
        let credential = Credential::of(&made).ok_or_else(|| odd(person, "no client_id"))?;
        let issued = send("/oauth/token", &credential.fields()).await;
        let issued = self.expect(person, Door::Token, issued)?;
        let token = issued.text("access_token");
        let email = person.email();
        let sender = Sender::of(person, &email, token.as_deref());
        let answer = self.sign_up_by_api(sender).await;
        self.expect(person, Door::SignUp, answer).map(drop)
    }

    /// Counts a person's answer, and says why if it is not the one hoped for.
    fn expect(
        &self,
        person: &Person,
        door: Door,
        answer: anyhow::Result<Answer>,
    ) -> Result<Answer, Lost> {
        let let_in = self.tally.count(Who::People, door, &answer);
        match answer {
            Ok(answer) if let_in => Ok(answer),
            Ok(answer) => Err(Lost {
                username: person.username.clone(),
                why: format!("{} answered {}", door.name(), answer.status),
                reference: answer.reference().map(str::to_owned),
            }),
            Err(fault) => Err(odd(person, &format!("{}: {fault:#}", door.name()))),
        }
    }

    async fn sign_up_by_api(&self, sender: Sender<'_>) -> anyhow::Result<Answer> {
        let fields = [
            ("username", sender.username),
            ("email", sender.email),
            ("password", PASSWORD),
            ("agreement", "true"),
            ("locale", "en"),
        ];
        let call = Call {
            path: "/api/v1/accounts",
            fields: Some((sender.format, &fields)),
            bearer: sender.bearer,
            from: sender.from,
        };
        self.gate.send(&call).await
    }

    /// The page with its token first, then the form.
    async fn sign_up_by_form(&self, sender: Sender<'_>) -> anyhow::Result<Answer> {
        let mut call = Call {
            path: "/auth/sign_up",
            fields: None,
            bearer: None,
            from: sender.from,
        };
        let page = self.gate.send(&call).await?;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let fields = [
            ("authenticity_token", authenticity_token(&page)),
            ("user[account_attributes][username]", sender.username),
            ("user[email]", sender.email),
            ("user[password]", PASSWORD),
            ("user[password_confirmation]", PASSWORD),
            ("user[agreement]", "1"),
        ];
        call.path = "/auth";
        call.fields = Some((sender.format, &fields));
        self.gate.send(&call).await
    }
}

/// Who signs up, and how.
#[derive(Clone, Copy, Debug)]
struct Sender<'a> {
    from: Option<std::net::IpAddr>,
    bearer: Option<&'a str>,
    format: Format,
    username: &'a str,
    email: &'a str,
}

impl<'a> Sender<'a> {
    fn of(person: &'a Person, email: &'a str, bearer: Option<&'a str>) -> Self {
        Self {
            from: Some(person.from),
            bearer,
            format: person.format,
            username: &person.username,
            email,
        }
    }
}

fn odd(person: &Person, why: &str) -> Lost {
    Lost {
        username: person.username.clone(),
        why: why.to_owned(),
        reference: None,
    }
}

fn authenticity_token(page: &str) -> &str {
    page.split_once("name=\"authenticity_token\" value=\"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(token, _)| token)
}
