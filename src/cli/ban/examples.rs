//! Examples of each thing that can be banned. `ban`, `allow` and `unban` share these
//! leaves, so an example shows each of them.

pub(super) const NETWORK: &str = "\
Examples:
  tuskgate ban network 45.9.9.0/24 --for 7d --reason 'bot mail server'
  tuskgate ban network 2001:db8:7::/48 --scope sign-up
  tuskgate allow network 192.0.2.0/24 --for 12h
  tuskgate unban network 45.9.9.0/24";

pub(super) const MAIL_DOMAIN: &str = "\
Examples:
  tuskgate ban mail-domain spam.example                 and everything below it
  tuskgate allow mail-domain club.spam.example          but this
  tuskgate unban mail-domain spam.example";

pub(super) const MAIL_SERVER: &str = "\
Examples:
  tuskgate mail-server show mx.spam.example             who would be hit?
  tuskgate ban mail-server mx.spam.example
  tuskgate allow mail-server mx.club.example
  tuskgate unban mail-server mx.spam.example";

pub(super) const ADDRESS: &str = "\
Only a keyed hash of it is kept. All addresses of a domain are `ban mail-domain`.

Examples:
  tuskgate ban address eve@good.example --with-variants
  tuskgate allow address ana@good.example
  tuskgate unban address eve@good.example --with-variants";

pub(super) const APP: &str = "\
Examples:
  tuskgate ban app --name AaA                           however it is written
  tuskgate ban app --redirect-uri evil.example
  tuskgate allow app --client-id 0a1b2c3d               never by what it calls itself
  tuskgate unban app --name AaA";
