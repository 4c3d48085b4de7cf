//! The register as a whole: volume, evidence, hysteresis, restart.

use proptest::prelude::*;

use super::*;
use crate::app::ClientId;
use crate::cluster::{ClusterId, ClusterKind, Suspect};
use crate::mailbox::Domain;

/// A midnight.
const T0: i64 = 1_700_006_400;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

fn upto(highest: Step) -> Settings {
    Settings {
        highest,
        ..Settings::default()
    }
}

/// `each` accounts every minute for `minutes` from `from`; the highest step met.
fn flood(wave: &mut Wave, from: i64, minutes: i64, each: u32, clusters: &[Cluster]) -> Step {
    let settings = upto(Step::Closed);
    let mut highest = Step::Normal;
    for minute in 0..minutes {
        let now = from + minute * MINUTE;
        wave.count(&Counts {
            at: now,
            of: [each, 0, 0, 0],
        });
        look(wave, now, &settings, clusters);
        highest = highest.max(wave.step());
    }
    highest
}

fn look(wave: &mut Wave, now: i64, settings: &Settings, clusters: &[Cluster]) -> Option<Move> {
    let evidence = wave.weigh(now, clusters.iter(), true);
    wave.look(now, settings, &evidence)
}

/// A week of `each` accounts an hour.
fn taught(each: u32) -> Wave {
    let mut wave = Wave::default();
    for hour in 0..7 * 24 {
        let at = T0 - (7 * 24 - hour) * HOUR;
        wave.count(&Counts {
            at,
            of: [each, each, each, 0],
        });
    }
    wave.count(&Counts { at: T0, of: [0; 4] });
    wave
}

/// Clusters that were condemned at `opened`, each of so many confirmed accounts let in a minute before.
fn condemned(count: u64, of: usize, opened: i64) -> Vec<Cluster> {
    let suspect = |number: u64, at: usize| Suspect {
        domain: Domain::new(&format!("d{number}-{at}.example")).ok(),
        ..Suspect::at(opened - MINUTE)
    };
    let one = |number: u64| Cluster {
        suspects: (0..of).map(|at| suspect(number, at)).collect(),
        confirmed: of as u32,
        ..Cluster::opened(
            ClusterId {
                kind: ClusterKind::Mail,
                number: number + opened.unsigned_abs(),
            },
            opened - DAY,
            opened,
            opened + DAY,
        )
    };
    (0..count).map(one).collect()
}

#[test]
fn the_normal_of_an_hour_is_learned_and_cold_starts_are_patient() {
    let mut cold = Wave::default();
    assert_eq!(flood(&mut cold, T0, 60, 1, &[]), Step::Normal, "60 an hour");
    let mut busy = taught(600);
    assert_eq!(flood(&mut busy, T0, 60, 10, &[]), Step::Normal);
    let mut quiet = taught(2);
    assert_eq!(flood(&mut quiet, T0, 60, 1, &[]), Step::Tighten);
    let standing = quiet.standing(T0 + HOUR, Mode::Enforce);
    let rate = standing.rates.first().expect("accounts");
    assert!((1.0..6.0).contains(&rate.normal[1]), "{rate:?}");
    assert!(standing.learned >= 7 * 24 - 1);
}

#[test]
fn a_day_and_a_night_are_told_apart() {
    let mut wave = Wave::default();
    for hour in 0..21 * 24_i64 {
        let day = (8..20).contains(&(hour % 24));
        let at = T0 + hour * HOUR;
        wave.count(&Counts {
            at,
            of: [if day { 100 } else { 2 }, 0, 0, 0],
        });
    }
    let expected = |hour: i64| {
        let hour = (T0 + 21 * DAY) / HOUR + hour;
        wave.normal.expected(Kind::SignUp, hour, &Tuning::default())
    };
    assert!(expected(12) > 80.0 && expected(2) < 15.0);
}

#[test]
fn one_hour_teaches_a_few_times_its_normal_at_most() {
    let mut wave = taught(10);
    wave.count(&Counts {
        at: T0 + 10,
        of: [1_000_000, 0, 0, 0],
    });
    wave.count(&Counts {
        at: T0 + HOUR,
        of: [0; 4],
    });
    let hour = (T0 + 7 * DAY) / HOUR;
    let after = wave.normal.expected(Kind::SignUp, hour, &Tuning::default());
    assert!(after < 40.0, "{after}");
}

