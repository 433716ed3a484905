//! What viewers did with what they were shown: the log of pages joined with their activity, once a viewer, when the window that began
//! with their first page is over.
//!
//! Nothing is remembered between: after a restart, or in another process, the same viewers are due, and a viewer is added to the sums
//! in the transaction that marks them as counted. With an A/B a title counts once it was shown in a recommendation row of any page; with
//! interleaving it counts for the team that gave it to *Top Picks*, on the last page before the deed.
//!
//! A viewer whose pages are not all kept any more is not counted: what nobody knows was shown would count as nothing done. Pages are
//! deleted from the oldest on, so the first one tells.
//!
//! Every process does this, and where several find the same viewers due, the work of all but one is for nothing. It is a few reads a
//! viewer, once; a lease for it would be one more thing that can be lost.

use std::collections::{HashMap, HashSet};

use contract::{
    ExperimentId, Fault, Millis, PageId, ProfileId,
    activity::{ActivityError, Opinion, RECENT_STATES_MAX, Recent, SEEN_SHARE, TitleState},
    experiments::{Experiment, ExperimentMethod, ExperimentMetric},
    recommend::RowKind,
};
use platform::ids::{EPOCH_MS, made_at_ms};
use reco::experiment::{Preference, Team};
use tokio_util::sync::CancellationToken;

use super::store::{Due, Values};
use crate::{Room, impressions::Shown, shelf::Shelf};

/// So many times lists are refreshed until viewers are counted again.
const REFRESHES: u32 = 10;
/// Viewers that are counted together, and how often in one turn.
const BATCH: u32 = 200;
const BATCHES_MAX: usize = 50;
/// Pages of a viewer that are looked at.
const PAGES_MAX: u32 = 1_000;
/// A viewer's value is at most this: nobody outweighs all others, and the sequential test wants bounded values.
const VALUE_MAX: f64 = 20.0;
/// Pages and positions are written behind the answer; so much later all of them are there.
pub const BEHIND_MS: i64 = 10_000;
/// From four stars on it was good, up to two it was not.
const GOOD_HALF_STARS: u8 = 8;
const BAD_HALF_STARS: u8 = 4;

impl Room {
    /// Counts viewers until `stop`. A turn that is under way then is left: a viewer is counted in one transaction, or later.
    pub(crate) async fn keep_counting(&self, stop: &CancellationToken) {
        let every = self.refresh_every() * REFRESHES;
        while stop.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
            if let Some(Err(error)) = stop.run_until_cancelled(self.observe_experiments()).await {
                tracing::warn!(%error, "viewers of experiments were not counted; trying again");
            }
        }
    }

    /// Adds viewers whose window is over to the sums; answers how many. A bounded number in one turn, and none before the titles are
    /// loaded: what nobody knows nobody has watched.
    pub async fn observe_experiments(&self) -> Result<u64, Fault> {
        if !self.is_loaded() {
            return Ok(0);
        }
        let mut counted = 0;
        for experiment in self.store.open_experiments().await? {
            counted += self.observe(&experiment).await?;
        }
        Ok(counted)
    }

    async fn observe(&self, experiment: &Experiment) -> Result<u64, Fault> {
        let written = self.inputs.now_ms() - BEHIND_MS;
        let seen_until = experiment.stopped_at.map_or(written, |stopped| stopped.min(written));
        let before = first_page_at(seen_until - experiment.setup.window_ms);
        let mut counted = 0;
        for _ in 0..BATCHES_MAX {
            let due = self.store.due_viewers(experiment.id, before, BATCH).await?;
            if due.is_empty() {
                // What was written behind the stop is there by now.
                if experiment.stopped_at.is_some_and(|stopped| stopped <= written) {
                    self.store.close_experiment(experiment.id).await?;
                }
                break;
            }
            let shelf = self.shelf.load_full();
            let mut viewers = Vec::with_capacity(due.len());
            for viewer in due {
                let values = self.values(experiment, &shelf, viewer).await?;
                viewers.push((viewer.profile, values.unwrap_or_default()));
            }
            warn_of_unknown(experiment.id, &viewers);
            counted += self.store.count_viewers(experiment.id, &viewers).await?;
        }
        Ok(counted)
    }

    /// None where the viewer's pages are not all kept any more.
    async fn values(&self, experiment: &Experiment, shelf: &Shelf, viewer: Due) -> Result<Option<Values>, Fault> {
        let ends_at = made_at_ms(viewer.first_page.0) + experiment.setup.window_ms;
        let last = first_page_at(ends_at);
        let pages = self
            .store
            .pages_between(viewer.profile, viewer.first_page, last, PAGES_MAX)
            .await?;
        if pages.first().is_none_or(|first| first.page != viewer.first_page) {
            return Ok(None);
        }
        let recent = Recent {
            profile: viewer.profile,
            limit: RECENT_STATES_MAX,
        };
        let recent = self.activity.recent(recent).await.map_err(|error| match error {
            ActivityError::Fault(fault) => fault,
            other => Fault::Internal(other.to_string()),
        })?;
        let own = pages
            .iter()
            .filter(|page| arm_of_page(page).is_some_and(|(id, _)| id == experiment.id));
        let shown = exposures(shelf, own, experiment.setup.method);
        let mut deeds = deeds(shelf, &recent.states);
        deeds.retain(|(.., at)| *at <= ends_at);
        Ok(Some(match experiment.setup.method {
            ExperimentMethod::Ab => counts(&shown, &deeds, viewer.arm),
            ExperimentMethod::Interleaving => preferences(&shown, &deeds),
        }))
    }
}

