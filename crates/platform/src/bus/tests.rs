//! The bus, on both engines.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::atomic::{AtomicI64, Ordering},
};

use contract::{TitleId, events::EventBody};
use sqlx::migrate::Migrator;

use super::*;
use crate::{
    Inputs, Migrations, on,
    test_support::{self, TestDatabase},
};

const NONE: Migrations = Migrations {
    sqlite: Migrator {
        migrations: Cow::Borrowed(&[]),
        ..Migrator::DEFAULT
    },
    postgres: Migrator {
        migrations: Cow::Borrowed(&[]),
        ..Migrator::DEFAULT
    },
};

/// Writes down what it was given; fails at some titles.
#[derive(Default)]
struct Recorder {
    seen: Mutex<Vec<i64>>,
    calls: Mutex<Vec<usize>>,
    fails_at: HashSet<i64>,
    /// Fails so often, then no more.
    failures_left: AtomicI64,
    panics: bool,
    /// Fails because a part is not there.
    outage: bool,
}

impl Recorder {
    fn seen(&self) -> Vec<i64> {
        self.seen.lock().unwrap().clone()
    }
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
        self.calls.lock().unwrap().push(events.len());
        let titles: Vec<i64> = events.iter().map(title_of).collect();
        if titles.iter().any(|title| self.fails_at.contains(title)) {
            let left = self.failures_left.fetch_sub(1, Ordering::AcqRel);
            assert!(left <= 0 || !self.panics, "as asked");
            if left > 0 && self.outage {
                return Err(contract::activity::ActivityError::from(Fault::StorageFull("as asked".into())).into());
            }
            anyhow::ensure!(left <= 0, "not this one");
        }
        self.seen.lock().unwrap().extend(titles);
        Ok(())
    }
}

fn title_of(event: &Event) -> i64 {
    match event.body {
        EventBody::TitleDeleted { title } => title.0,
        ref other => panic!("{other:?}"),
    }
}

fn quick() -> Settings {
    Settings {
        poll: Duration::from_millis(5),
        backoff_min: Duration::from_millis(1),
        backoff_max: Duration::from_millis(2),
        attempts_max: 4,
        ..Settings::default()
    }
}

/// A room with a bus; several can stand on one database, as processes do.
struct Room {
    db: Db,
    bus: Arc<Bus>,
    inputs: Inputs,
}

impl Room {
    async fn open(database: &TestDatabase, seed: u64) -> Self {
        let (inputs, _) = Inputs::manual(seed);
        let db = database.open("room", &NONE).await;
        let bus = Bus::with_settings(inputs.clock.clone(), quick());
        bus.attach(&db).await.unwrap();
        Self { db, bus, inputs }
    }

    async fn tell(&self, titles: impl IntoIterator<Item = i64>) {
        for title in titles {
            let mut tx = self.db.begin().await.unwrap();
            let event = self.inputs.event(EventBody::TitleDeleted { title: TitleId(title) });
            outbox::append(&mut tx, &event).await.unwrap();
            tx.commit().await.unwrap();
        }
    }

    async fn subscribe(&self, delivery: Delivery, recorder: &Arc<Recorder>) {
        self.bus.subscribe("test", delivery, recorder.clone()).await.unwrap();
    }

    /// Everything told has been taken, and that was at least so much.
    async fn until_seen(&self, recorder: &Recorder, count: usize) {
        self.bus.settle().await.unwrap();
        let seen = recorder.seen();
        assert!(seen.len() >= count, "{seen:?}");
    }
}

#[tokio::test]
async fn a_durable_subscriber_gets_everything_in_order_across_restarts() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell(1..=300).await;
        let before = Arc::new(Recorder::default());
        room.subscribe(Delivery::Durable, &before).await;
        room.until_seen(&before, 300).await;
        assert_eq!(before.seen(), (1..=300).collect::<Vec<_>>(), "{}", database.name);
        room.bus.shutdown().await;
        room.tell(301..=303).await;

        let room = Room::open(&database, 2).await;
        let after = Arc::new(Recorder::default());
        room.subscribe(Delivery::Durable, &after).await;
        room.tell([304]).await;
        room.until_seen(&after, 4).await;
        assert_eq!(after.seen(), [301, 302, 303, 304], "{}", database.name);
        room.bus.shutdown().await;
    }
}

#[tokio::test]
async fn an_ephemeral_subscriber_begins_now() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell(1..=3).await;
        while outbox::read(&room.db, Position::START, 9).await.unwrap().len() < 3 {
            tokio::task::yield_now().await;
        }
        let recorder = Arc::new(Recorder::default());
        room.subscribe(Delivery::Ephemeral, &recorder).await;
        room.tell([4, 5]).await;
        room.until_seen(&recorder, 2).await;
        assert_eq!(recorder.seen(), [4, 5], "{}", database.name);
        assert_eq!(outbox::cursor(&room.db, "test").await.unwrap(), None);
        room.bus.shutdown().await;
    }
}

