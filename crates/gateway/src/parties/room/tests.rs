//! A party by the clock of the test.

use super::*;

const FILM: TitleId = TitleId(1);

fn who(name: &str) -> Who {
    let number = name.bytes().fold(0, |number, byte| number * 31 + i64::from(byte));
    Who {
        account: AccountId(number),
        profile: ProfileId(number),
        name: name.into(),
        avatar: "moon".into(),
    }
}

/// A party of these, in this order, by connections 1, 2, …
fn party(names: &[&str]) -> Room {
    let course = Course {
        playing: false,
        position_s: 0.0,
        rate: 1.0,
    };
    let Who { account, profile, .. } = who("ann");
    let mut room = Room::new(FILM, (account, profile), course, 0.0);
    for (at, name) in names.iter().enumerate() {
        let seat = format!("seat of {name}");
        room.join(who(name), None, seat, at as u64 + 1, 0.0).unwrap();
    }
    room.drain();
    room
}

fn control(playing: bool, position_s: f64, at_ms: f64) -> FromMember {
    FromMember::Control {
        playing,
        position_s,
        rate: 1.0,
        at_ms,
    }
}

fn waiting(waiting: bool) -> FromMember {
    FromMember::Waiting { waiting }
}

fn said(room: &mut Room) -> Vec<(To, ToMember)> {
    room.drain().0
}

/// The newest state that all were told.
fn state(room: &mut Room) -> super::super::messages::State {
    let states = said(room).into_iter().rev().find_map(|(to, message)| match message {
        ToMember::State(state) if to == To::All => Some(state),
        _ => None,
    });
    states.expect("all were told where the film is")
}

const ANN: MemberId = MemberId(1);
const BEN: MemberId = MemberId(2);
const CEM: MemberId = MemberId(3);

#[test]
fn only_the_host_controls_until_everybody_may() {
    let mut room = party(&["ann", "ben"]);
    assert_eq!(room.take(BEN, control(true, 5.0, 100.0), 100.0), Err(Refused::NOT_HOST));
    assert_eq!(room.position(1_100.0), 0.0);
    room.take(ANN, control(true, 5.0, 100.0), 120.0).unwrap();
    assert_eq!(
        room.position(1_100.0),
        6.0,
        "from the moment of the press, not of its arrival"
    );
    let everybody = FromMember::Settings {
        everyone_controls: true,
    };
    assert_eq!(room.take(BEN, everybody.clone(), 130.0), Err(Refused::NOT_HOST));
    room.take(ANN, everybody, 130.0).unwrap();
    room.take(BEN, control(false, 6.5, 1_600.0), 1_650.0).unwrap();
    let state = state(&mut room);
    assert_eq!((state.playing, state.position_s, state.by), (false, 6.5, Some(BEN)));
    assert_eq!(room.position(9_000.0), 6.5);
}

#[test]
fn nobody_moves_the_film_by_a_clock_of_their_own() {
    let mut room = party(&["ann"]);
    room.take(ANN, control(true, 0.0, -1e12), 10_000.0).unwrap();
    assert_eq!(room.position(10_000.0), 1.0);
    room.take(ANN, control(true, 0.0, 1e12), 10_000.0).unwrap();
    assert_eq!(room.position(10_500.0), 0.0);
    assert_eq!(room.position(11_500.0), 1.0);
}

#[test]
fn the_film_waits_for_who_cannot_go_on_but_not_for_ever() {
    let mut room = party(&["ann", "ben"]);
    room.take(ANN, control(true, 10.0, 0.0), 0.0).unwrap();
    room.take(BEN, waiting(true), 1_000.0).unwrap();
    let held = state(&mut room);
    assert_eq!((held.waiting_for, held.position_s), (vec![BEN], 11.0));
    assert_eq!(room.position(5_000.0), 11.0);
    room.take(BEN, waiting(false), 5_000.0).unwrap();
    let begun = state(&mut room);
    assert_eq!((begun.waiting_for, begun.at_ms), (vec![], 5_300.0), "all at one moment");
    assert_eq!(room.position(6_300.0), 12.0);

    room.take(BEN, waiting(true), 6_300.0).unwrap();
    assert_eq!(room.position(7_300.0), 13.0, "not again so soon");
    assert_eq!(room.next_at(), 15_000.0);
    room.tick(15_000.0);
    assert_eq!(state(&mut room).waiting_for, vec![BEN]);
    assert_eq!(room.next_at(), 25_000.0);
    room.tick(25_000.0);
    assert_eq!(state(&mut room).waiting_for, vec![], "long enough");
    room.take(ANN, control(true, 40.0, 26_000.0), 26_000.0).unwrap();
    assert_eq!(
        state(&mut room).waiting_for,
        vec![BEN],
        "elsewhere in the film it may be quick"
    );
    room.lost(2, 27_000.0);
    assert_eq!(state(&mut room).waiting_for, vec![], "who is gone is not waited for");
}

#[test]
fn a_film_that_stands_still_waits_for_nobody() {
    let mut room = party(&["ann", "ben"]);
    room.take(BEN, waiting(true), 10.0).unwrap();
    assert_eq!(said(&mut room), vec![]);
    room.take(ANN, control(true, 0.0, 20.0), 20.0).unwrap();
    assert_eq!(state(&mut room).waiting_for, vec![BEN]);
    room.take(ANN, control(false, 0.0, 30.0), 30.0).unwrap();
    assert_eq!(state(&mut room).waiting_for, vec![]);
}

