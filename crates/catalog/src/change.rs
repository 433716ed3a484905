//! Changes of titles: create, edit, delete, import, artwork and video. Each is one transaction with its events, and is on
//! the shelf before its caller has an answer.

use std::collections::{HashMap, HashSet};

use contract::{
    AssetId, EventId, Fault, TitleId,
    catalog::{
        ArtworkShape, CatalogError, EpisodePlace, ExternalId, ImportTitles, ImportedTitles, NewCredit, NewTitle,
        OptionalFact, TitleKind, UpdateTitle,
    },
    events::EventBody,
};
use platform::{Tx, outbox};

use crate::{
    core::Core,
    here,
    model::{self, checked, digest, estimated_maturity, invalid, kind_name},
    store::{
        Store,
        write::{self, TitleRow},
    },
    window,
};

/// Titles of one import at most.
pub const IMPORT_MAX: usize = 200_000;
/// Ids in one event at most, as `contract::events` promises.
const EVENT_IDS_MAX: usize = 1_000;

impl Core {
    pub async fn create(&self, title: NewTitle) -> Result<TitleId, CatalogError> {
        let title = checked(title)?;
        self.check_place(title.place)?;
        let id: TitleId = self.inputs.id();
        let mut tx = self.store.db.begin().await?;
        write::lock(&mut tx).await?;
        here::episodes(&mut tx, std::slice::from_ref(&title))
            .await?
            .put(&title, id)?;
        write::put_titles(&mut tx, &[self.row(id, &title, None)]).await?;
        let free = write::put_external(&mut tx, &[(id, &title.external)]).await?;
        if free != title.external.len() as u64 {
            return Err(invalid("another title has one of these external ids"));
        }
        write::put_credits(&mut tx, &[(id, &title.credits)], || self.inputs.id::<i64>()).await?;
        self.commit(tx, &[id]).await?;
        Ok(id)
    }

    pub async fn update(&self, change: UpdateTitle) -> Result<(), CatalogError> {
        let id = change.title;
        let mut tx = self.store.db.begin().await?;
        write::lock(&mut tx).await?;
        // From the tables, under the lock: the shelf may not yet know what another process just changed.
        let entry = Store::entry_in(&mut tx, id).await?;
        let entry = entry.ok_or(CatalogError::TitleNotFound)?;
        let detail = Store::detail_in(&mut tx, id).await?;
        let detail = detail.ok_or(CatalogError::TitleNotFound)?;
        let card = &entry.card;
        let (published, to_come) = window::changed(&change, card.published, detail.window(), self.inputs.now_ms())?;
        let own_duration = detail.duration_ms.map(|duration| duration.max(0) as u64);
        let duration = change.duration_ms.or(own_duration);
        let description = change.description.unwrap_or(detail.description);
        model::check_facts(change.year, change.maturity, change.duration_ms, &description)?;
        let year = kept(OptionalFact::Year, &change.cleared, change.year, card.year)?;
        let maturity = kept(
            OptionalFact::Maturity,
            &change.cleared,
            change.maturity,
            Some(card.maturity),
        )?;
        let title = NewTitle {
            kind: card.kind,
            name: change
                .name
                .as_deref()
                .map_or_else(|| Ok(card.name.to_string()), model::checked_name)?,
            original_name: detail.original_name,
            year,
            genres: change
                .genres
                .map_or_else(|| Ok(card.genres.to_vec()), model::checked_genres)?,
            description,
            maturity,
            duration_ms: duration,
            credits: Vec::new(),
            place: entry.place,
            external: Vec::new(),
            published,
        };
        write::put_titles(&mut tx, &[self.row(id, &title, detail.imported_digest)]).await?;
        write::put_window(&mut tx, id, to_come).await?;
        if let Some(credits) = change.credits {
            let credits = model::checked_credits(credits)?;
            write::put_credits(&mut tx, &[(id, &credits)], || self.inputs.id::<i64>()).await?;
        }
        self.commit(tx, &[id]).await?;
        Ok(())
    }

