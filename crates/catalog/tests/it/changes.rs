//! Creating, editing and deleting titles; series and their episodes; what is refused.

use contract::{
    TitleId,
    catalog::{
        CatalogError, CreditRole, EpisodePlace, ExternalId, ForTitle, GetCards, ImportTitles, NewCredit, NewTitle,
        OptionalFact, Resolve, TitleKind, UpdateTitle,
    },
};

use crate::support::{Fixture, browse, film, fixtures};

fn credit(name: &str, role: CreditRole) -> NewCredit {
    NewCredit {
        name: name.into(),
        role,
    }
}

#[tokio::test]
async fn a_title_comes_back_as_it_was_made() {
    for fixture in fixtures().await {
        let made = NewTitle {
            original_name: Some("Le fabuleux destin d'Amélie Poulain".into()),
            description: "A waitress decides to change lives.".into(),
            duration_ms: Some(7_320_000),
            credits: vec![
                credit("Jean-Pierre Jeunet", CreditRole::Director),
                credit("Audrey Tautou", CreditRole::Actor),
            ],
            external: vec![
                ExternalId {
                    source: "kinora".into(),
                    id: "1".into(),
                },
                ExternalId {
                    source: "imdb".into(),
                    id: "0211915".into(),
                },
            ],
            ..film("  Amélie\u{7}  ", 2001, &["Comedy", " Romance ", "comedy", ""])
        };
        let title = fixture.add(made).await;
        assert_eq!(&*title.card.name, "Amélie", "{}", fixture.name);
        assert_eq!(*title.card.genres, ["Comedy", "Romance"]);
        assert_eq!(title.card.maturity, 12, "estimated from the genres");
        assert_eq!(title.card.duration_ms, Some(7_320_000));
        assert_eq!(
            title.original_name.as_deref(),
            Some("Le fabuleux destin d'Amélie Poulain")
        );
        assert_eq!(title.credits[1].name, "Audrey Tautou");
        assert_eq!(title.credits[0].role, CreditRole::Director);
        assert_eq!(title.external[1].id, "0211915");
        assert_eq!(
            (title.card.ratings_count, title.card.average_rating, title.card.playable),
            (0, None, false)
        );
        assert_eq!(
            fixture.door.title(ForTitle { title: title.card.id }).await.unwrap(),
            title
        );
        let resolve = Resolve {
            source: "imdb".into(),
            ids: vec!["1".into(), "0211915".into()],
        };
        assert_eq!(
            fixture.door.resolve(resolve).await.unwrap(),
            [None, Some(title.card.id)]
        );
        let again = fixture.reopened().await;
        assert_eq!(
            again.door.title(ForTitle { title: title.card.id }).await.unwrap(),
            title,
            "{}",
            fixture.name
        );
    }
}

#[tokio::test]
async fn an_edit_changes_what_it_names() {
    for fixture in fixtures().await {
        let made = NewTitle {
            credits: vec![credit("Nobody", CreditRole::Actor)],
            ..film("Solaris", 1971, &["Drama"])
        };
        let before = fixture.add(made).await;
        fixture.clock.advance(5_000);
        let change = UpdateTitle {
            year: Some(1972),
            genres: Some(vec!["Sci-Fi".into(), "Drama".into()]),
            maturity: Some(6),
            ..UpdateTitle::of(before.card.id)
        };
        let after = fixture.door.update(change).await.unwrap();
        assert_eq!(
            (&*after.card.name, after.card.year, after.card.maturity),
            ("Solaris", Some(1972), 6)
        );
        assert_eq!(after.credits, before.credits, "{}", fixture.name);
        assert_eq!(
            after.card.artwork_version,
            before.card.artwork_version + 1,
            "the drawn picture shows the year"
        );
        assert_eq!(
            (after.created_at, after.updated_at),
            (before.created_at, before.updated_at + 5_000)
        );
        let credits = vec![credit("Natalya Bondarchuk", CreditRole::Actor)];
        let described = UpdateTitle {
            credits: Some(credits),
            description: Some("Cold.".into()),
            ..UpdateTitle::of(before.card.id)
        };
        let after = fixture.door.update(described).await.unwrap();
        assert_eq!(
            (after.credits[0].name.as_str(), after.description.as_str()),
            ("Natalya Bondarchuk", "Cold.")
        );
        assert_eq!(
            after.card.artwork_version,
            before.card.artwork_version + 1,
            "same picture"
        );
        let cards = fixture
            .door
            .cards(GetCards {
                titles: vec![TitleId(5), after.card.id],
            })
            .await
            .unwrap();
        assert_eq!(cards, [after.card]);
    }
}

