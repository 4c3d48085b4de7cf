//! Bursts of look-alike apps, and what honest ones may do meanwhile.

use super::*;

const T0: i64 = 1_545_004_800;

fn register() -> Apps {
    Apps::new(Tuning::default())
}

fn app(number: i64) -> ClientId {
    ClientId::new(&format!("app{number}"))
}

fn login(id: &ClientId, created: i64) -> Asked<'_> {
    Asked {
        id,
        created,
        own: false,
    }
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
        passes(&register.token("aaa", login(&id, T0 + 60), now))
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
        passes(&register.token("aaa", login(&app(n % 6), T0 + n % 6 * 60), now))
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
        let old = register.token("coolclient", login(&app(1), T0 - 3 * DAY), T0 + n);
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

/// Bots ask for all of them at once, so the burst is condemned before any reply is read.
#[test]
fn apps_whose_replies_are_under_way_are_suspects_by_name_once_they_have_one() {
    let mut register = register();
    let creator = |n: i64| Some(IpNet::from(std::net::IpAddr::from([198, 18, n as u8, 1])));
    let mut other_gate = self::register();
    for n in 0..8 {
        register.make("aaa", creator(n), T0);
    }
    for change in register.changes() {
        match change {
            Change::App(step) => drop(other_gate.hear(step)),
            Change::Cluster(cluster) => drop(other_gate.adopt(*cluster)),
            other => panic!("{other:?}"),
        }
    }
    // Replies come in any order.
    for n in [3, 0, 6, 1, 5, 2, 4] {
        register.made("aaa", &app(n), creator(n), T0);
    }
    for suspect in &register.cluster(1).expect("condemned").suspects {
        let own = (0..7).find(|n| creator(*n) == suspect.client).map(app);
        assert_eq!(suspect.client_id, own, "each app with its own creator");
    }
    let named = |register: &Apps| {
        let cluster = register.cluster(1).expect("condemned");
        let ids = cluster.suspects.iter().filter_map(|s| s.client_id.clone());
        (
            cluster.suspects.len(),
            ids.collect::<std::collections::BTreeSet<_>>(),
        )
    };
    let all: std::collections::BTreeSet<_> = (0..7).map(app).collect();
    assert_eq!(named(&register), (7, all.clone()));
    let changes = register.changes();
    let last = changes.iter().rev().find_map(|change| match change {
        Change::Cluster(cluster) => Some(cluster.as_ref().clone()),
        _ => None,
    });
    assert_eq!(last.as_ref(), register.cluster(1), "written and told");
    // In whichever order the other gate hears of it.
    let mut later = other_gate.clone();
    assert!(!later.adopt(last.clone().expect("changed")));
    for change in changes {
        if let Change::App(step) = change {
            other_gate.hear(step.clone());
            later.hear(step);
        }
    }
    assert_eq!(named(&later), (7, all.clone()));
    assert_eq!(named(&other_gate), (7, all.clone()));
    other_gate.adopt(last.expect("changed"));
    assert_eq!(named(&other_gate), (7, all));
}

/// The gate that made the app hears of the cluster last: nobody else has its tokens.
#[test]
fn an_app_that_was_named_before_its_cluster_was_heard_of_is_named_in_it() {
    let (mut maker, mut other_gate) = (register(), register());
    for _ in 0..2 {
        maker.make("aaa", None, T0);
    }
    for change in maker.changes() {
        if let Change::App(step) = change {
            other_gate.hear(step);
        }
    }
    for _ in 0..6 {
        other_gate.make("aaa", None, T0);
    }
    let mut condemned = other_gate.cluster(1).expect("condemned").clone();
    condemned.mark(true);
    // Two of nobody's at one moment are one suspect where versions were joined.
    condemned.suspects.truncate(1);
    for number in 0..2 {
        assert!(!maker.made("aaa", &app(number), None, T0));
    }
    drop(maker.changes());
    assert!(maker.adopt(condemned.clone()), "there is more to contain");
    let suspects = &maker.cluster(1).expect("taken in").suspects;
    let named: std::collections::BTreeSet<_> = suspects
        .iter()
        .filter_map(|s| s.client_id.clone())
        .collect();
    assert_eq!(named, [app(0), app(1)].into());
    let told = |change: &Change| matches!(change, Change::Cluster(one) if one.suspects.len() == 2);
    assert!(maker.changes().iter().any(told), "the others hear of it");
    assert!(!maker.adopt(condemned), "nothing new");
    assert_eq!(maker.changes(), []);
}

