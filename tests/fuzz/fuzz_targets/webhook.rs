//! A webhook's body and signature: never a panic; what is read holds its bounds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuskgate::mastodon::webhook::{News, is_signed, read};
use tuskgate::secret::Secret;

fuzz_target!(|data: &[u8]| {
    let (header, body) = match data.iter().position(|&byte| byte == b'\n') {
        Some(at) => data.split_at(at),
        None => (&[][..], data),
    };
    let _ = is_signed(&[Secret::new("s3cret-s3cret-s3cret")], body, header);
    for body in [data, body] {
        let Ok(hook) = read(body) else { continue };
        let accounts = match hook.news {
            News::Account(_, account) => vec![account],
            News::Report { by, target } => vec![by, target],
            News::Other => Vec::new(),
        };
        for account in accounts {
            assert!(account.username.chars().count() <= 128);
            assert!(account.email.is_none() || account.mail_domain.is_some());
        }
    }
});