    pub async fn delete(&self, id: TitleId) -> Result<(), CatalogError> {
        let mut tx = self.store.db.begin().await?;
        write::lock(&mut tx).await?;
        if write::has_episodes(&mut tx, id).await? {
            return Err(CatalogError::HasEpisodes);
        }
        if !write::delete_title(&mut tx, id).await? {
            return Err(CatalogError::TitleNotFound);
        }
        let event = self.inputs.event(EventBody::TitleDeleted { title: id });
        write::put_version(&mut tx, event.id).await?;
        outbox::append(&mut tx, &event).await?;
        tx.commit().await?;
        self.show(&[id]).await;
        // The rows are gone; pictures that stay behind are only waste, so a failure here is not the caller's.
        if let Err(error) = self.blobs.delete_all(&artwork_folder(id)).await {
            tracing::warn!(title = %id, %error, "uploaded pictures of a deleted title were not removed");
        }
        Ok(())
    }

    /// All or none. A title is known by its first external id; one that was imported the same before is left alone.
    pub async fn import(&self, request: ImportTitles) -> Result<ImportedTitles, CatalogError> {
        let titles = self.importable(request)?;
        let mut tx = self.store.db.begin().await?;
        write::lock(&mut tx).await?;
        let mut plan = self.plan(&mut tx, &titles).await?;
        if plan.changed.is_empty() {
            return Ok(plan.outcome);
        }
        let mut here = here::episodes(&mut tx, &titles).await?;
        for (place, id) in &plan.changed {
            here.put(&titles[*place], *id)?;
        }
        write::put_titles(&mut tx, &std::mem::take(&mut plan.rows)).await?;
        let changed = || plan.changed.iter().map(|(place, id)| (&titles[*place], *id));
        let external: Vec<(TitleId, &[ExternalId])> =
            changed().map(|(title, id)| (id, title.external.as_slice())).collect();
        // A further id that another title has stays with it: the first one decides who is who.
        write::put_external(&mut tx, &external).await?;
        let credits: Vec<(TitleId, &[NewCredit])> =
            changed().map(|(title, id)| (id, title.credits.as_slice())).collect();
        write::put_credits(&mut tx, &credits, || self.inputs.id::<i64>()).await?;
        let ids: Vec<TitleId> = plan.changed.iter().map(|(_, id)| *id).collect();
        self.commit(tx, &ids).await?;
        Ok(plan.outcome)
    }

    /// What an import may hold, put in order.
    fn importable(&self, request: ImportTitles) -> Result<Vec<NewTitle>, CatalogError> {
        if request.titles.len() > IMPORT_MAX {
            return Err(CatalogError::TooMany(IMPORT_MAX as u32));
        }
        let titles = request.titles.into_iter().map(checked_by_name);
        let titles = titles.collect::<Result<Vec<_>, _>>()?;
        check_unique(&titles)?;
        for title in &titles {
            self.check_place(title.place)?;
        }
        Ok(titles)
    }

    /// All or none, see [`contract::catalog::Catalog::import_new`].
    pub async fn import_new(&self, request: ImportTitles) -> Result<ImportedTitles, CatalogError> {
        let titles = self.importable(request)?;
        let mut tx = self.store.db.begin().await?;
        write::lock(&mut tx).await?;
        let known = known(&mut tx, &titles).await?;
        let mut here = here::all(&mut tx).await?;
        let mut outcome = ImportedTitles {
            titles: Vec::with_capacity(titles.len()),
            created: 0,
            updated: 0,
            unchanged: 0,
        };
        let (mut rows, mut named, mut made): (Vec<_>, Vec<_>, Vec<_>) = Default::default();
        for title in &titles {
            let by_id = before(&known, title).map(|(id, _)| id);
            let id = match by_id.or_else(|| here.find(title)) {
                Some(id) => {
                    outcome.unchanged += 1;
                    id
                }
                None => {
                    let id = self.inputs.id();
                    rows.push(self.row(id, title, None));
                    made.push((id, title.credits.as_slice()));
                    outcome.created += 1;
                    id
                }
            };
            here.put(title, id)?;
            if by_id.is_none() {
                named.push((id, title.external.as_slice()));
            }
            outcome.titles.push(id);
        }
        if !named.is_empty() {
            write::put_titles(&mut tx, &rows).await?;
            write::put_external(&mut tx, &named).await?;
            write::put_credits(&mut tx, &made, || self.inputs.id::<i64>()).await?;
            let ids: Vec<TitleId> = named.iter().map(|(id, _)| *id).collect();
            self.commit(tx, &ids).await?;
        }
        Ok(outcome)
    }

