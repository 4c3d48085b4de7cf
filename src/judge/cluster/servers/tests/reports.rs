//! What reports of moderators do to the register, and what they must not.

use super::*;

#[test]
fn reports_make_the_eye_sharper_and_never_condemn() {
    let bots = |n: i64| {
        (
            format!("b{n}.example"),
            "mx.bots.example".into(),
            "198.51.100.7".into(),
        )
    };
    let admitted = |reports: &[(u8, i64)]| {
        let mut register = register();
        assert_eq!(wave(&mut register, T0, 2, bots), 2);
        for (by, target) in reports {
            register.hear_report(&domain("b0.example"), hash(*by), *target, T0 + 100);
        }
        assert_eq!(register.clusters(), [], "a report alone condemns nobody");
        2 + wave(&mut register, T0 + 200, 40, |n| bots(n + 2))
    };
    let unreported = admitted(&[]);
    assert!(admitted(&[(1, 10), (2, 11)]) < unreported);
    // One person, or one account, is not enough, however often.
    assert_eq!(admitted(&[(1, 10), (1, 11), (1, 12)]), unreported);
    assert_eq!(admitted(&[(1, 10), (2, 10), (3, 10)]), unreported);
    // Two domains of one's own never make a cluster, whoever is reported.
    let mut register = register();
    for n in 0..60 {
        let name = format!("b{}.example", n % 2);
        let one = sign_up(T0 + n * 60, &name, "mx.small.example", "192.0.2.77");
        assert!(let_in(&mut register, one));
        register.hear_report(&domain(&name), hash(n as u8), n, T0 + n * 60);
    }
}

#[test]
fn reports_are_forgotten_after_a_week_and_bounded() {
    let mut register = register();
    let one = sign_up(T0, "b.example", "mx.bots.example", "198.51.100.7");
    assert!(let_in(&mut register, one));
    for number in 0..200 {
        register.hear_report(&domain("b.example"), hash(number), i64::from(number), T0);
    }
    let key = MailKey::Host(domain("mx.bots.example"));
    let history = register.histories.peek(&key).expect("known").clone();
    assert_eq!(history.reports.len(), 16);
    assert!(register.is_reported(&history, T0 + 6 * DAY));
    assert!(!register.is_reported(&history, T0 + 8 * DAY));
}
