//! Table `subtitles`: those that came as files of their own.

use contract::{
    Fault, Millis, TitleId,
    streaming::{RemoveSubtitles, SubtitleKind},
};
use platform::{Db, Tx, db::OrFault as _, on};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SubtitleRow {
    pub id: i64,
    pub title_id: i64,
    pub origin: String,
    pub filename: String,
    pub language: Option<String>,
    pub kind: String,
    pub bytes: i64,
    pub state: String,
    pub created_at: i64,
    pub changed_at: i64,
}

const CAPTIONS: &str = "captions";
const FORCED: &str = "forced";

impl SubtitleRow {
    pub fn kind(&self) -> SubtitleKind {
        match self.kind.as_str() {
            CAPTIONS => SubtitleKind::Captions,
            FORCED => SubtitleKind::Forced,
            _ => SubtitleKind::Subtitles,
        }
    }
}

pub fn kind_name(kind: SubtitleKind) -> &'static str {
    match kind {
        SubtitleKind::Subtitles => "subtitles",
        SubtitleKind::Captions => CAPTIONS,
        SubtitleKind::Forced => FORCED,
    }
}

macro_rules! columns {
    () => {
        "id, title_id, origin, filename, language, kind, bytes, state, created_at, changed_at"
    };
}

/// Announces a file that is about to be written, so that a crash leaves nothing that nobody knows of.
pub async fn begin(db: &Db, row: &SubtitleRow) -> Result<(), Fault> {
    let sql = concat!(
        "INSERT INTO subtitles (",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    );
    on!(db.writer(), pool => sqlx::query(sql).bind(row.id).bind(row.title_id).bind(&row.origin).bind(&row.filename)
        .bind(&row.language).bind(&row.kind).bind(row.bytes).bind(&row.state).bind(row.created_at).bind(row.changed_at)
        .execute(pool).await.map(drop))
    .or_fault()
}

/// Shows what is stored, in the place of what came under the same origin. `false`: it is not there any more.
pub async fn publish(db: &Db, row: &SubtitleRow, now: Millis) -> Result<bool, Fault> {
    let mut tx = db.begin().await?;
    let sql = "UPDATE subtitles SET state = 'retired', changed_at = $3 WHERE title_id = $1 AND origin = $2 AND state = 'ready'";
    on!(tx, conn => sqlx::query(sql).bind(row.title_id).bind(&row.origin).bind(now).execute(conn).await.map(drop))
        .or_fault()?;
    let sql = "UPDATE subtitles SET state = 'ready', changed_at = $2 WHERE id = $1 AND state = 'storing'";
    let shown = on!(tx, conn => sqlx::query(sql).bind(row.id).bind(now).execute(conn).await.map(|done| done.rows_affected() == 1))
        .or_fault()?;
    if shown {
        tx.commit().await?;
    } else {
        tx.rollback().await?;
    }
    Ok(shown)
}

/// What is shown with a title, oldest first.
pub async fn of_title(db: &Db, title: TitleId) -> Result<Vec<SubtitleRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM subtitles WHERE title_id = $1 AND state = 'ready' ORDER BY id LIMIT 100"
    );
    on!(db, pool => sqlx::query_as(sql).bind(title.0).fetch_all(pool).await).or_fault()
}

/// One that is shown, or was: whoever began to watch before may go on.
pub async fn find(db: &Db, id: i64, title: TitleId) -> Result<Option<SubtitleRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM subtitles WHERE id = $1 AND title_id = $2 AND state IN ('ready', 'retired')"
    );
    on!(db, pool => sqlx::query_as(sql).bind(id).bind(title.0).fetch_optional(pool).await).or_fault()
}

