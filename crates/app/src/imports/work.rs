//! One import, from files to rows.

use std::path::PathBuf;

use contract::{
    ProfileId, TitleId,
    activity::{HalfStars, ImportProfiles, ImportRatings, ImportedRating},
    async_trait,
    catalog::{ExternalId, ImportTitles, NewTitle, TitleKind},
    imports::StartImport,
    streaming::{ForUpload, StreamingError},
};
use platform::jobs::{Failure, Ticket, Work};

use super::{Counts, Room};
use crate::datasets::{self, Dataset, Film};

/// Of one call to activity, which writes them in transactions that are much smaller.
const RATINGS_PER_CALL: usize = 1_000_000;
const VIEWERS_PER_CALL: usize = 1_000_000;
const TITLES_PER_CALL: usize = 200_000;

#[async_trait]
impl Work for Room {
    async fn run(&self, ticket: &Ticket) -> Result<Option<String>, Failure> {
        let request: StartImport = ticket.payload()?;
        // An attempt that was killed on its very last step may have removed the files.
        let counts = match self.counts(ticket.id()).await? {
            Some(counts) => counts,
            None => self.bring_in(&request, ticket).await?,
        };
        self.remove(request.uploads).await?;
        Ok(Some(in_words(&counts)))
    }
}

fn in_words(counts: &Counts) -> String {
    format!(
        "{} titles ({} new, {} changed), {} ratings of {} viewers ({} new or changed), {} duplicate lines",
        counts.titles,
        counts.titles_created,
        counts.titles_updated,
        counts.ratings,
        counts.viewers,
        counts.ratings_written,
        counts.duplicates
    )
}

impl Room {
    async fn bring_in(&self, request: &StartImport, ticket: &Ticket) -> Result<Counts, Failure> {
        ticket.progress(0.05, "reading and checking the files");
        let kind = request.kind;
        let paths: Vec<PathBuf> = request.paths.iter().map(PathBuf::from).collect();
        let dataset = tokio::task::spawn_blocking(move || datasets::read_as(kind, &paths)).await?;
        let dataset = dataset.map_err(|error| Failure::permanent(error.to_string()))?;
        let counts = self.write(dataset, request, ticket).await?;
        self.note_counts(ticket.id(), &counts).await?;
        Ok(counts)
    }

    /// Uploaded files are of no use once they have been imported.
    async fn remove(&self, uploads: Vec<ForUpload>) -> anyhow::Result<()> {
        for upload in uploads {
            match self.streaming.remove_upload(upload).await {
                Ok(_) | Err(StreamingError::UploadNotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    async fn write(&self, dataset: Dataset, request: &StartImport, ticket: &Ticket) -> anyhow::Result<Counts> {
        let source = dataset.layout.source();
        // An order without ratings gives titles only.
        let rated = dataset.ratings.iter().filter(|rating| rating.half_stars > 0).count();
        let mut counts = Counts {
            ratings: rated as u64,
            duplicates: dataset.duplicates,
            ..Counts::default()
        };
        ticket.progress(0.3, format!("{} titles", dataset.films.len()));
        let titles = self.write_titles(&dataset.films, source, &mut counts).await?;
        if rated == 0 {
            return Ok(counts);
        }
        ticket.progress(0.4, format!("{} viewers", dataset.viewers.len()));
        counts.viewers = dataset.viewers.len() as u64;
        let profiles = self
            .profiles(dataset.viewers, dataset.layout.viewers_source(), request)
            .await?;
        for (number, chunk) in dataset.ratings.chunks(RATINGS_PER_CALL).enumerate() {
            let done = number * RATINGS_PER_CALL;
            let share = 0.5 + 0.5 * done as f32 / rated as f32;
            ticket.progress(share, format!("{done} of {rated} ratings"));
            let ratings = chunk
                .iter()
                .filter_map(|rating| row(rating, &profiles, &titles))
                .collect();
            counts.ratings_written += self.activity.import_ratings(ImportRatings { ratings }).await?.written;
        }
        Ok(counts)
    }

    async fn write_titles(&self, films: &[Film], source: &str, counts: &mut Counts) -> anyhow::Result<Vec<TitleId>> {
        let mut titles = Vec::with_capacity(films.len());
        for films in films.chunks(TITLES_PER_CALL) {
            let new = films.iter().map(|film| new_title(film, source)).collect();
            let imported = self.catalog.import(ImportTitles { titles: new }).await?;
            titles.extend(imported.titles);
            counts.titles_created += imported.created;
            counts.titles_updated += imported.updated;
        }
        counts.titles = titles.len() as u64;
        Ok(titles)
    }

    async fn profiles(
        &self,
        viewers: Vec<String>,
        source: &str,
        request: &StartImport,
    ) -> anyhow::Result<Vec<ProfileId>> {
        let mut profiles = Vec::with_capacity(viewers.len());
        for viewers in viewers.chunks(VIEWERS_PER_CALL) {
            let req = ImportProfiles {
                source: source.into(),
                viewers: viewers.to_vec(),
                claims: request.claims.clone(),
            };
            profiles.extend(self.activity.import_profiles(req).await?);
        }
        Ok(profiles)
    }
}

fn row(rating: &datasets::Rating, profiles: &[ProfileId], titles: &[TitleId]) -> Option<ImportedRating> {
    Some(ImportedRating {
        profile: profiles[rating.viewer as usize],
        title: titles[rating.film as usize],
        stars: HalfStars::new(rating.half_stars)?,
        at: i64::from(rating.at_s) * 1000,
    })
}

fn new_title(film: &Film, source: &str) -> NewTitle {
    let mut external = vec![ExternalId {
        source: source.into(),
        id: film.id.clone(),
    }];
    external.extend(film.imdb.iter().map(|id| ExternalId {
        source: "imdb".into(),
        id: id.clone(),
    }));
    NewTitle {
        kind: TitleKind::Film,
        name: film.name.name.clone(),
        original_name: film.name.other.clone(),
        year: film.name.year,
        genres: film.genres.clone(),
        description: String::new(),
        maturity: None,
        duration_ms: None,
        credits: Vec::new(),
        place: None,
        external,
        published: true,
    }
}