proptest! {
    /// Whatever comes, and however unevenly: without condemnations there is no step 2.
    #[test]
    fn volume_alone_never_passes_step_one(
        acts in prop::collection::vec((0_i64..7200, prop::array::uniform4(0_u32..100_000)), 1..200),
        known: bool,
    ) {
        let mut wave = taught(3);
        let mut now = T0;
        for (later, of) in acts {
            now += later;
            wave.count(&Counts { at: now, of });
            for each in 0..of[0].min(3) {
                wave.signed_up(Newcomer {
                    at: now,
                    app: Some(ClientId::new(&each.to_string())),
                    condemned: false,
                });
            }
            let evidence = wave.weigh(now, std::iter::empty(), known);
            wave.look(now, &upto(Step::Closed), &evidence);
            prop_assert!(wave.step() <= Step::Tighten);
        }
    }
}

proptest! {
    // Each case lives through one or two days, look by look.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the evidence: steps 2 and above last at most the set time of a
    /// day by themselves, 3 and above a quarter of it, but for one look.
    #[test]
    fn no_evidence_holds_it_up_for_longer_than_the_set_time(
        rounds in prop::collection::vec((1_u64..30, 1_usize..20, any::<bool>()), 300..600),
        longest in 1_u64..8,
    ) {
        let settings = Settings {
            longest: Duration::from_secs(longest * 3600),
            ..upto(Step::Closed)
        };
        let (mut wave, mut clusters) = (taught(3), Vec::new());
        let mut steps = Vec::new();
        for (minute, (count, of, more)) in rounds.into_iter().enumerate() {
            let now = T0 + minute as i64 * 5 * MINUTE;
            if more {
                clusters = condemned(count, of, now);
            }
            wave.count(&Counts { at: now, of: [500, 0, 0, 90] });
            look(&mut wave, now, &settings, &clusters);
            steps.push(wave.step());
        }
        let looks = |least: Step| steps.iter().filter(|step| **step >= least).count() as u64;
        // Two days at most are lived through here.
        let days = (steps.len() as u64 * 5).div_ceil(24 * 60);
        prop_assert!(looks(Step::Known) * 5 <= days * (longest * 60 + 5));
        prop_assert!(looks(Step::WebOnly) * 5 <= days * (longest * 15 + 5));
    }
}

#[test]
fn evidence_raises_it_and_silence_brings_it_down_slowly() {
    let mut wave = taught(2);
    flood(&mut wave, T0, 20, 5, &[]);
    assert_eq!(wave.step(), Step::Tighten);
    let few = condemned(3, 12, T0 + 20 * MINUTE);
    flood(&mut wave, T0 + 20 * MINUTE, 10, 5, &few);
    assert_eq!(wave.step(), Step::Tighten, "three servers are no wave");
    let many = condemned(9, 6, T0 + 30 * MINUTE);
    assert_eq!(flood(&mut wave, T0 + 30 * MINUTE, 5, 5, &many), Step::Known);
    let at = T0 + 35 * MINUTE;
    // The same evidence, and more volume than ever, change nothing any more.
    let highest = flood(&mut wave, at, 50, 500, &many);
    assert_eq!((wave.step(), highest), (Step::Known, Step::Known));
    let highest = flood(&mut wave, at + 50 * MINUTE, 30, 500, &many);
    assert_eq!((wave.step(), highest), (Step::Tighten, Step::Known));
    flood(&mut wave, at + 80 * MINUTE, 85, 0, &many);
    assert_eq!(wave.step(), Step::Tighten, "the last hour was not calm");
    flood(&mut wave, at + 165 * MINUTE, 10, 0, &many);
    assert_eq!(wave.step(), Step::Normal);
}

#[test]
fn it_closes_only_by_accounts_let_in_at_the_step_below() {
    let mut wave = taught(2);
    let first = condemned(9, 6, T0 + 15 * MINUTE);
    flood(&mut wave, T0, 20, 5, &first);
    assert_eq!(wave.step(), Step::Known);
    // Condemned later, but let in before the step was taken.
    let mut old = condemned(9, 6, T0 + 25 * MINUTE);
    for suspect in old.iter_mut().flat_map(|one| &mut one.suspects) {
        suspect.at = T0 + 10 * MINUTE;
    }
    flood(&mut wave, T0 + 25 * MINUTE, 15, 5, &old);
    assert_eq!(wave.step(), Step::Known);
    let new = condemned(9, 6, T0 + 42 * MINUTE);
    flood(&mut wave, T0 + 43 * MINUTE, 2, 5, &new);
    assert_eq!(wave.step(), Step::WebOnly);
    let newer = condemned(9, 6, T0 + 58 * MINUTE);
    flood(&mut wave, T0 + 59 * MINUTE, 2, 5, &newer);
    assert_eq!(wave.step(), Step::Closed);
    // By half an hour a step, then by the hour.
    flood(&mut wave, T0 + 61 * MINUTE, 45, 5, &newer);
    assert_eq!(
        wave.step(),
        Step::Known,
        "a quarter of the longest time is over"
    );
}

