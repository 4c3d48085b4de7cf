//! What a moderator reads of a condemnation: which bar, why it is lower, until when.

use super::*;
use crate::judge::cluster::words::time;

fn bots_elsewhere(number: i64) -> (String, String, String) {
    let name = format!("other{number}.example");
    (name, "mx.others.example".into(), "203.0.113.7".into())
}

#[test]
fn the_evidence_says_which_bar_why_it_is_lower_and_until_when() {
    let evidence = |register: &Servers, number: u64| {
        let cluster = register.cluster(number).expect("condemned");
        (cluster.opened, cluster.evidence.clone())
    };
    let mut register = register();
    wave(&mut register, T0, 40, bots_of_2018);
    let (opened, plain) = evidence(&register, 1);
    assert_eq!(
        plain,
        "5 new domains and 5 sign-ups with them through mx.bots.example within 10 min, \
         5 domains in all: score 5.0, condemned from 4.5"
    );
    wave(&mut register, T0 + 3000, 40, bots_elsewhere);
    let (_, alerted) = evidence(&register, 2);
    let until = time(opened + DAY);
    let why = format!("condemned from 3.0 (usually 4.5; lower until {until}: for 1 d after M1)");
    assert!(alerted.ends_with(&why), "{alerted}");

    let later = T0 + 2 * 3600;
    let more = |n| {
        let name = format!("late{n}.example");
        (name, "mx.bots.example".into(), "198.51.100.7".into())
    };
    wave(&mut register, later, 3, more);
    let ran_out = register.cluster(1).expect("condemned").until;
    let (_, again) = evidence(&register, 3);
    let until = time(ran_out + 30 * DAY);
    let why = format!("(usually 4.5; lower until {until}: for 30 d after M1 of the same server)");
    assert!(again.ends_with(&why), "{again}");
}

#[test]
fn the_evidence_says_that_accounts_were_reported() {
    let mut register = register();
    wave(&mut register, T0, 2, bots_of_2018);
    let key = crate::secret::HashKey::new(&[7; 32]);
    for person in 0..2_u8 {
        let by = key.hash(crate::secret::Purpose::Token, &[&[person]]);
        let target = i64::from(person);
        register.hear_report(&domain("bot0.example"), by, target, T0 + 100);
    }
    wave(&mut register, T0 + 120, 40, |n| bots_of_2018(n + 2));
    let evidence = &register.cluster(1).expect("condemned").evidence;
    let why = "condemned from 3.0 (usually 4.5; lower for 7 d after each report: \
               2 people reported 2 accounts behind it)";
    assert!(evidence.ends_with(why), "{evidence}");
}
