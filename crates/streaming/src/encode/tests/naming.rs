//! Which chapters are end credits.

use proptest::prelude::*;

use crate::encode::{
    chapters::{credits_ms, names_credits},
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

proptest! {
    #[test]
    fn no_name_and_no_time_makes_it_panic(name in "\\PC{0,200}", begin in prop::collection::vec(any::<f64>(), 0..8), length: u64) {
        names_credits(&name);
        let found = credits_ms(&begin, length);
        prop_assert!(found.is_none_or(|at| at > 0 && at <= length));
    }
}
