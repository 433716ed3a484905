//! Bulk import: atomic, idempotent, fast enough.

use contract::catalog::{
    CatalogError, CreditRole, ExternalId, ForTitle, ImportTitles, NewCredit, NewTitle, Resolve, UpdateTitle,
};

use crate::support::{browse, film, fixtures, imported};

fn three() -> Vec<NewTitle> {
    let mut leon = imported("293", "Léon", 1994, &["Crime", "Drama"]);
    leon.original_name = Some("The Professional".into());
    leon.credits = vec![NewCredit {
        name: "Jean Reno".into(),
        role: CreditRole::Actor,
    }];
    leon.external.push(ExternalId {
        source: "imdb".into(),
        id: "0110413".into(),
    });
    vec![
        imported("1", "Toy Story", 1995, &["Animation", "Children's"]),
        leon,
        imported("3", "Ran", 1985, &["Drama"]),
    ]
}

#[tokio::test]
async fn the_same_again_changes_nothing() {
    for fixture in fixtures().await {
        let first = fixture.door.import(ImportTitles { titles: three() }).await.unwrap();
        assert_eq!(
            (first.created, first.updated, first.unchanged),
            (3, 0, 0),
            "{}",
            fixture.name
        );
        let again = fixture.door.import(ImportTitles { titles: three() }).await.unwrap();
        assert_eq!(
            (again.created, again.updated, again.unchanged),
            (0, 0, 3),
            "{}",
            fixture.name
        );
        assert_eq!(again.titles, first.titles);
        let resolve = Resolve {
            source: "movielens".into(),
            ids: vec!["293".into(), "4".into()],
        };
        assert_eq!(
            fixture.door.resolve(resolve).await.unwrap(),
            [Some(first.titles[1]), None]
        );
        let leon = fixture.door.title(ForTitle { title: first.titles[1] }).await.unwrap();
        assert_eq!((leon.credits[0].name.as_str(), leon.external.len()), ("Jean Reno", 2));
        assert_eq!(fixture.found("the professional").await, ["Léon"], "{}", fixture.name);
    }
}

#[tokio::test]
async fn a_correction_is_taken_and_a_curators_edit_is_kept() {
    for fixture in fixtures().await {
        let first = fixture.door.import(ImportTitles { titles: three() }).await.unwrap();
        let edit = UpdateTitle {
            name: Some("Toy Story, the first".into()),
            ..UpdateTitle::of(first.titles[0])
        };
        fixture.door.update(edit).await.unwrap();
        let mut corrected = three();
        corrected[2].year = Some(1986);
        let again = fixture.door.import(ImportTitles { titles: corrected }).await.unwrap();
        assert_eq!(
            (again.created, again.updated, again.unchanged),
            (0, 1, 2),
            "{}",
            fixture.name
        );
        let title = |place: usize| {
            fixture.door.title(ForTitle {
                title: first.titles[place],
            })
        };
        assert_eq!(&*title(0).await.unwrap().card.name, "Toy Story, the first");
        assert_eq!(title(2).await.unwrap().card.year, Some(1986));
    }
}

#[tokio::test]
async fn one_bad_title_and_nothing_is_imported() {
    for fixture in fixtures().await {
        for bad in [
            imported("9", "", 1990, &[]),
            imported("1", "Twice", 1990, &[]),
            film("Unknown", 1990, &[]),
        ] {
            let mut titles = three();
            titles.push(bad);
            let refused = fixture.door.import(ImportTitles { titles }).await;
            assert!(
                matches!(refused, Err(CatalogError::TitleInvalid(_))),
                "{}: {refused:?}",
                fixture.name
            );
            assert!(fixture.names(browse()).await.is_empty(), "{}", fixture.name);
        }
        let titles = vec![imported("1", "Many", 1990, &[]); 200_001];
        if fixture.name.ends_with("local") {
            assert_eq!(
                fixture.door.import(ImportTitles { titles }).await,
                Err(CatalogError::TooMany(200_000))
            );
        }
    }
}

#[tokio::test]
async fn thousands_land_at_once() {
    for fixture in fixtures().await {
        let titles: Vec<NewTitle> = (0..6_000)
            .map(|number| imported(&number.to_string(), &format!("Film {number}"), 1990, &["Drama"]))
            .collect();
        let outcome = fixture.door.import(ImportTitles { titles }).await.unwrap();
        assert_eq!(outcome.created, 6_000, "{}", fixture.name);
        assert_eq!(
            fixture.found("film 5999").await.first().map(String::as_str),
            Some("Film 5999"),
            "{}",
            fixture.name
        );
    }
}

#[tokio::test]
async fn what_is_here_by_name_and_year_or_place_is_not_made_again() {
    for fixture in fixtures().await {
        let first = fixture.door.import(ImportTitles { titles: three() }).await.unwrap();
        let file = |id: &str, title: NewTitle| NewTitle {
            external: vec![ExternalId {
                source: "file".into(),
                id: id.into(),
            }],
            ..title
        };
        let unknown_year = NewTitle {
            year: None,
            ..film("Ran", 1985, &[])
        };
        let titles = vec![
            file("a", film("toy story", 1995, &[])),
            file("b", film("Leon", 1994, &[])),
            file("c", film("Ran", 2020, &[])),
            file("d", unknown_year),
        ];
        let request = ImportTitles { titles: titles.clone() };
        let found = fixture.door.import_new(request).await.unwrap();
        assert_eq!((found.created, found.unchanged), (2, 2), "{}", fixture.name);
        assert_eq!(found.titles[..2], first.titles[..2], "{}", fixture.name);
        let kept = fixture.door.title(ForTitle { title: first.titles[1] }).await.unwrap();
        assert_eq!((&*kept.card.name, kept.external.len()), ("Léon", 3), "{}", fixture.name);
        // Known by the id from now on, whatever a curator calls it.
        let renamed = titles.into_iter().map(|title| NewTitle {
            name: format!("Another {}", title.name),
            ..title
        });
        let titles = renamed.collect();
        let again = fixture.door.import_new(ImportTitles { titles }).await.unwrap();
        assert_eq!((again.created, again.titles), (0, found.titles), "{}", fixture.name);
    }
}
