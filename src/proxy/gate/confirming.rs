//! The link in a confirmation mail: it passes as it is, and its answer is looked
//! at. What that may teach is little, see [`crate::judge::hear`].

use http::{Response, Uri};
use jiff::Timestamp;

use crate::attempt::ClientIp;
use crate::mastodon::reply;
use crate::proxy::Body;
use crate::proxy::gate::Shared;

/// Tokens are 20 characters; of a longer one nothing is learned.
const LONGEST: usize = 256;

/// The token as written; it is only ever hashed.
pub(super) fn token(link: &Uri) -> Option<String> {
    let mut pairs = link.query()?.split('&');
    let token = pairs.find_map(|pair| pair.strip_prefix("confirmation_token="))?;
    (!token.is_empty() && token.len() <= LONGEST).then(|| token.to_owned())
}

/// Notes a link that seems to have worked.
pub(super) fn learn(
    shared: &Shared,
    client: ClientIp,
    token: Option<String>,
    response: &Response<Body>,
) {
    if let Some(token) = token
        && reply::confirmed(response.status(), response.headers())
    {
        let judge = &shared.judge;
        judge.followed_link(client, &token, Timestamp::now());
    }
}
