//! Copies of every room's database, made one after another beside a running server, that fit together all the same.
//!
//! Each copy is consistent in itself (`VACUUM INTO`), and two things make up for the time between them. Those who hear of a fact are
//! copied before those who told it, so no copy knows more than the copy of its source. And the places of subscribers, which are
//! kept at the source, are put back to where they were before the first copy: what was told meanwhile is told once more, and
//! subscribers bear that.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Hearers before tellers: imports writes to catalogue and activity, recommend reads both, the catalogue hears of activity and
/// streaming, and everybody of accounts. Streaming hears of the catalogue, too; a title whose deletion comes again has no video.
const ORDER: [&str; 6] = [
    "imports.db",
    "recommend.db",
    "catalog.db",
    "activity.db",
    "streaming.db",
    "accounts.db",
];

/// Where a subscriber stood: its name and place.
type Mark = (String, i64, i64);

/// A database that is to be copied.
pub struct Original {
    file: PathBuf,
    marks: Vec<Mark>,
}

/// Every database of a data folder, in the order in which they must be copied, with the places of subscribers now.
pub async fn originals(data_dir: &Path) -> anyhow::Result<Vec<Original>> {
    let mut originals = Vec::new();
    for file in databases_of(data_dir)? {
        let marks = async {
            let mut connection = open(&file).await?;
            let marks = marks(&mut connection).await?;
            connection.close().await?;
            anyhow::Ok(marks)
        };
        let marks = marks.await.with_context(|| format!("reading {}", file.display()))?;
        originals.push(Original { file, marks });
    }
    Ok(originals)
}

impl Original {
    /// The file's name.
    pub fn name(&self) -> String {
        self.file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Copies it into `folder`; answers where the copy is.
    pub async fn copy(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        let copy = folder.join(self.name());
        let copied = async {
            let mut connection = open(&self.file).await?;
            sqlx::query("VACUUM INTO $1")
                .bind(copy.to_string_lossy().into_owned())
                .execute(&mut connection)
                .await?;
            connection.close().await?;
            self.put_marks(&copy).await
        };
        copied
            .await
            .with_context(|| format!("copying {}", self.file.display()))?;
        Ok(copy)
    }

    /// A subscriber that had no place yet begins with the oldest fact, as it did in the original.
    async fn put_marks(&self, copy: &Path) -> anyhow::Result<()> {
        let mut connection = open(copy).await?;
        if !has_cursors(&mut connection).await? {
            return Ok(());
        }
        let mut tx = connection.begin().await?;
        sqlx::query("UPDATE outbox_cursor SET tx = 0, seq = 0")
            .execute(&mut *tx)
            .await?;
        for (subscriber, at_tx, seq) in &self.marks {
            sqlx::query("UPDATE outbox_cursor SET tx = $2, seq = $3 WHERE subscriber = $1")
                .bind(subscriber)
                .bind(at_tx)
                .bind(seq)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        connection.close().await?;
        Ok(())
    }
}

/// A database as a file of its own: never made, never migrated.
pub async fn open(database: &Path) -> sqlx::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(database).create_if_missing(false);
    options.connect().await
}

fn databases_of(data_dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(data_dir).with_context(|| format!("reading the folder {}", data_dir.display()))?;
    let mut databases = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "db") {
            databases.push(path);
        }
    }
    let place = |path: &PathBuf| {
        ORDER
            .iter()
            .position(|name| path.ends_with(name))
            .unwrap_or(ORDER.len())
    };
    databases.sort_by_key(|path| (place(path), path.clone()));
    ensure!(
        !databases.is_empty(),
        "there is nothing of Kinora in {}",
        data_dir.display()
    );
    Ok(databases)
}

async fn marks(connection: &mut SqliteConnection) -> sqlx::Result<Vec<Mark>> {
    if !has_cursors(connection).await? {
        return Ok(Vec::new());
    }
    sqlx::query_as("SELECT subscriber, tx, seq FROM outbox_cursor")
        .fetch_all(connection)
        .await
}

async fn has_cursors(connection: &mut SqliteConnection) -> sqlx::Result<bool> {
    let sql = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'outbox_cursor'";
    let (tables,): (i64,) = sqlx::query_as(sql).fetch_one(connection).await?;
    Ok(tables > 0)
}

