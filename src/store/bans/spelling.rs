//! The one spelling of what a ban is about.
//!
//! A network can be written in many ways, of which `198.51.100.7/24` is one and
//! `::ffff:198.51.100.0/120` another. What is written down is found by its text,
//! so there is one text for each. Earlier releases kept networks of IPv4-mapped
//! addresses as they were typed; such rows are written anew when the file is opened.

use jiff::Timestamp;
use rusqlite::Connection;

use super::changes::{self, Entry, Merged};
use super::rows;
use crate::ban::Subject;
use crate::lists;

/// `subject` as it is written down and looked for.
pub(super) fn canonical(subject: Subject) -> Subject {
    match subject {
        Subject::Network(network) => Subject::Network(lists::canonical(network)),
        other => other,
    }
}

/// Writes rows of earlier releases anew. Of two rows that were about one network
/// the later word holds, as between two gates; the number of an entry stays.
pub(super) fn mend(connection: &Connection) -> rusqlite::Result<()> {
    let (bans, lifted) = (
        misspelt(connection, "bans")?,
        misspelt(connection, "lifted")?,
    );
    if bans.is_empty() && lifted.is_empty() {
        return Ok(());
    }
    let now = Timestamp::now();
    let all_or_none = connection.unchecked_transaction()?;
    for id in bans {
        for (id, stamp, ban) in rows::after(connection, id - 1, 1)? {
            let Some(ban) = ban else { continue };
            connection.execute("DELETE FROM bans WHERE id = ?1", [id])?;
            let entry = Entry {
                subject: ban.subject.clone(),
                effect: ban.effect,
                stamp,
                ban: Some(ban),
            };
            if let Merged::Put(ban) = changes::merge(connection, entry, now)? {
                let numbers = [id, ban.id.cast_signed()];
                connection.execute("UPDATE bans SET id = ?1 WHERE id = ?2", numbers)?;
            }
        }
    }
    for id in lifted {
        for (id, entry) in rows::lifted_after(connection, id - 1, 1)? {
            let Some(entry) = entry else { continue };
            connection.execute("DELETE FROM lifted WHERE id = ?1", [id])?;
            changes::merge(connection, entry, now)?;
        }
    }
    all_or_none.commit()
}

/// Numbers of the rows about IPv4-mapped addresses. Nothing else is written with both
/// this beginning and a dot.
fn misspelt(connection: &Connection, table: &str) -> rusqlite::Result<Vec<i64>> {
    connection
        .prepare(&format!(
            "SELECT id FROM {table} WHERE kind = 'network' AND value GLOB '::ffff:*.*'"
        ))?
        .query_map([], |row| row.get(0))?
        .collect()
}

#[cfg(test)]
mod tests {
    use rusqlite::params;

    use super::*;
    use crate::ban::{Effect, Scopes};

    const TYPED: &str = "::ffff:45.9.9.0/120";
    const SPELT: &str = "45.9.9.0/24";

    fn network(text: &str) -> Subject {
        Subject::Network(text.parse().expect("a network"))
    }

    fn earlier_release() -> Connection {
        let connection = Connection::open_in_memory().expect("memory");
        for migration in rows::MIGRATIONS {
            connection.execute_batch(migration).expect("a schema");
        }
        connection
    }

    fn write(connection: &Connection, id: i64, value: &str, stamp: i64) {
        connection
            .execute(
                "INSERT INTO bans VALUES (?1, 'network', ?2, 'ban', 1, 1, 0, '', 'test', 0, NULL, ?3)",
                params![id, value, stamp],
            )
            .expect("a row");
    }

    fn write_lifted(connection: &Connection, value: &str, stamp: i64) {
        connection
            .execute(
                "INSERT INTO lifted (kind, value, effect, stamp) VALUES ('network', ?1, 'ban', ?2)",
                params![value, stamp],
            )
            .expect("a row");
    }

    fn texts(connection: &Connection, table: &str) -> Vec<String> {
        let mut query = connection
            .prepare(&format!("SELECT value FROM {table} ORDER BY id"))
            .expect("a query");
        let rows = query.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    }

    #[test]
    fn an_old_row_is_found_and_undone_by_either_spelling() {
        for asked in [TYPED, SPELT] {
            let connection = earlier_release();
            write(&connection, 7, TYPED, 1);
            // No mapped addresses, for all their beginning.
            write(&connection, 8, "::ffff:0/112", 1);
            mend(&connection).expect("mended");
            assert_eq!(texts(&connection, "bans"), [SPELT, "::ffff:0/112"]);
            let gone = rows::take(&connection, &network(asked), Effect::Ban).expect("a look");
            let gone = gone.expect("it was there");
            assert_eq!((gone.id, gone.subject), (7, network(SPELT)));
            assert_eq!(texts(&connection, "lifted"), [SPELT]);
        }
    }

    #[test]
    fn of_two_rows_on_one_network_the_later_word_holds() {
        let now = Timestamp::now().as_microsecond();
        for (old, other, lifted, left) in [
            (now, Some(now - 5), None, vec![7]),
            (now - 5, Some(now), None, vec![9]),
            (now, None, Some(now - 5), vec![7]),
            (now - 5, None, Some(now), vec![]),
        ] {
            let connection = earlier_release();
            write(&connection, 7, TYPED, old);
            if let Some(stamp) = other {
                write(&connection, 9, SPELT, stamp);
            }
            if let Some(stamp) = lifted {
                write_lifted(&connection, SPELT, stamp);
            }
            mend(&connection).expect("mended");
            let bans = rows::all(&connection).expect("rows");
            let ids: Vec<u64> = bans.iter().map(|ban| ban.id).collect();
            assert_eq!(ids, left, "{old} {other:?} {lifted:?}");
            assert!(bans.iter().all(|ban| ban.subject == network(SPELT)));
            let stones = texts(&connection, "lifted");
            assert_eq!(stones.is_empty(), !left.is_empty(), "{stones:?}");
        }
    }

    #[test]
    fn an_old_tombstone_is_one_of_the_network() {
        let connection = earlier_release();
        let now = Timestamp::now().as_microsecond();
        write(&connection, 7, SPELT, now - 5);
        write_lifted(&connection, TYPED, now);
        mend(&connection).expect("mended");
        assert!(texts(&connection, "bans").is_empty());
        assert_eq!(texts(&connection, "lifted"), [SPELT]);
    }

    #[test]
    fn an_entry_of_another_node_is_taken_as_it_is_spelt_here() {
        let connection = earlier_release();
        write(&connection, 7, SPELT, 5);
        let typed = |stamp, ban| Entry {
            subject: network(TYPED),
            effect: Effect::Ban,
            stamp,
            ban,
        };
        let ban = crate::ban::Ban {
            id: 3,
            subject: network(TYPED),
            effect: Effect::Ban,
            scopes: Scopes::ALL,
            reason: String::new(),
            source: "test".into(),
            created: Timestamp::UNIX_EPOCH,
            expires: None,
        };
        let now = Timestamp::now();
        let stamp = now.as_microsecond();
        assert!(typed(stamp, None).is_misspelt());
        assert!(!typed(stamp, None).canonical().is_misspelt());
        changes::merge(&connection, typed(stamp, Some(ban)), now).expect("merged");
        let bans = rows::all(&connection).expect("rows");
        assert_eq!(bans.len(), 1, "{bans:?}");
        assert_eq!(
            (&bans[0].subject, bans[0].scopes),
            (&network(SPELT), Scopes::ALL)
        );
        changes::merge(&connection, typed(stamp + 1, None), now).expect("merged");
        assert!(texts(&connection, "bans").is_empty());
    }
}
