//! What one batch of the record writes.

use tokio::sync::oneshot;

use super::fresh::MOST;
use super::*;

fn opened() -> (Connection, Book) {
    let connection = Connection::open_in_memory().expect("memory");
    for migration in rows::MIGRATIONS {
        connection.execute_batch(migration).expect("a migration");
    }
    let book = Book {
        fresh: Fresh::default(),
        recorded: 0,
        rows: 0,
        outcomes: 0,
        most: 1_000_000,
        retention: Duration::from_secs(3600),
        flood: Arc::new(Mutex::new(Flood::new(FloodSettings::default()))),
        sweeping: None,
    };
    (connection, book)
}

fn event(second: i64) -> Event {
    let at = Timestamp::from_second(4_000_000_000 + second).expect("in range");
    Event::blank(EventId::random().expect("randomness"), at)
}

fn with(event: &Event, outcome: Outcome) -> Event {
    Event {
        outcome: Some(outcome),
        ..event.clone()
    }
}

fn work(connection: &Connection, book: &mut Book, job: Job) -> Result<(), Fault> {
    book.work(connection, job, &mut Replies::new("test"))
}

fn record(connection: &Connection, book: &mut Book, event: &Event) {
    work(connection, book, Job::Record(Arc::new(event.clone()))).expect("recorded");
}

fn tell(connection: &Connection, book: &mut Book, event: &Event, outcome: Outcome) {
    work(connection, book, Job::Outcome(event.id, outcome)).expect("noted");
}

fn commit(connection: &Connection, book: &mut Book) {
    book.tick(connection).expect("written");
    assert_eq!(book.settled(Batch::Commit), 0);
}

fn ask(connection: &Connection, book: &mut Book, id: EventId) -> Option<Event> {
    let (reply, mut word) = oneshot::channel();
    work(connection, book, Job::Event(id, reply)).expect("read");
    let word = word.try_recv().expect("it answers at once");
    word.expect("it can be read")
}

/// All rows in the order in which they were written.
fn all(connection: &Connection) -> Vec<Event> {
    let filter = Filter {
        onward: Some(Onward::Start),
        limit: usize::MAX,
        ..Filter::default()
    };
    let numbers = "SELECT number FROM events ORDER BY at, id";
    let mut query = connection.prepare(numbers).expect("prepared");
    let numbers = query.query_map([], |row| row.get::<_, i64>(0));
    let numbers: Vec<i64> = numbers
        .and_then(Iterator::collect)
        .expect("numbers of the rows");
    assert!(numbers.is_sorted(), "not in their order: {numbers:?}");
    rows::select(connection, &filter).expect("read")
}

#[test]
fn an_outcome_is_kept_whether_it_comes_in_the_same_batch_or_in_the_next() {
    let (file, mut book) = opened();
    let (same, next, never) = (event(1), event(2), event(3));
    for event in [&same, &next, &never] {
        record(&file, &mut book, event);
    }
    tell(&file, &mut book, &same, Outcome::Fail);
    tell(&file, &mut book, &same, Outcome::Create);
    assert_eq!(all(&file), [], "it waits for the commit");
    commit(&file, &mut book);
    let same = with(&same, Outcome::Create);
    assert_eq!(all(&file), [same.clone(), next.clone(), never.clone()]);
    tell(&file, &mut book, &next, Outcome::Unclear);
    commit(&file, &mut book);
    let next = with(&next, Outcome::Unclear);
    assert_eq!(all(&file), [same, next, never]);
}

#[test]
fn who_asks_in_between_is_told_what_is_known_so_far() {
    let (file, mut book) = opened();
    let one = event(1);
    record(&file, &mut book, &one);
    assert_eq!(ask(&file, &mut book, one.id), Some(one.clone()));
    tell(&file, &mut book, &one, Outcome::Create);
    let told = with(&one, Outcome::Create);
    assert_eq!(ask(&file, &mut book, one.id), Some(told.clone()));
    let other = event(2);
    record(&file, &mut book, &other);
    tell(&file, &mut book, &other, Outcome::Fail);
    let fails = with(&other, Outcome::Fail);
    assert_eq!(ask(&file, &mut book, other.id), Some(fails.clone()));
    commit(&file, &mut book);
    assert_eq!(all(&file), [told, fails]);
}

#[test]
fn few_wait_in_memory_however_many_come() {
    let (file, mut book) = opened();
    let events: Vec<Event> = (0..2 * MOST as i64).map(event).collect();
    for event in &events {
        record(&file, &mut book, event);
        let written = rows::count(&file).expect("counted");
        assert!(book.rows - written <= MOST as u64);
    }
    for event in &events {
        tell(&file, &mut book, event, Outcome::Create);
    }
    commit(&file, &mut book);
    let expected = events.iter().map(|event| with(event, Outcome::Create));
    assert_eq!(all(&file), expected.collect::<Vec<_>>());
}

#[test]
fn what_a_failed_batch_loses_is_counted_and_does_not_come_back() {
    let (file, mut book) = opened();
    let (lost, kept) = (event(1), event(2));
    record(&file, &mut book, &lost);
    tell(&file, &mut book, &lost, Outcome::Create);
    let forbid = |on: bool| {
        file.pragma_update(None, "query_only", on).expect("said");
    };
    forbid(true);
    book.tick(&file).expect_err("it may not write");
    assert_eq!(book.settled(Batch::TakeBack), 2);
    assert_eq!(book.rows, 0);
    forbid(false);
    record(&file, &mut book, &kept);
    commit(&file, &mut book);
    assert_eq!(all(&file), [kept]);
}

#[test]
fn who_asks_while_nothing_can_be_written_is_told_so() {
    let (file, mut book) = opened();
    let lost = event(1);
    record(&file, &mut book, &lost);
    file.pragma_update(None, "query_only", true).expect("said");
    let (reply, mut word) = oneshot::channel();
    work(&file, &mut book, Job::Event(lost.id, reply)).expect_err("the batch is lost");
    assert!(word.try_recv().expect("it answers at once").is_err());
    assert_eq!(book.settled(Batch::TakeBack), 1);
    // From now on what is on the disk is read.
    assert_eq!(ask(&file, &mut book, lost.id), None);
}

#[test]
fn what_is_on_the_disk_is_read_while_nothing_can_be_written() {
    let (file, mut book) = opened();
    let (kept, lost) = (event(1), event(2));
    record(&file, &mut book, &kept);
    commit(&file, &mut book);
    record(&file, &mut book, &lost);
    file.pragma_update(None, "query_only", true).expect("said");
    let (reply, mut word) = oneshot::channel();
    work(&file, &mut book, Job::Event(kept.id, reply)).expect_err("the batch is lost");
    let read = word.try_recv().expect("it answers at once");
    assert_eq!(read.expect("it was read"), Some(kept));
    assert_eq!(book.settled(Batch::TakeBack), 1);
}

#[test]
fn a_sweep_sees_what_was_recorded_before_it() {
    let (file, mut book) = opened();
    let old = event(0);
    let now = old.at.checked_add(Duration::from_secs(7200));
    record(&file, &mut book, &old);
    let (reply, _word) = oneshot::channel();
    work(&file, &mut book, Job::Sweep(now.expect("in range"), reply)).expect("swept");
    commit(&file, &mut book);
    assert_eq!(all(&file), []);
    assert_eq!(book.rows, 0);
}
