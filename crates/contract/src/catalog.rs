//! The catalogue: what there is to watch, how to find it, and what it looks like.

use std::{ops::RangeInclusive, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{AssetId, Blob, Done, Millis, Page, PersonId, TitleId};

/// Of titles: from the first moving pictures to what may be announced.
pub const YEARS: RangeInclusive<u16> = 1870..=2100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TitleKind {
    Film,
    Series,
    Episode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditRole {
    Actor,
    Director,
    Writer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    pub person: PersonId,
    pub name: String,
    pub role: CreditRole,
}

/// Where an episode stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpisodePlace {
    pub series: TitleId,
    pub season: u16,
    pub episode: u16,
}

/// The video of a title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Video {
    pub asset: AssetId,
    pub duration_ms: u64,
    pub height: u32,
}

/// All of a title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Title {
    pub card: Card,
    pub original_name: Option<String>,
    pub description: String,
    /// Cast and crew, in billing order.
    pub credits: Vec<Credit>,
    pub place: Option<EpisodePlace>,
    pub video: Option<Video>,
    pub external: Vec<ExternalId>,
    #[serde(default)]
    pub window: Window,
    /// When it was added; of one that has appeared by its window, when it did.
    pub created_at: Millis,
    pub updated_at: Millis,
}

/// When a title appears to viewers and goes by itself. What has come about is no longer here: one that appears later is not published
/// until then, and what goes is published or appears before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    pub publish_at: Option<Millis>,
    pub unpublish_at: Option<Millis>,
}

/// What a row shows of a title; held in memory by the catalogue. Its texts are shared: a page has hundreds of cards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    pub id: TitleId,
    pub kind: TitleKind,
    /// As a person writes it: `The Matrix`, not `Matrix, The (1999)`.
    pub name: Arc<str>,
    pub year: Option<u16>,
    pub genres: Arc<[String]>,
    /// The youngest age it is for, years, 0 to 18; of an episode, not below its series'.
    pub maturity: u8,
    pub duration_ms: Option<u64>,
    /// Bayesian mean in stars, 0.5 to 5; absent without ratings.
    pub average_rating: Option<f32>,
    pub ratings_count: u64,
    /// Whether there is a video (or, for a series, an episode with one).
    pub playable: bool,
    /// Whether viewers see it; no episode of a series that they do not.
    pub published: bool,
    /// Changes whenever the pictures do: part of their immutable addresses.
    pub artwork_version: u32,
}

