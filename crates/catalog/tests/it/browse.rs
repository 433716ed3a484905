//! Lists: filters, orders, cursors.

use contract::{
    TitleId,
    catalog::{Browse, BrowsePage, CatalogError, GetGenres, PageFeatures, Sort, TitleKind},
};

use crate::support::{Fixture, browse, film, fixtures, one};

async fn shelf(fixture: &Fixture) {
    for (name, year, genres) in [
        ("The Apartment", 1960, &["Comedy", "Romance"][..]),
        ("Ran", 1985, &["Drama", "War"]),
        ("A Bug's Life", 1998, &["Animation", "Children's"]),
        ("Émile", 2003, &["Drama"]),
        ("Scanners", 1981, &["Horror", "Sci-Fi"]),
    ] {
        fixture.add(film(name, year, genres)).await;
    }
    let mut draft = film("Zardoz", 1974, &["Sci-Fi"]);
    draft.published = false;
    fixture.add(draft).await;
}

#[tokio::test]
async fn filters_and_orders() {
    for fixture in fixtures().await {
        shelf(&fixture).await;
        let by_name = Browse {
            sort: Sort::Name,
            ..browse()
        };
        assert_eq!(
            fixture.names(by_name.clone()).await,
            ["The Apartment", "A Bug's Life", "Émile", "Ran", "Scanners"]
        );
        let by_year = Browse {
            sort: Sort::Year,
            ..browse()
        };
        assert_eq!(
            fixture.names(by_year).await,
            ["Émile", "A Bug's Life", "Ran", "Scanners", "The Apartment"]
        );
        let newest = Browse {
            sort: Sort::Added,
            ..browse()
        };
        assert_eq!(fixture.names(newest).await[0], "Scanners", "{}", fixture.name);
        let drama = Browse {
            genre: Some("drama".into()),
            ..by_name.clone()
        };
        assert_eq!(fixture.names(drama).await, ["Émile", "Ran"]);
        let eighties = Browse {
            year_min: Some(1980),
            year_max: Some(1989),
            ..by_name.clone()
        };
        assert_eq!(fixture.names(eighties).await, ["Ran", "Scanners"]);
        let kids = Browse {
            maturity_max: 7,
            ..by_name.clone()
        };
        assert_eq!(fixture.names(kids).await, ["A Bug's Life"]);
        let all = Browse {
            unpublished_too: true,
            name_contains: Some("ÀR".into()),
            ..by_name.clone()
        };
        assert_eq!(fixture.names(all).await, ["The Apartment", "Zardoz"]);
        let series = Browse {
            kind: Some(TitleKind::Series),
            ..by_name.clone()
        };
        assert!(fixture.names(series).await.is_empty());
        assert!(
            fixture
                .names(Browse {
                    playable_only: true,
                    ..by_name
                })
                .await
                .is_empty()
        );
        let genres = fixture.door.genres(GetGenres { maturity_max: 18 }).await.unwrap();
        assert_eq!((genres[0].value.as_str(), genres[0].count), ("Drama", 2));
        assert_eq!(
            genres.iter().find(|genre| genre.value == "Sci-Fi").unwrap().count,
            1,
            "drafts do not count"
        );
    }
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repeat() {
    for fixture in fixtures().await {
        for number in 0..25 {
            fixture
                .add(film(&format!("Film {number:02}"), 1990 + number / 10, &["Drama"]))
                .await;
        }
        for sort in [Sort::Popularity, Sort::Rating, Sort::Year, Sort::Name, Sort::Added] {
            let filter = Browse { sort, ..browse() };
            let whole = fixture.names(filter.clone()).await;
            let (mut names, mut after) = (Vec::new(), None);
            loop {
                let request = BrowsePage {
                    filter: filter.clone(),
                    after,
                    limit: 7,
                };
                let page = fixture.door.browse(request).await.unwrap();
                names.extend(page.items.into_iter().map(|card| card.name.to_string()));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(names, whole, "{} {sort:?}", fixture.name);
            assert_eq!(names.len(), 25);
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_is_refused() {
    let fixture = one().await;
    shelf(&fixture).await;
    let page = fixture
        .door
        .browse(BrowsePage {
            filter: browse(),
            after: None,
            limit: 2,
        })
        .await
        .unwrap();
    let other = Browse {
        genre: Some("Drama".into()),
        ..browse()
    };
    let request = |filter, after: &str| BrowsePage {
        filter,
        after: Some(after.to_owned()),
        limit: 2,
    };
    let cursor = page.next.unwrap();
    assert!(fixture.door.browse(request(browse(), &cursor)).await.is_ok());
    assert_eq!(
        fixture.door.browse(request(other, &cursor)).await,
        Err(CatalogError::CursorInvalid)
    );
    for nonsense in ["", "7", "zz", "é", "00", &"ab".repeat(5_000)] {
        assert_eq!(
            fixture.door.browse(request(browse(), nonsense)).await,
            Err(CatalogError::CursorInvalid),
            "{nonsense}"
        );
    }
}

#[tokio::test]
async fn features_page_by_id_and_by_choice() {
    for fixture in fixtures().await {
        shelf(&fixture).await;
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = fixture
                .door
                .features(PageFeatures {
                    after,
                    limit: 4,
                    only: None,
                })
                .await
                .unwrap();
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(all.len(), 6, "{}: drafts too, the recommender filters", fixture.name);
        assert!(all.is_sorted_by_key(|features| features.id));
        let only = Some(vec![all[3].id, TitleId(4), all[0].id]);
        let page = fixture
            .door
            .features(PageFeatures {
                after: None,
                limit: 1,
                only,
            })
            .await
            .unwrap();
        assert_eq!(page.items, [all[3].clone(), all[0].clone()]);
        assert_eq!(page.next, None);
    }
}
