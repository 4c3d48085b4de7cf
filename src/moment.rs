//! Timestamps as text (RFC 3339, UTC) without the formatter, for what a flood
//! of refusals is answered with: jiff's own printing costs ten times as much.

use std::cell::RefCell;

use jiff::Timestamp;

/// RFC 3339 in UTC, to the microsecond: what `{:.6}` prints, without the formatter.
/// What lies before 1970 is taken for its beginning.
pub(crate) fn micros(at: Timestamp) -> [u8; 27] {
    let at = at.max(Timestamp::UNIX_EPOCH);
    let mut text = second(at);
    let micros = at.subsec_nanosecond().unsigned_abs() / 1000;
    let parts = [micros / 10_000, micros / 100, micros].map(pair);
    if let Some(place) = text.get_mut(20..26) {
        place.copy_from_slice(parts.as_flattened());
    }
    text
}

thread_local! {
    /// A budget that is spent is so until a moment that stays the same for the
    /// whole of a flood: the last few seconds that were asked for.
    static LATELY: RefCell<[(i64, [u8; 27]); 4]> = RefCell::new([(0, civil(Timestamp::UNIX_EPOCH)); 4]);
}

/// The text at the beginning of a second.
fn second(at: Timestamp) -> [u8; 27] {
    let second = at.as_second();
    let Ok(place) = usize::try_from(second & 3) else {
        return civil(at);
    };
    LATELY.with_borrow_mut(|lately| {
        let Some(kept) = lately.get_mut(place) else {
            return civil(at);
        };
        if kept.0 != second {
            *kept = (second, civil(at));
        }
        kept.1
    })
}

/// The same without the fraction.
#[rustfmt::skip]
fn civil(at: Timestamp) -> [u8; 27] {
    let at = jiff::tz::Offset::UTC.to_datetime(at);
    let (date, time) = (at.date(), at.time());
    let year = u32::from(date.year().unsigned_abs());
    let [century, year] = [pair(year / 100), pair(year)];
    let [month, day] = [date.month(), date.day()].map(two);
    let [hour, minute, second] = [time.hour(), time.minute(), time.second()].map(two);
    [
        century[0], century[1], year[0], year[1], b'-', month[0], month[1], b'-', day[0], day[1],
        b'T', hour[0], hour[1], b':', minute[0], minute[1], b':', second[0], second[1],
        b'.', b'0', b'0', b'0', b'0', b'0', b'0', b'Z',
    ]
}

fn two(number: i8) -> [u8; 2] {
    pair(number.unsigned_abs().into())
}

/// The last two digits.
const fn pair(number: u32) -> [u8; 2] {
    let number = (number % 100) as u8;
    [b'0' + number / 10, b'0' + number % 10]
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
            (951_782_399, 0),
            (951_782_403, 7_000),
        ] {
            let at = Timestamp::new(second, nanos).expect("a time");
            let text = micros(at);
            assert_eq!(std::str::from_utf8(&text), Ok(format!("{at:.6}").as_str()));
        }
    }
}