#[tokio::test]
async fn what_another_process_wrote_arrives() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        let recorder = Arc::new(Recorder::default());
        room.subscribe(Delivery::Ephemeral, &recorder).await;
        let command = Room::open(&database, 2).await;
        command.tell([7]).await;
        room.until_seen(&recorder, 1).await;
        assert_eq!(recorder.seen(), [7], "{}", database.name);
    }
}

#[tokio::test]
async fn a_failing_subscriber_is_asked_again_and_nothing_is_lost() {
    for panics in [false, true] {
        for database in test_support::databases().await {
            let room = Room::open(&database, 1).await;
            room.tell(1..=5).await;
            let failures_left = AtomicI64::new(3);
            let recorder = Arc::new(Recorder {
                fails_at: [3].into(),
                failures_left,
                panics,
                ..Recorder::default()
            });
            room.subscribe(Delivery::Durable, &recorder).await;
            room.until_seen(&recorder, 5).await;
            assert_eq!(recorder.seen(), [1, 2, 3, 4, 5], "{}", database.name);
            assert_eq!(outbox::parked(&room.db, 10).await.unwrap(), []);
            room.bus.shutdown().await;
        }
    }
}

#[tokio::test]
async fn a_fact_that_always_fails_is_put_aside_and_the_others_go_on() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell(1..=5).await;
        let failures_left = AtomicI64::new(i64::MAX);
        let recorder = Arc::new(Recorder {
            fails_at: [3].into(),
            failures_left,
            ..Recorder::default()
        });
        room.subscribe(Delivery::Durable, &recorder).await;
        room.until_seen(&recorder, 4).await;
        room.bus.shutdown().await;
        assert_eq!(recorder.seen(), [1, 2, 4, 5], "{}", database.name);
        let parked = outbox::parked(&room.db, 10).await.unwrap();
        assert_eq!(parked.len(), 1);
        assert_eq!((parked[0].0.as_str(), parked[0].2.as_str()), ("test", "not this one"));
        let alone = recorder.calls.lock().unwrap().iter().filter(|&&size| size == 1).count();
        assert!(alone >= quick().attempts_max as usize, "{}: {alone}", database.name);
    }
}

#[tokio::test]
async fn an_outage_puts_no_fact_aside() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell(1..=5).await;
        let recorder = Arc::new(Recorder {
            fails_at: [3].into(),
            failures_left: AtomicI64::new(20),
            outage: true,
            ..Recorder::default()
        });
        room.subscribe(Delivery::Durable, &recorder).await;
        room.until_seen(&recorder, 5).await;
        room.bus.shutdown().await;
        assert_eq!(recorder.seen(), [1, 2, 3, 4, 5], "{}", database.name);
        assert!(outbox::parked(&room.db, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_fact_of_a_later_version_is_put_aside() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        room.tell([1]).await;
        on!(room.db.writer(), pool => sqlx::query("INSERT INTO outbox (id, at, body) VALUES (5, 1, '{\"type\":\"not_yet\"}')")
            .execute(pool).await.map(drop))
        .unwrap();
        room.tell([2]).await;
        let recorder = Arc::new(Recorder::default());
        room.subscribe(Delivery::Durable, &recorder).await;
        room.until_seen(&recorder, 2).await;
        assert_eq!(recorder.seen(), [1, 2], "{}", database.name);
        assert_eq!(outbox::parked(&room.db, 10).await.unwrap()[0].1, 5);
        room.bus.shutdown().await;
    }
}

