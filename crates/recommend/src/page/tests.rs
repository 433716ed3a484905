//! Hard constraints, on made-up catalogues of every kind: whatever the titles, the model, the viewer and the request are, no page
//! breaks one. What is allowed is judged here from the facts alone, not by the code under test.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use contract::{
    ModelId, ProfileId, TitleId,
    accounts::Preferences,
    activity::{HalfStars, Opinion, Progress, TitleState},
    catalog::{TitleFeatures, TitleKind},
};
use proptest::prelude::*;
use reco::{Dataset, Interaction, ItemFeatures, TrainConfig, train};

use super::*;
use crate::{
    live::{Act, Live},
    loaded::Loaded,
    titles::Titles,
};

const GENRES: [&str; 5] = ["Drama", "Comedy", "Horror", "Western", "Noir"];
/// Some names are those of one franchise.
const NAMES: [&str; 5] = ["Rocky", "Rocky II", "The Godfather: Part III", "The Godfather", ""];
const NOW: Millis = 1_767_225_600_000;
/// Ids of episodes: so many times the id of their series, and their number.
const EPISODE: i64 = 1_000;

/// Somebody's liking of a title, now.
fn favoured(title: TitleId) -> Act {
    Act {
        profile: ProfileId(title.0),
        title,
        at: NOW,
        weight: 1.0,
        before: Vec::new(),
    }
}

/// Likings one after the other, each after what the same person liked before.
fn acts(titles: &[TitleFeatures], since: &[(i64, usize)]) -> Vec<Act> {
    let mut before: HashMap<i64, Vec<(TitleId, f32)>> = HashMap::new();
    let mut acts = Vec::new();
    for (profile, title) in since {
        let title = titles[title % titles.len()].id;
        let known = before.entry(*profile).or_default();
        acts.push(Act {
            profile: ProfileId(*profile),
            before: known.clone(),
            ..favoured(title)
        });
        known.push((title, 1.0));
    }
    acts
}

#[derive(Debug, Clone)]
struct World {
    titles: Vec<TitleFeatures>,
    /// Who liked what, of twelve people; empty: no model.
    likes: Vec<(u32, u32)>,
    /// So many titles, the last ones, came after the training.
    new: usize,
    /// Who has liked what since, in this order.
    since: Vec<(i64, usize)>,
    /// *Top Picks* are drafted from this model and one that has learned from other people.
    has_rival: bool,
    recent: RecentActivity,
    viewer: Viewer,
    exclude: Vec<TitleId>,
    page: PageId,
    explore_share: f32,
}

fn title(id: i64) -> impl Strategy<Value = TitleFeatures> {
    let name = prop_oneof![Just(4usize), 0usize..5];
    let age = prop_oneof![3 => Just(6u8), 1 => Just(0), 1 => Just(12), 1 => Just(18)];
    (name, 0u8..32, age, 0u8..10, any::<bool>(), 0u8..8, 0u64..50).prop_map(
        move |(name, genres, maturity, hidden, playable, kind, ratings_count)| TitleFeatures {
            id: TitleId(id),
            kind: if kind == 0 { TitleKind::Series } else { TitleKind::Film },
            name: if NAMES[name].is_empty() {
                format!("Own name {}", id * 7 + 100)
            } else {
                NAMES[name].into()
            },
            year: Some(1950 + (id % 70) as u16),
            genres: (0..5)
                .filter(|bit| genres >> bit & 1 == 1)
                .map(|bit| GENRES[bit].to_owned())
                .collect(),
            people: Vec::new(),
            maturity,
            playable,
            published: hidden > 0,
            ratings_count,
            average_rating: (ratings_count > 0).then_some(3.5),
            created_at: NOW - id * 86_400_000,
            episodes: if kind == 0 {
                (0..2).map(|n| TitleId(id * EPISODE + n)).collect()
            } else {
                Vec::new()
            },
        },
    )
}

