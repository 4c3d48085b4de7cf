//! A moment as somebody types it: how long ago, or when.

use jiff::Timestamp;

use crate::quota::read_duration;

/// Reads `7d`, `90m` (ago), `2018-12-07` or `2018-12-07T15:00:00Z`.
pub(super) fn read(text: &str) -> Result<Timestamp, String> {
    if let Some(ago) = read_duration(text) {
        let then = Timestamp::now().checked_sub(ago);
        return then.map_err(|_| format!("{text} ago was before all time"));
    }
    let midnight = format!("{text}T00:00:00Z");
    let read = text.parse().or_else(|_| midnight.parse());
    read.map_err(|_| {
        "how long ago, such as 7d or 90m, or when, such as 2018-12-07 or 2018-12-07T15:00:00Z"
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ago_or_when() {
        let now = Timestamp::now();
        let hour = read("1h").expect("ago");
        let ago = now.duration_since(hour).as_secs();
        assert!((3599..3602).contains(&ago), "{ago}");
        let day = read("2018-12-07").expect("a day");
        assert_eq!(day, read("2018-12-07T00:00:00Z").expect("a moment"));
        for wrong in ["", "yesterday", "7", "2018-13-01", "99999999d"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
