//! Sizes as the configuration writes them: `"64KiB"`.

const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Reads `"512B"`, `"64KiB"`, `"64MiB"` or `"1GiB"`; `None` for anything else.
#[must_use]
pub fn read_size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(digits)?;
    let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    count.parse::<u64>().ok()?.checked_mul(*bytes)
}

/// Writes what [`read_size`] reads, in the largest unit that fits evenly.
#[must_use]
pub fn spell_size(bytes: u64) -> String {
    UNITS
        .iter()
        .find(|(_, size)| bytes > 0 && bytes.is_multiple_of(*size))
        .map_or_else(
            || format!("{bytes}B"),
            |(unit, size)| format!("{}{unit}", bytes / size),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        for (text, bytes) in [
            ("0B", 0),
            ("512B", 512),
            ("64KiB", 65_536),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(read_size(text), Some(bytes));
            assert_eq!(spell_size(bytes), text);
        }
        assert_eq!(read_size("64 KiB"), Some(65_536));
        for text in [
            "",
            "64",
            "KiB",
            "64KB",
            "64kib",
            "-1B",
            "99999999999GiB",
            "1.5MiB",
        ] {
            assert_eq!(read_size(text), None, "{text}");
        }
    }
}
