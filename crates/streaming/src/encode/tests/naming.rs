//! Which chapters are end credits.

use proptest::prelude::*;

use crate::encode::{
    chapters::{Chapter, credits_ms, intro_ms, names_credits, shown},
    probe::Answer,
};

#[test]
fn end_credits_have_usual_names_whatever_their_number_and_their_letters() {
    for name in [
        "Credits",
        "END CREDITS",
        "12. End Credits",
        "Chapter 12: Closing credits",
        "Kapitel 9 - Abspann",
        "Générique",
        "GÉNÉRIQUE DE FIN",
        "Ge\u{301}ne\u{301}rique de fin",
        "Generique de fin",
        "28 - Créditos finales",
        "Titoli di coda",
        "Финальные титры",
    ] {
        assert!(names_credits(name), "{name}");
    }
    let long = "credits ".repeat(50);
    for name in [
        "",
        "Chapter 12",
        "Opening Credits",
        "Creditors",
        "The credits of a bank",
        "After the credits",
        "Credits\n#EXT-X-ENDLIST",
        &long,
    ] {
        assert!(!names_credits(name), "{name}");
    }
}

#[test]
fn only_in_the_last_quarter_and_the_first_of_several() {
    assert_eq!(credits_ms(&[], 100_000), None);
    assert_eq!(credits_ms(&[74.999], 100_000), None);
    assert_eq!(credits_ms(&[75.0], 100_000), Some(75_000));
    assert_eq!(credits_ms(&[1.0, 95.5, 90.25, 100.0], 100_000), Some(90_250));
    // A header that puts them behind the end, or nowhere.
    assert_eq!(credits_ms(&[100.0, 1e300, -5.0, f64::NAN], 100_000), None);
    assert_eq!(credits_ms(&[0.0], 0), None);
}

#[test]
fn chapters_are_told_from_the_first_picture_on() {
    let answer = r#"{"streams":[{"index":0,"codec_type":"video","codec_name":"h264","width":320,"height":180}],
        "chapters":[{"start_time":"1.500000","tags":{"title":"Film"}},{"start_time":"9.500000","tags":{"title":"Credits"}},
            {"start_time":"nan","tags":{"title":"Credits"}},{"start_time":"x","tags":{"title":"Credits"}},{"tags":{}},{}],
        "format":{"duration":"10.0","start_time":"1.500000"}}"#;
    let answer: Answer = serde_json::from_str(answer).unwrap();
    assert_eq!(answer.source().unwrap().credits_s, [8.0]);
}

fn chapters(told: &[(&str, f64, f64)]) -> Vec<Chapter> {
    let chapter = |&(name, start_s, end_s): &(&str, f64, f64)| Chapter {
        start_s,
        end_s: (end_s > 0.0).then_some(end_s),
        name: name.to_owned(),
    };
    told.iter().map(chapter).collect()
}

#[test]
fn an_opening_has_a_usual_name_and_lies_near_the_beginning() {
    for (told, found) in [
        (&[("Opening", 0.0, 90.0)][..], Some((0, 90_000))),
        (
            &[("1. INTRO", 60.0, 150.5), ("Part A", 150.5, 1_000.0)],
            Some((60_000, 150_500)),
        ),
        (
            &[("Generique de debut", 10.0, 0.0), ("Film", 70.0, 0.0)],
            Some((10_000, 70_000)),
        ),
        // The next one begins before it ends; of two the first.
        (
            &[("OP", 90.0, 180.0), ("Part A", 170.0, 900.0), ("Opening", 200.0, 250.0)],
            Some((90_000, 170_000)),
        ),
        (&[("Introduction", 0.0, 90.0)], None),
        (&[("Opening", 0.0, 241.0)], None),
        (&[("Opening", 400.0, 490.0)], None),
        (&[("Opening", 0.0, 0.0)], None),
        (&[("Opening", 90.0, 80.0)], None),
        (&[("Opening", f64::NAN, 80.0)], None),
        (&[], None),
    ] {
        assert_eq!(intro_ms(&chapters(told), 1_000_000), found, "{told:?}");
    }
}

#[test]
fn chapters_are_shown_in_order_and_within_the_film() {
    let told = chapters(&[
        ("Late", 50.0, 0.0),
        (" ", -1.5, 0.0),
        ("Twice", 50.0, 0.0),
        ("Behind", 100.0, 0.0),
    ]);
    let found: Vec<_> = shown(&told, 100_000)
        .into_iter()
        .map(|chapter| (chapter.start_ms, chapter.name))
        .collect();
    assert_eq!(found, [(0, None), (50_000, Some("Late".into()))]);
    let many: Vec<_> = (0..1_000).map(|second| ("x", f64::from(second), 0.0)).collect();
    assert_eq!(shown(&chapters(&many), 10_000_000).len(), 200);
}

proptest! {
    #[test]
    fn no_name_and_no_time_makes_it_panic(name in "\\PC{0,200}", begin in prop::collection::vec(any::<f64>(), 0..8), length: u64) {
        names_credits(&name);
        let told: Vec<_> = begin.iter().map(|&start| (name.as_str(), start, start + 1.0)).collect();
        let told = chapters(&told);
        prop_assert!(intro_ms(&told, length).is_none_or(|(from, to)| from < to && to <= length));
        prop_assert!(shown(&told, length).iter().all(|chapter| chapter.start_ms < length));
        let found = credits_ms(&begin, length);
        prop_assert!(found.is_none_or(|at| at > 0 && at <= length));
    }
}
