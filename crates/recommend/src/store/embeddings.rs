//! Vectors of titles' texts, as an embedding endpoint gave them.

use contract::Fault;
use platform::{db::OrFault as _, on};
use sqlx::QueryBuilder;

use super::Store;
use crate::training::Kept;

/// Vectors that one statement adds.
const VECTORS_OF_STATEMENT: usize = 200;
/// Vectors that are kept: so many times as there are titles, for texts change.
const KEPT_TIMES: usize = 2;

impl Store {
    /// All vectors that a model has given.
    pub async fn embeddings(&self, model: &str) -> Result<Vec<Kept>, Fault> {
        let sql = "SELECT text_hash, vector FROM embeddings WHERE model = $1 ORDER BY text_hash";
        let rows: Vec<(String, Vec<u8>)> =
            on!(&self.db, pool => sqlx::query_as(sql).bind(model).fetch_all(pool).await).or_fault()?;
        rows.into_iter().map(kept_of).collect()
    }

    /// Adds vectors of a model. Those of other models go, and all where there are far more than `titles`: the next training
    /// asks for what it needs.
    pub async fn keep_embeddings(&self, model: &str, new: &[Kept], titles: usize) -> Result<(), Fault> {
        let mut tx = self.db.begin().await?;
        let sql = "DELETE FROM embeddings WHERE model <> $1";
        on!(tx, conn => sqlx::query(sql).bind(model).execute(conn).await.map(drop)).or_fault()?;
        let sql = "SELECT COUNT(*) FROM embeddings";
        let (count,): (i64,) = on!(tx, conn => sqlx::query_as(sql).fetch_one(conn).await).or_fault()?;
        if count as usize + new.len() > KEPT_TIMES * titles {
            on!(tx, conn => sqlx::query("DELETE FROM embeddings").execute(conn).await.map(drop)).or_fault()?;
        }
        for chunk in new.chunks(VECTORS_OF_STATEMENT) {
            on!(tx, conn => {
                let mut insert = QueryBuilder::new("INSERT INTO embeddings (model, text_hash, vector) ");
                insert.push_values(chunk, |mut row, kept| {
                    row.push_bind(model).push_bind(&kept.text).push_bind(bytes_of(kept));
                });
                insert.push(" ON CONFLICT (model, text_hash) DO UPDATE SET vector = excluded.vector");
                insert.build().persistent(false).execute(conn).await.map(drop)
            })
            .or_fault()?;
        }
        tx.commit().await
    }
}

/// The endpoint's own number of dimensions, then the values, all little-endian.
fn bytes_of(kept: &Kept) -> Vec<u8> {
    let values = kept.vector.iter().flat_map(|value| value.to_le_bytes());
    kept.dimensions.to_le_bytes().into_iter().chain(values).collect()
}

fn kept_of((text, bytes): (String, Vec<u8>)) -> Result<Kept, Fault> {
    let broken = || Fault::Internal("a stored vector of a title cannot be read".into());
    let (words, rest) = bytes.as_chunks::<4>();
    let (dimensions, values) = words.split_first().filter(|_| rest.is_empty()).ok_or_else(broken)?;
    Ok(Kept {
        text,
        dimensions: u32::from_le_bytes(*dimensions),
        vector: values.iter().map(|value| f32::from_le_bytes(*value)).collect(),
    })
}
