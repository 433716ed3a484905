//! What a model would have earned where pages explored: off-policy estimates from the log of what was shown.
//!
//! A decision is a place of *Top Picks* at which chance decided between the title that stands there otherwise and those of a band. The
//! policy to judge puts there whichever of them the model ranks highest on a page, for what the viewer had done by then (the title that
//! stands there otherwise, where it ranks none of them); the reward is 1 where the title that was shown was played within a day. Estimators and their sources: [`reco::experiment`]. What the doubly robust one predicts
//! is the mean reward of a title in its own place, or of one that chance put there, from the other half of the viewers.
//!
//! Only pages after the model's training count, for it cannot be judged by what it has learned from; and one page a viewer and day, so
//! that no play counts twice. The model ranks as it was trained, with the titles that came since and without what it has counted since:
//! the plays that it is judged by are among that. What a viewer did to a title again after the page is not known as it was then, and
//! left out.
//!
//! Activity keeps the last time that a title was watched, not each. What was played within the day and once more after it counts as
//! not played, whoever would have shown it: values are a little low for everybody, and for a model whose titles people come back to
//! lower than for others.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use contract::{
    Fault, Millis, ModelId, ProfileId, TitleId,
    accounts::{MATURITY_ANY, Preferences},
    activity::{RECENT_STATES_MAX, Recent, RecentActivity},
    experiments::ExperimentMetric,
    recommend::{EstimateMethod, ModelEstimate, PolicyEstimate, RecommendError, Viewer},
};
use platform::ids::made_at_ms;
use reco::experiment::{Decision, Estimate, doubly_robust, ips, self_normalised};

use crate::{
    Room,
    experiments::observe::{BEHIND_MS, deeds, first_page_at},
    impressions::{Shown, ShownRow},
    live::Live,
    page,
    shelf::Shelf,
    taste::Taste,
};

const DAY_MS: i64 = 86_400_000;
/// Pages of the log that are looked at, the newest, how many at a time, and how many are judged on.
const READ_MAX: usize = 40_000;
const BATCH: u32 = 1_000;
const PAGES_MAX: usize = 4_000;
/// With fewer viewers an interval of the normal approximation says nothing.
const VIEWERS_MIN: usize = 30;
/// Above what the default share and band give, so that there nothing is clipped.
const WEIGHT_MAX: f64 = 2_000.0;

/// A decision of the log, without what is predicted of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    viewer: ProfileId,
    reward: f64,
    logged: f64,
    /// A title of the band stands there.
    is_drawn: bool,
    /// The model would have put one of the band there, and whether it would have been this one, of the band or not.
    would_draw: bool,
    is_chosen: bool,
}

impl Room {
    pub(crate) async fn estimated(&self, model: ModelId) -> Result<ModelEstimate, RecommendError> {
        let shelf = self.shelf_as_trained(model).await?;
        let loaded = shelf.model.as_ref().ok_or(RecommendError::ModelNotFound)?;
        let until = self.inputs.now_ms() - DAY_MS - BEHIND_MS;
        let of_viewers = self.explored_pages(loaded.trained.trained_through(), until).await?;
        let pages = of_viewers.values().map(Vec::len).sum::<usize>() as u64;
        let mut places = Vec::new();
        for (profile, pages) in of_viewers {
            let limit = RECENT_STATES_MAX;
            let recent = self.activity.recent(Recent { profile, limit }).await;
            let recent = recent.map_err(|error| Fault::Unavailable(format!("activity: {error}")))?;
            let shelf = shelf.clone();
            let decided = tokio::task::spawn_blocking(move || decided(&shelf, profile, &pages, &recent)).await;
            places.extend(decided.map_err(|error| Fault::Internal(error.to_string()))?);
        }
        Ok(read(model, pages, &places))
    }

    /// The shelf as it would be if this model served and nobody had done anything since it was trained.
    async fn shelf_as_trained(&self, model: ModelId) -> Result<Arc<Shelf>, RecommendError> {
        let (shelf, now) = (self.shelf_with(model).await?, self.inputs.now_ms());
        let make = move || {
            let nothing = Live::default();
            let model = shelf.model.as_ref().map(|model| model.current(&shelf.titles, &nothing));
            Arc::new(Shelf::new(shelf.titles.clone(), model, &nothing, now))
        };
        Ok(self.shelf_maker.make(make).await?)
    }