/// Whose language it is and what for. `false`: it is not shown any more.
pub async fn name(db: &Db, row: &SubtitleRow) -> Result<bool, Fault> {
    let sql = "UPDATE subtitles SET language = $2, kind = $3 WHERE id = $1 AND state = 'ready'";
    on!(db.writer(), pool => sqlx::query(sql).bind(row.id).bind(&row.language).bind(&row.kind)
        .execute(pool).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

/// Shows it no more. `false`: there is none.
pub async fn retire(db: &Db, which: &RemoveSubtitles, now: Millis) -> Result<bool, Fault> {
    let sql = "UPDATE subtitles SET state = 'retired', changed_at = $3
        WHERE title_id = $1 AND origin = $2 AND state = 'ready' AND id = COALESCE($4, id)";
    let id = which.id.map(|id| id.0);
    on!(db.writer(), pool => sqlx::query(sql).bind(which.title.0).bind(&which.origin).bind(now).bind(id)
        .execute(pool).await.map(|done| done.rows_affected() > 0))
    .or_fault()
}

/// All of a title, also what is being stored.
pub async fn retire_all_of(tx: &mut Tx, title: TitleId, now: Millis) -> Result<(), Fault> {
    let sql =
        "UPDATE subtitles SET state = 'retired', changed_at = $2 WHERE title_id = $1 AND state IN ('storing', 'ready')";
    on!(tx, conn => sqlx::query(sql).bind(title.0).bind(now).execute(conn).await.map(drop)).or_fault()
}

/// Gives up one that was not stored to its end. `false`: it was.
pub async fn abandon(db: &Db, id: i64, now: Millis) -> Result<bool, Fault> {
    let sql = "UPDATE subtitles SET state = 'retired', changed_at = $2 WHERE id = $1 AND state = 'storing'";
    on!(db.writer(), pool => sqlx::query(sql).bind(id).bind(now)
        .execute(pool).await.map(|done| done.rows_affected() == 1))
    .or_fault()
}

pub async fn in_state(db: &Db, state: &str, before: Millis, limit: u32) -> Result<Vec<SubtitleRow>, Fault> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM subtitles WHERE state = $1 AND changed_at <= $2 ORDER BY changed_at LIMIT $3"
    );
    on!(db, pool => sqlx::query_as(sql).bind(state).bind(before).bind(i64::from(limit)).fetch_all(pool).await)
        .or_fault()
}

/// Forgets a retired one, once its file is gone.
pub async fn delete(db: &Db, id: i64) -> Result<(), Fault> {
    on!(db.writer(), pool => sqlx::query("DELETE FROM subtitles WHERE id = $1 AND state = 'retired'").bind(id)
        .execute(pool).await.map(drop))
    .or_fault()
}

#[cfg(test)]
mod tests {
    use platform::{Inputs, test_support};

    use super::*;

    #[tokio::test]
    async fn what_was_not_stored_to_its_end_is_never_shown() {
        for database in test_support::databases().await {
            let db = database.open("streaming", &crate::MIGRATIONS).await;
            let (inputs, _) = Inputs::manual(1);
            let begun = async || {
                let row = SubtitleRow {
                    id: inputs.id(),
                    title_id: 7,
                    origin: "a".into(),
                    filename: "a.srt".into(),
                    language: None,
                    kind: kind_name(SubtitleKind::Forced).into(),
                    bytes: 9,
                    state: "storing".into(),
                    created_at: 1,
                    changed_at: 1,
                };
                begin(&db, &row).await.unwrap();
                row
            };
            let shown = async || {
                of_title(&db, TitleId(7))
                    .await
                    .unwrap()
                    .into_iter()
                    .map(|row| row.id)
                    .collect::<Vec<_>>()
            };
            let (half, first, second) = (begun().await, begun().await, begun().await);
            assert!(shown().await.is_empty() && find(&db, half.id, TitleId(7)).await.unwrap().is_none());
            assert!(publish(&db, &first, 2).await.unwrap());
            assert!(!publish(&db, &first, 2).await.unwrap(), "once");
            assert_eq!(
                shown().await,
                [first.id],
                "{}: what cannot be shown hides nothing",
                database.name
            );
            assert!(publish(&db, &second, 3).await.unwrap());
            assert_eq!(shown().await, [second.id]);
            assert_eq!(in_state(&db, "storing", 1, 9).await.unwrap().len(), 1);
            assert!(abandon(&db, half.id, 4).await.unwrap() && !abandon(&db, second.id, 4).await.unwrap());
            assert!(!publish(&db, &half, 5).await.unwrap(), "given up");
            assert_eq!(shown().await, [second.id]);
            assert_eq!(
                find(&db, first.id, TitleId(7)).await.unwrap().map(|row| row.kind()),
                Some(SubtitleKind::Forced)
            );
            assert_eq!(find(&db, first.id, TitleId(8)).await.unwrap(), None);
            delete(&db, second.id).await.unwrap();
            delete(&db, first.id).await.unwrap();
            assert_eq!(
                in_state(&db, "retired", 9, 9).await.unwrap().len(),
                1,
                "{}",
                database.name
            );
            assert_eq!(shown().await, [second.id], "only what is retired is forgotten");
        }
    }
}
