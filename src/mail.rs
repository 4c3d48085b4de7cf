//! E-mail: addresses read as Mastodon reads them, and the mail servers behind them.
//!
//! [`address`] mirrors Devise, the Mail gem and Mastodon's validators (4.1 to
//! main); [`domain`] reads what an admin types; [`dns`] finds a domain's mail
//! server as RFC 5321 §5.1 says; [`providers`] knows the mail servers that
//! carry unrelated people's domains. Nothing here judges, and nothing here
//! speaks SMTP: whether a mailbox exists is not the gate's business. [`site`] asks,
//! if an admin wants it, whether a domain has a web site.

pub mod address;
pub mod dns;
pub mod domain;
mod idn;
pub mod mailboxes;
pub mod providers;
pub mod site;