fn warn_of_unknown(experiment: ExperimentId, viewers: &[(ProfileId, Values)]) {
    let unknown = viewers.iter().filter(|(_, values)| values.is_empty()).count();
    if unknown > 0 {
        metrics::counter!("recommend_experiment_viewers_unknown_total").increment(unknown as u64);
        tracing::warn!(
            %experiment,
            viewers = unknown,
            "not counted, for what they were shown was deleted before: keep it longer (recommend.pages_max, pages_keep_days)"
        );
    }
}

/// The experiment and arm of a page.
pub fn arm_of_page(page: &Shown) -> Option<(ExperimentId, usize)> {
    let arm = page.arm.as_deref()?;
    if let Some((experiment, _)) = arm.split_once(':') {
        return Some((experiment.parse().ok()?, 0));
    }
    let (experiment, arm) = arm.split_once('.')?;
    Some((experiment.parse().ok()?, arm.parse().ok().filter(|arm| *arm < 2)?))
}

/// Who gave the title at each place of *Top Picks*, where it was mixed.
fn teams_of_page(page: &Shown) -> impl Iterator<Item = Option<Team>> {
    let teams = page
        .arm
        .as_deref()
        .and_then(|arm| arm.split_once(':'))
        .map_or("", |(_, teams)| teams);
    teams.bytes().map(|letter| match letter {
        b'a' => Some(Team::A),
        b'b' => Some(Team::B),
        _ => None,
    })
}

/// When each title was shown as a recommendation, the first time first, and whose pick it was.
type Exposures = HashMap<u32, Vec<(Millis, Option<Team>)>>;

fn exposures<'a>(shelf: &Shelf, pages: impl Iterator<Item = &'a Shown>, method: ExperimentMethod) -> Exposures {
    let mut shown = Exposures::new();
    for page in pages {
        let at = made_at_ms(page.page.0);
        for row in page.rows().unwrap_or_default() {
            let is_own = matches!(row.kind, RowKind::ContinueWatching | RowKind::MyList);
            let is_mixed = row.kind == RowKind::TopPicks;
            if is_own || (method == ExperimentMethod::Interleaving && !is_mixed) {
                continue;
            }
            let teams = teams_of_page(page).chain(std::iter::repeat(None));
            for (item, team) in row.items.iter().zip(teams) {
                if let Some(slot) = shelf.titles.slot_of(item.title) {
                    shown.entry(slot).or_default().push((at, team));
                }
            }
        }
    }
    shown
}

/// Something done with a title that a metric counts.
pub type Deed = (u32, ExperimentMetric, Millis);

