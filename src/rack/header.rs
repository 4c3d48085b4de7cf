//! A header that decides something, at most once and in plain ASCII.
//!
//! Puma joins repeated headers with a comma and Rack then takes what it finds
//! first; a second line is refused instead of imitated.

use http::HeaderMap;
use http::header::HeaderName;

use super::Fault;

/// The one value of `name`.
///
/// # Errors
/// If the header is there twice, or holds anything but visible ASCII, blanks and tabs.
pub(crate) fn only<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, Fault> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Fault::malformed("a header that decides is there twice"));
    }
    let text = value
        .to_str()
        .map_err(|_| Fault::malformed("a header that decides is not ASCII"))?;
    Ok(Some(text.trim_matches([' ', '\t'])))
}
