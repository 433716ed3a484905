//! Activity: what a profile rated, watched and listed. Every table leads with the profile; no query crosses profiles, but for
//! the paging of interactions to training and the read model of averages.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Done, Millis, Page, ProfileId, TitleId};

/// A rating in half stars, 1 to 10: five stars are 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct HalfStars(u8);

impl HalfStars {
    pub fn new(half_stars: u8) -> Option<Self> {
        (1..=10).contains(&half_stars).then_some(Self(half_stars))
    }

    pub fn get(self) -> u8 {
        self.0
    }

    pub fn stars(self) -> f32 {
        f32::from(self.0) / 2.0
    }
}

impl TryFrom<u8> for HalfStars {
    type Error = &'static str;
    fn try_from(value: u8) -> Result<Self, Self::Error> {
        Self::new(value).ok_or("a rating is 1 to 10 half stars")
    }
}

impl From<HalfStars> for u8 {
    fn from(value: HalfStars) -> u8 {
        value.0
    }
}

/// One opinion at a time: stars replace a like and the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    Stars(HalfStars),
    Like,
    Dislike,
}

/// All that a profile has to do with a title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleState {
    pub title: TitleId,
    pub opinion: Option<Opinion>,
    pub rated_at: Option<Millis>,
    pub progress: Option<Progress>,
    pub listed_at: Option<Millis>,
}

impl TitleState {
    /// The newest moment of anything here; 0 without any.
    pub fn last_at(&self) -> Millis {
        let watched = self.progress.as_ref().map(|progress| progress.at);
        self.rated_at.max(watched).max(self.listed_at).unwrap_or(0)
    }

