//! The door.

use std::sync::Arc;

use async_trait::async_trait;
use contract::{
    Blob, Done, Fault, Page, TitleId,
    catalog::{
        Artwork, ArtworkShape, BrowsePage, Card, Catalog, CatalogError, Episode, FacetCount, ForTitle, GetArtwork,
        GetCards, GetGenres, ImportTitles, ImportedTitles, NewTitle, PageFeatures, Resolve, Search, SearchResult,
        Season, SetArtwork, Title, TitleFeatures, UpdateTitle,
    },
};
use platform::{Db, blob::BlobError};

use crate::{
    artwork::{self, Subject, upload},
    browse,
    change::artwork_folder,
    core::Core,
    search,
};

const CARDS_MAX: usize = 1_000;
const RESOLVE_MAX: usize = 200_000;
const FEATURES_MAX: usize = 20_000;

/// The catalogue in this process.
pub struct Local {
    pub(crate) core: Arc<Core>,
}

impl Local {
    /// For readiness, backup and migration.
    pub fn database(&self) -> &Db {
        &self.core.store.db
    }

    async fn full(&self, id: TitleId) -> Result<Title, CatalogError> {
        let entry = self.core.entry(id)?;
        if let Some(title) = self.core.whole.get(&entry) {
            return Ok(title);
        }
        let title = self.core.store.title(entry.card.clone(), entry.place).await?;
        let title = title.ok_or(CatalogError::TitleNotFound)?;
        self.core.whole.put(entry, title.clone());
        Ok(title)
    }

    /// The uploaded picture, if there is one.
    async fn uploaded(
        &self,
        title: TitleId,
        shape: ArtworkShape,
    ) -> Result<Option<(&'static str, Vec<u8>)>, CatalogError> {
        let detail = self
            .core
            .store
            .detail(title)
            .await?
            .ok_or(CatalogError::TitleNotFound)?;
        let key = match shape {
            ArtworkShape::Poster => detail.poster_key,
            ArtworkShape::Backdrop => detail.backdrop_key,
        };
        let Some(key) = key else { return Ok(None) };
        match self.core.blobs.get(&key).await {
            Ok(body) => Ok(upload::sniff(&body).map(|content_type| (content_type, body.to_vec()))),
            Err(BlobError::NotFound(_)) => {
                tracing::warn!(%title, key, "an uploaded picture is gone; drawing one");
                Ok(None)
            }
            Err(error) => Err(blob_fault(error).into()),
        }
    }
}

fn blob_fault(error: BlobError) -> Fault {
    match error {
        BlobError::Fault(fault) => fault,
        other => Fault::Internal(other.to_string()),
    }
}

#[async_trait]
impl Catalog for Local {
    async fn title(&self, req: ForTitle) -> Result<Title, CatalogError> {
        self.full(req.title).await
    }

    async fn cards(&self, req: GetCards) -> Result<Vec<Card>, CatalogError> {
        if req.titles.len() > CARDS_MAX {
            return Err(CatalogError::TooMany(CARDS_MAX as u32));
        }
        Ok(self.core.shelf.cards(&req.titles))
    }

    async fn seasons(&self, req: ForTitle) -> Result<Vec<Season>, CatalogError> {
        self.core.entry(req.title)?;
        let episodes = self.core.shelf.episodes(req.title);
        if episodes.is_empty() {
            return Ok(Vec::new());
        }
        let mut descriptions = self.core.store.episode_descriptions(req.title).await?;
        let mut seasons: Vec<Season> = Vec::new();
        for entry in episodes {
            let Some(place) = entry.place else { continue };
            let episode = Episode {
                number: place.episode,
                card: entry.card.clone(),
                description: descriptions.remove(&entry.card.id).unwrap_or_default(),
            };
            match seasons.last_mut() {
                Some(season) if season.number == place.season => season.episodes.push(episode),
                _ => seasons.push(Season {
                    number: place.season,
                    episodes: vec![episode],
                }),
            }
        }
        Ok(seasons)
    }

    async fn browse(&self, req: BrowsePage) -> Result<Page<Card, String>, CatalogError> {
        browse::page(&self.core.shelf, &req)
    }

    async fn search(&self, req: Search) -> Result<SearchResult, CatalogError> {
        let core = self.core.clone();
        let searched = tokio::task::spawn_blocking(move || search::run(&core.shelf, core.index.as_deref(), &req));
        let result = searched.await.map_err(|error| Fault::Internal(error.to_string()))?;
        result.map_err(|error| Fault::Internal(error.to_string()).into())
    }

