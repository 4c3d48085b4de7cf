//! What containing the tokens of a cluster came to, in words. "None" is said
//! with its reason: whoever contains in the middle of an attack counts on it.

use crate::cluster::ClusterId;
use crate::judge::contained::Containment;
use crate::numeral::counted;

/// What was done to the cluster `id`.
pub(super) fn tell(id: ClusterId, contain: bool, done: &Containment) -> String {
    let elsewhere = done.all.saturating_sub(done.tokens * usize::from(contain));
    let mut text = if contain {
        contained(id, done)
    } else if done.already {
        format!("{id} was not contained\n")
    } else {
        let tokens = counted(done.tokens, "token", "tokens");
        format!("{id} is let go: {tokens} of its apps count again\n")
    };
    if elsewhere > 0 {
        let tokens = counted(elsewhere, "token is", "tokens are");
        text.push_str(&format!(
            "{tokens} contained for other clusters; tuskgate clusters shows which\n"
        ));
    }
    if contain && !done.released {
        text.push_str(&format!(
            "to undo: tuskgate contain --tokens {id} --release\n"
        ));
    }
    text
}

fn contained(id: ClusterId, done: &Containment) -> String {
    if done.released {
        return format!(
            "no token is contained: {id} has been released, and what is released is left alone\n"
        );
    }
    let already = if done.already { "already " } else { "" };
    let mut text = match done.tokens {
        0 => format!(
            "{id} is {already}contained, but no token is: {}\n",
            why_none(done)
        ),
        tokens => format!(
            "{id} is {already}contained: {} of {} answered with 401 on every endpoint\n",
            counted(tokens, "token", "tokens"),
            counted(done.fresh, "app is", "apps are"),
        ),
    };
    if done.tokens > 0 && done.shared + done.unknown > 0 {
        text.push_str(&format!("left alone: {}\n", others(done)));
    }
    if done.observe {
        text.push_str(
            "everything is only observed (--observe, or observe = true), so they pass all the same\n",
        );
    }
    text
}

fn why_none(done: &Containment) -> String {
    if done.fresh > 0 {
        return format!(
            "its {} had none that came by this gate; one that comes is contained at once",
            counted(done.fresh, "fresh app", "fresh apps")
        );
    }
    if done.shared + done.unknown > 0 {
        return format!("it came through {}", others(done));
    }
    "nobody in it came through an app, so there are only accounts to look after".to_owned()
}

/// Apps whose tokens are not touched.
fn others(done: &Containment) -> String {
    let shared = (done.shared > 0).then(|| {
        let apps = counted(done.shared, "app that is", "apps that are");
        format!("{apps} older than it or well-known, which others use too")
    });
    let unknown = (done.unknown > 0).then(|| {
        let apps = counted(done.unknown, "app", "apps");
        format!("{apps} that this gate does not know")
    });
    let both: Vec<_> = shared.into_iter().chain(unknown).collect();
    both.join(", and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_has_its_reason() {
        let id: ClusterId = "A3".parse().expect("a cluster");
        let done = Containment::default();
        for (contain, done, parts) in [
            (
                true,
                Containment { ..done },
                &["no token", "nobody in it"][..],
            ),
            (
                true,
                Containment { fresh: 2, ..done },
                &["no token", "2 fresh apps", "--release"],
            ),
            (
                true,
                Containment {
                    shared: 1,
                    unknown: 2,
                    ..done
                },
                &["1 app that is older", "2 apps that this gate does not know"],
            ),
            (
                true,
                Containment {
                    released: true,
                    ..done
                },
                &["has been released"],
            ),
            (
                true,
                Containment {
                    already: true,
                    fresh: 1,
                    ..done
                },
                &["already contained", "1 fresh app had"],
            ),
            (
                true,
                Containment {
                    tokens: 1,
                    all: 4,
                    fresh: 1,
                    ..done
                },
                &[
                    "A3 is contained: 1 token of 1 app is",
                    "3 tokens are contained for other",
                ],
            ),
            (
                true,
                Containment {
                    tokens: 2,
                    all: 2,
                    fresh: 1,
                    observe: true,
                    shared: 1,
                    ..done
                },
                &["2 tokens of 1 app", "left alone: 1 app", "only observed"],
            ),
            (
                false,
                Containment {
                    tokens: 2,
                    all: 1,
                    ..done
                },
                &["let go: 2 tokens", "1 token is contained for other"],
            ),
            (
                false,
                Containment {
                    already: true,
                    ..done
                },
                &["was not contained"],
            ),
        ] {
            let told = tell(id, contain, &done);
            for part in parts {
                assert!(told.contains(part), "{part}: {told}");
            }
            assert_eq!(
                told.contains("to undo"),
                contain && !done.released,
                "{told}"
            );
        }
    }
}