/// An episode's deeds are its series'.
pub fn deeds(shelf: &Shelf, states: &[TitleState]) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for state in states {
        let Some(slot) = shelf.titles.slot_of(state.title) else {
            continue;
        };
        if let Some(progress) = &state.progress {
            if progress.finished || progress.watched >= SEEN_SHARE {
                deeds.push((slot, ExperimentMetric::Plays, progress.at));
            }
            if progress.finished {
                deeds.push((slot, ExperimentMetric::Finishes, progress.at));
            }
        }
        if let (Some(opinion), Some(at)) = (state.opinion, state.rated_at) {
            let is_good = match opinion {
                Opinion::Like => Some(true),
                Opinion::Dislike => Some(false),
                Opinion::Stars(stars) if stars.get() >= GOOD_HALF_STARS => Some(true),
                Opinion::Stars(stars) if stars.get() <= BAD_HALF_STARS => Some(false),
                Opinion::Stars(_) => None,
            };
            let metric = |is_good| match is_good {
                true => ExperimentMetric::GoodRatings,
                false => ExperimentMetric::Dislikes,
            };
            deeds.extend(is_good.map(|is_good| (slot, metric(is_good), at)));
        }
    }
    deeds
}

/// Titles by metric: shown first, then done, each once.
fn counts(shown: &Exposures, deeds: &[Deed], arm: usize) -> Values {
    let is_after = |(slot, _, at): &&Deed| shown.get(slot).is_some_and(|shown| shown[0].0 <= *at);
    let done: HashSet<(u32, ExperimentMetric)> = deeds
        .iter()
        .filter(is_after)
        .map(|(slot, metric, _)| (*slot, *metric))
        .collect();
    let value = |metric| done.iter().filter(|(_, done)| *done == metric).count() as f64;
    ExperimentMetric::ALL
        .into_iter()
        .map(|metric| (arm, metric, value(metric).min(VALUE_MAX)))
        .collect()
}

/// For either arm and each metric 1 where the viewer preferred that arm's titles by it: had more of it from them, or less where it is
/// nothing good.
fn preferences(shown: &Exposures, deeds: &[Deed]) -> Values {
    let team = |(slot, _, at): &Deed| {
        let shown = shown.get(slot)?;
        shown.iter().rev().find(|(shown_at, _)| shown_at <= at)?.1
    };
    let credited: HashSet<(u32, ExperimentMetric, bool)> = deeds
        .iter()
        .filter_map(|deed| Some((deed.0, deed.1, team(deed)? == Team::B)))
        .collect();
    let mut values = Values::new();
    for metric in ExperimentMetric::ALL {
        let credits = |second| credited.iter().filter(|it| it.1 == metric && it.2 == second).count() as u32;
        let (first, second) = (credits(false), credits(true));
        let preferred = match metric.is_better_higher() {
            true => Preference::of(first, second),
            false => Preference::of(second, first),
        };
        values.push((0, metric, f64::from(u8::from(preferred == Preference::A))));
        values.push((1, metric, f64::from(u8::from(preferred == Preference::B))));
    }
    values
}

/// The least id that a page of this moment can have: ids grow with time.
pub fn first_page_at(at: Millis) -> PageId {
    PageId((at - EPOCH_MS).max(0) << 22)
}

#[cfg(test)]
mod tests {
    use contract::TitleId;

    use super::*;

    fn page(arm: Option<&str>) -> Shown {
        Shown {
            page: PageId(5 << 22),
            profile: ProfileId(1),
            model: None,
            arm: arm.map(str::to_owned),
            content: Vec::new(),
        }
    }

    #[test]
    fn the_arm_of_a_page_is_read_as_it_was_written() {
        let arm = |arm| arm_of_page(&page(arm)).map(|(experiment, arm)| (experiment.to_string(), arm));
        assert_eq!(arm(Some("z8.1")), Some(("z8".into(), 1)));
        assert_eq!(arm(Some("z8:ab-")), Some(("z8".into(), 0)));
        for other in [None, Some(""), Some("z8"), Some("z8.2"), Some("Z8.1"), Some(":ab")] {
            assert_eq!(arm(other), None, "{other:?}");
        }
        let teams: Vec<_> = teams_of_page(&page(Some("z8:ab-"))).collect();
        assert_eq!(teams, [Some(Team::A), Some(Team::B), None]);
        assert_eq!(teams_of_page(&page(Some("z8.1"))).count(), 0);
    }

    #[test]
    fn only_what_was_done_after_it_was_shown_counts_and_once() {
        use ExperimentMetric::{Dislikes, Finishes, Plays};
        let shown: Exposures = [(1, vec![(10, None), (30, None)]), (2, vec![(20, None)])].into();
        let deeds = [
            (1, Plays, 10),
            (1, Plays, 40),
            (2, Plays, 19),
            (2, Finishes, 20),
            (3, Dislikes, 50),
        ];
        let values = counts(&shown, &deeds, 1);
        let of = |metric| values.iter().find(|it| it.1 == metric).map(|it| (it.0, it.2));
        assert_eq!(
            (of(Plays), of(Finishes), of(Dislikes)),
            (Some((1, 1.0)), Some((1, 1.0)), Some((1, 0.0)))
        );
    }