#[tokio::test]
async fn a_year_and_a_maturity_can_be_taken_away() {
    for fixture in fixtures().await {
        let made = NewTitle {
            maturity: Some(18),
            ..film("Amélie", 2002, &["Comedy", "Romance"])
        };
        let title = fixture.add(made).await.card.id;
        let nothing = fixture.door.update(UpdateTitle::of(title)).await.unwrap().card;
        assert_eq!((nothing.year, nothing.maturity), (Some(2002), 18), "{}", fixture.name);
        let no_year = UpdateTitle {
            cleared: vec![OptionalFact::Year],
            ..UpdateTitle::of(title)
        };
        let card = fixture.door.update(no_year).await.unwrap().card;
        assert_eq!((card.year, card.maturity), (None, 18), "{}", fixture.name);
        let no_maturity = UpdateTitle {
            year: Some(2001),
            cleared: vec![OptionalFact::Maturity],
            ..UpdateTitle::of(title)
        };
        let card = fixture.door.update(no_maturity).await.unwrap().card;
        assert_eq!(
            (card.year, card.maturity),
            (Some(2001), 12),
            "estimated: {}",
            fixture.name
        );
        let both = UpdateTitle {
            year: Some(2003),
            cleared: vec![OptionalFact::Year],
            ..UpdateTitle::of(title)
        };
        let refused = fixture.door.update(both).await.unwrap_err();
        assert!(matches!(refused, CatalogError::TitleInvalid(_)), "{refused}");
    }
}

async fn series_with_episodes(fixture: &Fixture) -> (TitleId, Vec<TitleId>) {
    let series = NewTitle {
        kind: TitleKind::Series,
        ..film("Dekalog", 1989, &["Drama"])
    };
    let series = fixture.add(series).await.card.id;
    let mut episodes = Vec::new();
    for (season, number) in [(1, 2), (2, 1), (1, 1)] {
        let episode = NewTitle {
            kind: TitleKind::Episode,
            place: Some(EpisodePlace {
                series,
                season,
                episode: number,
            }),
            description: format!("{season}.{number}"),
            ..film(&format!("Dekalog {season}.{number}"), 1989, &["Drama"])
        };
        episodes.push(fixture.add(episode).await.card.id);
    }
    (series, episodes)
}

#[tokio::test]
async fn episodes_stand_in_order_under_their_series() {
    for fixture in fixtures().await {
        let (series, episodes) = series_with_episodes(&fixture).await;
        let seasons = fixture.door.seasons(ForTitle { title: series }).await.unwrap();
        let shape: Vec<(u16, Vec<String>)> = seasons
            .iter()
            .map(|season| {
                (
                    season.number,
                    season
                        .episodes
                        .iter()
                        .map(|episode| episode.description.clone())
                        .collect(),
                )
            })
            .collect();
        assert_eq!(
            shape,
            [
                (1, vec!["1.1".to_owned(), "1.2".to_owned()]),
                (2, vec!["2.1".to_owned()])
            ],
            "{}",
            fixture.name
        );
        assert_eq!(fixture.names(browse()).await, ["Dekalog"], "lists show the series only");
        assert_eq!(fixture.found("dekalog").await, ["Dekalog"]);
        let title = fixture.door.title(ForTitle { title: episodes[0] }).await.unwrap();
        assert_eq!(
            title.place,
            Some(EpisodePlace {
                series,
                season: 1,
                episode: 2
            })
        );
        let refused = fixture.door.delete(ForTitle { title: series }).await;
        assert_eq!(refused, Err(CatalogError::HasEpisodes));
        for id in episodes.into_iter().chain([series]) {
            fixture.door.delete(ForTitle { title: id }).await.unwrap();
        }
        assert_eq!(
            fixture.door.title(ForTitle { title: series }).await,
            Err(CatalogError::TitleNotFound)
        );
        assert!(fixture.found("dekalog").await.is_empty(), "{}", fixture.name);
    }
}

