//! Sentences, read as data.

use contract::catalog::{Card, TitleKind};

use super::*;

fn card(id: i64, name: &str) -> (TitleId, Card) {
    let card = Card {
        id: TitleId(id),
        kind: TitleKind::Film,
        name: name.into(),
        year: Some(1995),
        genres: ["Crime".into()].into(),
        maturity: 16,
        duration_ms: None,
        average_rating: None,
        ratings_count: 0,
        playable: true,
        published: true,
        artwork_version: 1,
    };
    (TitleId(id), card)
}

fn state(id: i64, opinion: Option<Opinion>) -> (TitleId, TitleState) {
    let title = TitleId(id);
    (
        title,
        TitleState {
            title,
            opinion,
            rated_at: None,
            progress: None,
            listed_at: None,
        },
    )
}

fn because(parts: &[(i64, How)]) -> Reason {
    Reason::Because(
        parts
            .iter()
            .map(|&(id, how)| Contribution {
                title: TitleId(id),
                share: 0.5,
                how,
            })
            .collect(),
    )
}

fn say(reason: &Reason) -> Option<String> {
    let cards = [card(1, "Heat"), card(2, "Ronin"), card(3, "Léon")].into();
    let states = [state(1, HalfStars::new(10).map(Opinion::Stars))].into();
    Knowledge {
        cards: &cards,
        states: &states,
    }
    .reason(reason)
    .map(|reason| reason.text)
}

#[test]
fn reasons_say_what_was_done_and_no_more() {
    for (reason, text) in [
        (because(&[(1, How::Rated)]), "Because you rated Heat five stars"),
        (because(&[(2, How::Rated)]), "Because you rated Ronin"),
        (
            because(&[(2, How::Watched), (3, How::Liked), (1, How::Rated)]),
            "Because you watched Ronin and liked Léon",
        ),
        (
            because(&[(2, How::Watched), (3, How::Watched)]),
            "Because you watched Ronin and Léon",
        ),
        (
            because(&[(1, How::Rated), (2, How::Rated)]),
            "Because you rated Heat five stars and rated Ronin",
        ),
        (
            because(&[(9, How::Liked), (3, How::Listed)]),
            "Because you put Léon on your list",
        ),
        (
            Reason::Genres(vec!["Drama".into(), "Crime".into(), "War".into()]),
            "Because you enjoy Drama, Crime and War",
        ),
    ] {
        assert_eq!(say(&reason).as_deref(), Some(text));
    }
    assert_eq!(
        say(&because(&[(9, How::Liked)])),
        None,
        "a title that this profile cannot see gives no reason"
    );
}

#[test]
fn a_row_about_a_title_says_how_it_came() {
    let cards = [card(1, "Heat"), card(2, "Ronin")].into();
    let mut states: HashMap<_, _> = [state(1, HalfStars::new(9).map(Opinion::Stars)), state(2, None)].into();
    if let Some(watched) = states.get_mut(&TitleId(2)) {
        let progress = contract::activity::Progress {
            position_ms: 1,
            duration_ms: 2,
            watched: 1.0,
            finished: true,
            at: 0,
        };
        watched.progress = Some(progress);
    }
    let knowledge = Knowledge {
        cards: &cards,
        states: &states,
    };
    let row = |id: i64, how| Row {
        id: String::new(),
        kind: RowKind::BecauseYouWatched(TitleId(id)),
        reason: Some(because(&[(id, how)])),
        items: Vec::new(),
    };
    assert_eq!(
        knowledge.heading(&row(1, How::Rated)).unwrap(),
        "Because you rated Heat four and a half stars"
    );
    assert_eq!(
        knowledge.heading(&row(2, How::Rated)).unwrap(),
        "Because you watched Ronin"
    );
    assert_eq!(knowledge.heading(&row(3, How::Rated)), None);
}