    /// Rated, or watched for more than a look.
    pub fn is_seen(&self) -> bool {
        let watched = |progress: &Progress| progress.finished || progress.watched >= SEEN_SHARE;
        self.opinion.is_some() || self.progress.as_ref().is_some_and(watched)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub position_ms: u64,
    pub duration_ms: u64,
    /// The furthest share ever watched, 0 to 1.
    pub watched: f32,
    /// Reached 95 %, the credits, the end, or was marked as watched; watching it again from before 80 % clears it.
    pub finished: bool,
    /// When it was last watched.
    pub at: Millis,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Rate {
    pub profile: ProfileId,
    pub title: TitleId,
    pub opinion: Opinion,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForTitleOf {
    pub profile: ProfileId,
    pub title: TitleId,
}

/// How a title is rated by everybody: absolute figures; the higher `version` is the newer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TitleRatings {
    pub title: TitleId,
    /// Number of ratings of 1, 2, … 10 half stars.
    pub histogram: [u64; 10],
    pub likes: u64,
    pub dislikes: u64,
    pub version: i64,
}

impl TitleRatings {
    pub fn none(title: TitleId) -> Self {
        Self {
            title,
            histogram: [0; 10],
            likes: 0,
            dislikes: 0,
            version: 0,
        }
    }

    /// Ratings in stars (likes have no number).
    pub fn count(&self) -> u64 {
        self.histogram.iter().sum()
    }

    /// Sum of half stars.
    pub fn sum(&self) -> u64 {
        self.histogram
            .iter()
            .zip(1u64..)
            .map(|(count, half_stars)| count * half_stars)
            .sum()
    }

    /// Mean in stars pulled towards `prior_mean` stars as if `prior_count` people had given it, so that few votes do not
    /// top the list (a Bayesian average); absent without ratings.
    pub fn average(&self, prior_mean: f32, prior_count: f32) -> Option<f32> {
        let count = self.count();
        (count > 0).then(|| (self.sum() as f32 / 2.0 + prior_mean * prior_count) / (count as f32 + prior_count))
    }
}

/// The prior of [`TitleRatings::average`] that the whole product uses: stars, ratings.
pub const RATING_PRIOR: (f32, f32) = (3.5, 5.0);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ForTitles {
    /// At most 1,000.
    pub titles: Vec<TitleId>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GetStates {
    pub profile: ProfileId,
    /// At most 1,000.
    pub titles: Vec<TitleId>,
}

/// The newest states of a profile that are answered from memory.
pub const RECENT_STATES_MAX: u32 = 500;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Recent {
    pub profile: ProfileId,
    /// At most [`RECENT_STATES_MAX`].
    pub limit: u32,
}

/// Below this share watched, a title was only looked into.
pub const SEEN_SHARE: f32 = 0.05;

/// What a recommender needs of a viewer, in one answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecentActivity {
    /// Newest first.
    pub states: Vec<TitleState>,
    /// My List, newest first, at most 500; its titles may also be in `states`.
    pub listed: Vec<TitleId>,
    /// Rated or seen (from [`SEEN_SHARE`] on) longer ago than all of `states`; the newest 20,000.
    #[serde(default)]
    pub seen_before: Vec<TitleId>,
    /// Those of `seen_before` that were disliked.
    #[serde(default)]
    pub disliked_before: Vec<TitleId>,
}

impl RecentActivity {
    /// Keeps the newest `limit` states; of the others only that they were seen.
    pub fn keep_newest(&mut self, limit: usize) {
        let older = self.states.split_off(limit.min(self.states.len()));
        let seen = older.iter().filter(|state| state.is_seen());
        self.seen_before.splice(0..0, seen.map(|state| state.title));
        let disliked = older.iter().filter(|state| state.opinion == Some(Opinion::Dislike));
        self.disliked_before.splice(0..0, disliked.map(|state| state.title));
    }
}

/// Keyset for lists by time, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeKey {
    pub at: Millis,
    pub title: TitleId,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ListOf {
    pub profile: ProfileId,
    pub after: Option<TimeKey>,
    pub limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlayState {
    Playing,
    Paused,
    Ended,
}

/// A position from a player. The newest by the player's clock wins; written behind.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ReportProgress {
    pub profile: ProfileId,
    pub title: TitleId,
    pub position_ms: u64,
    pub duration_ms: u64,
    /// Where the credits begin, if known: from there on it is finished.
    pub credits_ms: Option<u64>,
    pub state: PlayState,
    pub at: Millis,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MarkWatched {
    pub profile: ProfileId,
    /// At most 1,000.
    pub titles: Vec<TitleId>,
    pub watched: bool,
}

/// One row of a bulk import.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ImportedRating {
    pub profile: ProfileId,
    pub title: TitleId,
    pub stars: HalfStars,
    pub at: Millis,
}

/// An older rating of the same profile and title is replaced, a newer one kept. Written in portions, so that nobody else's write
/// waits for all of it: after an error a part may be there, and the same request again brings the rest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportRatings {
    /// At most 1,000,000.
    pub ratings: Vec<ImportedRating>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedCount {
    pub written: u64,
    pub unchanged: u64,
}

/// Gives viewers of another system a profile here, the same one each time. Written in portions, as ratings are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportProfiles {
    pub source: String,
    /// At most 1,000,000 names of theirs.
    pub viewers: Vec<String>,
    /// Viewers that are people here: their ratings go to that profile.
    pub claims: Vec<(String, ProfileId)>,
}

/// Where a page of interactions ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionKey {
    pub profile: ProfileId,
    pub title: TitleId,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PageInteractions {
    pub after: Option<InteractionKey>,
    /// At most 200,000.
    pub limit: u32,
}

/// What everybody did, by profile and title, in columns of equal length.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Interactions {
    pub profiles: Vec<i64>,
    pub titles: Vec<i64>,
    /// When it was rated, else last watched, else listed.
    pub at: Vec<Millis>,
    /// Half stars 1 to 10; 0 none, 101 like, 102 dislike.
    pub opinions: Vec<u8>,
    /// Furthest share watched in percent, 0 to 100, and 100 where it was finished at its credits; 255 if never watched.
    pub watched: Vec<u8>,
    pub next: Option<InteractionKey>,
}

/// How much has been learned from, to decide about training again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionCount {
    /// Grows by one with every change of an opinion, finished title or list; never falls.
    pub changes: u64,
    pub profiles: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct CountInteractions {}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ForProfileOnly {
    pub profile: ProfileId,
}