#[cfg(test)]
mod tests {
    use contract::{
        ProfileId, TitleId,
        activity::{Activity as _, ForTitleOf, ForTitles, HalfStars, Opinion, Rate},
        catalog::{Catalog as _, ForTitle, NewTitle, TitleKind},
        events::EventBody,
    };
    use platform::outbox;

    use super::*;
    use crate::{
        config::Config,
        node::{Node, Rooms},
    };

    async fn open_rooms(data_dir: &Path) -> (Node, Rooms) {
        let config = Config {
            data_dir: data_dir.to_owned(),
            ..Config::default()
        };
        let node = Node::new(config, None, catalog::SearchIndex::Off).unwrap();
        let rooms = node.rooms().await.unwrap();
        rooms.subscribe(&node).await.unwrap();
        (node, rooms)
    }

    async fn create_film(rooms: &Rooms) -> TitleId {
        let film = NewTitle {
            kind: TitleKind::Film,
            name: "Solaris".into(),
            original_name: None,
            year: Some(1972),
            genres: Vec::new(),
            description: String::new(),
            maturity: None,
            duration_ms: None,
            credits: Vec::new(),
            place: None,
            external: Vec::new(),
            published: true,
        };
        rooms.catalog.create(film).await.unwrap().card.id
    }

    async fn rate(rooms: &Rooms, profile: ProfileId, title: TitleId) {
        let opinion = Opinion::Stars(HalfStars::new(8).unwrap());
        let rated = rooms.activity.rate(Rate {
            profile,
            title,
            opinion,
        });
        rated.await.unwrap();
    }

    async fn tell(node: &Node, db: &platform::Db, body: EventBody) {
        let mut tx = db.begin().await.unwrap();
        outbox::append(&mut tx, &node.inputs.event(body)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A fact that one room hears makes it tell another: a chain of two at most.
    async fn settle(node: &Node) {
        for _ in 0..2 {
            node.bus.settle().await.unwrap();
        }
    }

    async fn was_told(database: &Path, kind: &str) -> bool {
        let mut connection = open(database).await.unwrap();
        let facts = sqlx::query("SELECT 1 FROM outbox WHERE body LIKE $1").bind(format!("%{kind}%"));
        facts.fetch_optional(&mut connection).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn what_happens_between_two_copies_is_known_to_all_of_them_or_to_none() {
        for before in ORDER {
            let folder = tempfile::tempdir().unwrap();
            let (data, copies) = (folder.path().join("data"), folder.path().join("copies"));
            std::fs::create_dir(&copies).unwrap();
            let (node, rooms) = open_rooms(&data).await;
            let title = create_film(&rooms).await;
            let (ann, deleted) = (node.inputs.id(), node.inputs.id());
            rate(&rooms, deleted, title).await;
            settle(&node).await;
            for original in originals(&data).await.unwrap() {
                if original.name() == before {
                    // A video becomes ready, a film is rated, a profile is deleted; and everybody has heard of it.
                    let ready = EventBody::AssetReady {
                        title,
                        asset: node.inputs.id(),
                        duration_ms: 60_000,
                        height: 480,
                    };
                    tell(&node, rooms.streaming.database(), ready).await;
                    rate(&rooms, ann, title).await;
                    let gone = EventBody::ProfileDeleted {
                        account: node.inputs.id(),
                        profile: deleted,
                    };
                    tell(&node, rooms.accounts.database(), gone).await;
                    settle(&node).await;
                    node.bus.shutdown().await;
                }
                original.copy(&copies).await.unwrap();
            }

            let (node, rooms) = open_rooms(&copies).await;
            settle(&node).await;
            let found = rooms.catalog.title(ForTitle { title }).await.unwrap();
            let ready = was_told(&copies.join("streaming.db"), "asset_ready").await;
            assert_eq!(found.video.is_some(), ready, "a video made before {before}");
            let figures = rooms.activity.ratings(ForTitles { titles: vec![title] }).await.unwrap();
            assert_eq!(found.card.ratings_count, figures[0].count(), "ratings before {before}");
            let state = ForTitleOf {
                profile: deleted,
                title,
            };
            let opinion = rooms.activity.state(state).await.unwrap().opinion;
            let erased = was_told(&copies.join("accounts.db"), "profile_deleted").await;
            assert_eq!(opinion.is_none(), erased, "a profile deleted before {before}");
        }
    }
}