#[test]
fn the_host_hands_over_and_is_replaced_when_away_too_long() {
    let mut room = party(&["ann", "ben", "cem"]);
    assert_eq!(
        room.take(BEN, FromMember::HandOver { member: BEN }, 0.0),
        Err(Refused::NOT_HOST)
    );
    let nobody = FromMember::HandOver { member: MemberId(9) };
    assert_eq!(room.take(ANN, nobody, 0.0), Err(Refused::NO_SUCH_MEMBER));
    room.take(ANN, FromMember::HandOver { member: CEM }, 0.0).unwrap();
    assert_eq!(room.host_name(), Some("cem"));
    room.lost(3, 1_000.0);
    assert_eq!(room.next_at(), 16_000.0);
    room.tick(15_999.0);
    assert_eq!(room.host_name(), Some("cem"), "it may come back");
    room.tick(16_000.0);
    assert_eq!(room.host_name(), Some("ann"), "who has been here longest");
    assert_eq!(
        room.join(who("cem"), Some("seat of cem"), String::new(), 9, 17_000.0),
        Some(CEM)
    );
    assert_eq!(room.host_name(), Some("ann"));
    room.take(ANN, FromMember::Leave {}, 18_000.0).unwrap();
    assert_eq!(room.host_name(), Some("ben"), "at once, where it is said");
    assert_eq!(room.drain().1, vec![(1, Ending::Left)]);
}

#[test]
fn a_party_is_its_openers_however_quick_others_are() {
    let mut room = party(&["ben", "ann", "cem"]);
    assert_eq!(room.host_name(), Some("ann"));
    room.take(MemberId(2), FromMember::HandOver { member: MemberId(3) }, 0.0)
        .unwrap();
    room.join(who("ann"), None, "another".into(), 4, 1.0).unwrap();
    assert_eq!(room.host_name(), Some("cem"), "once");
}

#[test]
fn a_seat_is_kept_for_a_minute_and_for_its_owner() {
    let mut room = party(&["ann", "ben"]);
    room.lost(2, 0.0);
    let mallory = room.join(who("mallory"), Some("seat of ben"), "new".into(), 3, 1_000.0);
    assert_eq!(mallory, Some(CEM), "a seat of one's own, whatever one knows");
    assert_eq!(
        room.join(who("ben"), Some("seat of ben"), "new".into(), 4, 59_000.0),
        Some(BEN)
    );
    assert_eq!(
        room.join(who("ben"), Some("seat of ben"), "new".into(), 5, 59_000.0),
        Some(BEN)
    );
    assert_eq!(room.drain().1, vec![(4, Ending::Replaced)]);
    room.lost(4, 59_500.0);
    assert_eq!(room.present().count(), 3, "what it was replaced by stays");
    room.lost(5, 60_000.0);
    room.tick(120_000.0);
    assert_eq!(room.members(), 2);
}

#[test]
fn a_party_has_its_limit_and_its_end() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut room = party(&names);
    assert_eq!(room.join(who("i"), None, String::new(), 9, 0.0), None);
    for connection in 1..=8 {
        room.lost(connection, 1_000.0);
    }
    room.tick(61_000.0);
    assert_eq!(room.members(), 0);
    assert!(!room.is_over(120_999.0));
    assert_eq!(room.next_at(), 121_000.0);
    assert!(room.is_over(121_000.0));

    let mut room = party(&["ann"]);
    assert_eq!(room.next_at(), IDLE_MAX_MS);
    assert!(room.is_over(IDLE_MAX_MS));
    assert_eq!(room.drain().1, vec![(1, Ending::Over)]);
}

#[test]
fn chat_is_kept_for_late_joiners_and_slowed_down() {
    let mut room = party(&["ann"]);
    let line = |text: &str| FromMember::Chat { text: text.into() };
    for _ in 0..5 {
        room.take(ANN, line(" first "), 0.0).unwrap();
    }
    assert_eq!(room.take(ANN, line("more"), 500.0), Err(Refused::CHAT_TOO_FAST));
    for at in 1..=60 {
        room.take(ANN, line(&format!("line {at}")), f64::from(at) * 1_000.0)
            .unwrap();
    }
    room.drain();
    room.join(who("ben"), None, "seat".into(), 2, 61_000.0).unwrap();
    let ToMember::Welcome { chat, you, .. } = said(&mut room).remove(0).1 else {
        panic!("the welcome comes first");
    };
    assert_eq!((you, chat.len()), (BEN, CHAT_LINES_KEPT));
    assert_eq!((chat[0].text.as_str(), chat[49].text.as_str()), ("line 11", "line 60"));
}

#[test]
fn signals_go_to_one_member_of_the_call_and_to_no_stranger() {
    let mut room = party(&["ann", "ben", "cem"]);
    let offer = |to| FromMember::Offer { to, sdp: "v=0".into() };
    let voice = FromMember::Voice { on: true, muted: false };
    assert_eq!(room.take(ANN, offer(BEN), 0.0), Err(Refused::NOT_IN_CALL));
    room.take(ANN, voice.clone(), 0.0).unwrap();
    assert_eq!(room.take(ANN, offer(BEN), 0.0), Err(Refused::NOT_IN_CALL));
    room.take(BEN, voice, 0.0).unwrap();
    assert_eq!(room.take(CEM, offer(ANN), 0.0), Err(Refused::NOT_IN_CALL));
    for stranger in [ANN, MemberId(0), MemberId(77)] {
        assert_eq!(room.take(ANN, offer(stranger), 0.0), Err(Refused::NO_SUCH_MEMBER));
    }
    room.drain();
    room.take(ANN, offer(BEN), 0.0).unwrap();
    let sdp = "v=0".to_owned();
    assert_eq!(
        said(&mut room),
        vec![(To::One(BEN), ToMember::Offer { from: ANN, sdp })]
    );
}
