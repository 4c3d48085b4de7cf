//! What a server says when it refuses, as an admin needs it: what is wrong, and
//! which setting mends it. What gates do meanwhile is said by `health`.
//!
//! A refusal comes plain, as one of a pipeline, or from within a script, and the
//! client library words each differently; so the server's own code is looked for
//! in the text. A password never is part of what is said.

use redis::{ErrorKind, RedisError};

/// Codes, and what they mean here. The first that is found counts.
const CODES: [(&str, &str); 14] = [
    (
        "OOM",
        "its memory is full (maxmemory is reached, and it must not throw anything away): raise maxmemory, give the gates an instance of their own, or lower store.keys",
    ),
    (
        "WRONGPASS",
        "it does not take the user or password of store.url: see ACL LIST there, and deploy/SCALING.md for the user that the gate needs",
    ),
    (
        "NOAUTH",
        "it wants a user and password: put them into store.url",
    ),
    (
        "NOPERM",
        "the user of store.url may not do what the gate needs: give it the ACL of deploy/SCALING.md",
    ),
    (
        "READONLY",
        "it is a replica and takes no writes: store.url must name the master, or use topology = \"sentinel\"",
    ),
    (
        "CLUSTERDOWN",
        "its Cluster is down (a shard has no master, or slots are not given out): see CLUSTER INFO there",
    ),
    (
        "MASTERDOWN",
        "it is a replica that has lost its master: see INFO replication there",
    ),
    (
        "MOVED",
        "it is part of a Cluster: set store.topology = \"cluster\"",
    ),
    (
        "CROSSSLOT",
        "it is part of a Cluster: set store.topology = \"cluster\"",
    ),
    ("LOADING", "it is still loading its data from disk: wait"),
    (
        "MISCONF",
        "it cannot save to its disk and so takes no writes: see its log, free its disk, or set stop-writes-on-bgsave-error no",
    ),
    (
        "NOREPLICAS",
        "it has too few replicas to take writes: see min-replicas-to-write there",
    ),
    (
        "BUSY",
        "a script of somebody else holds it up: see SCRIPT KILL, and give the gates an instance of their own",
    ),
    (
        "WRONGTYPE",
        "somebody else writes under the gate's prefix: give the gate a store.prefix of its own",
    ),
];

/// The server's code, wherever it stands.
pub(super) fn code(fault: &RedisError) -> Option<&'static str> {
    known(fault).map(|(code, _)| code)
}

/// What is wrong, and what to do about it.
pub(super) fn say(fault: &RedisError) -> String {
    if let Some((_, words)) = known(fault) {
        return words.to_owned();
    }
    match fault.kind() {
        ErrorKind::AuthenticationFailed => told("WRONGPASS"),
        ErrorKind::MasterNameNotFoundBySentinel => {
            "the sentinels know no master of that name: see store.sentinel-master".to_owned()
        }
        _ if fault.is_connection_refusal() => {
            "nobody listens at the address of store.url: is it running?".to_owned()
        }
        _ if fault.to_string().contains("certificate") => format!(
            "its certificate cannot be trusted ({fault}): see store.ca, and that the certificate names the host of store.url"
        ),
        _ if fault.is_timeout() => "it does not answer in time".to_owned(),
        _ => fault.to_string(),
    }
}

fn told(code: &str) -> String {
    let known = CODES.iter().find(|(known, _)| *known == code);
    known.map_or_else(String::new, |(_, words)| (*words).to_owned())
}

fn known(fault: &RedisError) -> Option<(&'static str, &'static str)> {
    let text = fault.to_string();
    let words = || text.split(|letter: char| !letter.is_ascii_alphanumeric());
    CODES
        .into_iter()
        .find(|(code, _)| fault.code() == Some(code) || words().any(|word| word == *code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> RedisError {
        RedisError::from((ErrorKind::Io, "told", text.to_owned()))
    }

    #[test]
    fn a_code_is_found_wherever_it_stands() {
        for (text, code) in [
            (
                "Pipeline failure: [(Index 0, error: OOM: command not allowed when used memory > 'maxmemory'.)]",
                Some("OOM"),
            ),
            (
                "ERR Error running script (call to f_1): @user_script:50: -OOM command not allowed",
                Some("OOM"),
            ),
            (
                "READONLY You can't write against a read only replica.",
                Some("READONLY"),
            ),
            ("ROOM for nobody", None),
        ] {
            assert_eq!(super::code(&fault(text)), code, "{text}");
        }
    }

    #[test]
    fn everything_that_is_said_says_what_to_do_and_nothing_of_the_library() {
        for (code, words) in CODES {
            assert_eq!(say(&fault(&format!("{code} whatever"))), words);
            assert!(!words.contains(code), "{words}");
        }
    }
}
