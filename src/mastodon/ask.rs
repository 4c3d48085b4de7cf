//! What the gate itself asks the upstream: which app a token belongs to
//! (`GET /oauth/token/info`), what that app is called
//! (`GET /api/v1/apps/verify_credentials`), which address a signed-in account
//! has now (`GET /auth/edit`, with the request's own cookies), and whether an
//! invite can be used (`GET /invite/CODE` as JSON, from Mastodon 4.2 on).
//!
//! Only builders of requests and readers of replies: sending, deadlines and
//! caches are the caller's. Replies are from the trusted upstream, but names,
//! URIs and addresses in them are attacker-chosen. Nothing is asked with
//! `Accept-Encoding`, so that a reply can be read as it comes.

mod edit_page;
#[cfg(test)]
mod tests;

use http::header::{ACCEPT, AUTHORIZATION, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use serde::Deserialize;

use crate::app::{AppName, ClientId};
use crate::secret::Secret;

pub use edit_page::{Current, read_edit_page};

/// How much of a reply is worth keeping: an edit page is some 30 KiB, the JSON under 4 KiB.
pub const BOUND: usize = 256 * 1024;

/// A token that Doorkeeper could have made is 43 characters; a longer one is not asked about.
const LONGEST_BEARER: usize = 512;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// For whom the gate asks: Rails answers only to its own host name, over https,
/// and holds the question against the client whose address it is given.
#[derive(Clone, Debug)]
pub struct Behalf {
    host: HeaderValue,
    kept: Vec<(HeaderName, HeaderValue)>,
}

impl Behalf {
    /// From a request's headers *as they go upstream*, after forwarding headers
    /// have been rewritten; `None` without exactly one `Host`.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return None;
        };
        let kept = [FORWARDED_FOR, FORWARDED_PROTO]
            .into_iter()
            .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
            .collect();
        let host = host.clone();
        Some(Self { host, kept })
    }

    fn get(&self, target: &'static str, accept: &'static str) -> Request<()> {
        self.get_at(http::Uri::from_static(target), accept)
    }

    fn get_at(&self, target: http::Uri, accept: &'static str) -> Request<()> {
        let mut request = Request::new(());
        *request.method_mut() = Method::GET;
        *request.uri_mut() = target;
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        headers.extend(self.kept.iter().cloned());
        request
    }

    fn bearing(&self, target: &'static str, bearer: &Secret) -> Option<Request<()>> {
        let token = bearer.expose();
        let plain = token.bytes().all(|b| b.is_ascii_graphic());
        if token.is_empty() || token.len() > LONGEST_BEARER || !plain {
            return None;
        }
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
        value.set_sensitive(true);
        let mut request = self.get(target, "application/json");
        request.headers_mut().insert(AUTHORIZATION, value);
        Some(request)
    }
}

/// Asks which app `bearer` belongs to. `None` if no token of Doorkeeper's could look like it.
#[must_use]
pub fn token_info(behalf: &Behalf, bearer: &Secret) -> Option<Request<()>> {
    behalf.bearing("/oauth/token/info", bearer)
}

/// Asks for the app that `bearer` belongs to. `None` as for [`token_info`].
#[must_use]
pub fn app(behalf: &Behalf, bearer: &Secret) -> Option<Request<()>> {
    behalf.bearing("/api/v1/apps/verify_credentials", bearer)
}

/// Asks for the form that shows the current address of whoever sent `headers`.
/// `None` without a cookie: nobody is signed in.
#[must_use]
pub fn edit_page(behalf: &Behalf, headers: &HeaderMap) -> Option<Request<()>> {
    let mut request = behalf.get("/auth/edit", "text/html");
    for cookie in headers.get_all(COOKIE) {
        let mut cookie = cookie.clone();
        cookie.set_sensitive(true);
        request.headers_mut().append(COOKIE, cookie);
    }
    request.headers().contains_key(COOKIE).then_some(request)
}

/// A code of Mastodon's is 8 characters; a longer one is not asked about.
const LONGEST_CODE: usize = 64;

/// Asks whether an invite can be used. `None` if no code of Mastodon's could look like it.
#[must_use]
pub fn invite(behalf: &Behalf, code: &Secret) -> Option<Request<()>> {
    let code = code.expose();
    let plain = code.bytes().all(|b| b.is_ascii_alphanumeric());
    if code.is_empty() || code.len() > LONGEST_CODE || !plain {
        return None;
    }
    let target = format!("/invite/{code}").parse().ok()?;
    Some(behalf.get_at(target, "application/json"))
}

/// What an invite is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invite {
    /// It can be used.
    Usable,
    /// It is unknown, used up, expired or its owner's account is not in order.
    Worthless,
    /// The reply does not tell: it failed, or is a page of a Mastodon before 4.2.
    Unclear,
}

/// Reads the reply to [`invite`]: only one that repeats the code vouches for it.
#[must_use]
pub fn read_invite(status: StatusCode, body: &[u8], code: &Secret) -> Invite {
    #[derive(Deserialize)]
    struct Reply {
        invite_code: String,
    }
    match status {
        StatusCode::OK => match serde_json::from_slice::<Reply>(body) {
            Ok(reply) if reply.invite_code == code.expose() => Invite::Usable,
            Ok(_) | Err(_) => Invite::Unclear,
        },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            Invite::Worthless
        }
        _ => Invite::Unclear,
    }
}

/// Whose token it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenApp {
    /// This app's.
    App(ClientId),
    /// Nobody's: unknown, revoked or expired.
    Nobody,
    /// The reply does not tell; ask again later.
    Unclear,
}

/// Reads the reply to [`token_info`].
#[must_use]
pub fn read_token_info(status: StatusCode, body: &[u8]) -> TokenApp {
    #[derive(Deserialize)]
    struct Info {
        application: Option<Application>,
    }
    #[derive(Deserialize)]
    struct Application {
        uid: Option<String>,
    }
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => return TokenApp::Nobody,
        StatusCode::OK => {}
        _ => return TokenApp::Unclear,
    }
    serde_json::from_slice::<Info>(body)
        .ok()
        .and_then(|info| info.application?.uid)
        .filter(|uid| !uid.is_empty())
        .map_or(TokenApp::Unclear, |uid| TokenApp::App(ClientId::new(&uid)))
}

/// An app as Mastodon describes it; every text is its creator's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownApp {
    /// As typed.
    pub name: AppName,
    /// `None` for null or empty.
    pub website: Option<String>,
    /// Empty on servers before 4.3, which do not tell.
    pub redirect_uris: Vec<String>,
}

/// Reads the reply to [`app`]; `None` if it does not tell.
#[must_use]
pub fn read_app(status: StatusCode, body: &[u8]) -> Option<KnownApp> {
    #[derive(Deserialize)]
    struct Reply {
        name: String,
        website: Option<String>,
        #[serde(default)]
        redirect_uris: Vec<String>,
    }
    if status != StatusCode::OK {
        return None;
    }
    let reply: Reply = serde_json::from_slice(body).ok()?;
    Some(KnownApp {
        name: AppName::new(&reply.name),
        website: reply.website.filter(|site| !site.is_empty()),
        redirect_uris: reply.redirect_uris,
    })
}