crate::door_error! {
    /// What activity can refuse.
    ActivityError {
        NotThere => NotFound, "not_there", "there is nothing to remove";
        TooMany(u32) => InvalidArgument, "too_many", "at most {0} at once";
        ListFull => ResourceExhausted, "list_full", "My List holds at most 500 titles";
        PositionInvalid => InvalidArgument, "position_invalid", "the position lies outside of the title";
    }
}

#[async_trait]
pub trait Activity: Send + Sync + 'static {
    /// Whether a title exists is the caller's to know.
    async fn rate(&self, req: Rate) -> Result<TitleRatings, ActivityError>;
    /// Removing what is not there is no error.
    async fn unrate(&self, req: ForTitleOf) -> Result<TitleRatings, ActivityError>;
    async fn ratings(&self, req: ForTitles) -> Result<Vec<TitleRatings>, ActivityError>;
    async fn state(&self, req: ForTitleOf) -> Result<TitleState, ActivityError>;
    /// Only those with any state.
    async fn states(&self, req: GetStates) -> Result<Vec<TitleState>, ActivityError>;
    /// From memory on a warm path.
    async fn recent(&self, req: Recent) -> Result<RecentActivity, ActivityError>;
    /// Another number whenever `recent` answers otherwise than it did; now and then also when it does not. From memory on a warm path.
    async fn version(&self, req: ForProfileOnly) -> Result<u64, ActivityError>;
    async fn rated(&self, req: ListOf) -> Result<Page<TitleState, TimeKey>, ActivityError>;
    async fn history(&self, req: ListOf) -> Result<Page<TitleState, TimeKey>, ActivityError>;
    /// Removes the watching and the opinion: it stops counting as taste.
    async fn forget(&self, req: ForTitleOf) -> Result<Done, ActivityError>;
    async fn list(&self, req: ListOf) -> Result<Page<TitleState, TimeKey>, ActivityError>;
    async fn add_to_list(&self, req: ForTitleOf) -> Result<Done, ActivityError>;
    async fn remove_from_list(&self, req: ForTitleOf) -> Result<Done, ActivityError>;
    async fn report_progress(&self, req: ReportProgress) -> Result<Done, ActivityError>;
    async fn mark_watched(&self, req: MarkWatched) -> Result<Done, ActivityError>;
    async fn import_profiles(&self, req: ImportProfiles) -> Result<Vec<ProfileId>, ActivityError>;
    async fn import_ratings(&self, req: ImportRatings) -> Result<ImportedCount, ActivityError>;
    async fn interactions(&self, req: PageInteractions) -> Result<Interactions, ActivityError>;
    async fn count(&self, req: CountInteractions) -> Result<InteractionCount, ActivityError>;
    /// Everything of a profile, for good.
    async fn erase(&self, req: ForProfileOnly) -> Result<Done, ActivityError>;
}

crate::wire! { Activity as "activity", ActivityError:
    rate(Rate) -> TitleRatings,
    unrate(ForTitleOf) -> TitleRatings,
    ratings(ForTitles) -> Vec<TitleRatings>,
    state(ForTitleOf) -> TitleState,
    states(GetStates) -> Vec<TitleState>,
    recent(Recent) -> RecentActivity,
    version(ForProfileOnly) -> u64,
    rated(ListOf) -> Page<TitleState, TimeKey>,
    history(ListOf) -> Page<TitleState, TimeKey>,
    forget(ForTitleOf) -> Done,
    list(ListOf) -> Page<TitleState, TimeKey>,
    add_to_list(ForTitleOf) -> Done,
    remove_from_list(ForTitleOf) -> Done,
    report_progress(ReportProgress) -> Done,
    mark_watched(MarkWatched) -> Done,
    import_profiles(ImportProfiles) -> Vec<ProfileId>,
    import_ratings(ImportRatings) -> ImportedCount,
    interactions(PageInteractions) -> Interactions,
    count(CountInteractions) -> InteractionCount,
    erase(ForProfileOnly) -> Done,
}
