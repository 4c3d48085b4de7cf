//! The verbs of the command line, one file each. Only this room prints.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Prints a line; see [`out::printed`].
macro_rules! say {
    () => { $crate::cli::out::printed(format_args!("\n")) };
    ($($words:tt)*) => { $crate::cli::out::printed(format_args!("{}\n", format_args!($($words)*))) };
}

/// Prints without an end of line; see [`out::printed`].
macro_rules! say_on {
    ($($words:tt)*) => { $crate::cli::out::printed(format_args!($($words)*)) };
}

/// Prints a line for people beside what a verb prints; see [`out::remarked`].
macro_rules! remark {
    ($($words:tt)*) => { $crate::cli::out::remarked(format_args!("{}\n", format_args!($($words)*))) };
}

mod apps;
mod assemble;
mod ban;
mod bans;
mod breaker;
mod check;
mod clusters;
mod completions;
mod contain;
mod demo;
mod doctor;
mod events;
mod explain;
mod files;
mod log;
mod mail_server;
mod moment;
mod names;
mod out;
mod outcome;
mod reach;
mod reload;
mod replay;
mod serve;
mod status;
mod store;
mod there;

pub use outcome::Failure;

/// Where the configuration is when `--config` is not given.
pub const DEFAULT_CONFIG: &str = "/etc/tuskgate/tuskgate.toml";

/// A sign-up gate for Mastodon.
///
/// Stands between nginx and Mastodon, passes everything through, and judges
/// the few requests by which an account, an app or a token comes to be.
#[derive(Debug, Parser)]
#[command(name = "tuskgate", version, propagate_version = true, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// The configuration file
    #[arg(long, short, global = true, value_name = "FILE", env = "TUSKGATE_CONFIG", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,
    #[command(subcommand)]
    verb: Verb,
}

const EXAMPLES: &str = "\
Examples:
  tuskgate demo                                     the 2018 attack, replayed here in half a minute
  tuskgate check                                    is the configuration right?
  tuskgate serve --observe                          run, refuse nothing, tell what would be refused
  tuskgate ban network 45.9.9.0/24 --for 7d --reason 'bot mail server'
  tuskgate ban mail-domain spam.example             and everything below it
  tuskgate explain 7K3M9QX2B4DH                     why was this person refused?
  tuskgate clusters                                 what the gate condemned by itself
  tuskgate replay --since 7d --enforce mail-cluster  what would have happened?
  tuskgate contain --step 4 --for 2h                close sign-up for two hours
  tuskgate doctor                                   does the client's address arrive everywhere?

Exit codes: 0 well, 1 it failed, 64 wrong usage, 66 no store there, 78 wrong configuration.";

#[derive(Debug, Subcommand)]
enum Verb {
    Serve(serve::Serve),
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    Check(check::Check),
    Ban(ban::BanVerb),
    Allow(ban::AllowVerb),
    Unban(ban::Unban),
    Bans(bans::Bans),
    Explain(explain::Explain),
    Events(events::Events),
    Replay(replay::ReplayVerb),
    Clusters(clusters::Clusters),
    MailServer(mail_server::MailServerVerb),
    Contain(contain::Contain),
    Apps(apps::Apps),
    Status(status::StatusVerb),
    Reload(reload::Reload),
    Store(store::StoreVerb),
    Completions(completions::Completions),
}

/// Reads the command line and does what it says.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(fault) => return outcome::usage(&fault),
    };
    let config = cli.config;
    let done = match cli.verb {
        Verb::Serve(verb) => verb.run(&config),
        Verb::Demo(verb) => verb.run(),
        Verb::Doctor(verb) => verb.run(&config),
        Verb::Check(verb) => verb.run(&config),
        Verb::Ban(verb) => verb.run(&config),
        Verb::Allow(verb) => verb.run(&config),
        Verb::Unban(verb) => verb.run(&config),
        Verb::Bans(verb) => verb.run(&config),
        Verb::Explain(verb) => verb.run(&config),
        Verb::Events(verb) => verb.run(&config),
        Verb::Replay(verb) => verb.run(&config),
        Verb::Clusters(verb) => verb.run(&config),
        Verb::Contain(verb) => verb.run(&config),
        Verb::MailServer(verb) => verb.run(&config),
        Verb::Apps(verb) => verb.run(&config),
        Verb::Status(verb) => verb.run(&config),
        Verb::Reload(verb) => verb.run(&config),
        Verb::Store(verb) => verb.run(&config),
        Verb::Completions(verb) => verb.run(),
    };
    outcome::exit(done)
}

#[cfg(test)]
mod tests;
