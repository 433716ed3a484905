//! Opinions and the averages over them.

use activity::Config;
use contract::{
    ProfileId, TitleId,
    activity::{Activity as _, CountInteractions, ForProfileOnly, ForTitles, ListOf, Opinion, Rate, TitleRatings},
    events::EventBody,
};
use platform::test_support::{Pairing, databases};

use crate::house::{ANN, BOB, House, everywhere, of, stars};

#[tokio::test]
async fn a_rating_is_set_changed_and_removed() {
    everywhere(async |house| {
        let first = house.rate(ANN, 1, 10).await;
        assert_eq!(
            (first.count(), first.sum(), first.version),
            (1, 10, 1),
            "{}",
            house.name
        );
        let second = house.rate(BOB, 1, 4).await;
        assert_eq!((second.count(), second.sum()), (2, 14));
        let changed = house.rate(ANN, 1, 7).await;
        assert_eq!((changed.count(), changed.sum()), (2, 11));
        let liked = house.opine(ANN, 1, Opinion::Like).await;
        assert_eq!(
            (liked.count(), liked.likes, liked.dislikes),
            (1, 1, 0),
            "a like replaces stars"
        );
        let removed = house.door.unrate(of(ANN, 1)).await.unwrap();
        assert_eq!((removed.count(), removed.likes), (1, 0));
        assert!(removed.version > liked.version && liked.version > changed.version);
        let again = house.door.unrate(of(ANN, 1)).await.unwrap();
        assert_eq!(again, removed, "removing what is not there is no error and no change");
        let state = house.door.state(of(BOB, 1)).await.unwrap();
        assert_eq!(
            (state.opinion, state.rated_at),
            (Some(stars(4)), Some(house.inputs.now_ms()))
        );
        assert_eq!(house.door.state(of(ANN, 1)).await.unwrap().opinion, None);
    })
    .await;
}

#[tokio::test]
async fn figures_come_in_the_order_asked_for_with_zeros_for_unknown_titles() {
    everywhere(async |house| {
        house.rate(ANN, 1, 10).await;
        house.opine(ANN, 2, Opinion::Dislike).await;
        let titles = vec![TitleId(3), TitleId(2), TitleId(1)];
        let ratings = house.door.ratings(ForTitles { titles }).await.unwrap();
        assert_eq!(ratings[0], TitleRatings::none(TitleId(3)), "{}", house.name);
        assert_eq!((ratings[1].title, ratings[1].dislikes), (TitleId(2), 1));
        assert_eq!((ratings[2].title, ratings[2].histogram[9]), (TitleId(1), 1));
    })
    .await;
}

#[tokio::test]
async fn events_carry_absolute_figures_and_who_acted() {
    everywhere(async |house| {
        let ratings = house.rate(ANN, 1, 8).await;
        let told = house.told().await;
        let acted = EventBody::ProfileActed {
            profile: ANN,
            title: TitleId(1),
            favours: true,
        };
        assert_eq!(
            told,
            [acted, EventBody::RatingsChanged { titles: vec![ratings] }],
            "{}",
            house.name
        );
        house.rate(ANN, 1, 8).await;
        assert_eq!(house.told().await, [], "the same again is no change");
        let count = house.door.count(CountInteractions {}).await.unwrap();
        assert_eq!((count.changes, count.profiles), (1, 1));
    })
    .await;
}

#[tokio::test]
async fn many_people_rate_one_title_at_once() {
    everywhere(async |house| {
        let rate = |n: i64| {
            let rate = Rate {
                profile: ProfileId(n),
                title: TitleId(9),
                opinion: stars((n % 10 + 1) as u8),
            };
            house.door.rate(rate)
        };
        let answers = futures::future::join_all((0..60).map(rate)).await;
        assert!(answers.iter().all(Result::is_ok), "{}", house.name);
        let ratings = house
            .door
            .ratings(ForTitles {
                titles: vec![TitleId(9)],
            })
            .await
            .unwrap();
        assert_eq!(ratings[0].histogram, [6; 10]);
    })
    .await;
}

