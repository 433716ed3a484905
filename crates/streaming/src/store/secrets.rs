//! Keys that the room makes for itself.

use contract::Fault;
use platform::{
    Db,
    db::OrFault as _,
    on,
    rng::{self, Entropy},
};

pub const KEY_BYTES: usize = 32;

/// The key called `name`; made at the first asking, the same for every process from then on.
pub async fn key(db: &Db, name: &str, entropy: &dyn Entropy) -> Result<Vec<u8>, Fault> {
    let fresh = rng::bytes::<KEY_BYTES>(entropy).to_vec();
    on!(db.writer(), pool => sqlx::query("INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name).bind(fresh).execute(pool).await.map(drop))
    .or_fault()?;
    let (key,): (Vec<u8>,) = on!(db.writer(), pool => sqlx::query_as("SELECT value FROM secrets WHERE name = $1")
        .bind(name).fetch_one(pool).await)
    .or_fault()?;
    Ok(key)
}
