//! Whatever a viewer did and may see: no page breaks a hard constraint.

use std::collections::HashSet;

use contract::{
    ProfileId, TitleId,
    accounts::Preferences,
    activity::{Activity as _, ForTitleOf, HalfStars, ImportRatings, ImportedRating, MarkWatched, Opinion},
    recommend::{GetHome, GetSimilar, GetTop, HomePage, RowKind, Viewer},
};
use platform::{
    clock::Clock as _,
    test_support::{Pairing, sqlite},
};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::house::{FILMS, GENRES, House, everywhere, titles, viewer};

#[derive(Debug, Clone)]
enum Act {
    Rate(u8),
    Dislike,
    Watch(u64),
    Finish,
    List,
}

#[derive(Debug, Clone)]
struct Person {
    acts: Vec<(usize, Act)>,
    maturity_max: u8,
    genres: Vec<usize>,
    exclude: Vec<usize>,
}

fn person() -> impl Strategy<Value = Person> {
    let act = prop_oneof![
        (1u8..=10).prop_map(Act::Rate),
        Just(Act::Dislike),
        (1u64..90).prop_map(Act::Watch),
        Just(Act::Finish),
        Just(Act::List),
    ];
    let acts = prop::collection::vec((0..FILMS, act), 0..40);
    let maturity = prop_oneof![Just(0u8), Just(6), Just(12), Just(18), Just(255)];
    (
        acts,
        maturity,
        prop::collection::vec(0usize..4, 0..3),
        prop::collection::vec(0..FILMS, 0..20),
    )
        .prop_map(|(acts, maturity_max, genres, exclude)| Person {
            acts,
            maturity_max,
            genres,
            exclude,
        })
}

/// What the person did, by film.
#[derive(Default)]
struct Did {
    disliked: HashSet<usize>,
    seen: HashSet<usize>,
    listed: HashSet<usize>,
    finished: HashSet<usize>,
}

async fn live(house: &House, profile: ProfileId, person: &Person) -> Did {
    let mut did = Did::default();
    for (film, act) in &person.acts {
        let title = house.films[*film];
        match act {
            Act::Rate(half_stars) => {
                house.rate(profile, *film, *half_stars).await;
                did.disliked.remove(film);
                did.seen.insert(*film);
            }
            Act::Dislike => {
                house.opine(profile, *film, Opinion::Dislike).await;
                did.disliked.insert(*film);
                did.seen.insert(*film);
            }
            Act::Watch(minute) => {
                house.watch(profile, *film, *minute).await;
                if *minute >= 5 {
                    did.seen.insert(*film);
                }
                if *minute < 80 {
                    did.finished.remove(film);
                }
            }
            Act::Finish => {
                let titles = vec![title];
                house
                    .activity
                    .mark_watched(MarkWatched {
                        profile,
                        titles,
                        watched: true,
                    })
                    .await
                    .unwrap();
                did.seen.insert(*film);
                did.finished.insert(*film);
            }
            Act::List => {
                house.activity.add_to_list(ForTitleOf { profile, title }).await.unwrap();
                did.listed.insert(*film);
            }
        }
    }
    did
}

fn check(house: &House, person: &Person, did: &Did, page: &HomePage) {
    let mut recommended = HashSet::new();
    assert!(page.rows.len() <= 12);
    for row in &page.rows {
        let films: Vec<usize> = titles(row).into_iter().map(|title| house.film(title)).collect();
        assert!((1..=40).contains(&films.len()), "{}", row.id);
        assert_eq!(
            films.iter().collect::<HashSet<_>>().len(),
            films.len(),
            "{} repeats a title",
            row.id
        );
        let own = matches!(row.kind, RowKind::ContinueWatching | RowKind::MyList);
        for film in films {
            assert!(
                film % 10 != 9 || person.maturity_max >= 18,
                "{} shows an adult film",
                row.id
            );
            assert!(film % 10 == 9 || person.maturity_max >= 6);
            assert!(!did.disliked.contains(&film), "{} shows what was disliked", row.id);
            assert!(!person.exclude.contains(&film), "{} shows what was excluded", row.id);
            assert!(own || !did.seen.contains(&film), "{} shows what was seen", row.id);
            assert!(own || !did.listed.contains(&film), "{} shows what is listed", row.id);
            assert!(
                own || recommended.insert(film),
                "{} shows what another row shows",
                row.id
            );
            assert!(row.kind != RowKind::ContinueWatching || !did.finished.contains(&film));
        }
    }
    if let Some(hero) = &page.hero {
        let shown = page.rows.iter().flat_map(titles).collect::<Vec<_>>();
        assert!(shown.contains(&hero.title), "the hero stands in a row");
    }
}

