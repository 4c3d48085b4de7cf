//! "Did you mean …?": the known word nearest to a misspelt one.

/// The word of `words` that `text` most likely was meant to be, if any is near:
/// at most two in five of its letters apart (Levenshtein, letters compared in lower case).
pub(super) fn nearest<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let text = text.to_ascii_lowercase().replace('_', "-");
    words
        .map(|word| {
            (
                distance(&text, &word.to_ascii_lowercase().replace('_', "-")),
                word,
            )
        })
        .filter(|&(apart, word)| apart * 5 <= word.chars().count() * 2)
        .min()
        .map(|(_, word)| word)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut above_left = i;
        let mut left = i + 1;
        for (cell, &to) in row.iter_mut().skip(1).zip(&b) {
            let above = *cell;
            let replaced = above_left + usize::from(from != to);
            left = replaced.min(above + 1).min(left + 1);
            *cell = left;
            above_left = above;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        let words = ["address", "trusted-proxies", "workers", "max-connections"];
        for (text, expected) in [
            ("adress", Some("address")),
            ("trusted_proxies", Some("trusted-proxies")),
            ("Workers", Some("workers")),
            ("max-conections", Some("max-connections")),
            ("banana", None),
        ] {
            assert_eq!(nearest(text, words.into_iter()), expected, "{text}");
        }
    }
}
