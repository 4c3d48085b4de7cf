//! Timestamps as text (RFC 3339, UTC) without the formatter, for what a flood
//! of refusals is answered with: jiff's own printing costs ten times as much.

use jiff::Timestamp;

/// RFC 3339 in UTC, to the microsecond: what `{:.6}` prints, without the formatter.
pub(crate) fn micros(at: Timestamp) -> [u8; 27] {
    let at = jiff::tz::Offset::UTC.to_datetime(at);
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let parts = [
        (0..4, i32::from(at.year())),
        (5..7, at.month().into()),
        (8..10, at.day().into()),
        (11..13, at.hour().into()),
        (14..16, at.minute().into()),
        (17..19, at.second().into()),
        (20..26, at.subsec_nanosecond() / 1000),
    ];
    for (place, number) in parts {
        let mut left = number.unsigned_abs();
        for digit in text.get_mut(place).into_iter().flatten().rev() {
            *digit += u8::try_from(left % 10).unwrap_or_default();
            left /= 10;
        }
    }
    text
}

/// RFC 3339 in UTC, to the second, cut: what `{:.0}` prints.
pub(crate) fn seconds(at: Timestamp) -> String {
    let mut text = String::with_capacity(20);
    let whole = micros(at);
    let whole = std::str::from_utf8(&whole).unwrap_or_default();
    text.push_str(whole.get(..19).unwrap_or_default());
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_what_the_formatter_prints() {
        for (second, nanos) in [
            (0, 0),
            (0, 1_999),
            (1, 999_999_999),
            (1_763_826_000, 123_456_789),
            (951_782_399, 1_000),
        ] {
            let at = Timestamp::new(second, nanos).expect("a time");
            let text = micros(at);
            assert_eq!(std::str::from_utf8(&text), Ok(format!("{at:.6}").as_str()));
            assert_eq!(seconds(at), format!("{at:.0}"));
        }
    }
}