#[test]
fn released_twice_is_released_once() {
    let mut register = register();
    for n in 0..20 {
        register.make("aaa", None, T0 + n);
    }
    let first = register.release(1, T0 + 40, "a class").expect("there");
    assert!(passes(&register.make("aaa", None, T0 + 50)));
    drop(register.changes());
    let before = register.looks.peek("aaa").map(|look| look.made.len());
    assert_eq!(register.release(1, T0 + 60, "a mistake"), Some(first));
    assert_eq!(register.changes(), [], "nothing to write or to tell");
    let after = register.looks.peek("aaa").map(|look| look.made.len());
    assert_eq!(after, before, "what came since is not forgotten");
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

#[test]
fn an_app_of_a_burst_is_known_once_people_of_several_servers_confirmed_over_a_week() {
    let burst = || {
        let mut register = register();
        for n in 0..60 {
            register.make("coolclient", None, T0 + n * 30);
        }
        register
    };
    let later = T0 + 8 * DAY;
    let rationed = |register: &mut Apps| {
        (0..200).any(|n| !passes(&register.token("coolclient", login(&app(1), T0 + 60), later + n)))
    };
    assert!(rationed(&mut burst()));
    let taught = |servers: u64, accounts: u64, from: i64| {
        let mut register = burst();
        for n in 0..accounts {
            register.confirm(&app(1), n % servers, from);
        }
        register
    };
    assert!(!rationed(&mut taught(3, 5, T0 + 300)));
    assert!(rationed(&mut taught(2, 50, T0 + 300)), "two servers");
    assert!(rationed(&mut taught(4, 4, T0 + 300)), "four accounts");
    assert!(
        rationed(&mut taught(5, 50, later - DAY)),
        "all of yesterday"
    );
    let mut other = taught(5, 50, T0 + 300);
    let another =
        (0..200).any(|n| !passes(&other.token("coolclient", login(&app(2), T0 + 60), later + n)));
    assert!(another, "one app's success is not its look's");
}

#[test]
fn a_new_web_client_has_its_first_users_and_few_tokens_for_itself() {
    let mut register = register();
    let id = app(1);
    assert!(passes(&register.make("newclient", None, T0)));
    for n in 0..80 {
        let sighting = register.token("newclient", login(&id, T0), T0 + 60 + n * 600);
        assert!(passes(&sighting), "login {n}");
    }
    let own = |n| Asked {
        own: true,
        ..login(&id, T0 + n)
    };
    let mut register = self::register();
    let tokens = (0..200).filter(|n| passes(&register.token("aaa", own(0), T0 + n * 60)));
    assert!(tokens.count() < 25);
    // Established by its age, although it was condemned alone.
    let later = T0 + DAY + 60;
    assert_eq!(register.token("aaa", own(0), later), Sighting::Exempt);
    // With another of its look, neither is.
    assert!(passes(&register.make("aaa", None, later)));
    assert!(passes(&register.make("aaa1", None, later)));
    let tokens = (0..200).filter(|n| passes(&register.token("aaa", own(0), later + n * 60)));
    assert!(tokens.count() <= 4);
}

/// What is held against a look is forgotten last: so the mark must go with the cluster.
#[test]
fn a_look_is_free_once_its_condemnation_on_another_gate_is_forgotten() {
    let mut other_gate = register();
    for _ in 0..8 {
        other_gate.make("aaa", None, T0);
    }
    let first = other_gate.cluster(1).expect("condemned").clone();
    let mut register = register();
    for number in 1..=CLUSTERS as u64 + 1 {
        register.adopt(Cluster {
            id: id(number),
            name: Some(format!("look {number}")),
            ..first.clone()
        });
    }
    let mark = |number: u64| {
        let look = register.looks.peek(&format!("look {number}"));
        look.and_then(|look| look.cluster)
    };
    assert!(register.cluster(1).is_none(), "too many");
    assert_eq!(mark(1), None);
    assert_eq!(mark(2), Some(2));
}

/// So an attacker who has looks condemned by the thousand frees those that are free soonest anyway.
#[test]
fn what_runs_out_soonest_is_forgotten_first() {
    let mut register = register();
    let condemn = |register: &mut Apps, name| while passes(&register.make(name, None, T0)) {};
    condemn(&mut register, "aaa");
    let first = register.cluster(1).expect("condemned").clone();
    let like_it = |number, until| Cluster {
        id: id(number),
        name: Some(format!("look {number}")),
        until,
        ..first.clone()
    };
    let room = CLUSTERS as u64;
    for number in 2..=room {
        register.adopt(like_it(number, first.until + 2));
    }
    register.contain(1, true);
    register.release(3, T0, "a mistake");
    let held = |register: &Apps, number| register.cluster(number).is_some();
    assert!((1..=room).all(|number| held(&register, number)), "they fit");
    // What comes stays, though it runs out first; and what contains tokens.
    condemn(&mut register, "bbb");
    assert!(held(&register, room + 1) && !held(&register, 2));
    register.adopt(like_it(room + 2, first.until - 60));
    assert!(held(&register, room + 2) && !held(&register, room + 1));
    condemn(&mut register, "ccc");
    assert!(held(&register, room + 3) && !held(&register, room + 2));
    assert!(
        held(&register, 1) && held(&register, 3),
        "the release is remembered"
    );
    assert_eq!(register.clusters().len(), CLUSTERS);
    // A disk may hold more of them.
    let kept = (1..=room + 10).map(|number| like_it(number, first.until + number as i64));
    let restored = Apps::restore(Tuning::default(), kept);
    assert!((11..=room + 10).all(|number| held(&restored, number)));
    assert_eq!(restored.clusters().len(), CLUSTERS);
}

#[test]
fn the_mark_of_a_condemnation_goes_when_it_is_held_against_nobody() {
    let mut register = register();
    for _ in 0..8 {
        register.make("aaa", None, T0);
    }
    let until = register.cluster(1).expect("condemned").until;
    let mark = |register: &Apps| register.looks.peek("aaa").and_then(|look| look.cluster);
    register.let_run_out(until + 29 * DAY);
    assert_eq!(mark(&register), Some(1), "it comes back sooner for a month");
    register.let_run_out(until + 31 * DAY);
    assert_eq!(mark(&register), None);
    assert!(register.cluster(1).is_some(), "the record stays");
}
