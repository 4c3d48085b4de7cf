//! Words for the evidence of a condemnation: what a tired moderator reads in
//! `clusters`, `clusters show`, `explain` and the log.

use jiff::Timestamp;

/// A stretch of time in its largest whole unit: "10 min", "1 h", "7 d".
pub(in crate::judge) fn span(seconds: i64) -> String {
    match seconds {
        day if day >= 86_400 => format!("{} d", day / 86_400),
        hour if hour >= 3600 => format!("{} h", hour / 3600),
        short => format!("{} min", short / 60),
    }
}

/// A moment in seconds since 1970, as it is written everywhere.
pub(in crate::judge) fn time(at: i64) -> String {
    format!(
        "{:.0}",
        Timestamp::from_second(at).unwrap_or(Timestamp::MAX)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_and_moments() {
        assert_eq!([600, 3600, 604_800].map(span), ["10 min", "1 h", "7 d"]);
        assert_eq!(time(1_700_006_400), "2023-11-15T00:00:00Z");
    }
}
