//! The page as a whole: which rows in which order, the measure of genres, what explores.

use contract::{
    ProfileId,
    activity::{Activity as _, ForTitleOf},
    recommend::RowKind,
};

use crate::house::{everywhere, titles};

/// Number of a row's kind.
fn kind(row: &contract::recommend::Row) -> std::mem::Discriminant<RowKind> {
    std::mem::discriminant(&row.kind)
}

#[tokio::test]
async fn rows_vary_and_what_is_the_viewers_own_stands_near_the_top() {
    everywhere(async |house| {
        house.train().await;
        let listed = ForTitleOf {
            profile: ProfileId(1),
            title: house.films[300],
        };
        house.activity.add_to_list(listed).await.unwrap();
        house.watch(ProfileId(1), 301, 30).await;
        let page = house.home(ProfileId(1)).await;
        let ids: Vec<&str> = page.rows.iter().map(|row| &*row.id).collect();
        assert_eq!(ids[..2], ["continue_watching", "top_picks"], "{}", house.name);
        let own = ids.iter().position(|id| *id == "my_list").expect("the list");
        assert!(own <= 5, "{}: {ids:?}", house.name);
        let chosen: Vec<_> = page
            .rows
            .iter()
            .skip(2)
            .filter(|row| row.kind != RowKind::MyList)
            .map(kind)
            .collect();
        assert!(chosen.len() > 6, "{ids:?}");
        assert!(
            !chosen
                .windows(3)
                .any(|three| three[0] == three[1] && three[1] == three[2]),
            "{ids:?}"
        );
    })
    .await;
}

/// A few places of *Top Picks* explore, never the first, and what was shown is stored with how likely that was.
#[tokio::test]
async fn what_explores_is_little_and_stored_with_its_propensity() {
    const PAGES: usize = 40;
    everywhere(async |house| {
        house.train().await;
        let mut pages = Vec::new();
        for _ in 0..PAGES {
            house.clock.advance(1_000);
            pages.push(house.home(ProfileId(1)).await);
        }
        let stop = tokio_util::sync::CancellationToken::new();
        stop.cancel();
        house.room.clone().run(stop).await;
        let mut stored = house.room.shown(ProfileId(1), PAGES as u32).await.unwrap();
        stored.reverse();
        let (mut explored, mut places) = (Vec::new(), 0);
        for (page, shown) in pages.iter().zip(&stored) {
            assert_eq!((shown.page, &shown.arm), (page.id, &None));
            for (row, shown) in page.rows.iter().zip(shown.rows().unwrap()) {
                assert_eq!(
                    titles(row),
                    shown.items.iter().map(|item| item.title).collect::<Vec<_>>()
                );
                for (position, item) in shown.items.iter().enumerate() {
                    let is_drawn = item.propensity < 0.05;
                    assert!(
                        is_drawn || item.propensity == 1.0 || item.propensity == 0.95,
                        "{}",
                        item.propensity
                    );
                    assert!(item.propensity == 1.0 || position >= 3 && row.kind == RowKind::TopPicks);
                    places += usize::from(item.propensity < 1.0);
                    if is_drawn {
                        assert_ne!(page.hero.as_ref().map(|hero| hero.title), Some(item.title));
                        explored.push(item.title);
                    }
                }
            }
        }
        let share = explored.len() as f32 / places as f32;
        assert!(
            (0.03..0.07).contains(&share),
            "{}: {share} of {places} places",
            house.name
        );
        explored.sort_unstable();
        explored.dedup();
        assert!(
            explored.len() > 10,
            "{}: {} titles get their chance",
            house.name,
            explored.len()
        );
    })
    .await;
}