    #[test]
    fn a_title_counts_for_whoever_gave_it_last_before_the_deed() {
        use ExperimentMetric::Plays;
        let shown: Exposures = [
            (1, vec![(10, Some(Team::A)), (30, Some(Team::B))]),
            (2, vec![(10, Some(Team::B))]),
            (3, vec![(10, None)]),
        ]
        .into();
        let prefers = |deeds: &[Deed]| {
            let values = preferences(&shown, deeds);
            let of = |arm| values.iter().find(|it| it.0 == arm && it.1 == Plays).map(|it| it.2);
            (of(0), of(1))
        };
        assert_eq!(prefers(&[(1, Plays, 20)]), (Some(1.0), Some(0.0)));
        assert_eq!(prefers(&[(1, Plays, 35)]), (Some(0.0), Some(1.0)));
        assert_eq!(
            prefers(&[(1, Plays, 20), (2, Plays, 20)]),
            (Some(0.0), Some(0.0)),
            "one each"
        );
        assert_eq!(
            prefers(&[(1, Plays, 5), (3, Plays, 50)]),
            (Some(0.0), Some(0.0)),
            "before it was shown; nobody's"
        );
    }

    #[test]
    fn whoever_dislikes_the_titles_of_one_arm_prefers_the_other() {
        use ExperimentMetric::{Dislikes, GoodRatings};
        let shown: Exposures = [(1, vec![(10, Some(Team::B))])].into();
        for (metric, expected) in [(GoodRatings, [0.0, 1.0]), (Dislikes, [1.0, 0.0])] {
            let values = preferences(&shown, &[(1, metric, 20)]);
            let of = |arm| values.iter().find(|it| it.0 == arm && it.1 == metric).map(|it| it.2);
            assert_eq!([of(0), of(1)], expected.map(Some), "{metric:?}");
        }
    }

    #[test]
    fn a_binge_counts_up_to_a_limit() {
        let shown: Exposures = (0..50).map(|slot| (slot, vec![(0, None)])).collect();
        let deeds: Vec<Deed> = (0..50).map(|slot| (slot, ExperimentMetric::Plays, 9)).collect();
        assert!(counts(&shown, &deeds, 0).contains(&(0, ExperimentMetric::Plays, VALUE_MAX)));
    }

    #[test]
    fn deeds_are_read_from_what_activity_says() {
        let shelf = crate::shelf::Shelf::new(
            std::sync::Arc::new(crate::titles::Titles::films(1..=9)),
            None,
            &crate::live::Live::default(),
            0,
        );
        let state = |title, opinion, watched: Option<f32>| TitleState {
            title: TitleId(title),
            opinion,
            rated_at: opinion.map(|_| 7),
            progress: watched.map(|watched| contract::activity::Progress {
                position_ms: 0,
                duration_ms: 100,
                watched,
                finished: watched == 1.0,
                at: 8,
            }),
            listed_at: None,
        };
        let stars = |half| contract::activity::HalfStars::new(half).map(Opinion::Stars);
        let states = [
            state(1, stars(8), Some(1.0)),
            state(2, stars(6), Some(0.04)),
            state(3, stars(4), Some(0.05)),
            state(4, Some(Opinion::Dislike), None),
            state(5, Some(Opinion::Like), None),
            state(99, Some(Opinion::Like), Some(1.0)),
        ];
        let found: Vec<(i64, ExperimentMetric, Millis)> = deeds(&shelf, &states)
            .into_iter()
            .map(|(slot, metric, at)| (shelf.titles.id(slot).0, metric, at))
            .collect();
        use ExperimentMetric::{Dislikes, Finishes, GoodRatings, Plays};
        let expected = [
            (1, Plays, 8),
            (1, Finishes, 8),
            (1, GoodRatings, 7),
            (3, Plays, 8),
            (3, Dislikes, 7),
            (4, Dislikes, 7),
            (5, GoodRatings, 7),
        ];
        assert_eq!(found, expected);
    }
}
