//! Titles, cards, rows and reasons, as the API says them.

use std::sync::Arc;

use contract::{
    PageId, PersonId, TitleId,
    accounts::{PREFERENCE_CHARS_MAX, PREFERRED_GENRES_MAX},
    activity, catalog,
};
use garde::Validate;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{Time, mirror, pictures::PictureUrl, seconds};

mirror! { TitleKind of catalog::TitleKind { Film, Series, Episode } }
mirror! { CreditRole of catalog::CreditRole { Actor, Director, Writer } }
mirror! { Sort of catalog::Sort { Popularity, Rating, Year, Name, Added } }

/// What a row shows of a title.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Card {
    #[schema(value_type = String)]
    pub id: TitleId,
    #[schema(value_type = String)]
    pub name: Arc<str>,
    #[schema(required = true)]
    pub year: Option<u16>,
    pub kind: TitleKind,
    #[schema(value_type = Vec<String>)]
    pub genres: Arc<[String]>,
    /// The youngest age it is for, years.
    pub maturity: u8,
    /// 2:3
    #[schema(value_type = String)]
    pub poster_url: PictureUrl,
    /// 16:9
    #[schema(value_type = String)]
    pub backdrop_url: PictureUrl,
    /// Stars, 0.5 to 5; null without ratings.
    #[schema(required = true)]
    pub average_rating: Option<f32>,
    pub ratings_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// How far this profile watched it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Whether there is a video.
    pub playable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub my_rating: Option<MyRating>,
    /// On this profile's list; never so in curators' tables, which are nobody's.
    pub in_my_list: bool,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Progress {
    pub position_s: f64,
    pub duration_s: f64,
    /// 0 to 1.
    pub fraction: f32,
    pub finished: bool,
}