fn state(title: TitleId) -> impl Strategy<Value = TitleState> {
    let opinion = prop_oneof![
        2 => (1u8..=10).prop_map(|stars| HalfStars::new(stars).map(Opinion::Stars)),
        1 => Just(Some(Opinion::Like)),
        2 => Just(Some(Opinion::Dislike)),
        3 => Just(None),
    ];
    let progress = prop::option::of((0u64..100, any::<bool>()).prop_map(|(percent, finished)| Progress {
        position_ms: percent * 60_000,
        duration_ms: 6_000_000,
        watched: percent as f32 / 100.0,
        finished,
        at: NOW - percent as i64,
    }));
    (opinion, progress).prop_map(move |(opinion, progress)| TitleState {
        title,
        opinion,
        rated_at: opinion.map(|_| NOW),
        progress,
        listed_at: None,
    })
}

fn world() -> impl Strategy<Value = World> {
    let titles = (5i64..130).prop_flat_map(|count| (1..=count).map(title).collect::<Vec<_>>());
    titles.prop_flat_map(|titles| {
        let ids: Vec<TitleId> = titles
            .iter()
            .flat_map(|title| [title.id].into_iter().chain(title.episodes.clone()))
            .collect();
        let some = |most: usize| prop::sample::subsequence(ids.clone(), 0..=most.min(ids.len())).prop_shuffle();
        let states = some(25).prop_flat_map(|chosen| chosen.into_iter().map(state).collect::<Vec<_>>());
        let likes = prop_oneof![
            Just(Vec::new()),
            prop::collection::vec((0u32..12, 0..titles.len() as u32), 30..200)
        ];
        let viewer = (
            prop_oneof![Just(0u8), Just(6), Just(12), Just(18), Just(255)],
            prop::collection::vec(0usize..5, 0..3),
        );
        let lists = (some(6), some(10), some(5), some(8));
        let chance = (any::<i64>(), prop_oneof![Just(0.0f32), Just(0.05), Just(0.5)]);
        let news = (
            0..=titles.len() / 2,
            prop::collection::vec((0i64..5, 0usize..130), 0..60),
            any::<bool>(),
        );
        (Just(titles), likes, states, viewer, lists, chance, news).prop_map(
            |(
                titles,
                likes,
                states,
                (maturity_max, genres),
                (listed, seen_before, disliked_before, exclude),
                chance,
                (new, since, has_rival),
            )| World {
                titles,
                likes,
                new,
                since,
                has_rival,
                recent: RecentActivity {
                    states,
                    listed,
                    seen_before,
                    disliked_before,
                },
                viewer: Viewer {
                    profile: ProfileId(3),
                    maturity_max,
                    preferences: Preferences {
                        genres: genres.into_iter().map(|genre| GENRES[genre].to_owned()).collect(),
                        ..Preferences::default()
                    },
                },
                exclude,
                page: PageId(chance.0),
                explore_share: chance.1,
            },
        )
    })
}

impl World {
    fn shelf(&self) -> Shelf {
        self.shelf_of(ModelId(1), |user| user)
    }

    /// The same titles with a model that has learned from other people, if there is one.
    fn rival(&self) -> Option<Shelf> {
        self.has_rival.then(|| self.shelf_of(ModelId(2), |user| user * 5 % 12))
    }

    fn shelf_of(&self, id: ModelId, of_user: impl Fn(u32) -> u32) -> Shelf {
        let live = Live::default();
        for title in self.titles.iter().step_by(3) {
            live.observe(favoured(title.id));
        }
        acts(&self.titles, &self.since)
            .into_iter()
            .for_each(|act| live.observe(act));
        let titles = Arc::new(Titles::new(self.titles.iter().cloned().map(Arc::new).collect()));
        let model = self.model(id, of_user).map(|model| model.current(&titles, &live));
        Shelf::new(titles, model, &live, NOW)
    }

    fn model(&self, id: ModelId, of_user: impl Fn(u32) -> u32) -> Option<Arc<Loaded>> {
        let known = self.titles.len() - self.new;
        let event = |(number, (user, item)): (usize, &(u32, u32))| Interaction {
            user: of_user(*user),
            item: *item,
            weight: 1.0,
            at: number as i64 * 1_000,
        };
        let likes = self.likes.iter().filter(|(_, item)| (*item as usize) < known);
        let data = Dataset::from_interactions(12, known, likes.enumerate().map(event)).unwrap();
        if data.is_empty() {
            return None;
        }
        let keys: Vec<i64> = self.titles[..known].iter().map(|title| title.id.0).collect();
        let nothing = ItemFeatures::none(known);
        let trained = train(&data, &keys, &nothing, &TrainConfig::default(), NOW, &|_, _| Ok(())).unwrap();
        Some(Arc::new(Loaded::new(id, trained.recommender, NOW)))
    }