    /// Pages that explored, by viewer, from after `since` until `until`; of a viewer one a day.
    async fn explored_pages(&self, since: Millis, until: Millis) -> Result<BTreeMap<ProfileId, Vec<Shown>>, Fault> {
        let mut of_viewers: BTreeMap<ProfileId, Vec<Shown>> = BTreeMap::new();
        let (first, mut before) = (first_page_at(since + 1), first_page_at(until));
        let (mut looked_at, mut kept) = (0, 0);
        while looked_at < READ_MAX && kept < PAGES_MAX {
            let batch = self.store.pages_before(first, before, BATCH).await?;
            let Some(oldest) = batch.last() else { break };
            before = oldest.page;
            looked_at += batch.len();
            for page in batch.into_iter().filter(|page| explored(page).is_some()) {
                let own = of_viewers.entry(page.profile).or_default();
                let at = made_at_ms(page.page.0);
                let is_apart = own.last().is_none_or(|later| made_at_ms(later.page.0) - at >= DAY_MS);
                if is_apart && kept < PAGES_MAX {
                    own.push(page);
                    kept += 1;
                }
            }
        }
        Ok(of_viewers)
    }
}

/// The row of the page that explored, if one did and told what from.
fn explored(page: &Shown) -> Option<ShownRow> {
    page.rows()?.into_iter().find(|row| !row.band.is_empty())
}

/// What was decided on these pages of one viewer.
fn decided(shelf: &Shelf, profile: ProfileId, pages: &[Shown], recent: &RecentActivity) -> Vec<Place> {
    let mut plays: HashMap<u32, Vec<Millis>> = HashMap::new();
    for (slot, _, at) in deeds(shelf, &recent.states)
        .into_iter()
        .filter(|(_, metric, _)| *metric == ExperimentMetric::Plays)
    {
        plays.entry(slot).or_default().push(at);
    }
    let mut places = Vec::new();
    for page in pages {
        let at = made_at_ms(page.page.0);
        let known = explored(page).zip(order(shelf, profile, &by_then(recent, at), at));
        let Some((row, order)) = known else { continue };
        let best = row
            .band
            .iter()
            .filter_map(|title| Some((*order.get(title)?, *title)))
            .min();
        for item in row.items.iter().filter(|item| item.propensity < 1.0) {
            let own = item.displaced.unwrap_or(item.title);
            let rank = order.get(&own).copied().unwrap_or(usize::MAX);
            let drawn = best.filter(|(best, _)| *best < rank).map(|(_, title)| title);
            let slot = shelf.titles.slot_of(item.title);
            let played = slot.and_then(|slot| plays.get(&slot));
            let is_played = played.is_some_and(|times| times.iter().any(|time| (at..at + DAY_MS).contains(time)));
            places.push(Place {
                viewer: profile,
                reward: f64::from(u8::from(is_played)),
                logged: f64::from(item.propensity),
                is_drawn: item.displaced.is_some(),
                would_draw: drawn.is_some(),
                is_chosen: drawn.unwrap_or(own) == item.title,
            });
        }
    }
    places
}

/// What of it had been done by `at`, as far as it is known as it was.
fn by_then(recent: &RecentActivity, at: Millis) -> RecentActivity {
    let mut known = RecentActivity::default();
    let states = recent.states.iter().filter(|state| state.last_at() <= at);
    known.states = states.cloned().collect();
    known
}

/// Where the model ranks titles on a page for this viewer at that time; `None` where it knows nothing of the viewer. The maturity limit
/// of then is not known; what stood on the page was within it.
fn order(shelf: &Shelf, profile: ProfileId, known: &RecentActivity, at: Millis) -> Option<HashMap<TitleId, usize>> {
    let viewer = Viewer {
        profile,
        maturity_max: MATURITY_ANY,
        preferences: Preferences::default(),
    };
    let taste = Taste::read(shelf, &viewer, known, &[], at);
    if taste.is_cold() {
        return None;
    }
    let ranked = page::top(shelf, &viewer, &taste, page::RANKED + page::BAND);
    let places = ranked.iter().zip(0..);
    Some(
        places
            .map(|(pick, place)| (shelf.titles.id(pick.slot), place))
            .collect(),
    )
}

fn read(model: ModelId, pages: u64, places: &[Place]) -> ModelEstimate {
    let log = with_predictions(places);
    let methods = [
        (EstimateMethod::InversePropensity, ips(&log, WEIGHT_MAX)),
        (EstimateMethod::SelfNormalised, self_normalised(&log, WEIGHT_MAX)),
        (EstimateMethod::DoublyRobust, doubly_robust(&log, WEIGHT_MAX)),
    ];
    // An empty log is refused by all, and one without any weight by the one that divides by it.
    let found = methods.map(|(method, found)| Some((method, found.ok()?)));
    let first = found[0].as_ref().map(|(_, found)| *found);
    let viewers = first.map_or(0, |first| first.viewers);
    let enough = found.into_iter().flatten().filter(|_| viewers >= VIEWERS_MIN);
    ModelEstimate {
        model,
        pages,
        places: places.len() as u64,
        viewers: viewers as u64,
        served: first.map_or(0.0, |first| first.value - first.lift),
        effective: first.map_or(0.0, |first| first.effective),
        covered: first.map_or(0.0, |first| first.covered),
        clipped: first.map_or(0, |first| first.clipped as u64),
        estimates: enough.map(|(method, found)| told(method, found)).collect(),
    }
}