#[tokio::test]
async fn what_holds_for_a_series_holds_for_its_episodes() {
    for fixture in fixtures().await {
        let (series, episodes) = series_with_episodes(&fixture).await;
        let judged = async |id: TitleId| {
            let title = fixture.door.title(ForTitle { title: id }).await.unwrap().card;
            let cards = fixture.door.cards(GetCards { titles: vec![id] }).await.unwrap();
            assert_eq!(cards, std::slice::from_ref(&title), "{}", fixture.name);
            (title.maturity, title.published)
        };
        let change = async |change: UpdateTitle| drop(fixture.door.update(change).await.unwrap());
        assert_eq!(judged(episodes[0]).await, (12, true));
        let maturity = |maturity| UpdateTitle {
            maturity: Some(maturity),
            ..UpdateTitle::of(series)
        };
        let published = |title, published| UpdateTitle {
            published: Some(published),
            ..UpdateTitle::of(title)
        };
        change(maturity(18)).await;
        change(published(series, false)).await;
        for &episode in &episodes {
            assert_eq!(judged(episode).await, (18, false), "{}", fixture.name);
        }
        // What an episode says of itself stays its own: also when it is edited, and after a new start.
        change(UpdateTitle {
            name: Some("Dekalog, one".into()),
            ..UpdateTitle::of(episodes[2])
        })
        .await;
        change(published(episodes[1], false)).await;
        let again = fixture.reopened().await;
        let cards = again
            .door
            .cards(GetCards {
                titles: episodes.clone(),
            })
            .await
            .unwrap();
        assert!(cards.iter().all(|card| (card.maturity, card.published) == (18, false)));
        change(maturity(6)).await;
        change(published(series, true)).await;
        assert_eq!(judged(episodes[0]).await, (12, true), "{}", fixture.name);
        assert_eq!(judged(episodes[1]).await, (12, false), "{}", fixture.name);
        assert_eq!(judged(episodes[2]).await, (12, true), "{}", fixture.name);
    }
}

fn place(series: i64) -> Option<EpisodePlace> {
    Some(EpisodePlace {
        series: TitleId(series),
        season: 1,
        episode: 1,
    })
}

#[tokio::test]
async fn what_is_no_title_is_refused_with_a_reason() {
    let film = |name: &str, year: u16| film(name, year, &[]);
    let episode = |name: &str| NewTitle {
        kind: TitleKind::Episode,
        ..film(name, 2000)
    };
    let bad: [(NewTitle, &str); 8] = [
        (film(" \n ", 2000), "a title needs a name"),
        (film(&"x".repeat(301), 2000), "more than 300 letters"),
        (film("Early", 1400), "the year lies outside of 1870 to 2100"),
        (
            NewTitle {
                genres: vec!["g".repeat(41)],
                ..film("Odd", 2000)
            },
            "genre",
        ),
        (
            NewTitle {
                maturity: Some(19),
                ..film("Old", 2000)
            },
            "maturity",
        ),
        (
            NewTitle {
                duration_ms: Some(0),
                ..film("None", 2000)
            },
            "duration",
        ),
        (episode("Lost"), "an episode needs its series"),
        (
            NewTitle {
                place: place(99),
                ..episode("Orphan")
            },
            "no such series",
        ),
    ];
    for fixture in fixtures().await {
        for (title, expected) in &bad {
            match fixture.door.create(title.clone()).await {
                Err(CatalogError::TitleInvalid(reason)) => assert!(reason.contains(expected), "{reason}"),
                other => panic!("{}: {other:?}", fixture.name),
            }
        }
        assert!(
            fixture.names(browse()).await.is_empty(),
            "{}: nothing half made",
            fixture.name
        );
    }
}