    async fn genres(&self, req: GetGenres) -> Result<Vec<FacetCount>, CatalogError> {
        Ok(browse::genres(&self.core.shelf, req.maturity_max))
    }

    async fn create(&self, req: NewTitle) -> Result<Title, CatalogError> {
        let id = self.core.create(req).await?;
        self.full(id).await
    }

    async fn update(&self, req: UpdateTitle) -> Result<Title, CatalogError> {
        let id = req.title;
        self.core.update(req).await?;
        self.full(id).await
    }

    async fn delete(&self, req: ForTitle) -> Result<Done, CatalogError> {
        self.core.delete(req.title).await.map(|()| Done {})
    }

    async fn import(&self, req: ImportTitles) -> Result<ImportedTitles, CatalogError> {
        self.core.import(req).await
    }

    async fn import_new(&self, req: ImportTitles) -> Result<ImportedTitles, CatalogError> {
        self.core.import_new(req).await
    }

    async fn resolve(&self, req: Resolve) -> Result<Vec<Option<TitleId>>, CatalogError> {
        if req.ids.len() > RESOLVE_MAX {
            return Err(CatalogError::TooMany(RESOLVE_MAX as u32));
        }
        let known = self.core.store.resolve(&req.source, &req.ids).await?;
        Ok(req.ids.iter().map(|id| known.get(id).copied()).collect())
    }

    async fn features(&self, req: PageFeatures) -> Result<Page<TitleFeatures, TitleId>, CatalogError> {
        if let Some(only) = req.only {
            if only.len() > CARDS_MAX {
                return Err(CatalogError::TooMany(CARDS_MAX as u32));
            }
            return Ok(Page {
                items: self.core.shelf.features(&only),
                next: None,
            });
        }
        let shelf = &self.core.shelf;
        let list = shelf.list(None);
        let start = req
            .after
            .map_or(0, |after| list.partition_point(|entry| entry.card.id <= after));
        let end = start
            .saturating_add((req.limit as usize).clamp(1, FEATURES_MAX))
            .min(list.len());
        let ids: Vec<TitleId> = list[start..end].iter().map(|entry| entry.card.id).collect();
        let items = shelf.features(&ids);
        let next = items.last().filter(|_| end < list.len()).map(|last| last.id);
        Ok(Page { items, next })
    }

    async fn artwork(&self, req: GetArtwork) -> Result<Artwork, CatalogError> {
        let entry = self.core.entry(req.title)?;
        let version = entry.card.artwork_version;
        if entry.uploaded
            && let Some((content_type, body)) = self.uploaded(req.title, req.shape).await?
        {
            return Ok(Artwork {
                content_type: content_type.to_owned(),
                version,
                body: Blob(body),
            });
        }
        let card = &entry.card;
        let subject = Subject {
            seed: card.id.0 as u64,
            name: &card.name,
            year: card.year,
            genres: &card.genres,
        };
        let body = Blob(artwork::draw(&subject, req.shape).into_bytes());
        Ok(Artwork {
            content_type: "image/svg+xml".to_owned(),
            version,
            body,
        })
    }

    async fn set_artwork(&self, req: SetArtwork) -> Result<Card, CatalogError> {
        let entry = self.core.entry(req.title)?;
        let Some(Blob(body)) = req.body else {
            self.core.put_artwork(req.title, req.shape, None).await?;
            return Ok(self.core.entry(req.title)?.card.clone());
        };
        if body.len() > upload::BODY_BYTES_MAX {
            return Err(CatalogError::ArtworkInvalid("the picture is larger than 5 MB".into()));
        }
        if upload::sniff(&body).is_none() {
            return Err(CatalogError::ArtworkInvalid(
                "the picture is not a PNG, JPEG or WebP".into(),
            ));
        }
        let shape = match req.shape {
            ArtworkShape::Poster => "poster",
            ArtworkShape::Backdrop => "backdrop",
        };
        // A key of its own each time: an address that was handed out never changes its picture.
        let stamp: TitleId = self.core.inputs.id();
        let key = format!("{}/{shape}-{stamp}", artwork_folder(entry.card.id));
        self.core.blobs.put(&key, body).await.map_err(blob_fault)?;
        self.core.put_artwork(req.title, req.shape, Some(&key)).await?;
        Ok(self.core.entry(req.title)?.card.clone())
    }
}
