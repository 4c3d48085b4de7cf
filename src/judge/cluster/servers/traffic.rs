//! What else is going on: first sights of fresh domains, and sign-ups at listed
//! providers, by which a rush of people is told from an attack.
//!
//! In a rush everybody is new, so a server may have more fresh domains while
//! there are many elsewhere. But whoever owns the domains owns those elsewhere
//! too; what comes with people and not with bots is the tenfold of sign-ups at
//! listed providers. So fresh domains elsewhere count only up to a share of those.

use std::collections::VecDeque;

use crate::judge::cluster::tuning::{Tuning, seconds};

/// First sights of fresh domains kept to know what is normal.
const FIRST_SIGHTS: usize = 16_384;
/// Sign-ups at listed providers are counted in pieces of this many seconds.
const PIECE: i64 = 600;
const WEEK: i64 = 7 * 86_400;

/// What came lately, whatever its server.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    /// When an unlisted server's domain was first seen, and in which sign-up.
    fresh: VecDeque<(i64, u64)>,
    /// Sign-ups at listed providers, by the number of the piece.
    listed: VecDeque<(i64, f32)>,
}

impl Traffic {
    /// A domain behind an unlisted server was seen for the first time.
    pub(super) fn fresh(&mut self, at: i64, serial: u64) {
        // Nearly always the last; what another gate has counted may come late.
        let place = self.fresh.partition_point(|(earlier, _)| *earlier <= at);
        self.fresh.insert(place, (at, serial));
        if self.fresh.len() > FIRST_SIGHTS {
            self.fresh.pop_front();
        }
    }

    /// It came to nothing.
    pub(super) fn withdraw(&mut self, serial: u64) {
        self.fresh.retain(|(_, other)| *other != serial);
    }

    /// So many signed up at listed providers.
    pub(super) fn listed(&mut self, at: i64, many: f32) {
        let piece = at.div_euclid(PIECE);
        // Nearly always the last; what another gate has counted may come late.
        let place = self.listed.partition_point(|(earlier, _)| *earlier < piece);
        match self.listed.get_mut(place) {
            Some((same, count)) if *same == piece => *count += many,
            Some(_) | None => self.listed.insert(place, (piece, many)),
        }
        let piece = self.listed.back().map_or(piece, |(last, _)| *last);
        while self
            .listed
            .front()
            .is_some_and(|(first, _)| *first < piece - WEEK / PIECE)
        {
            self.listed.pop_front();
        }
    }

    /// Fresh domains that count as elsewhere, for each window.
    pub(super) fn elsewhere(&self, now: i64, tuning: &Tuning) -> [u32; 4] {
        tuning.windows.map(|window| {
            let from = now - seconds(window.span);
            let before = self.fresh.partition_point(|(at, _)| *at < from);
            let fresh = (self.fresh.len() - before) as u32;
            let listed = self.listed.iter().rev();
            let listed = listed.take_while(|(piece, _)| (piece + 1) * PIECE > from);
            let listed: f32 = listed.map(|(_, count)| count).sum();
            fresh.min((tuning.rush_share * listed) as u32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: i64 = 1_545_000_000;

    #[test]
    fn fresh_domains_count_only_beside_people_at_listed_providers() {
        let tuning = Tuning {
            rush_share: 0.5,
            ..Tuning::default()
        };
        let mut traffic = Traffic::default();
        for number in 0..100 {
            traffic.fresh(T0 + number, number as u64);
        }
        assert_eq!(traffic.elsewhere(T0 + 100, &tuning), [0; 4]);
        for number in 0..60 {
            traffic.listed(T0 + number, 1.0);
        }
        assert_eq!(traffic.elsewhere(T0 + 100, &tuning), [30; 4]);
        let later = T0 + 2 * 3600;
        assert_eq!(traffic.elsewhere(later, &tuning), [0, 0, 30, 30]);
        traffic.listed(later, 200.0);
        assert_eq!(traffic.elsewhere(later, &tuning), [0, 0, 100, 100]);
        traffic.withdraw(7);
        assert_eq!(traffic.elsewhere(later, &tuning), [0, 0, 99, 99]);
    }

    /// Other gates tell a little late, and in any order.
    #[test]
    fn what_is_heard_late_counts_where_it_belongs() {
        let tuning = Tuning {
            rush_share: 1.0,
            ..Tuning::default()
        };
        let mut moments: Vec<i64> = (0..40).map(|number| T0 + number * 200).collect();
        let mut orders = vec![moments.clone()];
        moments.reverse();
        orders.push(moments.clone());
        moments.sort_unstable_by_key(|at| at.wrapping_mul(0x9E37_79B9) % 1009);
        orders.push(moments);
        let mut counted = orders.into_iter().map(|order| {
            let mut traffic = Traffic::default();
            for number in 0..1000 {
                traffic.fresh(T0 + 7900, number);
            }
            for at in order {
                traffic.listed(at, 1.0);
            }
            let in_order = traffic
                .listed
                .iter()
                .is_sorted_by(|one, next| one.0 < next.0);
            assert!(in_order, "{:?}", traffic.listed);
            traffic.elsewhere(T0 + 7900, &tuning)
        });
        let [short, hour, day, week] = counted.next().expect("three orders");
        assert!(counted.all(|other| other == [short, hour, day, week]));
        assert_eq!((day, week), (40, 40));
        assert!(short < hour && hour < day, "{short} {hour}");
    }

    #[test]
    fn what_is_heard_of_last_week_takes_nothing_of_this_one_s_place() {
        let mut traffic = Traffic::default();
        for hour in 0..7 * 24 {
            traffic.listed(T0 + hour * 3600, 1.0);
        }
        let before = traffic.listed.clone();
        traffic.listed(T0 - 3 * 7 * 86_400, 5.0);
        assert_eq!(traffic.listed, before);
    }

    #[test]
    fn a_week_is_all_that_is_kept() {
        let mut traffic = Traffic::default();
        for hour in 0..24 * 30 {
            traffic.listed(T0 + hour * 3600, 1.0);
        }
        assert!(traffic.listed.len() <= 7 * 24 + 1);
    }
}