    /// What the catalogue would answer for episodes in progress.
    fn episodes(&self) -> Vec<Card> {
        let series = self.titles.iter().filter(|title| title.kind == TitleKind::Series);
        let cards = series.flat_map(|series| series.episodes.iter().map(move |id| (series, *id)));
        let card = |(series, id): (&TitleFeatures, TitleId)| Card {
            id,
            kind: TitleKind::Episode,
            name: "An Episode".into(),
            year: None,
            genres: Arc::new([]),
            maturity: series.maturity,
            duration_ms: None,
            average_rating: None,
            ratings_count: 0,
            playable: true,
            published: series.published,
            artwork_version: 0,
        };
        cards.map(card).collect()
    }

    fn build(&self, shelf: &Shelf, rival: Option<&Shelf>) -> Built {
        let request = GetHome {
            viewer: self.viewer.clone(),
            exclude: self.exclude.clone(),
        };
        build(&Asked {
            shelf,
            request: &request,
            recent: &self.recent,
            episodes: &self.episodes(),
            now: NOW,
            page: self.page,
            explore_share: self.explore_share,
            rows_fixed: self.page.0 % 4 == 0,
            rival,
        })
    }

    /// The title itself, or the series of an episode.
    fn whole(&self, title: TitleId) -> &TitleFeatures {
        let id = if title.0 >= EPISODE { title.0 / EPISODE } else { title.0 };
        self.titles.iter().find(|title| title.id.0 == id).unwrap()
    }

    fn are_of(&self, list: &[TitleId], title: TitleId) -> bool {
        list.iter().any(|other| self.whole(*other).id == self.whole(title).id)
    }

    /// What the viewer did with it or any of its episodes, newest first.
    fn states_of(&self, title: TitleId) -> impl Iterator<Item = &TitleState> {
        self.recent
            .states
            .iter()
            .filter(move |state| self.whole(state.title).id == self.whole(title).id)
    }

    /// May be seen at all: published, for this age, not disliked by the newest word, not excluded.
    fn is_allowed(&self, title: TitleId) -> bool {
        let whole = self.whole(title);
        let disliked = self.states_of(title).find_map(|state| state.opinion) == Some(Opinion::Dislike);
        whole.published
            && whole.maturity <= self.viewer.maturity_max
            && !disliked
            && !self.are_of(&self.recent.disliked_before, title)
            && !self.are_of(&self.exclude, title)
    }

    /// May stand in a row beside *Continue Watching*: what is continued is no news either.
    fn is_news(&self, title: TitleId) -> bool {
        let begun = |state: &TitleState| state.progress.as_ref().is_some_and(super::rows::is_resumable);
        self.is_unseen(title) && !self.states_of(title).any(begun)
    }

    /// May be recommended: moreover neither seen, rated nor listed.
    fn is_unseen(&self, title: TitleId) -> bool {
        self.is_allowed(title)
            && !self.states_of(title).any(TitleState::is_seen)
            && !self.are_of(&self.recent.seen_before, title)
            && !self.are_of(&self.recent.listed, title)
    }

    /// Sequels stand apart wherever there is anything else.
    fn check_spread(&self, shelf: &Shelf, built: &Built) {
        let own = |kind: &RowKind| matches!(kind, RowKind::ContinueWatching | RowKind::MyList);
        for row in built
            .rows
            .iter()
            .filter(|row| !own(&row.kind) && row.items.len() > ITEMS_MIN)
        {
            let slots = row.items.iter().map(|item| shelf.titles.slot(item.title).unwrap());
            let franchises: Vec<Option<u32>> = slots.map(|slot| shelf.titles.franchise(slot)).collect();
            for near in franchises.windows(2 + 3) {
                assert!(
                    near[0].is_none() || !near[1..].contains(&near[0]),
                    "{}: {franchises:?}",
                    row.id
                );
            }
        }
    }