    /// Sorts titles into new, changed and unchanged.
    async fn plan(&self, tx: &mut Tx, titles: &[NewTitle]) -> Result<Plan, CatalogError> {
        let known = known(tx, titles).await?;
        let outcome = ImportedTitles {
            titles: Vec::with_capacity(titles.len()),
            created: 0,
            updated: 0,
            unchanged: 0,
        };
        let mut plan = Plan {
            outcome,
            rows: Vec::new(),
            changed: Vec::new(),
        };
        for (place, title) in titles.iter().enumerate() {
            let text = serde_json::to_vec(title).map_err(|error| Fault::Internal(error.to_string()))?;
            let brought = digest(&text) as i64;
            let before = before(&known, title);
            let id = before.map_or_else(|| self.inputs.id(), |(id, _)| id);
            plan.outcome.titles.push(id);
            match before {
                Some((_, Some(last))) if last == brought => {
                    plan.outcome.unchanged += 1;
                    continue;
                }
                Some(_) => plan.outcome.updated += 1,
                None => plan.outcome.created += 1,
            }
            plan.rows.push(self.row(id, title, Some(brought)));
            plan.changed.push((place, id));
        }
        Ok(plan)
    }

    /// Puts a video on a title or takes it off; a title that is not there, or has a newer one, is left alone.
    pub async fn set_video(&self, title: TitleId, asset: AssetId, ready: Option<(u64, u32)>) -> Result<(), Fault> {
        let at = self.inputs.now_ms();
        let mut tx = self.store.db.begin().await?;
        write::lock(&mut tx).await?;
        let changed = match ready {
            Some((duration_ms, height)) => write::put_video(&mut tx, title, asset, duration_ms, height, at).await?,
            None => write::remove_video(&mut tx, title, asset, at).await?,
        };
        if changed {
            self.commit(tx, &[title]).await?;
        }
        Ok(())
    }

    /// Notes an uploaded picture, or that there is none any more.
    pub async fn put_artwork(
        &self,
        title: TitleId,
        shape: ArtworkShape,
        key: Option<&str>,
    ) -> Result<(), CatalogError> {
        let mut tx = self.store.db.begin().await?;
        write::lock(&mut tx).await?;
        if !write::put_artwork(&mut tx, title, shape, key, self.inputs.now_ms()).await? {
            return Err(CatalogError::TitleNotFound);
        }
        self.commit(tx, &[title]).await?;
        Ok(())
    }

    /// Tells of the change, commits and brings it to the shelf.
    pub async fn commit(&self, mut tx: Tx, ids: &[TitleId]) -> Result<(), Fault> {
        let mut last = EventId(0);
        for chunk in ids.chunks(EVENT_IDS_MAX) {
            let event = self.inputs.event(EventBody::TitlesChanged { titles: chunk.to_vec() });
            last = event.id;
            outbox::append(&mut tx, &event).await?;
        }
        write::put_version(&mut tx, last).await?;
        tx.commit().await?;
        self.show(ids).await;
        Ok(())
    }

