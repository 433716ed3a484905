//! Drawn pictures.

use std::collections::HashSet;

use contract::catalog::ArtworkShape::{Backdrop, Poster};
use proptest::prelude::*;

use super::{Subject, draw, upload::sniff};

fn genres(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_same_title_always_looks_the_same() {
    let genres = genres(&["Drama", "War"]);
    let subject = Subject {
        seed: 77,
        name: "Ivan's Childhood",
        year: Some(1962),
        genres: &genres,
    };
    assert_eq!(draw(&subject, Poster), draw(&subject, Poster));
    assert_ne!(draw(&subject, Poster), draw(&subject, Backdrop));
    insta::assert_snapshot!("poster_of_a_war_film", draw(&subject, Poster).replace('>', ">\n"));
}

#[test]
fn no_two_titles_of_a_genre_look_alike() {
    let genres = genres(&["Western"]);
    let pictures: HashSet<String> = (0..500)
        .map(|seed| {
            draw(
                &Subject {
                    seed,
                    name: "High Noon",
                    year: Some(1952),
                    genres: &genres,
                },
                Poster,
            )
        })
        .collect();
    assert_eq!(pictures.len(), 500);
}

#[test]
fn pictures_stay_small() {
    for seed in 0..400 {
        let genre = [
            "Drama",
            "Sci-Fi",
            "Film-Noir",
            "Comedy",
            "Documentary",
            "War",
            "Musical",
            "none",
        ][seed as usize % 8];
        let genres = genres(&[genre]);
        let name = "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb";
        let picture = draw(
            &Subject {
                seed,
                name,
                year: Some(1964),
                genres: &genres,
            },
            Backdrop,
        );
        assert!(picture.len() < 32 * 1024, "{genre}: {} bytes", picture.len());
    }
}

#[test]
fn a_script_without_outlines_is_written_as_text() {
    let picture = draw(
        &Subject {
            seed: 1,
            name: "七人の侍 <b>&",
            year: None,
            genres: &[],
        },
        Poster,
    );
    assert!(picture.contains("<text"), "{picture}");
    assert!(!picture.contains("<b>"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the name: well-formed, nothing of it becomes markup, and the letters stay on the sheet's scale.
    #[test]
    fn any_name_draws(name in "\\PC{0,120}", seed: u64, year in proptest::option::of(1870u16..2100)) {
        let genres = genres(&["Drama"]);
        for shape in [Poster, Backdrop] {
            let picture = draw(&Subject { seed, name: &name, year, genres: &genres }, shape);
            prop_assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>"));
            prop_assert!(!picture.contains("NaN") && !picture.contains("inf"));
            prop_assert_eq!(picture.matches('<').count(), picture.matches('>').count());
        }
    }
}

#[test]
fn pictures_are_known_by_their_bytes() {
    assert_eq!(sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some("image/png"));
    assert_eq!(sniff(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
    assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
    assert_eq!(sniff(b"<svg xmlns"), None);
    assert_eq!(sniff(b"\x89PNG"), None);
}
