use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

fn ban(subject: Subject, effect: Effect, scopes: Scopes, expires: Option<i64>) -> Arc<Ban> {
    Arc::new(Ban {
        id: 0,
        subject,
        effect,
        scopes,
        reason: String::new(),
        source: "test".into(),
        created: at(0),
        expires: expires.map(at),
    })
}

fn network(text: &str, scopes: Scopes, expires: Option<i64>) -> Arc<Ban> {
    let net = Subject::Network(text.parse().expect("a network"));
    ban(net, Effect::Ban, scopes, expires)
}

fn found(overlay: &Overlay, ip: &str, now: i64) -> Option<String> {
    let ip = ip.parse().expect("an address");
    let ban = overlay.bans().network(ip, at(now))?;
    Some(ban.subject.to_string())
}

#[test]
fn the_innermost_network_in_force_counts() {
    let overlay = Overlay::new([
        network("20.1.1.1/32", Scopes::MAIL, Some(50)),
        network("20.0.0.0/8", Scopes::ALL, None),
        network("20.1.0.0/16", Scopes::DEFAULT, Some(100)),
        network("20.1.0.0/24", Scopes::DEFAULT, None),
        network("2a00:1::/32", Scopes::DEFAULT, None),
    ]);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(found(&overlay, "20.1.1.1", 49), text("20.1.1.1/32"));
    assert_eq!(found(&overlay, "20.1.1.1", 50), text("20.1.0.0/16"));
    assert_eq!(found(&overlay, "20.1.1.1", 100), text("20.0.0.0/8"));
    assert_eq!(found(&overlay, "20.1.0.9", 100), text("20.1.0.0/24"));
    assert_eq!(found(&overlay, "20.255.255.255", 0), text("20.0.0.0/8"));
    assert_eq!(found(&overlay, "::ffff:20.2.0.1", 0), text("20.0.0.0/8"));
    assert_eq!(found(&overlay, "21.0.0.0", 0), None);
    assert_eq!(found(&overlay, "2a00:1::1", 0), text("2a00:1::/32"));
    assert_eq!(overlay.iter().len(), 5);
}

#[test]
fn a_narrow_ban_for_mail_does_not_hide_a_wider_one_for_everything() {
    let overlay = Overlay::new([
        network("20.0.0.0/8", Scopes::ALL, None),
        network("20.1.1.1/32", Scopes::MAIL, None),
    ]);
    let ip = "20.1.1.1".parse().expect("an address");
    let ban = overlay
        .bans()
        .network_in(ip, at(0), |scopes| scopes.sign_up)
        .expect("banned");
    assert_eq!(ban.subject.to_string(), "20.0.0.0/8");
}

#[test]
fn effects_are_apart_and_the_later_of_two_counts() {
    let domain = Domain::new("evil.example").expect("a domain");
    let subject = Subject::MailDomain(domain);
    let overlay = Overlay::new([
        ban(subject.clone(), Effect::Ban, Scopes::DEFAULT, Some(1)),
        ban(subject.clone(), Effect::Ban, Scopes::DEFAULT, None),
        ban(subject, Effect::Allow, Scopes::DEFAULT, Some(10)),
        network("20.0.0.0/8", Scopes::MAIL, Some(1)),
        network("20.0.0.0/8", Scopes::ALL, None),
    ]);
    let below = Domain::new("a.b.evil.example").expect("a domain");
    assert!(overlay.bans().mail_domain(&below, at(5)).is_some());
    assert!(overlay.allows().mail_domain(&below, at(5)).is_some());
    assert!(overlay.allows().mail_domain(&below, at(10)).is_none());
    assert!(overlay.bans().mail_server(&below, at(5)).is_none());
    assert_eq!(found(&overlay, "20.0.0.1", 5), Some("20.0.0.0/8".into()));
}

#[test]
fn apps_by_every_dimension() {
    let hash = KeyedHash([7; 16]);
    let id = ClientId::new("id");
    let of = |subject| ban(subject, Effect::Ban, Scopes::DEFAULT, None);
    let overlay = Overlay::new([
        of(Subject::ClientId(id.clone())),
        of(Subject::AppName("aaa".into())),
        of(Subject::RedirectUri("evil.example".into())),
        of(Subject::RedirectUri("evilapp://cb".into())),
        of(Subject::Website("evil.example".into())),
        of(Subject::Address(hash)),
    ]);
    let (bans, now) = (overlay.bans(), at(0));
    assert!(bans.client_id(&id, now).is_some());
    assert!(bans.app_name("aaa", now).is_some());
    assert!(bans.app_name("AaA", now).is_none(), "callers fold first");
    assert!(
        bans.redirect_uri("https://a.Evil.example/cb", now)
            .is_some()
    );
    assert!(bans.redirect_uri("EvilApp://cb", now).is_some());
    assert!(bans.redirect_uri("evilapp://cb2", now).is_none());
    assert!(bans.website("http://evil.example:80", now).is_some());
    assert!(bans.website("http://notevil.example", now).is_none());
    assert!(bans.address(&hash, now).is_some());
    assert!(bans.canonical_address(&hash, now).is_none());
}
