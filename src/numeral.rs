//! Numbers in words: one ban, two bans; the second time.

/// `1 ban`, `2 bans`.
pub(crate) fn counted(count: impl TryInto<u64>, one: &str, many: &str) -> String {
    // More than that is many all the same.
    let count = count.try_into().unwrap_or(u64::MAX);
    let noun = if count == 1 { one } else { many };
    format!("{count} {noun}")
}

/// `1st`, `2nd`, `3rd`, `11th`.
pub(crate) fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many() {
        for (count, said) in [(0_u64, "0 bans"), (1, "1 ban"), (2, "2 bans")] {
            assert_eq!(counted(count, "ban", "bans"), said);
        }
        assert_eq!(counted(1_usize, "entry", "entries"), "1 entry");
    }

    #[test]
    fn the_how_manieth() {
        for (number, said) in [
            (1, "1st"),
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (11, "11th"),
            (12, "12th"),
            (13, "13th"),
            (21, "21st"),
            (112, "112th"),
        ] {
            assert_eq!(ordinal(number), said);
        }
    }
}
