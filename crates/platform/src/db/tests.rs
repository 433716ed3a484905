//! The database port, on both engines.

use std::borrow::Cow;

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use super::*;
use crate::test_support;

const NOTES: &str = "CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)";

fn migrations(statements: &[&'static str]) -> Migrations {
    let all = || {
        let numbered = statements.iter().zip(1..).map(|(sql, version)| {
            Migration::new(
                version,
                Cow::Borrowed("test"),
                MigrationType::Simple,
                sql.into_sql_str(),
                false,
            )
        });
        Migrator::with_migrations(numbered.collect())
    };
    Migrations {
        sqlite: all(),
        postgres: all(),
    }
}

async fn add(db: &Db, id: i64, text: &str) -> Result<(), contract::Fault> {
    let mut tx = db.begin().await?;
    on!(tx, conn => sqlx::query("INSERT INTO notes (id, text) VALUES ($1, $2)").bind(id).bind(text)
        .execute(conn).await.map(drop))
    .or_fault()?;
    tx.commit().await
}

async fn notes(db: &Db) -> Vec<(i64, String)> {
    on!(db, pool => sqlx::query_as("SELECT id, text FROM notes ORDER BY id").fetch_all(pool).await).unwrap()
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    for database in test_support::databases().await {
        let db = database.open("notes", &migrations(&[NOTES])).await;
        add(&db, 1, "Léon").await.unwrap();
        let mut dropped = db.begin().await.unwrap();
        on!(dropped, conn => sqlx::query("INSERT INTO notes (id, text) VALUES (2, 'no')").execute(conn).await.map(drop)).unwrap();
        drop(dropped);
        add(&db, 3, "Amélie").await.unwrap();
        db.close().await;

        let db = database.open("notes", &migrations(&[NOTES])).await;
        assert_eq!(
            notes(&db).await,
            [(1, "Léon".into()), (3, "Amélie".into())],
            "{}",
            database.name
        );
        db.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_second_migration_runs_once_and_rooms_do_not_meet() {
    for database in test_support::databases().await {
        let first = database.open("one", &migrations(&[NOTES])).await;
        add(&first, 1, "a").await.unwrap();
        let other = database.open("two", &migrations(&[NOTES])).await;
        assert_eq!(notes(&other).await, [], "{}", database.name);

        let more = migrations(&[NOTES, "ALTER TABLE notes ADD COLUMN stars BIGINT NOT NULL DEFAULT 5"]);
        for _ in 0..2 {
            let grown = database.open("one", &more).await;
            let stars: (i64,) =
                on!(grown, pool => sqlx::query_as("SELECT stars FROM notes").fetch_one(pool).await).unwrap();
            assert_eq!(stars.0, 5, "{}", database.name);
        }
    }
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    for database in test_support::databases().await {
        let broken = migrations(&[NOTES, "CREATE TABLE more (id BIGINT); INSERT INTO nowhere VALUES (1)"]);
        assert!(
            Db::open(&database.location, "notes", &broken).await.is_err(),
            "{}",
            database.name
        );
        // Not even the first, which was fine by itself.
        let mended = migrations(&[
            "CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT)",
            "CREATE TABLE more (id BIGINT)",
        ]);
        database.open("notes", &mended).await;
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_with_a_reason() {
    for database in test_support::databases().await {
        database
            .open("notes", &migrations(&[NOTES, "CREATE TABLE more (id BIGINT)"]))
            .await;
        let error = Db::open(&database.location, "notes", &migrations(&[NOTES]))
            .await
            .err()
            .unwrap();
        assert!(
            format!("{error:#}").contains("newer version"),
            "{}: {error:#}",
            database.name
        );
    }
}

#[tokio::test]
async fn two_processes_that_start_at_once_migrate_once() {
    for database in test_support::databases().await {
        let migrations = migrations(&[NOTES]);
        let (a, b) = tokio::join!(database.open("notes", &migrations), database.open("notes", &migrations));
        add(&a, 1, "a").await.unwrap();
        add(&b, 2, "b").await.unwrap();
        assert_eq!(notes(&a).await.len(), 2, "{}", database.name);
    }
}

#[tokio::test]
async fn many_writers_in_two_processes_are_never_told_that_it_is_locked() {
    for database in test_support::databases().await {
        let dbs = [
            database.open("notes", &migrations(&[NOTES])).await,
            database.open("notes", &migrations(&[NOTES])).await,
        ];
        let writes = (0..60).map(|id| {
            let db = dbs[id as usize % 2].clone();
            tokio::spawn(async move { add(&db, id, "x").await })
        });
        for write in futures::future::join_all(writes).await {
            write
                .unwrap()
                .unwrap_or_else(|error| panic!("{}: {error}", database.name));
        }
        assert_eq!(notes(&dbs[0]).await.len(), 60);
    }
}

/// Bulk work in one process, single writes in another: SQLite would leave their turns to luck.
#[tokio::test]
async fn whoever_waits_beside_bulk_work_gets_a_turn() {
    const WRITES: i64 = 8;
    let database = test_support::sqlite();
    let bulk = database.open("notes", &migrations(&[NOTES])).await;
    let other = database.open("notes", &migrations(&[NOTES])).await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO notes (id, text) SELECT $1 * 100000 + i, 'bulk' FROM n";
    let mut turns = 0;
    let mut tx = bulk.begin().await.unwrap();
    for id in 1..=WRITES {
        let other = other.clone();
        let write = tokio::spawn(async move { add(&other, id, "single").await });
        while !write.is_finished() {
            turns += 1;
            on!(tx, conn => sqlx::query(many).bind(turns).execute(conn).await.map(drop)).unwrap();
            tx.commit().await.unwrap();
            bulk.give_way().await;
            tx = bulk.begin().await.unwrap();
        }
        write.await.unwrap().unwrap();
    }
    assert!(
        turns <= 2 * WRITES,
        "{WRITES} single writes waited for {turns} large ones"
    );
}

#[tokio::test]
async fn sqlites_readers_cannot_write() {
    let db = test_support::sqlite();
    let db = db.open("notes", &migrations(&[NOTES])).await;
    let written = on!(db, pool => sqlx::query("DELETE FROM notes").execute(pool).await.map(drop));
    assert!(written.unwrap_err().to_string().contains("readonly"));
}

#[tokio::test]
async fn a_key_that_exists_is_recognised() {
    for database in test_support::databases().await {
        let db = database.open("notes", &migrations(&[NOTES])).await;
        add(&db, 1, "a").await.unwrap();
        let again = on!(db.writer(), pool =>
            sqlx::query("INSERT INTO notes (id, text) VALUES (1, 'b')").execute(pool).await.map(drop));
        assert!(is_unique_violation(&again.unwrap_err()), "{}", database.name);
        let broken = on!(db, pool => sqlx::query("SELECT nothing FROM nowhere").execute(pool).await.map(drop));
        assert!(
            matches!(broken.or_fault(), Err(contract::Fault::Internal(_))),
            "{}",
            database.name
        );
    }
}

#[test]
fn locations_are_told_apart() {
    assert_eq!("/var/lib/kinora".parse(), Ok(Location::folder("/var/lib/kinora")));
    assert_eq!("postgres://h/k".parse(), Ok(Location::postgres("postgres://h/k")));
}

#[tokio::test]
async fn a_schema_is_never_built_from_odd_letters() {
    let location = Location::Postgres {
        url: "postgres://localhost/x".into(),
        schema_prefix: "a\"; DROP ".into(),
    };
    assert!(Db::open(&location, "notes", &migrations(&[NOTES])).await.is_err());
}

#[tokio::test]
async fn connections_that_the_server_dropped_are_replaced() {
    let database = test_support::postgres().await;
    let db = database.open("notes", &migrations(&[NOTES])).await;
    let other = database.open("other", &migrations(&[])).await;
    for _ in 0..3 {
        add(&db, 1, "a").await.ok();
        let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kinora-notes'
             AND query LIKE '%notes%' AND pid <> pg_backend_pid()";
        on!(other, pool => sqlx::query(sql).execute(pool).await.map(drop)).unwrap();
        assert_eq!(notes(&db).await.len(), 1);
    }
}

#[tokio::test]
async fn a_full_disk_is_told_apart() {
    let database = test_support::sqlite();
    let db = database.open("notes", &migrations(&[NOTES])).await;
    on!(db.writer(), pool => sqlx::query("PRAGMA max_page_count = 64").execute(pool).await.map(drop)).unwrap();
    let text = "x".repeat(500_000);
    assert!(matches!(add(&db, 1, &text).await, Err(contract::Fault::StorageFull(_))));
    // And when there is room again, it goes on.
    add(&db, 2, "small").await.unwrap();
    assert_eq!(notes(&db).await, [(2, "small".into())]);
}

#[tokio::test]
async fn a_database_that_is_gone_or_broken_does_not_answer_a_ping() {
    let folder = tempfile::tempdir().unwrap();
    let db = Db::open(&Location::folder(folder.path()), "notes", &migrations(&[NOTES]))
        .await
        .unwrap();
    db.ping().await.unwrap();
    let file = folder.path().join("notes.db");
    let whole = std::fs::read(&file).unwrap();
    for broken in [b"".as_slice(), b"no database, but long enough"] {
        std::fs::write(&file, broken).unwrap();
        db.ping().await.unwrap_err();
    }
    std::fs::write(&file, whole).unwrap();
    db.ping().await.unwrap();
    std::fs::remove_file(&file).unwrap();
    db.ping().await.unwrap_err();
}

#[tokio::test]
async fn a_ping_reads_what_is_there() {
    for database in test_support::databases().await {
        let db = database.open("notes", &migrations(&[NOTES])).await;
        db.ping().await.unwrap();
        on!(db.writer(), pool => sqlx::query("ALTER TABLE outbox RENAME TO elsewhere").execute(pool).await.map(drop))
            .unwrap();
        db.ping().await.unwrap_err();
    }
}