    /// Brings to the shelf what is committed. Where that fails the change stands all the same, and the room's own events bring it.
    async fn show(&self, ids: &[TitleId]) {
        if let Err(error) = self.refresh(ids).await {
            tracing::warn!(titles = ids.len(), %error, "changed titles were not read again yet");
        }
    }

    fn check_place(&self, place: Option<EpisodePlace>) -> Result<(), CatalogError> {
        let Some(place) = place else { return Ok(()) };
        match self.shelf.get(place.series) {
            Some(series) if series.card.kind == TitleKind::Series => Ok(()),
            _ => Err(invalid("there is no such series for the episode")),
        }
    }

    fn row(&self, id: TitleId, title: &NewTitle, imported_digest: Option<i64>) -> TitleRow {
        TitleRow {
            id: id.0,
            kind: kind_name(title.kind),
            name: title.name.clone(),
            original_name: title.original_name.clone(),
            year: title.year.map(i64::from),
            genres: serde_json::to_string(&title.genres).unwrap_or_else(|_| "[]".into()),
            description: title.description.clone(),
            maturity: i64::from(title.maturity.unwrap_or_else(|| estimated_maturity(&title.genres))),
            duration_ms: title.duration_ms.map(|duration| duration as i64),
            published: title.published,
            series: title.place.map(|place| place.series.0),
            season: title.place.map(|place| i64::from(place.season)),
            episode: title.place.map(|place| i64::from(place.episode)),
            imported_digest,
            at: self.inputs.now_ms(),
        }
    }
}

/// The fact after a change: taken away, set anew, or as it was.
pub fn kept<T>(
    fact: OptionalFact,
    cleared: &[OptionalFact],
    new: Option<T>,
    old: Option<T>,
) -> Result<Option<T>, CatalogError> {
    match (cleared.contains(&fact), new) {
        (true, Some(_)) => Err(invalid("a fact cannot be set and taken away at once")),
        (true, None) => Ok(None),
        (false, new) => Ok(new.or(old)),
    }
}

struct Plan {
    outcome: ImportedTitles,
    rows: Vec<TitleRow>,
    /// Place in the request and id.
    changed: Vec<(usize, TitleId)>,
}

/// Where a title's uploaded pictures are.
pub fn artwork_folder(id: TitleId) -> String {
    format!("artwork/{id}")
}

/// Titles that are here by an external id, by its source: id, title, digest of what it was imported from.
type Known<'a> = HashMap<&'a str, HashMap<String, (TitleId, Option<i64>)>>;

async fn known<'a>(tx: &mut Tx, titles: &'a [NewTitle]) -> Result<Known<'a>, Fault> {
    let mut by_source: HashMap<&str, Vec<&str>> = HashMap::new();
    for id in titles.iter().filter_map(|title| title.external.first()) {
        by_source.entry(&id.source).or_default().push(&id.id);
    }
    let mut known = HashMap::new();
    for (source, ids) in by_source {
        known.insert(source, write::imported(tx, source, &ids).await?);
    }
    Ok(known)
}

fn before(known: &Known<'_>, title: &NewTitle) -> Option<(TitleId, Option<i64>)> {
    let first = title.external.first()?;
    known.get(first.source.as_str())?.get(&first.id).copied()
}

/// One of many: what is wrong with it is told with its name.
fn checked_by_name(title: NewTitle) -> Result<NewTitle, CatalogError> {
    let name = title.name.clone();
    checked(title).map_err(|error| match error {
        CatalogError::TitleInvalid(what) => invalid(format!("{name:?}: {what}")),
        other => other,
    })
}

fn check_unique(titles: &[NewTitle]) -> Result<(), CatalogError> {
    let mut seen = HashSet::with_capacity(titles.len());
    for title in titles {
        let Some(first) = title.external.first() else {
            return Err(invalid(format!("{:?} has no external id to know it by", title.name)));
        };
        if !seen.insert((&first.source, &first.id)) {
            return Err(invalid(format!(
                "two titles have the id {} of {}",
                first.id, first.source
            )));
        }
    }
    Ok(())
}
