//! Search: prefixes, typos, accents, people, facets, odd queries.

use contract::{
    activity::TitleRatings,
    catalog::{CreditRole, NewCredit, NewTitle, Search},
};

use crate::{
    events::tell_ratings,
    support::{Fixture, film, fixtures, one, search},
};

async fn shelf(fixture: &Fixture) {
    let directed = |name: &str, year, genres: &[&str], director: &str| NewTitle {
        credits: vec![NewCredit {
            name: director.into(),
            role: CreditRole::Director,
        }],
        ..film(name, year, genres)
    };
    let amelie = NewTitle {
        original_name: Some("Le fabuleux destin d'Amélie Poulain".into()),
        ..directed("Amélie", 2001, &["Comedy", "Romance"], "Jean-Pierre Jeunet")
    };
    fixture.add(amelie).await;
    fixture
        .add(directed("Vertigo", 1958, &["Mystery", "Thriller"], "Alfred Hitchcock"))
        .await;
    fixture
        .add(directed(
            "North by Northwest",
            1959,
            &["Comedy", "Thriller"],
            "Alfred Hitchcock",
        ))
        .await;
    fixture.add(film("The Matrix", 1999, &["Action", "Sci-Fi"])).await;
    fixture
        .add(film("The Matrix Reloaded", 2003, &["Action", "Sci-Fi"]))
        .await;
    fixture.add(film("Spider-Man", 2002, &["Action"])).await;
    fixture.add(film("Hostel", 2005, &["Horror"])).await;
    fixture.add(film("$", 1971, &["Comedy"])).await;
    fixture
        .add(NewTitle {
            published: false,
            ..film("Matrix: the draft", 2030, &["Action"])
        })
        .await;
}

#[tokio::test]
async fn words_are_found_as_people_type_them() {
    for fixture in fixtures().await {
        shelf(&fixture).await;
        for (query, first) in [
            ("amelie", "Amélie"),
            ("AMÉL", "Amélie"),
            ("fabuleux", "Amélie"),
            ("verti", "Vertigo"),
            ("vetrigo", "Vertigo"),
            ("vertgo", "Vertigo"),
            ("hitchcok vertigo", "Vertigo"),
            ("matrix", "The Matrix"),
            ("the matrix r", "The Matrix Reloaded"),
            ("spiderman", "Spider-Man"),
            ("spider man", "Spider-Man"),
            ("$", "$"),
        ] {
            assert_eq!(
                fixture.found(query).await.first().map(String::as_str),
                Some(first),
                "{} {query:?}",
                fixture.name
            );
        }
        assert_eq!(fixture.found("hitchcock").await.len(), 2);
        assert_eq!(fixture.found("science fiction").await.len(), 2);
        assert_eq!(fixture.found("matrix").await.len(), 2, "drafts are not found");
        assert!(
            fixture.found("vertigo matrix").await.is_empty(),
            "every word must match"
        );
        assert!(fixture.found("vrtgo").await.is_empty(), "two typos are another word");
    }
}

#[tokio::test]
async fn the_better_known_of_equals_comes_first() {
    for fixture in fixtures().await {
        let old = fixture.add(film("Heat", 1972, &["Drama"])).await.card.id;
        let known = fixture.add(film("Heat", 1995, &["Crime"])).await.card.id;
        let mut ratings = TitleRatings {
            version: 1,
            ..TitleRatings::none(known)
        };
        ratings.histogram[8] = 400;
        tell_ratings(&fixture, vec![ratings]).await;
        let result = fixture.search(search("heat")).await;
        let ids: Vec<_> = result.items.iter().map(|card| card.id).collect();
        assert_eq!(ids, [known, old], "{}", fixture.name);
    }
}

#[tokio::test]
async fn facets_count_what_narrowing_leaves() {
    let fixture = one().await;
    shelf(&fixture).await;
    let thrillers = Search {
        genre: Some("Thriller".into()),
        ..search("")
    };
    let result = fixture.search(thrillers).await;
    let names: Vec<_> = result.items.iter().map(|card| &*card.name).collect();
    assert_eq!(names, ["Vertigo", "North by Northwest"]);
    insta::assert_json_snapshot!("facets_of_thrillers", result.facets);
    let fifties = Search {
        decade: Some(1950),
        ..search("hitchcock")
    };
    assert_eq!(fixture.search(fifties).await.items.len(), 2);
}

#[tokio::test]
async fn a_kids_profile_finds_nothing_for_adults() {
    for fixture in fixtures().await {
        shelf(&fixture).await;
        let kids = |query: &str| Search {
            maturity_max: 12,
            ..search(query)
        };
        assert_eq!(fixture.search(search("hostel")).await.items.len(), 1);
        assert!(
            fixture.search(kids("hostel")).await.items.is_empty(),
            "{}",
            fixture.name
        );
        let everything = fixture.search(kids("")).await;
        assert!(everything.items.iter().all(|card| card.maturity <= 12));
        assert!(
            everything.facets.genres.iter().all(|genre| genre.value != "Horror"),
            "facets do not tell either"
        );
    }
}

#[tokio::test]
async fn nothing_that_can_be_typed_is_an_error() {
    let fixture = one().await;
    shelf(&fixture).await;
    let long = "matrix ".repeat(1_000);
    for query in [
        "",
        "   ",
        "\"",
        "(",
        "a:b AND",
        "*",
        "~1",
        "[1 TO",
        "\u{0}",
        "🎬",
        "İ",
        "a",
        &long,
        "-",
        "\\",
        "né\u{301}e",
        "七人",
    ] {
        let result = fixture.search(search(query)).await;
        assert!(result.items.len() <= 20, "{query:?}");
    }
    assert_eq!(
        fixture.found("").await.len(),
        8,
        "an empty query lists everything, best known first"
    );
    let few = Search { limit: 3, ..search("") };
    assert_eq!(fixture.search(few).await.items.len(), 3);
}

#[tokio::test]
async fn the_index_follows_edits_and_outlives_a_restart() {
    for fixture in fixtures().await {
        let title = fixture.add(film("Casablanca", 1942, &["Romance"])).await.card.id;
        assert_eq!(fixture.found("casablanca").await.len(), 1);
        let change = contract::catalog::UpdateTitle {
            name: Some("Everybody Comes to Rick's".into()),
            ..contract::catalog::UpdateTitle::of(title)
        };
        fixture.door.update(change).await.unwrap();
        assert!(fixture.found("casablanca").await.is_empty(), "{}", fixture.name);
        let again = fixture.reopened().await;
        assert_eq!(again.found("ricks").await.len(), 1, "{}", fixture.name);
    }
}

#[tokio::test]
async fn an_index_that_could_not_be_made_at_the_start_is_made_later() {
    let fixture = one().await;
    fixture.add(film("Vertigo", 1958, &["Thriller"])).await;
    assert_eq!(fixture.found("vertigo").await, ["Vertigo"]);
    fixture.bus.shutdown().await;
    // A command makes the index stale; at the next start another writer holds it.
    fixture.beside().await.add(film("Psycho", 1960, &["Horror"])).await;
    let index = tantivy::Index::open_in_dir(fixture.search_folder()).unwrap();
    let held: tantivy::IndexWriter = index.writer_with_num_threads(1, 15_000_000).unwrap();
    let again = fixture.started_again().await;
    again.add(film("Rope", 1948, &["Thriller"])).await;
    drop(held);
    let found = async {
        while again.found("psycho").await.is_empty() || again.found("rope").await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(20), found).await;
    waited.expect("the index is made once it can be");
}