fn is_allowed(house: &House, person: &Person, did: &Did, title: TitleId) -> bool {
    let film = house.film(title);
    !did.seen.contains(&film) && (film % 10 != 9 || person.maturity_max >= 18)
}

#[tokio::test]
async fn what_was_seen_or_disliked_long_ago_stays_away() {
    const ZED: ProfileId = ProfileId(700);
    everywhere(async |house| {
        house.train().await;
        let rating = |title: TitleId, half_stars: u8, at: i64| ImportedRating {
            profile: ZED,
            title,
            stars: HalfStars::new(half_stars).unwrap(),
            at,
        };
        let now = house.clock.now_ms();
        house.opine(ZED, 40, Opinion::Dislike).await;
        house
            .activity
            .add_to_list(ForTitleOf {
                profile: ZED,
                title: house.films[40],
            })
            .await
            .unwrap();
        house.clock.advance(1_000_000);
        // Films 0 to 39 long ago, then eleven hundred titles that this catalogue does not have.
        let old = (0..40).map(|film| rating(house.films[film], 9, now - 1_000_000 + film as i64));
        let new = (0..1_100).map(|other| rating(TitleId(1_000_000 + other), 8, now + 1_000 + other));
        let ratings = old.chain(new).collect();
        house.activity.import_ratings(ImportRatings { ratings }).await.unwrap();
        let page = house.home(ZED).await;
        let shown: HashSet<usize> = page
            .rows
            .iter()
            .flat_map(titles)
            .map(|title| house.film(title))
            .collect();
        assert!(shown.len() > 20, "{}: there is a page", house.name);
        let again: Vec<_> = shown.iter().filter(|film| **film <= 40).collect();
        assert!(again.is_empty(), "{}: shown again: {again:?}", house.name);
        let top = GetTop {
            viewer: viewer(ZED),
            limit: 200,
            exclude: Vec::new(),
        };
        let top = house.door.top(top).await.unwrap();
        assert!(top.iter().all(|item| house.film(item.title) > 40), "{}", house.name);
    })
    .await;
}

/// The plain list and *More Like This*.
async fn check_lists(house: &House, person: &Person, did: &Did, viewer: Viewer, exclude: Vec<TitleId>) {
    let top = GetTop {
        viewer: viewer.clone(),
        limit: 200,
        exclude: exclude.clone(),
    };
    let similar = GetSimilar {
        title: house.films[0],
        viewer,
        limit: 100,
        exclude: exclude.clone(),
    };
    let top = house.door.top(top).await.unwrap();
    let similar = house.door.similar(similar).await.unwrap();
    for list in [&top, &similar] {
        assert!(list.iter().all(|item| is_allowed(house, person, did, item.title)));
        assert!(
            !list.iter().any(|item| exclude.contains(&item.title)),
            "{exclude:?} {list:?}"
        );
    }
    let distinct: HashSet<TitleId> = top.iter().map(|item| item.title).collect();
    assert_eq!(distinct.len(), top.len());
}

#[test]
fn no_page_ever_breaks_a_hard_constraint() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for trained in [false, true] {
        let house = runtime.block_on(async {
            let house = House::open(Pairing::local(sqlite())).await;
            if trained {
                house.train().await;
            }
            house
        });
        let mut next = 10_000;
        let config = ProptestConfig {
            cases: 48,
            failure_persistence: None,
            max_shrink_iters: 40,
            ..ProptestConfig::default()
        };
        let next = std::cell::RefCell::new(&mut next);
        let run = TestRunner::new(config).run(&person(), |person| {
            **next.borrow_mut() += 1;
            let profile = ProfileId(**next.borrow());
            runtime.block_on(async {
                let did = live(&house, profile, &person).await;
                let genres = person.genres.iter().map(|genre| GENRES[*genre].to_owned()).collect();
                let preferences = Preferences {
                    genres,
                    ..Preferences::default()
                };
                let viewer = Viewer {
                    profile,
                    maturity_max: person.maturity_max,
                    preferences,
                };
                let exclude: Vec<TitleId> = person.exclude.iter().map(|film| house.films[*film]).collect();
                let page = house
                    .door
                    .home(GetHome {
                        viewer: viewer.clone(),
                        exclude: exclude.clone(),
                    })
                    .await
                    .unwrap();
                check(&house, &person, &did, &page);
                check_lists(&house, &person, &did, viewer, exclude).await;
            });
            Ok(())
        });
        run.unwrap();
    }
}