#[tokio::test]
async fn what_is_not_there_or_taken_is_refused() {
    for fixture in fixtures().await {
        let external = vec![ExternalId {
            source: "imdb".into(),
            id: "7".into(),
        }];
        let taken = NewTitle {
            external,
            ..film("First", 2000, &[])
        };
        fixture.add(taken.clone()).await;
        let refused = fixture.door.create(taken).await;
        assert!(
            matches!(refused, Err(CatalogError::TitleInvalid(_))),
            "{}: {refused:?}",
            fixture.name
        );
        assert_eq!(fixture.names(browse()).await, ["First"], "{}", fixture.name);
        let unknown = TitleId(1);
        assert_eq!(
            fixture.door.update(UpdateTitle::of(unknown)).await,
            Err(CatalogError::TitleNotFound)
        );
        assert_eq!(
            fixture.door.delete(ForTitle { title: unknown }).await,
            Err(CatalogError::TitleNotFound)
        );
        assert_eq!(
            fixture.door.seasons(ForTitle { title: unknown }).await,
            Err(CatalogError::TitleNotFound)
        );
        let many = GetCards {
            titles: vec![unknown; 1_001],
        };
        assert_eq!(fixture.door.cards(many).await, Err(CatalogError::TooMany(1_000)));
    }
}

#[tokio::test]
async fn an_episodes_place_is_taken_once() {
    for fixture in fixtures().await {
        let dark = NewTitle {
            kind: TitleKind::Series,
            ..film("Dark", 2017, &[])
        };
        let series = fixture.add(dark).await.card.id;
        let episode = |id: &str| NewTitle {
            kind: TitleKind::Episode,
            place: Some(EpisodePlace {
                series,
                season: 1,
                episode: 2,
            }),
            external: vec![ExternalId {
                source: "file".into(),
                id: id.into(),
            }],
            ..film("Lies", 2017, &[])
        };
        let first = fixture.add(episode("a")).await;
        let refused = fixture.door.create(episode("b")).await;
        assert!(
            matches!(&refused, Err(CatalogError::TitleInvalid(what)) if what.contains("episode 2 of season 1")),
            "{}: {refused:?}",
            fixture.name
        );
        let titles = vec![episode("b")];
        let refused = fixture.door.import(ImportTitles { titles: titles.clone() }).await;
        assert!(
            matches!(refused, Err(CatalogError::TitleInvalid(_))),
            "{}: {refused:?}",
            fixture.name
        );
        let same = fixture.door.import_new(ImportTitles { titles }).await.unwrap();
        assert_eq!(same.titles, [first.card.id], "{}", fixture.name);
    }
}

#[tokio::test]
async fn many_edits_at_once_all_get_their_turn() {
    for fixture in fixtures().await {
        let mut titles = Vec::new();
        for number in 0..24 {
            titles.push(fixture.add(film(&format!("Film {number}"), 1990, &[])).await.card.id);
        }
        // More than there are connections, each holding one while it waits.
        let edits = titles.into_iter().map(|title| {
            let change = UpdateTitle {
                year: Some(1991),
                ..UpdateTitle::of(title)
            };
            fixture.door.update(change)
        });
        for edited in futures::future::join_all(edits).await {
            let edited = edited.unwrap_or_else(|error| panic!("{}: {error}", fixture.name));
            assert_eq!(edited.card.year, Some(1991), "{}", fixture.name);
        }
    }
}