#[test]
fn nobody_who_confirmed_is_no_evidence_where_that_is_known() {
    let mut typed = condemned(9, 6, T0 + 10 * MINUTE);
    for cluster in &mut typed {
        cluster.confirmed = 0;
    }
    let mut wave = taught(2);
    flood(&mut wave, T0, 30, 5, &typed);
    assert_eq!(wave.step(), Step::Tighten);
    // Where it is not known they may take step 2, never another.
    let mut wave = taught(2);
    for minute in 0..50 {
        let now = T0 + minute * MINUTE;
        wave.count(&Counts::one(Kind::SignUp, now));
        let clusters = condemned(9, 6, now);
        let evidence = wave.weigh(now, clusters.iter(), false);
        wave.look(now, &upto(Step::Closed), &evidence);
    }
    assert_eq!(wave.step(), Step::Known);
}

#[test]
fn an_app_that_is_condemned_counts_by_the_accounts_it_brought() {
    let mut wave = taught(2);
    let mut clusters = condemned(1, 3, T0 + MINUTE);
    let cluster = &mut clusters[0];
    cluster.id.kind = ClusterKind::App;
    for (at, suspect) in cluster.suspects.iter_mut().enumerate() {
        suspect.client_id = Some(ClientId::new(&format!("app{at}")));
    }
    assert_eq!(wave.weigh(T0 + 90, clusters.iter(), false).sign_ups, 0);
    for number in 0..7 {
        wave.signed_up(Newcomer {
            at: T0 + number,
            app: Some(ClientId::new(&format!("app{number}"))),
            condemned: false,
        });
    }
    let evidence = wave.weigh(T0 + 90, clusters.iter(), false);
    assert_eq!((evidence.sign_ups, evidence.clusters), (3, 1));
    assert_eq!(evidence.last, Some(T0 + 2));
}

/// By a rule that only observes, and then by their app: two of one second are two.
#[test]
fn accounts_that_were_condemned_twice_count_once() {
    let mut wave = taught(2);
    let mut clusters = condemned(1, 1, T0 + MINUTE);
    clusters[0].id.kind = ClusterKind::App;
    clusters[0].suspects[0].client_id = Some(ClientId::new("app"));
    for (at, app, condemned) in [
        (0, "app", true),
        (0, "app", true),
        (1, "app", false),
        (2, "other", true),
        (3, "other", false),
    ] {
        let (at, app) = (T0 + at, Some(ClientId::new(app)));
        wave.signed_up(Newcomer { at, app, condemned });
    }
    let evidence = wave.weigh(T0 + 90, clusters.iter(), false);
    assert_eq!((evidence.sign_ups, evidence.clusters), (4, 1));
    assert_eq!(evidence.last, Some(T0 + 2));
    let before = wave.weigh(T0 + 90, [].iter(), false);
    assert_eq!((before.sign_ups, before.clusters), (3, 0));
}

#[test]
fn the_highest_step_is_kept_to() {
    let many = condemned(9, 6, T0 + 10 * MINUTE);
    for highest in [Step::Normal, Step::Tighten] {
        let mut wave = taught(2);
        for minute in 0..30 {
            let now = T0 + minute * MINUTE;
            wave.count(&Counts {
                at: now,
                of: [9, 0, 0, 9],
            });
            look(&mut wave, now, &upto(highest), &many);
        }
        assert_eq!(wave.step(), highest);
        look(&mut wave, T0 + HOUR, &upto(Step::Normal), &many);
        assert_eq!(wave.step(), Step::Normal);
    }
}

