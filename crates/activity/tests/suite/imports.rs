//! Whole data sets in, interactions out.

use activity::Config;
use contract::{
    ProfileId, TitleId,
    activity::{
        Activity as _, CountInteractions, ForTitles, HalfStars, ImportProfiles, ImportRatings, ImportedCount,
        ImportedRating, Opinion, PageInteractions, TitleRatings,
    },
    events::EventBody,
};
use platform::test_support::{Pairing, databases};

use crate::house::{ANN, Clock as _, House, everywhere, of, stars};

fn rating(profile: i64, title: i64, half_stars: u8, at: i64) -> ImportedRating {
    ImportedRating {
        profile: ProfileId(profile),
        title: TitleId(title),
        stars: HalfStars::new(half_stars).unwrap(),
        at,
    }
}

async fn import(house: &House, ratings: &[ImportedRating]) -> ImportedCount {
    house
        .door
        .import_ratings(ImportRatings {
            ratings: ratings.to_vec(),
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn an_import_is_whole_and_repeatable() {
    everywhere(async |house| {
        let ratings: Vec<_> = (0..3_000)
            .map(|n| rating(n % 50 + 1, n / 50 + 1, (n % 10 + 1) as u8, n))
            .collect();
        assert_eq!(
            import(house, &ratings).await,
            ImportedCount {
                written: 3_000,
                unchanged: 0
            },
            "{}",
            house.name
        );
        let told = house.told().await;
        assert_eq!(told.last(), Some(&EventBody::InteractionsImported { count: 3_000 }));
        let count = house.door.count(CountInteractions {}).await.unwrap();
        assert_eq!((count.changes, count.profiles), (3_000, 50));
        assert_eq!(
            import(house, &ratings).await,
            ImportedCount {
                written: 0,
                unchanged: 3_000
            }
        );
        assert_eq!(house.told().await, [], "nothing changed, nothing told");
        let figures = house
            .door
            .ratings(ForTitles {
                titles: vec![TitleId(1)],
            })
            .await
            .unwrap();
        assert_eq!(figures[0].count(), 50);
        assert_eq!(house.recent(ProfileId(7)).await.states.len(), 60);
    })
    .await;
}

/// More titles than one statement adds to, some of them a second time.
#[tokio::test]
async fn figures_of_many_titles_at_once_are_those_of_each() {
    everywhere(async |house| {
        let titles = 1_203;
        let half_stars = |viewer: i64, title: i64| ((viewer + title) % 10 + 1) as u8;
        for viewer in [1, 2] {
            let ratings: Vec<_> = (1..=titles)
                .map(|title| rating(viewer, title, half_stars(viewer, title), viewer))
                .collect();
            assert_eq!(import(house, &ratings).await.written, titles as u64, "{}", house.name);
        }
        let all: Vec<_> = (1..=titles).map(TitleId).collect();
        for titles in all.chunks(1_000) {
            let titles = titles.to_vec();
            for figures in house.door.ratings(ForTitles { titles }).await.unwrap() {
                let mut expected = TitleRatings::none(figures.title);
                for viewer in [1, 2] {
                    expected.histogram[usize::from(half_stars(viewer, figures.title.0)) - 1] += 1;
                }
                expected.version = 2;
                assert_eq!(figures, expected, "{}", house.name);
            }
        }
    })
    .await;
}

/// Ten portions: a rating that comes after the first has a turn long before the last.
#[tokio::test]
async fn a_viewers_rating_does_not_wait_for_the_end_of_an_import() {
    for database in databases().await {
        let config = Config {
            import_rows_per_write: 2_000,
            ..Config::default()
        };
        let house = &House::open(Pairing::local(database), config).await;
        let (viewers, titles) = (200, 100);
        let ratings: Vec<_> = (0..viewers * titles)
            .map(|n| rating(10_000 + n / titles, n % titles + 1, (n % 10 + 1) as u8, n))
            .collect();
        let all = ratings.len() as u64;
        let there = async || house.room.count(CountInteractions {}).await.unwrap().changes;
        let rated = async {
            while there().await == 0 {
                tokio::task::yield_now().await;
            }
            house.rate(ANN, 7, 10).await;
            there().await
        };
        let (imported, when_acknowledged) = tokio::join!(import(house, &ratings), rated);
        assert!(
            when_acknowledged < all,
            "{}: {when_acknowledged} of {all} rows were there before the rating was",
            house.name
        );
        assert_eq!((imported.written, imported.unchanged), (all, 0), "{}", house.name);
        assert_eq!(there().await, all + 1, "{}", house.name);
        let titles = vec![TitleId(7)];
        let figures = house.door.ratings(ForTitles { titles }).await.unwrap();
        assert_eq!(
            figures[0].count(),
            viewers as u64 + 1,
            "{}: each counts once",
            house.name
        );
        house.bus.shutdown().await;
    }
}

#[tokio::test]
async fn the_newer_rating_stays() {
    everywhere(async |house| {
        house.opine(ANN, 1, Opinion::Like).await;
        house.rate(ANN, 2, 9).await;
        house.watch(ANN, 1, 30).await;
        house.room.flush().await.unwrap();
        let now = house.inputs.now_ms();
        let profile = ANN.0;
        let ratings = [
            rating(profile, 1, 6, now + 10),
            rating(profile, 2, 1, now - 10),
            rating(profile, 3, 2, 5),
            rating(profile, 3, 8, 7),
            rating(profile, 3, 4, 6),
        ];
        assert_eq!(
            import(house, &ratings).await,
            ImportedCount {
                written: 2,
                unchanged: 3
            },
            "{}",
            house.name
        );
        let titles = vec![TitleId(1), TitleId(2), TitleId(3)];
        let figures = house.door.ratings(ForTitles { titles }).await.unwrap();
        assert_eq!(
            (figures[0].likes, figures[0].sum(), figures[0].count()),
            (0, 6, 1),
            "stars replaced the like"
        );
        assert_eq!((figures[1].sum(), figures[2].sum()), (9, 8));
        let state = house.door.state(of(ANN, 1)).await.unwrap();
        assert!(state.progress.is_some(), "what was watched stays");
    })
    .await;
}

#[tokio::test]
async fn what_a_person_took_back_does_not_come_again() {
    everywhere(async |house| {
        let old = house.clock.now_ms() - 86_400_000;
        let ratings = [
            rating(ANN.0, 1, 10, old),
            rating(ANN.0, 2, 8, old),
            rating(ANN.0, 3, 6, old),
        ];
        import(house, &ratings).await;
        house.door.unrate(of(ANN, 1)).await.unwrap();
        house.door.forget(of(ANN, 2)).await.unwrap();
        import(house, &ratings).await;
        let opinion = async |title| house.door.state(of(ANN, title)).await.unwrap().opinion;
        assert_eq!((opinion(1).await, opinion(2).await), (None, None), "{}", house.name);
        assert!(opinion(3).await.is_some(), "{}", house.name);
        // Given again since, elsewhere, it counts.
        house.clock.advance(1_000);
        import(house, &[rating(ANN.0, 1, 4, house.clock.now_ms())]).await;
        assert!(opinion(1).await.is_some(), "{}", house.name);
    })
    .await;
}

/// How many opinions are remembered to have been taken back.
async fn taken_back(house: &House) -> i64 {
    let sql = "SELECT COUNT(*) FROM removed_ratings";
    let (count,): (i64,) =
        platform::on!(house.room.database(), pool => sqlx::query_as(sql).fetch_one(pool).await).unwrap();
    count
}

#[tokio::test]
async fn what_was_taken_back_is_remembered_only_while_an_import_could_bring_it_again() {
    everywhere(async |house| {
        let old = house.clock.now_ms() - 86_400_000;
        let ratings: Vec<_> = (1..=4).map(|title| rating(ANN.0, title, 10, old)).collect();
        import(house, &ratings).await;
        for title in 1..=4 {
            house.door.unrate(of(ANN, title)).await.unwrap();
        }
        assert_eq!(taken_back(house).await, 4, "{}", house.name);
        house.clock.advance(1_000);
        // Given again, here or elsewhere: what stands now is newer than anything that an import may bring.
        house.rate(ANN, 1, 8).await;
        assert_eq!(taken_back(house).await, 3, "{}", house.name);
        import(house, &[rating(ANN.0, 2, 6, house.clock.now_ms())]).await;
        assert_eq!(taken_back(house).await, 2, "{}", house.name);
        // Of a title that is gone nobody brings anything.
        let source = house
            .tell("catalog", EventBody::TitleDeleted { title: TitleId(3) })
            .await;
        house.bus.attach(&source).await.unwrap();
        house.bus.settle().await.unwrap();
        assert_eq!(taken_back(house).await, 1, "{}", house.name);
        let again = import(house, &[ratings[0], ratings[1], ratings[3]]).await;
        assert_eq!((again.written, again.unchanged), (0, 3), "{}", house.name);
        let opinion = async |title| house.door.state(of(ANN, title)).await.unwrap().opinion;
        assert_eq!(opinion(1).await, Some(stars(8)), "{}", house.name);
        assert_eq!(opinion(2).await, Some(stars(6)), "{}", house.name);
        assert_eq!(opinion(4).await, None, "{}", house.name);
    })
    .await;
}

#[tokio::test]
async fn another_process_sees_an_import() {
    everywhere(async |house| {
        assert_eq!(house.recent(ANN).await.states.len(), 0);
        let command = house.another().await;
        let ratings = vec![rating(ANN.0, 1, 10, 5)];
        command.import_ratings(ImportRatings { ratings }).await.unwrap();
        // Each of the bus's subscribers comes to it in its own time.
        while house.recent(ANN).await.states.is_empty() {
            house.told().await;
        }
    })
    .await;
}

#[tokio::test]
async fn viewers_of_another_system_keep_their_profiles() {
    everywhere(async |house| {
        let profiles = async |viewers: &[&str], claims: &[(&str, ProfileId)]| {
            let viewers = viewers.iter().map(|viewer| (*viewer).to_owned()).collect();
            let claims = claims
                .iter()
                .map(|(viewer, profile)| ((*viewer).to_owned(), *profile))
                .collect();
            let req = ImportProfiles {
                source: "movielens".into(),
                viewers,
                claims,
            };
            house.door.import_profiles(req).await.unwrap()
        };
        let first = profiles(&["1", "2", "1", "é"], &[]).await;
        assert_eq!(first[0], first[2], "{}", house.name);
        assert_ne!(first[0], first[1]);
        assert_eq!(profiles(&["é", "2"], &[]).await, [first[3], first[1]]);
        import(house, &[rating(first[1].0, 1, 10, 5)]).await;
        // Ann says that she is viewer 2: what was imported before moves with the next import, and counts once.
        let claimed = profiles(&["1", "2"], &[("2", ANN)]).await;
        assert_eq!(claimed, [first[0], ANN]);
        import(house, &[rating(ANN.0, 1, 10, 5)]).await;
        let figures = house
            .door
            .ratings(ForTitles {
                titles: vec![TitleId(1)],
            })
            .await
            .unwrap();
        assert_eq!(figures[0].count(), 1);
        assert_eq!(profiles(&["2"], &[]).await, [ANN]);
    })
    .await;
}

#[tokio::test]
async fn interactions_come_in_pages_and_columns() {
    everywhere(async |house| {
        house.rate(ANN, 3, 7).await;
        house.opine(ANN, 4, Opinion::Dislike).await;
        house.watch(ANN, 4, 25).await;
        house.door.add_to_list(of(ANN, 5)).await.unwrap();
        house.rate(ProfileId(2), 3, 1).await;
        house.room.flush().await.unwrap();
        let first = house
            .door
            .interactions(PageInteractions { after: None, limit: 3 })
            .await
            .unwrap();
        assert_eq!(first.profiles, [2, ANN.0, ANN.0], "{}", house.name);
        assert_eq!(first.titles, [3, 3, 4]);
        assert_eq!(first.opinions, [1, 7, 102]);
        assert_eq!(first.watched, [255, 255, 25]);
        assert_eq!(first.at, [house.inputs.now_ms(); 3]);
        let second = house
            .door
            .interactions(PageInteractions {
                after: first.next,
                limit: 3,
            })
            .await
            .unwrap();
        assert_eq!((second.titles, second.opinions, second.next), (vec![5], vec![0], None));
        assert_eq!(house.door.state(of(ANN, 3)).await.unwrap().opinion, Some(stars(7)));
    })
    .await;
}