fn told(method: EstimateMethod, found: Estimate) -> PolicyEstimate {
    PolicyEstimate {
        method,
        value: found.value,
        low: found.interval.0,
        high: found.interval.1,
        lift: found.lift,
        lift_low: found.lift_interval.0,
        lift_high: found.lift_interval.1,
    }
}

/// Rewards are predicted from the other half of the viewers: whoever learned from a reward would predict it too well.
fn with_predictions(places: &[Place]) -> Vec<Decision> {
    let mut means = [[(0.0, 0.0); 2]; 2];
    for place in places {
        let (sum, count) = &mut means[half(place.viewer)][usize::from(place.is_drawn)];
        *sum += place.reward;
        *count += 1.0;
    }
    let mean = |place: &Place, is_drawn: bool| {
        let (sum, count): (f64, f64) = means[1 - half(place.viewer)][usize::from(is_drawn)];
        if count > 0.0 { sum / count } else { 0.0 }
    };
    let decision = |place: &Place| Decision {
        viewer: place.viewer.0 as u64,
        reward: place.reward,
        logged: place.logged,
        target: f64::from(u8::from(place.is_chosen)),
        predicted: mean(place, place.is_drawn),
        expected: mean(place, place.would_draw),
    };
    places.iter().map(decision).collect()
}

/// Halves of the viewers, whatever their ids have in common (Fibonacci hashing, Knuth 1973, section 6.4).
fn half(viewer: ProfileId) -> usize {
    ((viewer.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(viewer: i64, reward: f64, is_drawn: bool, would_draw: bool, is_chosen: bool) -> Place {
        Place {
            viewer: ProfileId(viewer),
            reward,
            logged: if is_drawn { 0.05 / 60.0 } else { 0.95 },
            is_drawn,
            would_draw,
            is_chosen,
        }
    }

    #[test]
    fn viewers_fall_into_two_halves() {
        let first = (0..10_000).filter(|n| half(ProfileId(n << 22)) == 0).count();
        assert!((4_500..5_500).contains(&first), "{first}");
    }

    #[test]
    fn a_model_that_keeps_every_title_in_its_place_earns_what_those_earned() {
        let places: Vec<Place> = (0..400)
            .map(|n| {
                let is_drawn = n % 20 == 0;
                // Titles in their own place are played by every second viewer, drawn ones by nobody.
                let reward = f64::from(u8::from(!is_drawn && n % 2 == 1));
                place(n % 50, reward, is_drawn, false, !is_drawn)
            })
            .collect();
        let found = read(ModelId(1), 50, &places);
        assert_eq!(
            (found.pages, found.places, found.viewers, found.clipped),
            (50, 400, 50, 0)
        );
        assert!((found.served - 0.5).abs() < 1e-9, "{found:?}");
        assert_eq!(found.estimates.len(), 3);
        for estimate in &found.estimates {
            assert!(
                (estimate.value - 0.526).abs() < 0.02 && estimate.lift > 0.0,
                "{estimate:?}"
            );
            assert!(
                estimate.low < estimate.value && estimate.value < estimate.high,
                "{estimate:?}"
            );
        }
    }

    #[test]
    fn what_is_predicted_comes_from_the_other_half() {
        let viewers: Vec<i64> = (0..100).collect();
        let (first, second): (Vec<i64>, Vec<i64>) = viewers.into_iter().partition(|n| half(ProfileId(*n)) == 0);
        // Only the first half plays what chance put there.
        let places = [first[0], first[1], second[0], second[1]]
            .map(|viewer| place(viewer, f64::from(u8::from(first.contains(&viewer))), true, true, true));
        let predicted: Vec<(f64, f64)> = with_predictions(&places)
            .iter()
            .map(|decision| (decision.predicted, decision.expected))
            .collect();
        assert_eq!(predicted, [(0.0, 0.0), (0.0, 0.0), (1.0, 1.0), (1.0, 1.0)]);
    }

    #[test]
    fn too_few_viewers_and_an_empty_log_say_nothing() {
        let few: Vec<Place> = (0..200).map(|n| place(n % 29, 1.0, false, false, true)).collect();
        let found = read(ModelId(1), 29, &few);
        assert_eq!((found.viewers, found.estimates), (29, vec![]));
        let none = read(ModelId(1), 0, &[]);
        assert_eq!((none.places, none.viewers, none.served), (0, 0, 0.0));
        assert_eq!(none.estimates, []);
    }
}
