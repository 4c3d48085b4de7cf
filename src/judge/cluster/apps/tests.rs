//! Bursts of look-alike apps, and what honest ones may do meanwhile.

use super::*;

const T0: i64 = 1_545_004_800;

fn register() -> Apps {
    Apps::new(Tuning::default())
}

fn app(number: i64) -> ClientId {
    ClientId::new(&format!("app{number}"))
}

fn passes(sighting: &Sighting) -> bool {
    !matches!(sighting, Sighting::Condemned { .. })
}

#[test]
fn sixty_apps_of_one_look_are_not_made_and_4500_tokens_not_given() {
    let mut register = register();
    let names = ["aaa", "aaa1", "2aaa"];
    let made: Vec<i64> = (0..60)
        .filter(|n| {
            let name = names.get(*n as usize % 3).expect("one of three");
            passes(&register.make(name, None, T0 + n * 40))
        })
        .collect();
    assert_eq!(made.len(), 7);
    let tokens = (0..4500).filter(|n| {
        let id = app(made[*n as usize % made.len()]);
        let now = T0 + 300 + n / 2;
        passes(&register.token("aaa", &id, T0 + 60, now))
    });
    assert!(tokens.count() < 20);
}

#[test]
fn tokens_spread_over_old_names_are_counted_together_for_two_days() {
    let mut register = register();
    let made: Vec<i64> = (0..6).collect();
    for n in &made {
        assert!(passes(&register.make("aaa", None, T0 + n * 60)));
    }
    let tokens = (0..4500).filter(|n| {
        let now = T0 + 600 + n * 38;
        passes(&register.token("aaa", &app(n % 6), T0 + n % 6 * 60, now))
    });
    let count = tokens.count();
    assert!(count <= 60, "{count}");
}

#[test]
fn an_app_older_than_the_burst_keeps_its_budget() {
    let mut register = register();
    for n in 0..60 {
        register.make("coolclient", None, T0 + n * 30);
    }
    for n in 0..50 {
        let old = register.token("coolclient", &app(1), T0 - 3 * DAY, T0 + n);
        assert_eq!(old, Sighting::Exempt);
    }
}

#[test]
fn a_look_in_long_use_has_its_own_normal() {
    let mut register = register();
    let mut at = T0;
    for each_day in [12, 20, 40, 60] {
        for n in 0..20 * each_day {
            at += DAY / each_day;
            assert!(passes(&register.make("steady", None, at)), "{each_day} {n}");
        }
    }
}

#[test]
fn released_means_forgotten() {
    let mut register = register();
    for n in 0..20 {
        register.make("aaa", None, T0 + n);
    }
    assert!(!passes(&register.make("aaa", None, T0 + 30)));
    register
        .release(1, T0 + 40, "by hand")
        .expect("it is there");
    assert!(passes(&register.make("aaa", None, T0 + 50)));
}

#[test]
fn what_came_to_nothing_is_not_counted() {
    let mut register = register();
    for n in 0..100 {
        match register.make("aaa", None, T0 + n) {
            Sighting::Counted(ticket) => register.withdraw(&ticket),
            other => panic!("{other:?}"),
        }
    }
}