#[tokio::test]
async fn two_processes_rate_for_one_profile_at_once() {
    everywhere(async |house| {
        let other = house.another().await;
        for round in 0..10u8 {
            let rate = |half_stars| Rate {
                profile: ANN,
                title: TitleId(9),
                opinion: stars(half_stars),
            };
            let (one, two) = tokio::join!(house.door.rate(rate(round % 5 + 1)), other.rate(rate(round % 5 + 6)));
            assert!(one.is_ok() && two.is_ok(), "{}", house.name);
            let ratings = house
                .door
                .ratings(ForTitles {
                    titles: vec![TitleId(9)],
                })
                .await
                .unwrap();
            let state = other.state(of(ANN, 9)).await.unwrap();
            assert_eq!(ratings[0].count(), 1, "one person, one rating");
            assert_eq!(
                state.opinion,
                Some(stars(ratings[0].sum() as u8)),
                "the figure is of the rating that stayed"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn a_clock_set_back_loses_no_rating() {
    everywhere(async |house| {
        house.rate(ANN, 1, 10).await;
        house.clock.advance(-3_600_000);
        house.rate(ANN, 1, 2).await;
        house.rate(ANN, 2, 6).await;
        let state = house.door.state(of(ANN, 1)).await.unwrap();
        assert_eq!(state.opinion, Some(stars(2)), "{}", house.name);
        assert_eq!(house.recent(ANN).await.states.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn acknowledged_means_written() {
    everywhere(async |house| {
        let warm = house.recent(ANN).await;
        assert_eq!(warm.states, []);
        house.rate(ANN, 1, 9).await;
        house.door.add_to_list(of(ANN, 2)).await.unwrap();
        let there = house
            .another()
            .await
            .recent(contract::activity::Recent {
                profile: ANN,
                limit: 500,
            })
            .await
            .unwrap();
        assert_eq!(there.states.len(), 2, "{}", house.name);
        assert_eq!(there, house.recent(ANN).await, "and this process reads what it wrote");
    })
    .await;
}

#[tokio::test]
async fn rated_titles_come_newest_first_in_pages() {
    everywhere(async |house| {
        for title in 1..=5 {
            house.clock.advance(1_000);
            house.rate(ANN, title, title as u8).await;
        }
        let page = |after| ListOf {
            profile: ANN,
            after,
            limit: 2,
        };
        let (mut titles, mut after) = (Vec::new(), None);
        loop {
            let found = house.door.rated(page(after)).await.unwrap();
            titles.extend(found.items.iter().map(|state| state.title.0));
            after = found.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(titles, [5, 4, 3, 2, 1], "{}", house.name);
    })
    .await;
}

#[tokio::test]
async fn erasing_a_profile_takes_it_out_of_the_averages() {
    everywhere(async |house| {
        house.rate(ANN, 1, 10).await;
        house.rate(BOB, 1, 2).await;
        house.door.add_to_list(of(ANN, 3)).await.unwrap();
        house.watch(ANN, 4, 10).await;
        house.told().await;
        house.door.erase(ForProfileOnly { profile: ANN }).await.unwrap();
        house.room.flush().await.unwrap();
        let ratings = house
            .door
            .ratings(ForTitles {
                titles: vec![TitleId(1)],
            })
            .await
            .unwrap();
        assert_eq!((ratings[0].count(), ratings[0].sum()), (1, 2), "{}", house.name);
        assert_eq!(house.told().await, [EventBody::RatingsChanged { titles: ratings }]);
        assert_eq!(house.recent(ANN).await, Default::default());
        assert_eq!(
            house
                .another()
                .await
                .count(CountInteractions {})
                .await
                .unwrap()
                .profiles,
            1
        );
        house.door.erase(ForProfileOnly { profile: ANN }).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_deleted_profile_is_erased() {
    everywhere(async |house| {
        house.rate(ANN, 1, 10).await;
        house.rate(BOB, 1, 10).await;
        house.told().await;
        let deleted = EventBody::ProfileDeleted {
            account: contract::AccountId(1),
            profile: ANN,
        };
        let accounts = house.tell("accounts", deleted).await;
        house.bus.attach(&accounts).await.unwrap();
        // Not merely until something is told: where other transactions run, a new source tells its last facts again.
        house.bus.settle().await.unwrap();
        let told = house.told().await;
        let is_figure = |event: &EventBody| matches!(event, EventBody::RatingsChanged { .. });
        assert!(told.iter().any(is_figure), "{}: {told:?}", house.name);
        assert_eq!(house.recent(ANN).await, Default::default(), "{}", house.name);
    })
    .await;
}

#[tokio::test]
async fn without_a_cache_everything_reads_the_same() {
    for database in databases().await {
        let config = Config {
            cache_bytes_max: 0,
            ..Config::default()
        };
        let house = House::open(Pairing::local(database), config).await;
        for title in 1..=20 {
            house.clock.advance(1);
            house.rate(ANN, title, 5).await;
        }
        let recent = house.recent(ANN).await;
        assert_eq!(
            recent.states.iter().map(|state| state.title.0).collect::<Vec<_>>(),
            (1..=20).rev().collect::<Vec<_>>()
        );
        assert_eq!(recent, house.recent(ANN).await);
    }
}
