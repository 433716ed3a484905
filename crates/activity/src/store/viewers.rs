//! Viewers of other systems and their profiles here.

use std::collections::{BTreeMap, HashMap};

use contract::{Fault, ProfileId, activity::ImportProfiles};
use platform::{Tx, db::OrFault as _, on};

use super::{Store, bulk::erase_in, json, with_rows};

/// Rows a statement.
const CHUNK: usize = 10_000;

/// What a viewer is mapped to: the profile, and whether an import made it.
type Mapped = (i64, bool);

impl Store {
    /// Their profiles in the order of the request, and the profiles that a claim has emptied: what was imported for a viewer
    /// before somebody claimed it goes, since the same import brings it again under the claimed profile. In portions, each all or none.
    pub async fn import_profiles(&self, req: &ImportProfiles) -> Result<(Vec<ProfileId>, Vec<ProfileId>), Fault> {
        let claims: HashMap<&str, ProfileId> = req
            .claims
            .iter()
            .map(|(viewer, profile)| (viewer.as_str(), *profile))
            .collect();
        let mut names: Vec<&str> = req.viewers.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let mut profiles = HashMap::with_capacity(names.len());
        let mut replaced = Vec::new();
        for (number, portion) in names.chunks(self.portion).enumerate() {
            if number > 0 {
                self.db.give_way().await;
            }
            replaced.extend(self.map(&req.source, portion, &claims, &mut profiles).await?);
        }
        let profile = |viewer: &String| profiles.get(viewer.as_str()).map(|profile| ProfileId(*profile));
        let profiles: Option<Vec<_>> = req.viewers.iter().map(profile).collect();
        let profiles = profiles.ok_or_else(|| Fault::Internal("a viewer without a profile".into()))?;
        Ok((profiles, replaced))
    }

    /// Adds the profiles of `names`, each once, and answers those that were emptied.
    async fn map<'a>(
        &self,
        source: &str,
        names: &[&'a str],
        claims: &HashMap<&str, ProfileId>,
        profiles: &mut HashMap<&'a str, i64>,
    ) -> Result<Vec<ProfileId>, Fault> {
        let mut tx = self.db.begin().await?;
        let known = load(&mut tx, source, names).await?;
        let mut wanted: BTreeMap<&str, Mapped> = BTreeMap::new();
        let mut replaced = Vec::new();
        for name in names {
            let (profile, generated) = match (claims.get(name), known.get(*name)) {
                (Some(claim), Some((old, generated))) if claim.0 != *old => {
                    if *generated {
                        replaced.push(ProfileId(*old));
                    }
                    (claim.0, false)
                }
                (Some(claim), None) => (claim.0, false),
                (None, None) => (self.inputs.id::<ProfileId>().0, true),
                (_, Some(known)) => *known,
            };
            profiles.insert(name, profile);
            if known.get(*name) != Some(&(profile, generated)) {
                wanted.insert(name, (profile, generated));
            }
        }
        replaced.sort_unstable();
        for profile in &replaced {
            if let Some(figures) = erase_in(&mut tx, *profile).await? {
                self.tell(&mut tx, &figures).await?;
            }
        }
        save(&mut tx, source, &wanted).await?;
        tx.commit().await?;
        Ok(replaced)
    }
}

async fn load(tx: &mut Tx, source: &str, names: &[&str]) -> Result<HashMap<String, Mapped>, Fault> {
    let mut known = HashMap::new();
    for chunk in names.chunks(CHUNK) {
        let engine = tx.engine();
        let sql = with_rows(
            "SELECT v.viewer, v.profile_id, v.generated FROM JSON_ROWS CROSS JOIN imported_viewers v \
             WHERE v.source = $2 AND v.viewer = CAST(k.value->>0 AS TEXT)",
            &engine,
        );
        let keys = json(&chunk.iter().map(|name| [name]).collect::<Vec<_>>())?;
        let rows: Vec<(String, i64, bool)> =
            on!(engine, conn => sqlx::query_as(sql).bind(keys).bind(source).fetch_all(conn).await).or_fault()?;
        known.extend(
            rows.into_iter()
                .map(|(viewer, profile, generated)| (viewer, (profile, generated))),
        );
    }
    Ok(known)
}

async fn save(tx: &mut Tx, source: &str, wanted: &BTreeMap<&str, Mapped>) -> Result<(), Fault> {
    let rows: Vec<_> = wanted
        .iter()
        .map(|(viewer, (profile, generated))| (*viewer, *profile, *generated))
        .collect();
    for chunk in rows.chunks(CHUNK) {
        let engine = tx.engine();
        let sql = with_rows(
            "INSERT INTO imported_viewers (source, viewer, profile_id, generated) SELECT $2, CAST(k.value->>0 AS TEXT), \
             CAST(k.value->>1 AS BIGINT), CAST(k.value->>2 AS BOOLEAN) FROM JSON_ROWS WHERE TRUE
             ON CONFLICT (source, viewer) DO UPDATE SET profile_id = excluded.profile_id, generated = excluded.generated",
            &engine,
        );
        let bound = json(&chunk)?;
        on!(engine, conn => sqlx::query(sql).bind(bound).bind(source).execute(conn).await.map(drop)).or_fault()?;
    }
    Ok(())
}