/// Many writers in two processes, some of whom roll back: every committed fact arrives once, each writer's in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_skipped_or_repeated_under_concurrent_commits() {
    for database in test_support::databases().await {
        let room = Room::open(&database, 1).await;
        let recorder = Arc::new(Recorder::default());
        room.subscribe(Delivery::Durable, &recorder).await;
        let other = Room::open(&database, 2).await;
        let writers = (0..8_i64).map(|writer| {
            let (db, inputs) = if writer % 2 == 0 {
                (room.db.clone(), room.inputs.clone())
            } else {
                (other.db.clone(), other.inputs.clone())
            };
            tokio::spawn(async move {
                for number in 0..25 {
                    let mut tx = db.begin().await.unwrap();
                    let event = inputs.event(EventBody::TitleDeleted {
                        title: TitleId(writer * 100 + number),
                    });
                    outbox::append(&mut tx, &event).await.unwrap();
                    tokio::task::yield_now().await;
                    if number % 5 == 4 {
                        tx.rollback().await.unwrap()
                    } else {
                        tx.commit().await.unwrap()
                    }
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        room.until_seen(&recorder, 160).await;
        let seen = recorder.seen();
        for writer in 0..8 {
            let of_writer: Vec<_> = seen
                .iter()
                .filter(|title| **title / 100 == writer)
                .map(|title| title % 100)
                .collect();
            let committed: Vec<_> = (0..25).filter(|number| number % 5 != 4).collect();
            assert_eq!(of_writer, committed, "{}: writer {writer}", database.name);
        }
    }
}

/// A process that dies has handed over facts without noting how far it came: they come again, and count once.
#[test]
fn an_effect_happens_once_although_a_process_dies_before_it_notes_its_place() {
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    for database in runtime().block_on(test_support::databases()) {
        for seed in 1..=3 {
            let dying = runtime();
            dying.block_on(async {
                let (inputs, _) = Inputs::manual(seed);
                let db = database.open("room", &NONE).await;
                let never = Settings {
                    save_every: Duration::from_secs(3600),
                    ..quick()
                };
                let bus = Bus::with_settings(inputs.clock.clone(), never);
                let room = Room { db, bus, inputs };
                room.bus.attach(&room.db).await.unwrap();
                room.tell((1..=10).map(|number| seed as i64 * 100 + number)).await;
                let counting = Arc::new(Counting {
                    db: room.db.clone(),
                    seen: Recorder::default(),
                });
                room.bus
                    .subscribe("test", Delivery::Durable, counting.clone())
                    .await
                    .unwrap();
                room.until_seen(&counting.seen, seed as usize * 10).await;
            });
            // Dropped in the middle of everything, as a kill would.
            dying.shutdown_background();
        }
        runtime().block_on(async {
            let db = database.open("room", &NONE).await;
            let sql = "SELECT COUNT(*), COUNT(DISTINCT subject) FROM jobs";
            let counted: (i64, i64) = on!(db, pool => sqlx::query_as(sql).fetch_one(pool).await).unwrap();
            assert_eq!(counted, (30, 30), "{}", database.name);
        });
    }
}

/// Its effect is one row per fact, guarded by the inbox.
struct Counting {
    db: Db,
    seen: Recorder,
}

#[async_trait]
impl Handler for Counting {
    async fn handle(&self, events: &[Event]) -> anyhow::Result<()> {
        let (inputs, _) = Inputs::manual(events[0].id.0 as u64);
        let queue = crate::jobs::Queue::new(self.db.clone(), inputs);
        for event in events {
            let mut tx = self.db.begin().await?;
            if crate::inbox::first_time(&mut tx, "test", event).await? {
                let subject = title_of(event).to_string();
                queue
                    .enqueue(
                        &mut tx,
                        crate::jobs::NewJob::new(contract::jobs::JobKind::Train, subject, &()),
                    )
                    .await?;
            }
            tx.commit().await?;
        }
        self.seen.handle(events).await
    }
}

/// A dump restored into a new cluster brings transaction ids that the cluster will not reach for years.
#[tokio::test]
async fn a_database_restored_elsewhere_goes_on() {
    let database = test_support::postgres().await;
    let room = Room::open(&database, 1).await;
    room.tell(1..=3).await;
    let before = Arc::new(Recorder::default());
    room.subscribe(Delivery::Durable, &before).await;
    room.until_seen(&before, 3).await;
    room.bus.shutdown().await;
    room.tell([4]).await;
    for table in ["outbox", "outbox_cursor"] {
        let sql = sqlx::AssertSqlSafe(format!("UPDATE {table} SET tx = tx + 1000000000000"));
        on!(room.db.writer(), pool => sqlx::query(sql).execute(pool).await.map(drop)).unwrap();
    }

    let room = Room::open(&database, 2).await;
    let after = Arc::new(Recorder::default());
    room.subscribe(Delivery::Durable, &after).await;
    room.tell([5]).await;
    room.until_seen(&after, 2).await;
    assert_eq!(after.seen(), [4, 5]);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let (inputs, _) = Inputs::manual(1);
    let bus = Bus::new(inputs.clock.clone());
    let recorder = Arc::new(Recorder::default());
    bus.subscribe("one", Delivery::Ephemeral, recorder.clone())
        .await
        .unwrap();
    assert!(bus.subscribe("one", Delivery::Durable, recorder).await.is_err());
}

#[tokio::test]
async fn a_closure_is_a_handler() {
    let database = test_support::sqlite();
    let room = Room::open(&database, 1).await;
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let tell = handler(move |events| {
        let sender = sender.clone();
        Box::pin(async move {
            events.iter().try_for_each(|event| sender.send(title_of(event)))?;
            Ok(())
        })
    });
    room.bus.subscribe("closure", Delivery::Ephemeral, tell).await.unwrap();
    room.tell([8]).await;
    assert_eq!(receiver.recv().await, Some(8));
}