    fn check(&self, built: &Built) {
        assert!(built.rows.len() <= ROWS_MAX);
        let mut recommended = HashSet::new();
        for row in &built.rows {
            let titles: Vec<TitleId> = row.items.iter().map(|item| item.title).collect();
            assert!(
                (1..=ITEMS_MAX).contains(&titles.len()),
                "{}: {} titles",
                row.id,
                titles.len()
            );
            assert_eq!(
                titles.iter().collect::<HashSet<_>>().len(),
                titles.len(),
                "{} repeats a title",
                row.id
            );
            let own = matches!(row.kind, RowKind::ContinueWatching | RowKind::MyList);
            for title in titles {
                assert!(self.is_allowed(title), "{} shows {title:?}", row.id);
                assert!(own || self.is_news(title), "{} recommends {title:?} again", row.id);
                assert!(own || title.0 < EPISODE, "{} recommends an episode", row.id);
                assert!(
                    own || recommended.insert(title),
                    "{} shows {title:?} of another row",
                    row.id
                );
            }
        }
        if let Some(hero) = &built.hero {
            assert!(
                self.is_news(hero.title) && recommended.contains(&hero.title),
                "the hero stands in a row"
            );
        }
        if let Some(explored) = &built.explored {
            let row = &built.rows[explored.row];
            assert!(row.kind == RowKind::TopPicks && self.explore_share > 0.0);
            for (position, propensity) in &explored.places {
                assert!((3..row.items.len()).contains(position) && *propensity > 0.0 && *propensity < 1.0);
            }
            for (position, title) in &explored.displaced {
                assert!(explored.band.contains(&row.items[*position].title) && self.is_allowed(*title));
            }
            assert!(explored.band.iter().all(|title| self.is_news(*title)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn no_page_breaks_a_hard_constraint(world in world()) {
        let (shelf, rival) = (world.shelf(), world.rival());
        let built = world.build(&shelf, rival.as_ref());
        world.check(&built);
        world.check_spread(&shelf, &built);
        let has_picks = built.rows.iter().any(|row| row.kind == RowKind::TopPicks);
        let is_drafted = has_picks && rival.is_some();
        prop_assert!(built.teams.is_some() || !is_drafted, "both models give titles to Top Picks");
        let again = world.build(&shelf, rival.as_ref());
        prop_assert_eq!(&again.rows, &built.rows, "the same lot, the same page");
        prop_assert_eq!(again.explored, built.explored);
        let taste = Taste::read(&shelf, &world.viewer, &world.recent, &world.exclude, NOW);
        for pick in top(&shelf, &world.viewer, &taste, 200) {
            prop_assert!(world.is_unseen(shelf.titles.id(pick.slot)));
            prop_assert!(pick.chance > 0.0 && pick.chance <= 1.0);
        }
    }
}

/// One title trends, which makes no row of its own: it is not lost for the others.
#[test]
fn what_trends_alone_stands_elsewhere() {
    let titles: Vec<Arc<TitleFeatures>> = Titles::films(1..200).list;
    let live = Live::default();
    live.observe(favoured(TitleId(199)));
    let shelf = Shelf::new(Arc::new(Titles::new(titles)), None, &live, NOW);
    let request = GetHome {
        viewer: Viewer {
            profile: ProfileId(3),
            maturity_max: 18,
            preferences: Preferences::default(),
        },
        exclude: Vec::new(),
    };
    let built = build(&Asked {
        shelf: &shelf,
        request: &request,
        recent: &RecentActivity::default(),
        episodes: &[],
        now: NOW,
        page: PageId(1),
        explore_share: 0.0,
        rows_fixed: false,
        rival: None,
    });
    let shown: HashSet<TitleId> = built
        .rows
        .iter()
        .flat_map(|row| row.items.iter().map(|item| item.title))
        .collect();
    assert!(built.rows.iter().all(|row| row.kind != RowKind::Trending));
    assert!(shown.contains(&TitleId(199)), "{shown:?}");
}