impl From<&activity::Progress> for Progress {
    fn from(progress: &activity::Progress) -> Self {
        let fraction = progress.position_ms as f32 / progress.duration_ms.max(1) as f32;
        Self {
            position_s: seconds(progress.position_ms),
            duration_s: seconds(progress.duration_ms),
            fraction: hundredths(fraction.clamp(0.0, 1.0)),
            finished: progress.finished,
        }
    }
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct MyRating {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stars: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<bool>,
}

impl From<activity::Opinion> for MyRating {
    fn from(opinion: activity::Opinion) -> Self {
        match opinion {
            activity::Opinion::Stars(stars) => Self {
                stars: Some(stars.stars()),
                like: None,
            },
            activity::Opinion::Like => Self {
                stars: None,
                like: Some(true),
            },
            activity::Opinion::Dislike => Self {
                stars: None,
                like: Some(false),
            },
        }
    }
}

/// Two digits are all that anybody looks at.
pub fn hundredths(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

/// Why something is shown, in words, and the viewer's own titles that made it so.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reason {
    #[schema(example = "Because you rated Heat five stars")]
    pub text: String,
    #[schema(value_type = Vec<String>)]
    pub because: Vec<TitleId>,
    /// The same titles with their names.
    pub because_titles: Vec<NamedTitle>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct NamedTitle {
    #[schema(value_type = String)]
    pub id: TitleId,
    #[schema(value_type = String)]
    pub name: Arc<str>,
}

/// A card, or its text where nothing of it is this profile's own.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum CardOrText {
    Card(Box<Card>),
    Text(Arc<RawValue>),
}

impl From<Card> for CardOrText {
    fn from(card: Card) -> Self {
        Self::Card(Box::new(card))
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Item {
    #[schema(value_type = Card)]
    pub title: CardOrText,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    ContinueWatching,
    TopPicks,
    Trending,
    BecauseYouWatched,
    Genre,
    New,
    MyList,
    Popular,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Row {
    /// The same for the same row on the next page.
    pub id: String,
    pub kind: RowKind,
    #[schema(example = "Because you watched Heat")]
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub items: Vec<Item>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Hero {
    #[schema(value_type = Card)]
    pub title: CardOrText,
    pub description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Home {
    #[schema(value_type = String)]
    pub page_id: PageId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hero: Option<Hero>,
    pub rows: Vec<Row>,
    /// How many more ratings make this page the viewer's own; 0 from the third on.
    pub ratings_wanted: usize,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Credit {
    #[schema(value_type = String)]
    pub id: PersonId,
    pub name: String,
    pub role: CreditRole,
}

impl From<catalog::Credit> for Credit {
    fn from(credit: catalog::Credit) -> Self {
        Self {
            id: credit.person,
            name: credit.name,
            role: credit.role.into(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RatingCount {
    pub stars: f32,
    pub count: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Season {
    pub number: u16,
    pub episodes: Vec<Episode>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Episode {
    pub number: u16,
    pub title: Card,
    pub description: String,
}

/// Where an episode stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct EpisodePlace {
    #[schema(value_type = String)]
    pub series_id: TitleId,
    pub series_name: String,
    pub season: u16,
    pub episode: u16,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ExternalId {
    #[garde(length(chars, min = 1, max = 40))]
    #[schema(example = "imdb")]
    pub source: String,
    #[garde(length(chars, min = 1, max = 100))]
    #[schema(example = "0113277")]
    pub id: String,
}

/// All of a title, as this profile sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Title {
    #[serde(flatten)]
    pub card: Card,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_name: Option<String>,
    pub description: String,
    pub people: Vec<Credit>,
    /// Of a series.
    pub seasons: Vec<Season>,
    /// Of an episode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<EpisodePlace>,
    /// From half a star to five.
    pub rating_histogram: Vec<RatingCount>,
    pub likes: u64,
    pub dislikes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rated_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_watched_at: Option<Time>,
    /// Why it would be recommended to this profile, where the model has something to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Reason>,
    pub published: bool,
    /// Height of the video, lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_height: Option<u32>,
    pub external: Vec<ExternalId>,
    pub created_at: Time,
    pub updated_at: Time,
}

/// The new figures after a rating.
#[derive(Debug, Serialize, ToSchema)]
pub struct RatingAnswer {
    #[schema(required = true)]
    pub average_rating: Option<f32>,
    pub ratings_count: u64,
    pub rating_histogram: Vec<RatingCount>,
    pub likes: u64,
    pub dislikes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub my_rating: Option<MyRating>,
}

/// Exactly one of the two.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PutRating {
    /// 1 to 5, halves allowed.
    #[serde(default)]
    #[garde(inner(custom(half_steps)))]
    #[schema(minimum = 1, maximum = 5, example = 4.5)]
    pub stars: Option<f64>,
    #[serde(default)]
    #[garde(custom(exactly_one(&self.stars)))]
    pub like: Option<bool>,
}

fn half_steps(stars: &f64, _: &()) -> garde::Result {
    let good = (1.0..=5.0).contains(stars) && (stars * 2.0).fract() == 0.0;
    if good {
        Ok(())
    } else {
        Err(garde::Error::new("stars are 1 to 5, halves allowed"))
    }
}

fn exactly_one(stars: &Option<f64>) -> impl FnOnce(&Option<bool>, &()) -> garde::Result + '_ {
    move |like, ()| {
        if stars.is_some() != like.is_some() {
            Ok(())
        } else {
            Err(garde::Error::new("give either stars or like"))
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RatedTitle {
    pub title: Card,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stars: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub like: Option<bool>,
    pub rated_at: Time,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    pub title: Card,
    pub last_watched_at: Time,
    pub progress: Progress,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub my_rating: Option<MyRating>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ListedTitle {
    pub title: Card,
    pub added_at: Time,
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PutWatched {
    #[garde(skip)]
    pub watched: bool,
}

mirror! {
    struct FacetCount of catalog::FacetCount { value: String, count: u32 }
}

/// How many matches each narrowing would leave, most first.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Facets {
    pub genres: Vec<FacetCount>,
    pub kinds: Vec<FacetCount>,
    pub decades: Vec<FacetCount>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SearchAnswer {
    #[schema(value_type = Vec<Card>)]
    pub items: Vec<CardOrText>,
    pub facets: Facets,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct GenreCount {
    pub name: String,
    pub count: u32,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Onboarding {
    pub genres: Vec<GenreCount>,
    /// Titles that tell tastes apart.
    pub titles: Vec<Card>,
}

#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PutOnboarding {
    #[serde(default)]
    #[garde(length(max = PREFERRED_GENRES_MAX), inner(length(chars, min = 1, max = PREFERENCE_CHARS_MAX)))]
    pub genres: Vec<String>,
    #[serde(default)]
    #[garde(length(max = 100))]
    #[schema(value_type = Vec<String>)]
    pub title_ids: Vec<TitleId>,
}

#[derive(Debug, Serialize, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BrowseQuery {
    #[garde(inner(length(chars, min = 1, max = 80)))]
    pub genre: Option<String>,
    #[garde(skip)]
    #[param(inline)]
    pub kind: Option<TitleKind>,
    #[garde(skip)]
    pub year_min: Option<u16>,
    #[garde(skip)]
    pub year_max: Option<u16>,
    /// Only what can be played now.
    #[garde(skip)]
    pub playable: Option<bool>,
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<Sort>,
    #[garde(inner(range(min = 1, max = 200)))]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    #[garde(skip)]
    pub cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Titles, people and genres; one typo a word is forgiven. Empty: what this profile might look for.
    #[serde(default)]
    #[garde(length(chars, max = 200))]
    #[param(required = false)]
    pub q: String,
    #[garde(inner(length(chars, min = 1, max = 80)))]
    pub genre: Option<String>,
    #[garde(skip)]
    #[param(inline)]
    pub kind: Option<TitleKind>,
    /// First year of a decade, such as 1990.
    #[garde(skip)]
    pub decade: Option<u16>,
    #[garde(inner(range(min = 1, max = 100)))]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

#[derive(Debug, Deserialize, IntoParams, Validate)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    #[garde(inner(range(min = 1, max = 200)))]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    #[garde(skip)]
    pub cursor: Option<String>,
}
