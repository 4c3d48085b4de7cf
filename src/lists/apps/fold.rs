//! App names that a person would read as the same, made the same.
//!
//! In December 2018 sixty apps were all called `AaA`; the next sixty need not
//! be spelled alike. Folding is NFKC (UAX 15), lower case, the skeleton of
//! look-alikes (UTS 39 §4), and then letters and digits only. One step more
//! than UTS 39: `i` counts as `l`, because its capital already does.
//! A fold is a key for comparing, never shown as the app's name. Two honest
//! names may share one; what depends on it must bear that.

use std::cell::RefCell;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;

use crate::app::AppName;

/// The most characters of a name that are read; Mastodon takes 60.
const MOST_READ: usize = 256;
/// The most characters of a fold: one character may unfold into many.
const MOST_KEPT: usize = 128;

/// The fold of a name; at most 128 characters, and its own fold.
///
/// Empty for a name of nothing but space, which is one key like any other.
#[must_use]
pub fn fold(name: &AppName) -> String {
    with_fold(name, str::to_owned)
}

/// The same, for a look at it.
pub(in crate::lists) fn with_fold<T>(name: &AppName, look: impl FnOnce(&str) -> T) -> T {
    LAST.with_borrow_mut(|last| {
        if last.0 != name.as_str() || last.1.is_empty() {
            *last = (name.as_str().to_owned(), fold_anew(name));
        }
        look(&last.1)
    })
}

thread_local! {
    /// One attempt folds one name several times over, and a flood the same name
    /// in all its attempts.
    static LAST: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

fn fold_anew(name: &AppName) -> String {
    let mut folded = once(name.as_str());
    // Each step may make work for an earlier one (a skeleton of a compatibility
    // character); two rounds settle nearly all, and the bound keeps it cheap.
    for _ in 0..4 {
        let again = once(&folded);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

fn once(name: &str) -> String {
    if name.is_ascii() {
        return once_ascii(name);
    }
    let seen = seen(name);
    let mut letters = seen.iter().filter(|c| c.is_alphanumeric()).peekable();
    // A name of symbols only is kept as it is, or all such names would be one.
    if letters.peek().is_some() {
        letters.take(MOST_KEPT).collect()
    } else {
        seen.iter().take(MOST_KEPT).collect()
    }
}

/// The same for a name of ASCII only, as nearly all are: each of its characters
/// goes its own way, which is known in advance.
fn once_ascii(name: &str) -> String {
    let ways = name
        .bytes()
        .take(MOST_READ)
        .filter_map(|byte| ASCII.get(usize::from(byte)));
    let letters = |way: &&String| way.chars().any(char::is_alphanumeric);
    let all = !ways.clone().any(|way| letters(&way));
    let kept = ways.flat_map(|way| way.chars());
    kept.filter(|c| all || c.is_alphanumeric())
        .take(MOST_KEPT)
        .collect()
}

/// What becomes of each ASCII character.
static ASCII: LazyLock<Vec<String>> = LazyLock::new(|| {
    let each = (0..128_u8).map(|byte| seen(char::from(byte).encode_utf8(&mut [0; 4])));
    each.map(|chars| chars.into_iter().collect()).collect()
});

/// The look of a name, character by character.
fn seen(name: &str) -> Vec<char> {
    let read: String = name
        .chars()
        .take(MOST_READ)
        .nfkc()
        .flat_map(char::to_lowercase)
        .take(MOST_READ)
        .collect();
    skeleton(&read)
        .flat_map(char::to_lowercase)
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .map(|c| if c == 'i' { 'l' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn folded(name: &str) -> String {
        fold(&AppName::new(name))
    }

    #[test]
    fn names_that_read_the_same_are_the_same() {
        let expected = folded("AaA");
        for name in [
            "aaa",
            "A a A",
            "ааа",               // Cyrillic
            "АаА",               // Cyrillic
            "ＡａＡ",            // full width
            "A\u{200b}a\u{ad}A", // zero-width space, soft hyphen
            "A-a_A.",
            "𝐀𝐚𝐀",
            "ÁàÂ",
            "AaA \u{1f418}",
            "\u{3164}AaA\u{115f}", // Hangul fillers, which count as letters
            "\u{202e}AaA",
        ] {
            assert_eq!(folded(name), expected, "{name:?}");
        }
    }

    #[test]
    fn look_alikes_meet_in_every_case() {
        assert_eq!(folded("IVORY"), folded("lvory"));
        assert_eq!(folded("Ivory"), folded("1vory"));
        assert_eq!(folded("T00T"), folded("toot"));
    }

    #[test]
    fn different_names_stay_different() {
        let names = [
            "Tusky", "Tusker", "Tuba", "Elk", "toot", "Toot!", "🐘", "🦣", "",
        ];
        let mut folds: Vec<String> = names.iter().map(|name| folded(name)).collect();
        folds.sort();
        folds.dedup();
        assert_eq!(
            folds.len(),
            names.len() - 1,
            "only toot and Toot! meet: {folds:?}"
        );
    }

    #[test]
    fn a_long_name_is_cut() {
        assert!(folded(&"\u{fdfa}".repeat(100_000)).chars().count() <= MOST_KEPT);
    }

    proptest! {
        #[test]
        fn ascii_takes_the_short_way_to_the_same_end(name in "[ -~\\t\\n]{0,300}") {
            let seen = seen(&name);
            let letters: String = seen.iter().filter(|c| c.is_alphanumeric()).take(MOST_KEPT).collect();
            let all: String = seen.iter().take(MOST_KEPT).collect();
            prop_assert_eq!(once_ascii(&name), if letters.is_empty() { all } else { letters });
        }

        #[test]
        fn a_fold_is_its_own_fold(name in "\\PC{0,40}") {
            let once = folded(&name);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
