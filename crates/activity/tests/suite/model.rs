//! Random actions of several people against the simplest model that can be: a map.

use std::collections::BTreeMap;

use activity::Config;
use contract::{
    ProfileId, TitleId,
    activity::{CountInteractions, ForProfileOnly, ForTitles, MarkWatched, Opinion, PageInteractions, RecentActivity},
};
use platform::test_support::{Pairing, sqlite};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::house::{House, of, stars};

#[derive(Debug, Clone)]
enum Act {
    Rate(u8),
    Like(bool),
    Unrate,
    Watch(u64),
    Mark(bool),
    List(bool),
    Forget,
    Flush,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Known {
    opinion: Option<Opinion>,
    watched: Option<u64>,
    finished: bool,
    listed: bool,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1u8..=10).prop_map(Act::Rate),
        any::<bool>().prop_map(Act::Like),
        Just(Act::Unrate),
        (1u64..=100).prop_map(Act::Watch),
        any::<bool>().prop_map(Act::Mark),
        any::<bool>().prop_map(Act::List),
        Just(Act::Forget),
        Just(Act::Flush),
    ]
}

async fn perform(house: &House, profile: i64, title: i64, act: &Act, known: &mut Known) {
    let target = of(ProfileId(profile), title);
    let door = &house.door;
    match act {
        Act::Rate(half_stars) => {
            house.rate(target.profile, title, *half_stars).await;
            known.opinion = Some(stars(*half_stars));
        }
        Act::Like(like) => {
            let opinion = if *like { Opinion::Like } else { Opinion::Dislike };
            house.opine(target.profile, title, opinion).await;
            known.opinion = Some(opinion);
        }
        Act::Unrate => {
            door.unrate(target).await.unwrap();
            known.opinion = None;
        }
        Act::Watch(percent) => {
            house.watch(target.profile, title, *percent).await;
            known.watched = known.watched.max(Some(*percent));
            // From before its end it is watched again.
            known.finished = *percent >= 95 || (known.finished && *percent >= 80);
        }
        Act::Mark(watched) => {
            let titles = vec![target.title];
            door.mark_watched(MarkWatched {
                profile: target.profile,
                titles,
                watched: *watched,
            })
            .await
            .unwrap();
            let share = known.watched.filter(|_| known.finished).unwrap_or(100);
            known.watched = watched.then_some(share);
            known.finished = *watched;
        }
        Act::List(true) => {
            door.add_to_list(target).await.unwrap();
            known.listed = true;
        }
        Act::List(false) => {
            door.remove_from_list(target).await.unwrap();
            known.listed = false;
        }
        Act::Forget => {
            door.forget(target).await.unwrap();
            (known.opinion, known.watched, known.finished) = (None, None, false);
        }
        Act::Flush => house.room.flush().await.unwrap(),
    }
}

async fn check(house: &House, model: &BTreeMap<(i64, i64), Known>) {
    for ((profile, title), known) in model {
        let state = house.door.state(of(ProfileId(*profile), *title)).await.unwrap();
        let finished = state.progress.as_ref().is_some_and(|progress| progress.finished);
        let watched = state.progress.map(|progress| (progress.watched * 100.0).round() as u64);
        let seen = Known {
            opinion: state.opinion,
            watched,
            finished,
            listed: state.listed_at.is_some(),
        };
        assert_eq!(&seen, known, "profile {profile}, title {title}");
    }
    for title in 1..=3 {
        let figures = house
            .door
            .ratings(ForTitles {
                titles: vec![TitleId(title)],
            })
            .await
            .unwrap();
        let of_title = || {
            model
                .iter()
                .filter(|(key, _)| key.1 == title)
                .filter_map(|(_, known)| known.opinion)
        };
        let likes = of_title().filter(|opinion| *opinion == Opinion::Like).count() as u64;
        let sum: u64 = of_title()
            .map(|opinion| {
                if let Opinion::Stars(n) = opinion {
                    u64::from(n.get())
                } else {
                    0
                }
            })
            .sum();
        assert_eq!((figures[0].sum(), figures[0].likes), (sum, likes), "title {title}");
    }
    house.room.flush().await.unwrap();
    let learned = house
        .door
        .interactions(PageInteractions {
            after: None,
            limit: 1_000,
        })
        .await
        .unwrap();
    let known = model.iter().filter(|(_, known)| **known != Known::default()).count();
    assert_eq!(learned.titles.len(), known, "what is forgotten leaves nothing");
}

/// While a profile's version stays, so does what it did lately.
async fn check_versions(house: &House, known: &mut BTreeMap<i64, (u64, RecentActivity)>) {
    for profile in 1..=3 {
        let only = ForProfileOnly {
            profile: ProfileId(profile),
        };
        let version = house.door.version(only).await.unwrap();
        let recent = house.recent(only.profile).await;
        if let Some((before, was)) = known.insert(profile, (version, recent.clone())) {
            assert!(
                before != version || was == recent,
                "profile {profile}: {was:?} and {recent:?}"
            );
        }
    }
}

#[test]
fn any_sequence_of_actions_leaves_what_it_should() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let step = (1i64..=3, 1i64..=3, act());
    let config = ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = TestRunner::new(config).run(&prop::collection::vec(step, 1..60), |steps| {
        runtime.block_on(async {
            let house = House::open(Pairing::local(sqlite()), Config::default()).await;
            let mut model = BTreeMap::new();
            let mut changes = 0;
            let mut versions = BTreeMap::new();
            for (profile, title, act) in &steps {
                house.clock.advance(10);
                perform(
                    &house,
                    *profile,
                    *title,
                    act,
                    model.entry((*profile, *title)).or_default(),
                )
                .await;
                let count = house.door.count(CountInteractions {}).await.unwrap();
                assert!(count.changes >= changes, "never falls");
                changes = count.changes;
                check_versions(&house, &mut versions).await;
            }
            check(&house, &model).await;
            house.bus.shutdown().await;
        });
        Ok(())
    });
    run.unwrap();
}
