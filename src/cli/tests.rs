//! The whole tree of verbs: every leaf shows how it is used, and every example
//! in a help text is one that the command line takes.

use clap::{Command, CommandFactory, Parser};

use super::Cli;

/// Every verb that has none below it, by its words.
fn leaves(command: &Command, words: &str, found: &mut Vec<(String, Command)>) {
    let mut below = command.get_subcommands().peekable();
    if below.peek().is_none() {
        found.push((words.to_owned(), command.clone()));
    }
    for verb in below {
        leaves(verb, &format!("{words} {}", verb.get_name()), found);
    }
}

fn all() -> Vec<(String, Command)> {
    let mut found = Vec::new();
    leaves(&Cli::command(), "tuskgate", &mut found);
    found
}

/// What stands below "Examples:", each as words; comments and what a shell does with it cut off.
fn examples(help: &str) -> Vec<Vec<String>> {
    let below = help
        .split_once("Examples:\n")
        .map_or("", |(_, below)| below);
    let lines = below.lines().take_while(|line| line.starts_with("  "));
    let mut found = Vec::new();
    for line in lines {
        for part in line.split("&&") {
            if let Some(at) = part.find("tuskgate ") {
                found.push(words(part.get(at..).unwrap_or_default()));
            }
        }
    }
    found
}

/// As a shell splits it, up to a pipe, a redirection or two blanks.
fn words(text: &str) -> Vec<String> {
    let end = [" | ", " > ", "  "]
        .iter()
        .filter_map(|end| text.find(end))
        .min();
    let text = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
    let mut words = Vec::new();
    for (number, part) in text.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

fn help_of(command: &Command) -> String {
    let help = command
        .get_after_help()
        .or_else(|| command.get_after_long_help());
    help.map(ToString::to_string).unwrap_or_default()
}

#[test]
fn every_leaf_has_examples_of_itself() {
    let leaves = all();
    assert!(leaves.len() > 30, "{}", leaves.len());
    for (name, command) in &leaves {
        let examples = examples(&help_of(command));
        assert!(!examples.is_empty(), "{name} has no examples");
        let of_itself = |example: &Vec<String>| example.join(" ").starts_with(name.as_str());
        // `ban` and `allow` share what lies below them.
        let shared = ["ban", "allow", "unban"].iter().any(|verb| {
            name.split(' ').nth(1) == Some(verb)
                && examples
                    .iter()
                    .any(|one| one.get(2) == name.split(' ').nth(2).map(str::to_owned).as_ref())
        });
        let listed = name.ends_with(" list");
        assert!(
            shared || listed || examples.iter().any(of_itself),
            "{name}: {examples:?}"
        );
    }
}

#[test]
fn every_example_is_taken() {
    let mut seen = 0;
    let mut check = |name: &str, command: &Command| {
        for example in examples(&help_of(command)) {
            if let Err(fault) = Cli::try_parse_from(&example) {
                panic!("{name}: {example:?}: {fault}");
            }
            seen += 1;
        }
    };
    fn walk(command: &Command, check: &mut impl FnMut(&str, &Command)) {
        check(command.get_name(), command);
        for verb in command.get_subcommands() {
            walk(verb, check);
        }
    }
    walk(&Cli::command(), &mut check);
    assert!(seen > 80, "{seen}");
}

#[test]
fn examples_are_cut_as_a_shell_would() {
    for (text, cut) in [
        ("tuskgate bans", &["tuskgate", "bans"][..]),
        (
            "tuskgate ban x --reason 'a b' --for 7d",
            &["tuskgate", "ban", "x", "--reason", "a b", "--for", "7d"],
        ),
        (
            "tuskgate bans --json > b.jsonl   for it",
            &["tuskgate", "bans", "--json"],
        ),
        ("tuskgate status | jq .x", &["tuskgate", "status"]),
    ] {
        assert_eq!(words(text), cut);
    }
}

/// What people will type.
#[test]
fn usual_words_are_taken() {
    for line in [
        "tuskgate apps list",
        "tuskgate apps list --sort age",
        "tuskgate apps --sort age",
        "tuskgate apps --sort newest",
        "tuskgate apps --sort old --limit 3",
        "tuskgate clusters list",
        "tuskgate clusters list --all --json",
        "tuskgate clusters --all",
        "tuskgate bans list",
        "tuskgate bans --kind website",
        "tuskgate events list --limit 3",
        "tuskgate check --no-files",
    ] {
        if let Err(fault) = Cli::try_parse_from(line.split(' ')) {
            panic!("{line}: {fault}");
        }
    }
}
