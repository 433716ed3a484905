//! Brings a room's database to the present: the platform's own tables (outbox, inbox, jobs) first, then the room's.
//!
//! All that is missing runs in one transaction, so a process killed in the middle leaves the database as it was, and two
//! processes that start at once do it once.

use anyhow::Context as _;
use sqlx::{
    AssertSqlSafe,
    migrate::{MigrateError, Migrator},
};

use super::{Db, Engine, OrFault as _};
use crate::on;

/// A room's migrations for both engines; made by [`migrations!`](crate::migrations).
pub struct Migrations {
    pub sqlite: Migrator,
    pub postgres: Migrator,
}

static PLATFORM: Migrations = Migrations {
    sqlite: sqlx::migrate!("migrations/sqlite"),
    postgres: sqlx::migrate!("migrations/postgres"),
};

/// The tables in which applied migrations are noted.
const PLATFORM_TABLE: &str = "platform_migrations";
const ROOM_TABLE: &str = "room_migrations";

/// One set of migrations for the engine at hand.
struct Step {
    table: &'static str,
    migrator: Migrator,
}

pub(super) async fn run(db: &Db, schema: &str, migrations: &Migrations) -> anyhow::Result<()> {
    let steps = [
        Step::new(db, PLATFORM_TABLE, &PLATFORM),
        Step::new(db, ROOM_TABLE, migrations),
    ];
    if is_current(db, &steps).await {
        return Ok(());
    }
    apply(db, schema, &steps)
        .await
        .with_context(|| format!("migrating the database of {}", db.room()))
}

impl Step {
    fn new(db: &Db, table: &'static str, migrations: &Migrations) -> Self {
        let source = match db.engine() {
            Engine::Sqlite(_) => &migrations.sqlite,
            Engine::Postgres(_) => &migrations.postgres,
        };
        let mut migrator = Migrator::with_migrations(source.iter().cloned().collect());
        migrator.dangerous_set_table_name(table);
        // Ours is the lock of the whole transaction, see `apply`.
        migrator.set_locking(false);
        Self { table, migrator }
    }
}

/// A look without a lock, so that opening an up-to-date database waits for nobody. A missing table means no.
async fn is_current(db: &Db, steps: &[Step]) -> bool {
    for step in steps {
        let sql = format!("SELECT version, checksum FROM {} ORDER BY version", step.table);
        // The writer's connection: the first to open a new SQLite file must be able to create it.
        let applied: Result<Vec<(i64, Vec<u8>)>, _> =
            on!(db.writer(), pool => sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await);
        let known = step
            .migrator
            .iter()
            .map(|migration| (migration.version, &*migration.checksum));
        match applied {
            Ok(rows)
                if rows
                    .iter()
                    .map(|(version, checksum)| (*version, checksum.as_slice()))
                    .eq(known) => {}
            _ => return false,
        }
    }
    true
}

async fn apply(db: &Db, schema: &str, steps: &[Step]) -> anyhow::Result<()> {
    let mut tx = db.begin().await?;
    if let Engine::Postgres(conn) = tx.engine() {
        // The schema's name was checked when the pool was made.
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
        sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(schema)
            .execute(&mut *conn)
            .await
            .or_fault()?;
        sqlx::query(AssertSqlSafe(sql)).execute(&mut *conn).await.or_fault()?;
    }
    for step in steps {
        on!(tx, conn => step.migrator.run_direct(None, conn, false).await).map_err(explain)?;
    }
    tx.commit().await?;
    Ok(())
}

fn explain(error: MigrateError) -> anyhow::Error {
    let help = match &error {
        MigrateError::VersionMissing(_) => {
            "it was written by a newer version of Kinora: start that version, or restore a backup"
        }
        MigrateError::VersionMismatch(_) => "a migration that it has already seen was changed",
        _ => "nothing was changed",
    };
    anyhow::Error::new(error).context(help)
}
