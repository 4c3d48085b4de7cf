//! The app that somebody wants to create or change.
//!
//! By API: `client_name`, `redirect_uris` (text, or an array on newer
//! versions), `website`. In the settings: `doorkeeper_application[name]`,
//! `[redirect_uri]` (text only: an array is dropped), `[website]`. Redirect URIs are split as Ruby splits, at
//! ASCII white space and NUL. A change may leave the name out, so an app
//! without one is still an app; it then has an empty name.

use super::fields::Fields;
use crate::app::{AppName, NewApp};
use crate::rack::Fault;

/// `POST /api/v1/apps`.
pub(super) fn by_api(top: Fields<'_>) -> Result<Option<NewApp>, Fault> {
    let redirects = top.texts("redirect_uris")?;
    read(top, "client_name", redirects.iter().copied())
}

/// `POST /settings/applications` and its `PUT`.
pub(super) fn in_settings(app: Fields<'_>) -> Result<Option<NewApp>, Fault> {
    let redirects = app.scalar("redirect_uri")?;
    read(app, "name", redirects.iter().map(String::as_str))
}

fn read<'a>(
    fields: Fields<'_>,
    name: &str,
    redirects: impl Iterator<Item = &'a str>,
) -> Result<Option<NewApp>, Fault> {
    let name = fields.scalar(name)?;
    let website = fields.scalar("website")?.filter(|site| !site.is_empty());
    let redirect_uris: Vec<String> = redirects
        .flat_map(|text| text.split(is_blank))
        .filter(|uri| !uri.is_empty())
        .map(str::to_owned)
        .collect();
    if name.is_none() && website.is_none() && redirect_uris.is_empty() {
        return Ok(None);
    }
    Ok(Some(NewApp {
        name: AppName::new(&name.unwrap_or_default()),
        redirect_uris,
        website,
    }))
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | '\0')
}
