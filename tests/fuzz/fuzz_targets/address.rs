//! An e-mail parameter: what is taken has one `@` and a domain, and is taken again as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tuskgate::mail::address::read;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(Some(address)) = read(text) else {
        return;
    };
    let exact = address.exact.expose();
    assert_eq!(exact.matches('@').count(), 1);
    assert!((1..=2).contains(&address.domains.len()));
    for domain in &address.domains {
        let name = domain.as_str();
        assert!(name.contains('.') && name.len() <= 253 && name.is_ascii());
        assert!(name.split('.').all(|label| (1..=63).contains(&label.len())));
    }
    let again = read(exact).expect("read again").expect("not blank");
    assert_eq!(again.exact.expose(), exact);
    assert_eq!(again.domains, address.domains);
});