/// An id that another catalogue gave, such as `imdb` / `0133093`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExternalId {
    /// `movielens`, `movietweetings`, `imdb`, `kinora`.
    pub source: String,
    pub id: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForTitle {
    pub title: TitleId,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetCards {
    /// At most 1,000.
    pub titles: Vec<TitleId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Season {
    pub number: u16,
    pub episodes: Vec<Episode>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    pub number: u16,
    pub card: Card,
    pub description: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    #[default]
    Popularity,
    Rating,
    Year,
    Name,
    Added,
}

/// Films and series (not episodes), filtered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Browse {
    pub genre: Option<String>,
    pub kind: Option<TitleKind>,
    pub year_min: Option<u16>,
    pub year_max: Option<u16>,
    /// Titles for older people stay out.
    pub maturity_max: u8,
    pub playable_only: bool,
    /// Curators also see what is not published.
    pub unpublished_too: bool,
    /// A part of the name, for curators' tables.
    pub name_contains: Option<String>,
    pub sort: Sort,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BrowsePage {
    pub filter: Browse,
    /// `next` of the page before, of the same filter.
    pub after: Option<String>,
    pub limit: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Search {
    pub query: String,
    pub maturity_max: u8,
    pub genre: Option<String>,
    pub kind: Option<TitleKind>,
    /// First year of a decade, such as 1990.
    pub decade: Option<u16>,
    pub limit: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchResult {
    pub items: Vec<Card>,
    pub facets: Facets,
}

/// How many matches each narrowing would leave, most first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facets {
    pub genres: Vec<FacetCount>,
    pub kinds: Vec<FacetCount>,
    pub decades: Vec<FacetCount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetCount {
    pub value: String,
    pub count: u32,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GetGenres {
    pub maturity_max: u8,
}

/// A title to make, from a curator or an importer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewTitle {
    pub kind: TitleKind,
    pub name: String,
    pub original_name: Option<String>,
    pub year: Option<u16>,
    pub genres: Vec<String>,
    pub description: String,
    /// Absent: estimated from the genres.
    pub maturity: Option<u8>,
    pub duration_ms: Option<u64>,
    pub credits: Vec<NewCredit>,
    pub place: Option<EpisodePlace>,
    pub external: Vec<ExternalId>,
    pub published: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCredit {
    pub name: String,
    pub role: CreditRole,
}

/// What a title may be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptionalFact {
    Year,
    /// Without one it is estimated from the genres.
    Maturity,
    PublishAt,
    UnpublishAt,
}

/// Only what is there changes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpdateTitle {
    pub title: TitleId,
    pub name: Option<String>,
    pub year: Option<u16>,
    pub genres: Option<Vec<String>>,
    pub description: Option<String>,
    pub maturity: Option<u8>,
    pub duration_ms: Option<u64>,
    pub credits: Option<Vec<NewCredit>>,
    pub published: Option<bool>,
    /// To come; until then viewers do not see it.
    #[serde(default)]
    pub publish_at: Option<Millis>,
    /// To come.
    #[serde(default)]
    pub unpublish_at: Option<Millis>,
    /// Taken away; none of them may be set by the same change.
    #[serde(default)]
    pub cleared: Vec<OptionalFact>,
}

impl UpdateTitle {
    /// A change of nothing, to name from there what changes.
    pub fn of(title: TitleId) -> Self {
        Self {
            title,
            name: None,
            year: None,
            genres: None,
            description: None,
            maturity: None,
            duration_ms: None,
            credits: None,
            published: None,
            publish_at: None,
            unpublish_at: None,
            cleared: Vec::new(),
        }
    }
}

/// Many titles at once, all or none; known by their first external id, so repeating it changes nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportTitles {
    /// At most 200,000.
    pub titles: Vec<NewTitle>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedTitles {
    /// In the order of the request.
    pub titles: Vec<TitleId>,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Resolve {
    pub source: String,
    /// At most 200,000.
    pub ids: Vec<String>,
}

/// What a recommender may know of a title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleFeatures {
    pub id: TitleId,
    pub kind: TitleKind,
    pub name: String,
    pub year: Option<u16>,
    pub genres: Vec<String>,
    pub people: Vec<PersonId>,
    pub maturity: u8,
    pub playable: bool,
    pub published: bool,
    pub ratings_count: u64,
    pub average_rating: Option<f32>,
    pub created_at: Millis,
    /// Of a series, in their order: what is done with them speaks for it.
    #[serde(default)]
    pub episodes: Vec<TitleId>,
}

/// All titles but episodes, by id; or just some, where an episode is answered by its series.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PageFeatures {
    pub after: Option<TitleId>,
    /// At most 20,000.
    pub limit: u32,
    /// Only these (at most 1,000); `after` does not matter then.
    pub only: Option<Vec<TitleId>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArtworkShape {
    /// 2:3
    Poster,
    /// 16:9
    Backdrop,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct GetArtwork {
    pub title: TitleId,
    pub shape: ArtworkShape,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Artwork {
    /// `image/svg+xml`, `image/png`, `image/jpeg` or `image/webp`.
    pub content_type: String,
    pub version: u32,
    pub body: Blob,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetArtwork {
    pub title: TitleId,
    pub shape: ArtworkShape,
    /// PNG, JPEG or WebP by its content, at most 5 MB; absent: back to the one we draw.
    pub body: Option<Blob>,
}

crate::door_error! {
    /// What the catalogue can refuse.
    CatalogError {
        TitleNotFound => NotFound, "title_not_found", "no such title";
        TitleInvalid(String) => InvalidArgument, "title_invalid", "{0}";
        ArtworkInvalid(String) => InvalidArgument, "artwork_invalid", "{0}";
        CursorInvalid => InvalidArgument, "cursor_invalid", "this cursor belongs to another list; start again without it";
        TooMany(u32) => InvalidArgument, "too_many", "at most {0} at once";
        HasEpisodes => FailedPrecondition, "has_episodes", "delete the episodes of this series first";
    }
}

#[async_trait]
pub trait Catalog: Send + Sync + 'static {
    async fn title(&self, req: ForTitle) -> Result<Title, CatalogError>;
    /// In the order asked for; unknown ones are left out.
    async fn cards(&self, req: GetCards) -> Result<Vec<Card>, CatalogError>;
    async fn seasons(&self, req: ForTitle) -> Result<Vec<Season>, CatalogError>;
    async fn browse(&self, req: BrowsePage) -> Result<Page<Card, String>, CatalogError>;
    async fn search(&self, req: Search) -> Result<SearchResult, CatalogError>;
    async fn genres(&self, req: GetGenres) -> Result<Vec<FacetCount>, CatalogError>;
    async fn create(&self, req: NewTitle) -> Result<Title, CatalogError>;
    async fn update(&self, req: UpdateTitle) -> Result<Title, CatalogError>;
    async fn delete(&self, req: ForTitle) -> Result<Done, CatalogError>;
    async fn import(&self, req: ImportTitles) -> Result<ImportedTitles, CatalogError>;
    /// Adds what is not here yet. A title is here by its first external id, by its place in a series, or by kind, name and year (a film
    /// without a year is not); such a one is left as it is, and known by the new ids too from then on.
    async fn import_new(&self, req: ImportTitles) -> Result<ImportedTitles, CatalogError>;
    /// In the order asked for.
    async fn resolve(&self, req: Resolve) -> Result<Vec<Option<TitleId>>, CatalogError>;
    async fn features(&self, req: PageFeatures) -> Result<Page<TitleFeatures, TitleId>, CatalogError>;
    async fn artwork(&self, req: GetArtwork) -> Result<Artwork, CatalogError>;
    async fn set_artwork(&self, req: SetArtwork) -> Result<Card, CatalogError>;
}

crate::wire! { Catalog as "catalog", CatalogError:
    title(ForTitle) -> Title,
    cards(GetCards) -> Vec<Card>,
    seasons(ForTitle) -> Vec<Season>,
    browse(BrowsePage) -> Page<Card, String>,
    search(Search) -> SearchResult,
    genres(GetGenres) -> Vec<FacetCount>,
    create(NewTitle) -> Title,
    update(UpdateTitle) -> Title,
    delete(ForTitle) -> Done,
    import(ImportTitles) -> ImportedTitles,
    import_new(ImportTitles) -> ImportedTitles,
    resolve(Resolve) -> Vec<Option<TitleId>>,
    features(PageFeatures) -> Page<TitleFeatures, TitleId>,
    artwork(GetArtwork) -> Artwork,
    set_artwork(SetArtwork) -> Card,
}
