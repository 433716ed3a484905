//! The content model by one kind of what is known at a time: the words of the names, the people, the years, the genres.
#![allow(clippy::expect_used, reason = "helpers of tests fail the test")]

mod common;

use common::{ITEMS, history, planted, small_base};
use reco::{Content, Event, Ials, ItemFeatures, ItemFeaturesBuilder, Model, Scratch, TitleDescription};

/// Titles 0..20 and 40, 41 are of the first taste, the others of the second; 40 to 43 nobody has seen.
fn is_first(item: u32) -> bool {
    item < 20 || item == 40 || item == 41
}

fn described(describe: impl Fn(bool, u32, &mut dyn FnMut(&TitleDescription<'_>))) -> ItemFeatures {
    let mut features = ItemFeaturesBuilder::new(ITEMS);
    for item in 0..ITEMS as u32 {
        describe(is_first(item), item, &mut |title| features.describe(item, title));
    }
    features.build()
}

fn scores(features: &ItemFeatures, events: &[Event]) -> Vec<f32> {
    let (data, base) = (planted(), small_base());
    let ials = Ials::train(&data, base.ials).expect("ials");
    let content = Content::train(&data, features, &ials, base.content).expect("content");
    let mut out = vec![0.0; ITEMS];
    content.score(events, &mut Scratch::default(), &mut out);
    out
}

/// By these features alone the titles that nobody has seen are told apart, each for those whose taste they are of.
fn tells_apart(features: &ItemFeatures, by: &str) {
    for (events, own, other) in [
        (history(&[2, 3, 4]), [40, 41], [42, 43]),
        (history(&[22, 23, 24]), [42, 43], [40, 41]),
    ] {
        let scores = scores(features, &events);
        for (own, other) in own.into_iter().zip(other) {
            let [own, other] = [own, other].map(|item: usize| scores[item]);
            assert!(own > other + 0.05, "by {by}: {own} is not above {other}");
        }
    }
}

#[test]
fn words_of_the_name_tell_unseen_titles_apart() {
    // Each name has a number of its own: what tells is the word that they share.
    let features = described(|is_first, item, take| {
        let name = format!("{} {item}", if is_first { "Lantern Street" } else { "Iron Harvest" });
        take(&TitleDescription {
            name: &name,
            ..TitleDescription::default()
        });
    });
    tells_apart(&features, "words");
}

#[test]
fn people_tell_unseen_titles_apart() {
    let features = described(|is_first, item, take| {
        let own = format!("Extra Number {item}");
        let people = [if is_first { "Ann Vale" } else { "Bo Stern" }, own.as_str()];
        take(&TitleDescription {
            people: &people,
            ..TitleDescription::default()
        });
    });
    tells_apart(&features, "people");
}

#[test]
fn years_tell_unseen_titles_apart() {
    // A decade each, the years within it as they come.
    let features = described(|is_first, item, take| {
        let from = if is_first { 1950 } else { 2010 };
        take(&TitleDescription {
            year: Some(from + (item % 10) as i32),
            ..TitleDescription::default()
        });
    });
    tells_apart(&features, "years");
}

#[test]
fn genres_tell_unseen_titles_apart() {
    let features = described(|is_first, _, take| {
        take(&TitleDescription {
            genres: if is_first { &["Comedy"] } else { &["Horror"] },
            ..TitleDescription::default()
        });
    });
    tells_apart(&features, "genres");
}

#[test]
fn where_nothing_is_known_nothing_is_told_apart() {
    let features = described(|_, _, take| take(&TitleDescription::default()));
    let scores = scores(&features, &history(&[2, 3, 4]));
    assert_eq!(scores[40..], [0.0; 4]);
}