#[test]
fn a_pin_holds_until_its_time_or_its_release() {
    let mut wave = taught(2);
    let pin = Pin {
        step: Step::Closed,
        since: T0,
        until: Some(T0 + HOUR),
    };
    let moved = wave.put(T0, Some(pin)).expect("it moves");
    assert_eq!((moved.from, moved.to), (Step::Normal, Step::Closed));
    assert_eq!(wave.put(T0, Some(pin)), None);
    flood(&mut wave, T0, 59, 5, &[]);
    assert_eq!(wave.step(), Step::Closed);
    assert_eq!(wave.wait(T0 + 59 * MINUTE), Duration::from_secs(60));
    flood(&mut wave, T0 + HOUR, 1, 5, &[]);
    assert_eq!(wave.step(), Step::Tighten, "by itself it is there");
    let open = Pin {
        step: Step::Normal,
        until: None,
        ..pin
    };
    wave.put(T0 + HOUR, Some(open));
    flood(&mut wave, T0 + HOUR, 30, 50, &[]);
    assert_eq!(wave.step(), Step::Normal, "held open by hand");
    wave.put(T0 + 2 * HOUR, None);
    assert_eq!(wave.step(), Step::Tighten);
}

#[test]
fn a_restart_changes_nothing_and_teaches_nothing() {
    let mut wave = taught(2);
    let many = condemned(9, 6, T0 + 10 * MINUTE);
    flood(&mut wave, T0, 20, 5, &many);
    let now = T0 + 20 * MINUTE;
    let mut again = Wave::restore(&wave.kept()).expect("its own text");
    assert_eq!(again.step(), Step::Known);
    again.look(now, &upto(Step::Closed), &Evidence::default());
    wave.look(now, &upto(Step::Closed), &Evidence::default());
    let standing = |wave: &Wave| wave.standing(now, Mode::Enforce);
    assert_eq!(standing(&again), standing(&wave));

    // A day without the gate is no day without sign-ups.
    let later = now + DAY;
    let before = again.normal.learned();
    let mut again = Wave::restore(&again.kept()).expect("its own text");
    again.look(later, &upto(Step::Closed), &Evidence::default());
    assert!(again.normal.learned() <= before + 1);
    assert!(wave.kept().len() < 64 << 10, "{}", wave.kept().len());
    assert!(Wave::restore("{}").is_err());
}

#[test]
fn a_clock_that_is_set_forward_teaches_nothing() {
    let mut wave = taught(2);
    let look_at = |wave: &mut Wave, now| {
        wave.watched(now);
        look(wave, now, &upto(Step::Closed), &[]);
    };
    look_at(&mut wave, T0);
    let before = wave.normal.learned();
    for now in [T0 + DAY, T0 + DAY + MINUTE, T0 + MINUTE, T0 + 2 * MINUTE] {
        look_at(&mut wave, now);
        assert_eq!(wave.normal.learned(), before, "at {now}");
    }
    // A quiet night that is watched is one.
    for minute in 2..3 * 60 {
        look_at(&mut wave, T0 + minute * MINUTE);
    }
    assert!((2..=3).contains(&(wave.normal.learned() - before)));
}

#[test]
fn a_clock_that_is_set_back_freezes_nothing() {
    let mut wave = taught(2);
    flood(&mut wave, T0, 20, 5, &condemned(9, 6, T0 + 10 * MINUTE));
    assert_eq!(wave.step(), Step::Known);
    let back = T0 - 30 * DAY;
    flood(&mut wave, back, 240, 0, &[]);
    assert_eq!(wave.step(), Step::Normal);
}

/// Whom step 2 holds back is what its evidence is about.
#[test]
fn fresh_apps_are_held_back_where_apps_were_condemned_or_by_hand() {
    let mut wave = taught(2);
    let servers = condemned(9, 6, T0 + 10 * MINUTE);
    flood(&mut wave, T0, 20, 5, &servers);
    assert_eq!((wave.step(), wave.holds_apps()), (Step::Known, false));
    let app = ClientId::new("aaa1");
    wave.signed_up(Newcomer {
        at: T0 + 21 * MINUTE,
        app: Some(app.clone()),
        condemned: false,
    });
    let mut burst = condemned(1, 1, T0 + 22 * MINUTE);
    burst[0].id.kind = ClusterKind::App;
    burst[0].suspects[0].client_id = Some(app);
    flood(&mut wave, T0 + 23 * MINUTE, 2, 5, &burst);
    assert_eq!((wave.step(), wave.holds_apps()), (Step::Known, true));
    let again = Wave::restore(&wave.kept()).expect("its own text");
    assert!(again.holds_apps(), "after a restart, too");

    let mut by_hand = taught(2);
    assert!(!by_hand.holds_apps());
    let pin = Pin {
        step: Step::Known,
        since: T0,
        until: None,
    };
    by_hand.put(T0, Some(pin));
    assert!(by_hand.holds_apps());
}
